/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-waiters: who waits for a channel: first come, first served.
 *
 * A waiter is taken out of the queue before its `done` is called, and `done` is
 * called exactly once, by whichever comes first: a channel, its deadline, a mock
 * (which the waiting caller then asks itself), the end of hope (disconnect, stop,
 * attempts used up).
 */
#include "pool.h"

static void
take_out (CenotePool *pool, Waiter *waiter)
{
  if (waiter->deadline.due_us <= pool->oldest_deadline_us)
    pool->oldest_is_known = FALSE;
  control_timer_unset (pool->control, &waiter->deadline);
  g_queue_delete_link (&pool->waiters, waiter->at);
  waiter->at = NULL;
  if (waiter->id != 0)
    g_hash_table_remove (pool->waiter_ids, GUINT_TO_POINTER (waiter->id));
}

static void
end (CenotePool *pool, Waiter *waiter, CenoteLease *lease, GError *error)
{
  take_out (pool, waiter);
  waiter->done (waiter, lease, error);
  cenote_pool_unref (pool);
}

static GError *
late_error (CenotePool *pool, const Waiter *waiter)
{
  g_autoptr (GError) miss = pool_miss_error (pool, pool->paused ? LEASE_PAUSED : LEASE_NONE);
  gint64 waited_us = control_now_us (pool->control) - waiter->since_us;

  return g_error_new (CENOTE_ERROR, CENOTE_ERROR_TIMEOUT, "No channel within %" G_GINT64_FORMAT " ms: %s", waited_us / 1000,
                      miss->message);
}

static void
is_late (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (GError) error = late_error (waiter->pool, waiter);

  if (waiter->for_lease)
    counters_add (waiter->pool->counters, COUNTER_ACQUIRE_TIMEOUTS, 1);
  end (waiter->pool, waiter, NULL, error);
}

static void
tell_waiting (CenotePool *pool)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_WAITING);

  event.waiters = g_queue_get_length (&pool->waiters);
  pool_emit (pool, &event);
}

static GError *
refusal (CenotePool *pool)
{
  gint64 max = pool_number (pool->settings, POOL_MAX_WAITERS);

  if (g_queue_get_length (&pool->waiters) < max)
    return pool_hopeless (pool);
  counters_add (pool->counters, COUNTER_WAITERS_REFUSED, 1);
  return g_error_new (CENOTE_ERROR, CENOTE_ERROR_LIMIT, "Pool %s has %" G_GINT64_FORMAT " waiters already (max-waiters)",
                      pool->settings->name, max);
}

/* A mock takes the place of leases, not of readiness. */
static gboolean
is_for_mock (CenotePool *pool, const Waiter *waiter)
{
  return waiter->for_lease && pool->phase < POOL_STOPPING && pool_is_mocked (pool);
}

static gboolean serve (CenotePool *pool, Waiter *waiter);

void
pool_wait (CenotePool *pool, Waiter *waiter, gint64 timeout_us)
{
  gint64 now_us = control_now_us (pool->control);
  gboolean for_mock = is_for_mock (pool, waiter);
  GError *error = for_mock ? NULL : refusal (pool);

  waiter->since_us = now_us;
  if (for_mock) {
    waiter->done (waiter, NULL, NULL);
    return;
  }
  if (error != NULL) {
    waiter->done (waiter, NULL, error);
    g_error_free (error);
    return;
  }
  waiter->pool = cenote_pool_ref (pool);
  g_queue_push_tail (&pool->waiters, waiter);
  waiter->at = pool->waiters.tail;
  if (waiter->id != 0)
    g_hash_table_insert (pool->waiter_ids, GUINT_TO_POINTER (waiter->id), waiter);
  waiter->deadline = (ControlTimer) { .func = is_late, .data = waiter };
  if (timeout_us <= 0) {
    if (!serve (pool, waiter))
      is_late (waiter);
    return;
  }
  if (timeout_us < G_MAXINT64 - now_us)
    control_timer_set (pool->control, &waiter->deadline, now_us + timeout_us);
  if (waiter->deadline.at != NULL)
    pool->oldest_deadline_us = MIN (pool->oldest_deadline_us, waiter->deadline.due_us);
  tell_waiting (pool);
  pool_want_plan (pool);
}

gboolean
pool_unwait (CenotePool *pool, Waiter *waiter)
{
  if (waiter->at == NULL)
    return FALSE;
  take_out (pool, waiter);
  cenote_pool_unref (pool);
  return TRUE;
}

/* TRUE where WAITER got what it waits for. */
static gboolean
serve (CenotePool *pool, Waiter *waiter)
{
  CenoteLease lease = CENOTE_LEASE_INIT;

  if (waiter->for_lease) {
    if (lease_get (pool->table, waiter->key_hash, TRUE, &lease) != LEASE_GOT)
      return FALSE;
  } else if (!slot_table_has_ready (pool->table)) {
    return FALSE;
  }
  end (pool, waiter, waiter->for_lease ? &lease : NULL, NULL);
  return TRUE;
}

static void
send_to_mock (CenotePool *pool)
{
  GList *at = pool->waiters.head;

  while (at != NULL) {
    Waiter *waiter = at->data;

    at = at->next;
    if (is_for_mock (pool, waiter))
      end (pool, waiter, NULL, NULL);
  }
}

void
pool_serve_waiters (CenotePool *pool)
{
  g_autoptr (GError) hopeless = NULL;
  GList *at;

  send_to_mock (pool);
  at = pool->waiters.head;
  if (at == NULL)
    return;
  hopeless = pool_hopeless (pool);
  if (hopeless != NULL) {
    pool_fail_waiters (pool, hopeless);
    return;
  }
  if (pool->n_ready == 0)
    return;
  while (at != NULL) {
    GList *next = at->next;

    serve (pool, at->data);
    at = next;
  }
}

void
pool_fail_waiters (CenotePool *pool, const GError *error)
{
  while (!g_queue_is_empty (&pool->waiters)) {
    g_autoptr (GError) copy = g_error_copy (error);

    end (pool, g_queue_peek_head (&pool->waiters), NULL, copy);
  }
}

/* Looks through them only where the one that was the first to time out is gone. */
gint64
pool_oldest_deadline (CenotePool *pool)
{
  GList *at;

  if (pool->oldest_is_known)
    return pool->oldest_deadline_us;
  pool->oldest_is_known = TRUE;
  pool->oldest_deadline_us = G_MAXINT64;
  for (at = pool->waiters.head; at != NULL; at = at->next) {
    const Waiter *waiter = at->data;

    if (waiter->deadline.at != NULL)
      pool->oldest_deadline_us = MIN (pool->oldest_deadline_us, waiter->deadline.due_us);
  }
  return pool->oldest_deadline_us;
}
