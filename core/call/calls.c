/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <grpc/status.h>
#include <stdatomic.h>

#include "core/base/monitor.h"

#define N_SHARDS 64
#define CACHE_LINE 64

typedef struct Shard {
  _Alignas (CACHE_LINE) Monitor monitor; /* records */
  CallRecord *records;
  _Atomic (RpcQueue *) spare;
} Shard;

struct Calls {
  gatomicrefcount refs;
  _Atomic gboolean closed;
  Monitor monitor;           /* thread */
  CallThread *thread;        /* NULL: no asynchronous call was made yet */
  Shard shards[N_SHARDS];
};

static _Atomic guint n_threads;
static _Thread_local guint thread_number; /* 0: none yet */

static guint
my_shard (void)
{
  if (thread_number == 0)
    thread_number = atomic_fetch_add_explicit (&n_threads, 1, memory_order_relaxed) + 1;
  return thread_number % N_SHARDS;
}

/* -------------------------------------------------------------------- lives */

Calls *
calls_new (void)
{
  Calls *calls = g_aligned_alloc0 (1, sizeof (Calls), CACHE_LINE);
  guint i;

  g_atomic_ref_count_init (&calls->refs);
  monitor_init (&calls->monitor);
  for (i = 0; i < N_SHARDS; i++)
    monitor_init (&calls->shards[i].monitor);
  return calls;
}

Calls *
calls_ref (Calls *calls)
{
  g_atomic_ref_count_inc (&calls->refs);
  return calls;
}

void
calls_unref (Calls *calls)
{
  guint i;

  if (calls == NULL || !g_atomic_ref_count_dec (&calls->refs))
    return;
  for (i = 0; i < N_SHARDS; i++)
    monitor_clear (&calls->shards[i].monitor);
  monitor_clear (&calls->monitor);
  g_aligned_free (calls);
}

/* ----------------------------------------------------------------- register */

/* Whoever closes looks at every shard under its lock after having closed, so a record is
 * either seen there or refused here. */
gboolean
calls_enter (Calls *calls, CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard = my_shard ()];
  gboolean open;

  monitor_lock (&shard->monitor);
  open = !atomic_load_explicit (&calls->closed, memory_order_relaxed);
  if (open) {
    record->previous = NULL;
    record->next = shard->records;
    if (shard->records != NULL)
      shard->records->previous = record;
    shard->records = record;
  }
  monitor_unlock (&shard->monitor);
  if (open)
    calls_ref (calls);
  return open;
}

void
calls_leave (Calls *calls, CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard];

  monitor_lock (&shard->monitor);
  if (record->next != NULL)
    record->next->previous = record->previous;
  if (record->previous != NULL)
    record->previous->next = record->next;
  else
    shard->records = record->next;
  if (atomic_load_explicit (&calls->closed, memory_order_relaxed))
    monitor_broadcast (&shard->monitor);
  monitor_unlock (&shard->monitor);
  calls_unref (calls);
}

void
calls_set_attempt (Calls *calls, CallRecord *record, Rpc *rpc, const grpc_channel *channel)
{
  Shard *shard = &calls->shards[record->shard];
  RpcHandle *handle = rpc_handle (rpc);
  gboolean cancelled;

  monitor_lock (&shard->monitor);
  cancelled = record->cancelled;
  if (!cancelled) {
    record->handle = g_steal_pointer (&handle);
    record->channel = channel;
  }
  monitor_unlock (&shard->monitor);
  if (!cancelled)
    return;
  rpc_handle_cancel (handle, GRPC_STATUS_UNAVAILABLE, "the call was cancelled before it began");
  rpc_handle_unref (handle);
}

gboolean
calls_is_cancelled (Calls *calls, const CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard];
  gboolean cancelled;

  monitor_lock (&shard->monitor);
  cancelled = record->cancelled;
  monitor_unlock (&shard->monitor);
  return cancelled;
}

gboolean
calls_clear_attempt (Calls *calls, CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard];
  RpcHandle *handle;
  gboolean good;

  monitor_lock (&shard->monitor);
  good = !record->cancelled;
  handle = g_steal_pointer (&record->handle);
  monitor_unlock (&shard->monitor);
  if (handle != NULL)
    rpc_handle_unref (handle);
  return good;
}

/* ------------------------------------------------------------------- queues */

RpcQueue *
calls_take_queue (Calls *calls)
{
  RpcQueue *spare = atomic_exchange_explicit (&calls->shards[my_shard ()].spare, NULL, memory_order_acquire);

  return spare != NULL ? spare : rpc_queue_new ();
}

void
calls_give_queue (Calls *calls, RpcQueue *queue)
{
  RpcQueue *none = NULL;

  if (!atomic_compare_exchange_strong_explicit (&calls->shards[my_shard ()].spare, &none, queue, memory_order_release,
                                                memory_order_relaxed))
    rpc_queue_free (queue);
}

CallThread *
calls_thread (Calls *calls, GError **error)
{
  CallThread *thread;

  monitor_lock (&calls->monitor);
  if (calls->thread == NULL)
    calls->thread = call_thread_new (error);
  thread = calls->thread;
  monitor_unlock (&calls->monitor);
  return thread;
}

/* --------------------------------------------------------------- cancelling */

/* Which calls, and what they are told. */
typedef struct Cancel {
  gboolean (*concerns) (const CallRecord *record, const struct Cancel *cancel);
  gint64 now_us;
  gconstpointer pool;
  const grpc_channel *channel;
  gboolean for_good;         /* no further attempt */
  int status;
  const char *why;
} Cancel;

static gboolean
is_late (const CallRecord *record, const Cancel *cancel)
{
  return record->deadline_us <= cancel->now_us;
}

static gboolean
is_on_channel (const CallRecord *record, const Cancel *cancel)
{
  return record->channel == cancel->channel;
}

static gboolean
is_of_pool (const CallRecord *record, const Cancel *cancel)
{
  return record->pool == cancel->pool;
}

static gboolean
is_any (const CallRecord *record, const Cancel *cancel)
{
  (void) record;
  (void) cancel;
  return TRUE;
}

/* What there is to cancel once the lock is gone. */
static void
collect (Shard *shard, const Cancel *cancel, GPtrArray *handles)
{
  CallRecord *record;

  monitor_lock (&shard->monitor);
  for (record = shard->records; record != NULL; record = record->next) {
    if (record->cancelled || !cancel->concerns (record, cancel))
      continue;
    record->cancelled = cancel->for_good;
    if (record->handle != NULL)
      g_ptr_array_add (handles, g_steal_pointer (&record->handle));
  }
  monitor_unlock (&shard->monitor);
}

static void
carry_out (Calls *calls, const Cancel *cancel)
{
  g_autoptr (GPtrArray) handles = g_ptr_array_new_with_free_func ((GDestroyNotify) rpc_handle_unref);
  guint i;

  for (i = 0; i < N_SHARDS; i++)
    collect (&calls->shards[i], cancel, handles);
  for (i = 0; i < handles->len; i++)
    rpc_handle_cancel (handles->pdata[i], cancel->status, cancel->why);
}

static guint
count_before (Calls *calls, gint64 before_us)
{
  guint i, n = 0;

  for (i = 0; i < N_SHARDS; i++) {
    Shard *shard = &calls->shards[i];
    const CallRecord *record;

    monitor_lock (&shard->monitor);
    for (record = shard->records; record != NULL; record = record->next)
      n += record->begun_us < before_us;
    monitor_unlock (&shard->monitor);
  }
  return n;
}

guint
calls_cancel_late (Calls *calls, gint64 now_us, gint64 before_us)
{
  const Cancel cancel = { .concerns = is_late, .now_us = now_us, .for_good = TRUE,
                          .status = GRPC_STATUS_DEADLINE_EXCEEDED, .why = "Deadline Exceeded" };

  carry_out (calls, &cancel);
  return count_before (calls, before_us);
}

static RpcHandle *
cancel_locked (CallRecord *record)
{
  record->cancelled = TRUE;
  return g_steal_pointer (&record->handle);
}

static void
tell_cancelled (RpcHandle *handle)
{
  if (handle == NULL)
    return;
  rpc_handle_cancel (handle, GRPC_STATUS_CANCELLED, "cancelled by its caller");
  rpc_handle_unref (handle);
}

void
calls_cancel_one (Calls *calls, CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard];
  RpcHandle *handle;

  monitor_lock (&shard->monitor);
  handle = cancel_locked (record);
  monitor_unlock (&shard->monitor);
  tell_cancelled (handle);
}

static gboolean
cancel_in_shard (Shard *shard, gconstpointer pool, guint id)
{
  RpcHandle *handle = NULL;
  CallRecord *record;

  monitor_lock (&shard->monitor);
  for (record = shard->records; record != NULL; record = record->next) {
    if (record->id == id && record->pool == pool)
      break;
  }
  if (record != NULL) {
    record->silent = TRUE;
    handle = cancel_locked (record);
  }
  monitor_unlock (&shard->monitor);
  tell_cancelled (handle);
  return record != NULL;
}

gboolean
calls_cancel_id (Calls *calls, gconstpointer pool, guint id)
{
  guint i;

  for (i = 0; i < N_SHARDS; i++) {
    if (cancel_in_shard (&calls->shards[i], pool, id))
      return TRUE;
  }
  return FALSE;
}

void
calls_cancel_on (Calls *calls, const grpc_channel *channel, const char *why)
{
  const Cancel cancel = { .concerns = is_on_channel, .channel = channel, .status = GRPC_STATUS_UNAVAILABLE, .why = why };

  carry_out (calls, &cancel);
}

void
calls_cancel_of (Calls *calls, gconstpointer pool, const char *why)
{
  const Cancel cancel = { .concerns = is_of_pool, .pool = pool, .for_good = TRUE,
                          .status = GRPC_STATUS_UNAVAILABLE, .why = why };

  carry_out (calls, &cancel);
}

void
calls_cancel_all (Calls *calls, const char *why)
{
  const Cancel cancel = { .concerns = is_any, .for_good = TRUE, .status = GRPC_STATUS_UNAVAILABLE, .why = why };

  carry_out (calls, &cancel);
}

guint
calls_count (Calls *calls)
{
  return count_before (calls, G_MAXINT64);
}

void
calls_close (Calls *calls)
{
  atomic_store_explicit (&calls->closed, TRUE, memory_order_release);
}

static void
await_none (Shard *shard)
{
  monitor_lock (&shard->monitor);
  while (shard->records != NULL)
    monitor_wait (&shard->monitor);
  monitor_unlock (&shard->monitor);
}

void
calls_end (Calls *calls)
{
  guint i;

  for (i = 0; i < N_SHARDS; i++) {
    Shard *shard = &calls->shards[i];
    RpcQueue *spare;

    await_none (shard);
    spare = atomic_exchange_explicit (&shard->spare, NULL, memory_order_acq_rel);
    if (spare != NULL)
      rpc_queue_free (spare);
  }
  g_clear_pointer (&calls->thread, call_thread_free);
}
