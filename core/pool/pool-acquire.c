/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-acquire: callers that wait for a channel: blocked ones, whose waiter lives
 * on their stack, and asynchronous ones, whose callback runs on their own loop.
 */
#include "core/base/hot.h"
#include "core/base/monitor.h"
#include "pool.h"
#include "core/runtime/process.h"

/* ------------------------------------------------------------------ acquire */

gboolean
pool_timeout_to_us (CenotePool *pool, gint64 timeout_ms, gint64 *out_us, GError **error)
{
  if (timeout_ms < -1) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
                 "timeout_ms is %" G_GINT64_FORMAT ": use -1 (acquire-timeout), 0 (do not wait), milliseconds, or G_MAXINT64",
                 timeout_ms);
    return FALSE;
  }
  if (timeout_ms == -1)
    *out_us = atomic_load_explicit (&pool->acquire_timeout_us, memory_order_relaxed);
  else
    *out_us = timeout_ms > G_MAXINT64 / 1000 ? G_MAXINT64 : timeout_ms * 1000;
  return TRUE;
}

gint64
pool_left_us (CenotePool *pool, gint64 until_us)
{
  return until_us == G_MAXINT64 ? G_MAXINT64 : MAX (0, until_us - control_now_us (pool->control));
}

gint64
pool_until (CenotePool *pool, gint64 timeout_us)
{
  gint64 now_us = control_now_us (pool->control);

  return timeout_us < G_MAXINT64 - now_us ? now_us + timeout_us : G_MAXINT64;
}

/* A caller that blocks: its waiter lives on its stack. */
typedef struct BlockedWaiter {
  Waiter waiter;             /* first */
  gint64 timeout_us;
  CenotePool *pool;
  Monitor monitor;
  gboolean over;
  CenoteLease lease;
  GError *error;
} BlockedWaiter;

static void
blocked_done (Waiter *waiter, CenoteLease *lease, GError *error)
{
  BlockedWaiter *blocked = (BlockedWaiter *) waiter;

  monitor_lock (&blocked->monitor);
  if (lease != NULL)
    blocked->lease = *lease;
  blocked->error = error == NULL ? NULL : g_error_copy (error);
  blocked->over = TRUE;
  monitor_broadcast (&blocked->monitor);
  monitor_unlock (&blocked->monitor);
}

static void
blocked_begin (gpointer data)
{
  BlockedWaiter *blocked = data;

  pool_wait (blocked->pool, &blocked->waiter, blocked->timeout_us);
  pool_touch (blocked->pool);
}

WaitOutcome
pool_block (CenotePool *pool, const Waiter *wish, gint64 timeout_us, CenoteLease *out_lease, GError **error)
{
  BlockedWaiter blocked = { .waiter = *wish, .timeout_us = timeout_us, .pool = pool, .lease = CENOTE_LEASE_INIT };
  g_autofree LeaseOrigin *origin = wish->for_lease ? pool_origin_here (pool) : NULL;

  blocked.waiter.wish.origin = origin;
  blocked.waiter.done = blocked_done;
  monitor_init (&blocked.monitor);
  if (!control_call (pool->control, blocked_begin, &blocked)) {
    blocked.error = pool_miss_error (pool, LEASE_STOPPED);
    blocked.over = TRUE;
  }
  monitor_lock (&blocked.monitor);
  while (!blocked.over)
    monitor_wait (&blocked.monitor);
  monitor_unlock (&blocked.monitor);
  monitor_clear (&blocked.monitor);
  if (blocked.error != NULL) {
    g_propagate_error (error, blocked.error);
    return WAIT_FAILED;
  }
  if (wish->for_lease && blocked.lease.channel == NULL)
    return WAIT_MOCKED;
  if (out_lease != NULL)
    *out_lease = blocked.lease;
  return WAIT_GOT;
}

/* What needs no wait after a get that answered RESULT: a channel at once, the mock's answer, an error.  FALSE: wait. */
static gboolean
settle_at_once (CenotePool *pool, LeaseResult result, gint64 timeout_us, CenoteLease *out_lease, GError **error)
{
  if (result == LEASE_GOT)
    return TRUE;
  if (result == LEASE_MOCKED && pool_ask_mock (pool, out_lease, error) != MOCK_GONE)
    return TRUE;
  if (result != LEASE_STOPPED && result != LEASE_DIALLED && timeout_us > 0)
    return FALSE;
  pool_get_otherwise (pool, result, out_lease, error);
  return TRUE;
}

static gboolean
get_at_once (CenotePool *pool, const LeaseWish *wish, gint64 timeout_us, CenoteLease *out_lease, GError **error)
{
  return settle_at_once (pool, pool_get (pool, wish, out_lease), timeout_us, out_lease, error);
}

/* A mock that was set meanwhile answers; where it has gone again the wait goes on, from the queue's end. */
static gboolean
wait_for_lease (CenotePool *pool, Waiter waiter, gint64 timeout_us, CenoteLease *out_lease, GError **error)
{
  gint64 until_us = pool_until (pool, timeout_us);
  WaitOutcome outcome;

  if (!process_check_fork (error) || !process_check_may_block ("cenote_pool_acquire()", error))
    return FALSE;
  while ((outcome = pool_block (pool, &waiter, pool_left_us (pool, until_us), out_lease, error)) == WAIT_MOCKED) {
    if (get_at_once (pool, &waiter.wish, pool_left_us (pool, until_us), out_lease, error))
      return out_lease->channel != NULL;
  }
  return outcome == WAIT_GOT;
}

static gboolean
get_or_wait (CenotePool *pool, Waiter waiter, gint64 timeout_us, CenoteLease *out_lease, GError **error)
{
  *out_lease = (CenoteLease) CENOTE_LEASE_INIT;
  if (get_at_once (pool, &waiter.wish, timeout_us, out_lease, error))
    return out_lease->channel != NULL;
  return wait_for_lease (pool, waiter, timeout_us, out_lease, error);
}

static gboolean
acquire (CenotePool *pool, guint64 key_hash, gint64 timeout_ms, CenoteLease *out_lease, GError **error)
{
  const Waiter waiter = { .for_lease = TRUE, .wish.key_hash = key_hash };
  gint64 timeout_us;

  *out_lease = (CenoteLease) CENOTE_LEASE_INIT;
  return pool_timeout_to_us (pool, timeout_ms, &timeout_us, error) && get_or_wait (pool, waiter, timeout_us, out_lease, error);
}

gboolean
pool_acquire_after (CenotePool *pool, LeaseResult result, const LeaseWish *wish, gint64 timeout_us, gboolean wait_for_ready,
                    CenoteLease *out_lease, GError **error)
{
  const Waiter waiter = { .for_lease = TRUE, .fails_when_down = !wait_for_ready, .wish = *wish };

  *out_lease = (CenoteLease) CENOTE_LEASE_INIT;
  if (settle_at_once (pool, result, timeout_us, out_lease, error))
    return out_lease->channel != NULL;
  return wait_for_lease (pool, waiter, timeout_us, out_lease, error);
}

gboolean
cenote_pool_acquire (CenotePool *pool, gint64 timeout_ms, CenoteLease *out_lease, GError **error)
{
  return acquire (pool, 0, timeout_ms, out_lease, error);
}

gboolean
cenote_pool_acquire_for (CenotePool *pool, const char *affinity_key, gint64 timeout_ms, CenoteLease *out_lease, GError **error)
{
  return acquire (pool, affinity_key == NULL ? 0 : lease_hash_key (affinity_key), timeout_ms, out_lease, error);
}

gboolean
cenote_pool_await_ready (CenotePool *pool, gint64 timeout_ms, GError **error)
{
  const Waiter wish = { .for_lease = FALSE };
  gint64 timeout_us;

  if (!process_check_fork (error) || !pool_timeout_to_us (pool, timeout_ms, &timeout_us, error))
    return FALSE;
  if (cenote_pool_is_connected (pool))
    return TRUE;
  if (timeout_us > 0 && !process_check_may_block ("cenote_pool_await_ready()", error))
    return FALSE;
  return pool_block (pool, &wish, timeout_us, NULL, error) == WAIT_GOT;
}

gboolean
cenote_pool_execute (CenotePool *pool, CenoteOperation operation, gpointer user_data, gint64 timeout_ms, GError **error)
{
  CenoteLease lease = CENOTE_LEASE_INIT;
  GError *why = NULL;
  gboolean good;

  if (!cenote_pool_acquire (pool, timeout_ms, &lease, error))
    return FALSE;
  good = operation (lease.channel, user_data, &why);
  if (!good && why == NULL)
    why = g_error_new (CENOTE_ERROR, CENOTE_ERROR_INVALID, "The operation on pool %s returned FALSE without an error",
                       pool->settings->name);
  if (good)
    cenote_lease_release_with_status (&lease, 0);
  else if (why->domain == CENOTE_STATUS)
    cenote_lease_release_with_status (&lease, why->code);
  else
    cenote_lease_release (&lease);
  if (good)
    g_clear_error (&why);
  else
    g_propagate_error (error, why);
  return good;
}

/* ------------------------------------------------------------- asynchronous */

typedef enum AsyncState {
  ASYNC_WAITS,               /* or is about to */
  ASYNC_ANSWERED,            /* its callback is to be told of lease or error */
  ASYNC_MOCKED,              /* its answer is the mock's, which is asked on the context */
  ASYNC_CANCELLED            /* nobody is told */
} AsyncState;

typedef struct AsyncWaiter {
  Waiter waiter;             /* first */
  gint64 until_us;           /* G_MAXINT64: for ever */
  CenotePool *pool;          /* (reference) */
  GMainContext *context;     /* (reference) */
  CenoteAcquireCallback callback;
  gpointer user_data;
  GDestroyNotify notify;
  LeaseOrigin *origin;       /* nullable */
  CenoteLease lease;
  GError *error;
  _Atomic AsyncState state;  /* handed to the context: GLib's lock orders it, and this where a sanitizer sees */
} AsyncWaiter;

static void
async_free (gpointer data)
{
  AsyncWaiter *async = data;

  cenote_lease_release (&async->lease);
  if (async->notify != NULL)
    async->notify (async->user_data);
  g_clear_error (&async->error);
  g_free (async->origin);
  cenote_pool_unref (async->pool);
  g_free (async);
}

static AsyncState
async_state (const AsyncWaiter *async)
{
  return atomic_load_explicit (&async->state, memory_order_acquire);
}

static void
async_set_state (AsyncWaiter *async, AsyncState state)
{
  atomic_store_explicit (&async->state, state, memory_order_release);
}

static void async_wait (AsyncWaiter *async);

/* On the caller's context, which it needs again where the mock has gone and the wait goes on. */
static void
async_ask_mock (AsyncWaiter *async)
{
  gboolean over = get_at_once (async->pool, &async->waiter.wish, pool_left_us (async->pool, async->until_us),
                               &async->lease, &async->error);

  if (!over)
    async->context = g_main_context_ref (g_source_get_context (g_main_current_source ()));
  async_set_state (async, over ? ASYNC_ANSWERED : ASYNC_WAITS);
}

static gboolean
async_dispatch (gpointer data)
{
  AsyncWaiter *async = data;

  if (async_state (async) == ASYNC_MOCKED)
    async_ask_mock (async);
  if (async_state (async) == ASYNC_ANSWERED)
    async->callback (async->pool, async->error == NULL ? &async->lease : NULL, async->error, async->user_data);
  return G_SOURCE_REMOVE;
}

static void
async_leave (gpointer data)
{
  AsyncWaiter *async = data;

  if (async_state (async) == ASYNC_WAITS)
    async_wait (async);
  else
    async_free (async);
}

/* On the caller's context, which is not held any more: one that ends first only frees. */
static void
async_finish (AsyncWaiter *async, AsyncState state)
{
  g_autoptr (GMainContext) context = g_steal_pointer (&async->context);
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, async_dispatch, async, async_leave);
  async_set_state (async, state);
  g_source_attach (source, context);
  g_source_unref (source);
}

static void
async_done (Waiter *waiter, CenoteLease *lease, GError *error)
{
  AsyncWaiter *async = (AsyncWaiter *) waiter;

  if (lease != NULL)
    async->lease = *lease;
  async->error = error == NULL ? NULL : g_error_copy (error);
  async_finish (async, lease == NULL && error == NULL ? ASYNC_MOCKED : ASYNC_ANSWERED);
}

static void
async_begin (gpointer data)
{
  AsyncWaiter *async = data;
  g_autoptr (CenotePool) pool = cenote_pool_ref (async->pool);

  pool_wait (pool, &async->waiter, pool_left_us (pool, async->until_us));
  pool_touch (pool);         /* the waiter may be gone */
}

static void
async_wait (AsyncWaiter *async)
{
  if (control_post (async->pool->control, async_begin, async))
    return;
  async->error = pool_miss_error (async->pool, LEASE_STOPPED);
  async_finish (async, ASYNC_ANSWERED);
}

/* FALSE: wait. */
static gboolean
async_try (AsyncWaiter *async, gint64 timeout_ms)
{
  CenotePool *pool = async->pool;
  gint64 timeout_us;

  if (!process_check_fork (&async->error) || !pool_timeout_to_us (pool, timeout_ms, &timeout_us, &async->error))
    return TRUE;
  async->until_us = pool_until (pool, timeout_us);
  return get_at_once (pool, &async->waiter.wish, timeout_us, &async->lease, &async->error);
}

static void
async_cancelled (Waiter *waiter)
{
  AsyncWaiter *async = (AsyncWaiter *) waiter;

  async_finish (async, ASYNC_CANCELLED);
}

/* So many at a time, so that threads do not meet at every call. */
#define IDS_OF_A_THREAD 64

HOT guint
pool_next_id (void)
{
  static _Atomic guint n_blocks;
  static _Thread_local guint n_used = IDS_OF_A_THREAD, first;

  do {
    if (n_used == IDS_OF_A_THREAD) {
      first = atomic_fetch_add (&n_blocks, 1) * IDS_OF_A_THREAD;
      n_used = 0;
    }
  } while (first + n_used++ == 0);
  return first + n_used - 1;
}

static AsyncWaiter *
async_new (CenotePool *pool, const char *affinity_key, GMainContext *context)
{
  AsyncWaiter *async = g_new0 (AsyncWaiter, 1);

  async->pool = cenote_pool_ref (pool);
  async->context = context == NULL ? g_main_context_ref_thread_default () : g_main_context_ref (context);
  async->waiter.for_lease = TRUE;
  async->origin = pool_origin_here (pool);
  async->waiter.wish.origin = async->origin;
  async->waiter.wish.key_hash = affinity_key == NULL ? 0 : lease_hash_key (affinity_key);
  async->waiter.done = async_done;
  async->waiter.cancelled = async_cancelled;
  async->waiter.id = pool_next_id ();
  return async;
}

guint
cenote_pool_acquire_async_full (CenotePool *pool, const char *affinity_key, gint64 timeout_ms, gboolean wait_for_ready,
                                GMainContext *context, CenoteAcquireCallback callback, gpointer user_data,
                                GDestroyNotify notify)
{
  AsyncWaiter *async = async_new (pool, affinity_key, context);
  guint id = async->waiter.id;

  async->waiter.fails_when_down = !wait_for_ready;
  async->callback = callback;
  async->user_data = user_data;
  async->notify = notify;
  if (async_try (async, timeout_ms))
    async_finish (async, ASYNC_ANSWERED);
  else
    async_wait (async);
  return id;
}

guint
cenote_pool_acquire_async (CenotePool *pool, const char *affinity_key, gint64 timeout_ms, GMainContext *context,
                           CenoteAcquireCallback callback, gpointer user_data, GDestroyNotify notify)
{
  return cenote_pool_acquire_async_full (pool, affinity_key, timeout_ms, TRUE, context, callback, user_data, notify);
}

typedef struct Cancel {
  CenotePool *pool;
  guint id;
  gboolean done;
} Cancel;

static void
cancel_here (gpointer data)
{
  Cancel *cancel = data;
  Waiter *waiter = g_hash_table_lookup (cancel->pool->waiter_ids, GUINT_TO_POINTER (cancel->id));

  if (waiter == NULL)
    return;
  cancel->done = pool_unwait (cancel->pool, waiter);
  waiter->cancelled (waiter);
}

/* A call is marked first: it then does not begin to wait behind our back. */
gboolean
cenote_pool_cancel (CenotePool *pool, guint id)
{
  Cancel cancel = { pool, id, FALSE };
  gboolean marked;

  if (process_is_forked_child ())
    return FALSE;
  marked = pool->calls != NULL && calls_cancel_id (pool->calls, pool, id);
  control_call (pool->control, cancel_here, &cancel);
  return marked || cancel.done;
}
