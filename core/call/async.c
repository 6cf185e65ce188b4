/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async: unary calls that call back.
 *
 * A call has one owner at a time, and is handed on: its caller's thread, which takes a
 * channel where one is ready; the control thread, where it waits for one; whoever has
 * the turn of its driver, who ends its attempts; at last its caller's loop, which is
 * mostly the same, or where it has none the callback thread.
 */
#include <grpc/byte_buffer.h>
#include <grpc/status.h>
#include <string.h>

#include "async.h"
#include "call-plan.h"
#include "core/base/hot.h"
#include "core/base/prefetch.h"
#include "loop.h"

typedef union Callback {
  CenoteUnaryCallback bytes;
  CenotePackedCallback packed;
} Callback;

typedef struct AsyncCall AsyncCall;
struct AsyncCall {
  LoopItem item;             /* first */
  gboolean planned;          /* plan is to be cleared */
  DriverTask task;
  Driver *driver;            /* (borrowed) the loop's */
  LeaseOrigin *origin;       /* nullable */
  Loop *loop;                /* until it is handed to it; NULL: it has none */
  CenotePool *pool;          /* (reference) */
  void (*tell) (AsyncCall *call); /* its caller how it ended */
  Callback callback;         /* TELL knows which */
  gpointer user_data;
  GDestroyNotify notify;
  grpc_byte_buffer *reply;
  GError *error;
  /* Not cleared before they are used: */
  CallPlan plan;
  CenoteLease lease;
  Waiter waiter;             /* where it waits for a channel */
};

static AsyncCall *
call_of_task (DriverTask *task)
{
  return (AsyncCall *) (gpointer) ((char *) task - G_STRUCT_OFFSET (AsyncCall, task));
}

static AsyncCall *
call_of_waiter (Waiter *waiter)
{
  return (AsyncCall *) (gpointer) ((char *) waiter - G_STRUCT_OFFSET (AsyncCall, waiter));
}

/* ---------------------------------------------------------------------- end */

static HOT void
tell_bytes (AsyncCall *call)
{
  g_autoptr (GBytes) reply = rpc_buffer_bytes (call->reply);

  call->callback.bytes (call->pool, reply, call->error, call->user_data);
}

static HOT void
tell_packed (AsyncCall *call)
{
  gsize length = 0;
  const guint8 *reply = call->reply == NULL ? NULL : rpc_buffer_view (call->reply, &length);

  call->callback.packed (call->pool, reply, length, call->error, call->user_data);
}

static HOT void
run_callback (gpointer data)
{
  AsyncCall *call = data;

  if (!call->plan.record.silent)
    call->tell (call);
}

static HOT void
call_free (gpointer data)
{
  AsyncCall *call = data;

  if (call->notify != NULL)
    call->notify (call->user_data);
  grpc_byte_buffer_destroy (call->reply);
  g_clear_pointer (&call->error, g_error_free); /* unlike g_clear_error(), no call where there is none */
  g_free (call->origin);
  cenote_pool_unref (call->pool);
  g_free (call);
}

static void
dispatch (LoopItem *item, gboolean run)
{
  if (run)
    run_callback (item);
  call_free (item);
}

/* From here on nobody can cancel it, and the runtime may end. */
static HOT void
end (AsyncCall *call)
{
  g_clear_pointer (&call->task.rpc, rpc_unref);
  if (call->planned)
    call_plan_clear (&call->plan);
  if (call->loop != NULL)
    loop_push (call->loop, &call->item);
  else
    callbacks_post (call->pool->callbacks, "end of a sink's call", run_callback, call, call_free);
}

/* ----------------------------------------------------------------- attempts */

static HOT void
attempt (AsyncCall *call)
{
  g_clear_pointer (&call->task.rpc, rpc_unref);
  call->task.rpc = call_plan_attempt (&call->plan, &call->lease, driver_queue (call->driver));
  if (driver_expect (call->driver, call->loop != NULL))
    loop_invite (call->loop);
  driver_start (call->driver, &call->task);
}

/* No channel: the outcome of an earlier attempt stands, where there was one. */
static void
fail (AsyncCall *call, GError *error)
{
  if (call->task.rpc == NULL)
    call->error = error;
  else
    g_clear_error (&error);
  if (call->error == NULL)
    call->error = call_plan_error (&call->plan, call->task.rpc);
  end (call);
}

static void
waited (Waiter *waiter, CenoteLease *lease, GError *error)
{
  AsyncCall *call = call_of_waiter (waiter);
  GError *why = NULL;

  call_plan_look_at_clock (&call->plan);
  if (lease != NULL) {
    call->lease = *lease;
    attempt (call);
  } else if (error == NULL && pool_get_otherwise (call->pool, LEASE_MOCKED, &call->lease, &why)) {
    attempt (call);
  } else {
    fail (call, error != NULL ? g_error_copy (error) : why);
  }
}

/* Its caller cancelled it meanwhile. */
static void
cancelled_waiting (Waiter *waiter)
{
  AsyncCall *call = call_of_waiter (waiter);

  call->plan.record.silent = TRUE;
  end (call);
}

static void
begin_wait (gpointer data)
{
  AsyncCall *call = data;
  g_autoptr (CenotePool) pool = cenote_pool_ref (call->pool);

  if (calls_is_cancelled (pool->calls, &call->plan.record)) {
    end (call);
    return;
  }
  call->waiter = (Waiter) {
    .for_lease = TRUE,
    .fails_when_down = !call->plan.wait_for_ready,
    .wish = call->plan.wish,
    .done = waited,
    .cancelled = cancelled_waiting,
    .id = call->plan.record.id,
  };
  pool_wait (pool, &call->waiter, call_plan_remaining_us (&call->plan));
  pool_touch (pool);         /* the call may be gone */
}

static HOT void
take_channel (AsyncCall *call)
{
  LeaseResult result = pool_get (call->pool, &call->plan.wish, &call->lease);
  GError *error = NULL;

  if (result == LEASE_GOT) {
    attempt (call);
  } else if (result == LEASE_MOCKED || result == LEASE_STOPPED || result == LEASE_DIALLED) {
    if (pool_get_otherwise (call->pool, result, &call->lease, &error))
      attempt (call);
    else
      fail (call, error);
  } else if (!control_post (call->pool->control, begin_wait, call)) {
    fail (call, pool_miss_error (call->pool, LEASE_STOPPED));
  }
}

static void
due (DriverTask *task)
{
  AsyncCall *call = call_of_task (task);

  call_plan_look_at_clock (&call->plan);
  take_channel (call);
}

/* The attempt is over.  A loop is woken for the end of its own calls alone. */
static HOT Progress
judge (AsyncCall *call)
{
  gint64 pause_us = call_plan_judge (&call->plan, call->task.rpc, &call->lease);
  gboolean has_loop;

  if (pause_us > 0) {
    driver_pause (call->driver, &call->task, call->plan.now_us + pause_us);
    return PROGRESS_ATTEMPT_OVER;
  }
  if (pause_us == 0) {
    take_channel (call);
    return PROGRESS_ATTEMPT_OVER;
  }
  call->reply = rpc_take_reply (call->task.rpc);
  if (call->reply == NULL)
    call->error = call_plan_error (&call->plan, call->task.rpc);
  has_loop = call->loop != NULL;
  end (call);
  return has_loop ? PROGRESS_CALL_OVER : PROGRESS_ATTEMPT_OVER;
}

static HOT Progress
advance (DriverTask *task)
{
  AsyncCall *call = call_of_task (task);

  prefetch (call, G_STRUCT_OFFSET (AsyncCall, waiter));
  if (!rpc_is_ended (task->rpc))
    return PROGRESS_NONE;
  call_plan_withdraw (&call->plan);
  if (rpc_awaits_second (task->rpc))
    return PROGRESS_NONE;
  rpc_conclude_unary (task->rpc);
  return judge (call);
}

/* -------------------------------------------------------------------- begin */

static AsyncCall *
call_new (CenotePool *pool, void (*tell) (AsyncCall *call), Callback callback, gpointer user_data, GDestroyNotify notify)
{
  AsyncCall *call = g_new (AsyncCall, 1); /* a calloc() costs 400 instructions more */

  memset (call, 0, G_STRUCT_OFFSET (AsyncCall, plan));
  call->item.dispatch = dispatch;
  call->pool = cenote_pool_ref (pool);
  call->task.advance = advance;
  call->task.due = due;
  call->tell = tell;
  call->callback = callback;
  call->user_data = user_data;
  call->notify = notify;
  return call;
}

static gboolean
plan_call (AsyncCall *call, guint id, const char *method, const RpcPayload *payload, const CenoteCallOptions *options)
{
  call->planned = call_plan_init (&call->plan, call->pool, id, method, payload, options, &call->error);
  if (!call->planned)
    return FALSE;
  call->origin = pool_origin_here (call->pool);
  call->plan.wish.origin = call->origin;
  call->driver = call->loop != NULL ? loop_driver (call->loop, &call->error)
                                    : loops_driver (calls_loops (call->pool->calls), &call->error);
  return call->driver != NULL;
}

/* CALL may be gone when it returns. */
static HOT guint
begin (AsyncCall *call, const char *method, const RpcPayload *payload, const CenoteCallOptions *options, GMainContext *context)
{
  guint id = pool_next_id ();

  call->loop = loop_get (calls_loops (call->pool->calls), context);
  if (plan_call (call, id, method, payload, options))
    take_channel (call);
  else
    end (call);
  return id;
}

HOT guint
cenote_call_unary_async (CenotePool *pool, const char *method, GBytes *request, const CenoteCallOptions *options,
                         GMainContext *context, CenoteUnaryCallback callback, gpointer user_data, GDestroyNotify notify)
{
  const RpcPayload payload = { .bytes = request };

  g_return_val_if_fail (pool != NULL && callback != NULL, 0);
  return begin (call_new (pool, tell_bytes, (Callback) { .bytes = callback }, user_data, notify), method, &payload, options,
                context);
}

HOT guint
cenote_call_unary_packed_async (CenotePool *pool, const char *method, const CenotePackable *request,
                                const CenoteCallOptions *options, GMainContext *context, CenotePackedCallback callback,
                                gpointer user_data, GDestroyNotify notify)
{
  const RpcPayload payload = { .packable = request };

  g_return_val_if_fail (pool != NULL && request != NULL && callback != NULL, 0);
  return begin (call_new (pool, tell_packed, (Callback) { .packed = callback }, user_data, notify), method, &payload, options,
                context);
}

/* Its caller is told of a stop at once. */
static gboolean
was_stopped (const AsyncCall *call)
{
  return !call->planned && g_error_matches (call->error, CENOTE_ERROR, CENOTE_ERROR_STOPPED);
}

gboolean
call_unary_without_loop (CenotePool *pool, const char *method, GBytes *request, const CenoteCallOptions *options,
                         CenoteUnaryCallback callback, gpointer user_data, GDestroyNotify notify)
{
  const RpcPayload payload = { .bytes = request };
  AsyncCall *call = call_new (pool, tell_bytes, (Callback) { .bytes = callback }, user_data, notify);

  if (plan_call (call, pool_next_id (), method, &payload, options)) {
    take_channel (call);
  } else if (was_stopped (call)) {
    call->notify = NULL;
    call_free (call);
    return FALSE;
  } else {
    end (call);
  }
  return TRUE;
}
