/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call: a call of any kind whose owner writes and reads: one lease, one attempt, held
 * from cenote_call_new() to cenote_call_finish().
 *
 * It has two sides, to write and to read; whoever works on one has it alone, and the
 * end takes both.  Any thread may cancel.
 */
#include <grpc/byte_buffer.h>
#include <grpc/status.h>

#include "call-plan.h"
#include "core/base/monitor.h"
#include "core/runtime/process.h"

enum { SIDE_WRITE = 1u << 0, SIDE_READ = 1u << 1 };

struct CenoteCall {
  gatomicrefcount refs;
  CenotePool *pool;          /* (reference) */
  CallPlan plan;
  CenoteLease lease;
  RpcQueue *queue;
  Rpc *rpc;
  Monitor monitor;           /* busy */
  guint busy;                /* sides that a thread works on */
  gboolean writes_closed;    /* SIDE_WRITE */
  Headers *initial;          /* SIDE_READ; once asked for, or finished */
  gboolean finished;         /* both sides, this and the rest */
  GError *error;             /* NULL: OK */
  Headers *trailing;
};

static void
take (CenoteCall *call, guint sides)
{
  monitor_lock (&call->monitor);
  while (call->busy & sides)
    monitor_wait (&call->monitor);
  call->busy |= sides;
  monitor_unlock (&call->monitor);
}

static void
give (CenoteCall *call, guint sides)
{
  monitor_lock (&call->monitor);
  call->busy &= ~sides;
  monitor_broadcast (&call->monitor);
  monitor_unlock (&call->monitor);
}

static gboolean
check_caller (const char *what, GError **error)
{
  return process_check_fork (error) && process_check_may_block (what, error);
}

/* -------------------------------------------------------------------- begin */

static gboolean
begin (CenoteCall *call, GError **error)
{
  CallPlan *plan = &call->plan;
  LeaseResult result = pool_get (plan->pool, &plan->wish, &call->lease);

  if (result != LEASE_GOT && !call_plan_wait (plan, result, &call->lease, error))
    return FALSE;
  call->queue = calls_take_queue (plan->pool->calls);
  call->rpc = call_plan_attempt (plan, &call->lease, call->queue);
  rpc_begin_stream (call->rpc);
  return TRUE;
}

static void
call_free (CenoteCall *call)
{
  rpc_unref (call->rpc);
  headers_free (call->initial);
  headers_free (call->trailing);
  g_clear_error (&call->error);
  monitor_clear (&call->monitor);
  cenote_pool_unref (call->pool);
  g_free (call);
}

CenoteCall *
cenote_call_new (CenotePool *pool, const char *method, const CenoteCallOptions *options, GError **error)
{
  CenoteCall *call;

  g_return_val_if_fail (pool != NULL, NULL);
  if (!check_caller ("cenote_call_new()", error))
    return NULL;
  call = g_new0 (CenoteCall, 1);
  g_atomic_ref_count_init (&call->refs);
  call->pool = cenote_pool_ref (pool);
  monitor_init (&call->monitor);
  if (!call_plan_init (&call->plan, pool, 0, method, NULL, options, error)) {
    call_free (call);
    return NULL;
  }
  if (begin (call, error))
    return call;
  call_plan_clear (&call->plan);
  call_free (call);
  return NULL;
}

/* ---------------------------------------------------------------------- end */

/* Keeps what outlives the attempt.  With both sides. */
static void
finish (CenoteCall *call)
{
  if (!call->writes_closed)
    rpc_write (call->rpc, NULL, TRUE);
  call->writes_closed = TRUE;
  rpc_await_status (call->rpc);
  call->error = rpc_status (call->rpc) == GRPC_STATUS_OK ? NULL : call_plan_error (&call->plan, call->rpc);
  if (call->initial == NULL)
    call->initial = rpc_initial (call->rpc);
  call->trailing = rpc_trailing (call->rpc);
  call_plan_withdraw (&call->plan);
  call_plan_settle (&call->plan, call->rpc, &call->lease);
  call->finished = TRUE;
}

gboolean
cenote_call_finish (CenoteCall *call, GError **error)
{
  gboolean good;

  g_return_val_if_fail (call != NULL, FALSE);
  if (!check_caller ("cenote_call_finish()", error))
    return FALSE;
  take (call, SIDE_WRITE | SIDE_READ);
  if (!call->finished)
    finish (call);
  good = call->error == NULL;
  if (!good && error != NULL)
    *error = g_error_copy (call->error);
  give (call, SIDE_WRITE | SIDE_READ);
  return good;
}

void
cenote_call_cancel (CenoteCall *call)
{
  g_return_if_fail (call != NULL);
  if (!process_is_forked_child ())
    calls_cancel_one (call->plan.pool->calls, &call->plan.record);
}

CenoteCall *
cenote_call_ref (CenoteCall *call)
{
  g_atomic_ref_count_inc (&call->refs);
  return call;
}

void
cenote_call_unref (CenoteCall *call)
{
  if (call == NULL || process_is_forked_child () || !g_atomic_ref_count_dec (&call->refs))
    return;
  if (!call->finished) {
    cenote_call_cancel (call);
    finish (call);
  }
  g_clear_pointer (&call->rpc, rpc_unref);
  calls_give_queue (call->plan.pool->calls, call->queue);
  call_plan_clear (&call->plan);
  call_free (call);
}

/* ------------------------------------------------------------------ messages */

typedef enum { WRITE_DONE, WRITE_CLOSED, WRITE_OVER } WriteResult;

static WriteResult
write_message (CenoteCall *call, grpc_byte_buffer *message, gboolean last)
{
  if (call->writes_closed)
    return WRITE_CLOSED;
  call->writes_closed = last;
  if (rpc_write (call->rpc, message, last))
    return WRITE_DONE;
  call->writes_closed = TRUE;
  return WRITE_OVER;
}

static gboolean
explain_write (CenoteCall *call, WriteResult result, GError **error)
{
  switch (result) {
  case WRITE_DONE:
    return TRUE;
  case WRITE_CLOSED:
    g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "The call's writing side is closed: no message can follow");
    return FALSE;
  case WRITE_OVER:
    break;
  }
  if (cenote_call_finish (call, error))
    g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_CALL, "The server ended the call with OK before it took the message");
  return FALSE;
}

static gboolean
write_payload (CenoteCall *call, const RpcPayload *payload, gboolean last, GError **error)
{
  grpc_byte_buffer *message;
  WriteResult result;

  if (!rpc_payload_check (payload, error))
    return FALSE;
  message = rpc_buffer_from_payload (payload);
  take (call, SIDE_WRITE);
  result = write_message (call, message, last);
  give (call, SIDE_WRITE);
  grpc_byte_buffer_destroy (message);
  return explain_write (call, result, error);
}

gboolean
cenote_call_write (CenoteCall *call, GBytes *message, gboolean last, GError **error)
{
  const RpcPayload payload = { .bytes = message };

  g_return_val_if_fail (call != NULL && message != NULL, FALSE);
  return check_caller ("cenote_call_write()", error) && write_payload (call, &payload, last, error);
}

gboolean
cenote_call_write_packed (CenoteCall *call, const CenotePackable *message, gboolean last, GError **error)
{
  const RpcPayload payload = { .packable = message };

  g_return_val_if_fail (call != NULL && message != NULL, FALSE);
  return check_caller ("cenote_call_write_packed()", error) && write_payload (call, &payload, last, error);
}

gboolean
cenote_call_close_writes (CenoteCall *call, GError **error)
{
  WriteResult result;

  g_return_val_if_fail (call != NULL, FALSE);
  if (!check_caller ("cenote_call_close_writes()", error))
    return FALSE;
  take (call, SIDE_WRITE);
  result = write_message (call, NULL, TRUE);
  give (call, SIDE_WRITE);
  return result == WRITE_CLOSED || explain_write (call, result, error);
}

static gboolean
read_timeout_to_until (gint64 timeout_ms, gint64 *out_us, GError **error)
{
  if (timeout_ms < -1) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
                 "timeout_ms is %" G_GINT64_FORMAT ": use -1 (the call's deadline), 0 (do not wait) or milliseconds", timeout_ms);
    return FALSE;
  }
  if (timeout_ms <= 0)
    *out_us = timeout_ms == 0 ? 0 : G_MAXINT64;
  else
    *out_us = timeout_ms > G_MAXINT64 / 2000 ? G_MAXINT64 : g_get_monotonic_time () + timeout_ms * 1000;
  return TRUE;
}

gboolean
cenote_call_read (CenoteCall *call, gint64 timeout_ms, GBytes **out_message, GError **error)
{
  GBytes *message = NULL;
  gint64 until_us;
  gboolean came = TRUE;

  g_return_val_if_fail (call != NULL && out_message != NULL, FALSE);
  if (!check_caller ("cenote_call_read()", error) || !read_timeout_to_until (timeout_ms, &until_us, error))
    return FALSE;
  take (call, SIDE_READ);
  if (!call->finished)
    came = rpc_read (call->rpc, until_us, &message);
  give (call, SIDE_READ);
  if (came)
    *out_message = message;
  else
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_TIMEOUT, "No message within %" G_GINT64_FORMAT " ms: the call goes on",
                 timeout_ms);
  return came;
}

/* ------------------------------------------------------------------ metadata */

const char *
cenote_call_get_initial (CenoteCall *call, const char *key, gsize *out_length)
{
  const char *value;

  g_return_val_if_fail (call != NULL && key != NULL, NULL);
  if (!check_caller ("cenote_call_get_initial()", NULL))
    return NULL;
  take (call, SIDE_READ);
  if (call->initial == NULL) {
    rpc_await_initial (call->rpc);
    call->initial = rpc_initial (call->rpc);
  }
  value = headers_get (call->initial, key, out_length);
  give (call, SIDE_READ);
  return value;
}

const char *
cenote_call_get_trailing (CenoteCall *call, const char *key, gsize *out_length)
{
  const char *value;

  g_return_val_if_fail (call != NULL && key != NULL, NULL);
  if (process_is_forked_child ())
    return NULL;
  take (call, SIDE_WRITE | SIDE_READ);
  value = headers_get (call->trailing, key, out_length);
  give (call, SIDE_WRITE | SIDE_READ);
  return value;
}
