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
leave_address (CenotePool *pool, Waiter *waiter)
{
  waiter->address->n_waiters--;
  pool_view_use_address (pool, waiter->address);
  waiter->address = NULL;
  pool_want_plan (pool);
}

/* A dialled address's waiters wait for that one alone. */
static void
count_waiter (CenotePool *pool, const Waiter *waiter, gint step)
{
  atomic_fetch_add (&pool->n_waiters, (guint) step);
  if (!waiter->for_lease || waiter->dial != NULL)
    return;
  pool->n_lease_waiters += (guint) step;
  slot_table_set_waiting (pool->table, pool->n_lease_waiters);
}

static void
take_out (CenotePool *pool, Waiter *waiter)
{
  count_waiter (pool, waiter, -1);
  if (waiter->deadline.due_us <= pool->oldest_deadline_us)
    pool->oldest_is_known = FALSE;
  control_timer_unset (pool->control, &waiter->deadline);
  g_queue_delete_link (&pool->waiters, waiter->at);
  waiter->at = NULL;
  if (waiter->id != 0)
    g_hash_table_remove (pool->waiter_ids, GUINT_TO_POINTER (waiter->id));
  if (waiter->address != NULL)
    leave_address (pool, waiter);
}

/* However it ended. */
static void
note_wait (CenotePool *pool, const Waiter *waiter)
{
  if (waiter->for_lease)
    durations_record (pool->meters.durations, DURATION_WAIT, (control_now_us (pool->control) - waiter->since_us) * 1000);
}

static void
end (CenotePool *pool, Waiter *waiter, CenoteLease *lease, GError *error)
{
  take_out (pool, waiter);
  note_wait (pool, waiter);
  waiter->done (waiter, lease, error);
  cenote_pool_unref (pool);
}

/* Why a dial gave no channel: WHAT, and the address's last error. */
static GError *
address_error (CenotePool *pool, const Address *address, int code, const char *what)
{
  const char *last = address->last_error;

  return g_error_new (CENOTE_ERROR, code, "Pool %s has no connection to %s: %s%s%s", pool->settings->name, address->name, what,
                      last == NULL ? "" : "; last error: ", last == NULL ? "" : last);
}

static GError *
late_dial_error (CenotePool *pool, const Waiter *waiter)
{
  gint64 waited_us = control_now_us (pool->control) - waiter->since_us;
  g_autofree char *what = g_strdup_printf ("none within %" G_GINT64_FORMAT " ms%s", waited_us / 1000,
                                           pool->paused ? ", and it is paused" : "");

  return address_error (pool, waiter->address, CENOTE_ERROR_TIMEOUT, what);
}

static GError *
late_error (CenotePool *pool, const Waiter *waiter)
{
  gint64 waited_ms = (control_now_us (pool->control) - waiter->since_us) / 1000;
  g_autofree char *counts = pool_describe_counts (pool);
  const char *hint = "acquire-timeout says how long to wait";

  if (pool->paused)
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_TIMEOUT,
                        "No channel within %" G_GINT64_FORMAT " ms: Pool %s is paused (%s): it waits for cenote_pool_resume()",
                        waited_ms, pool->settings->name, counts);
  if (pool->n_ready == 0)
    hint = "acquire-timeout says how long to wait; the last error, what to wait for";
  else if (pool_limits_streams (pool))
    hint = "every ready channel has its max-streams-per-channel of leases: raise size, or that and the server's limit";
  return g_error_new (CENOTE_ERROR, CENOTE_ERROR_TIMEOUT, "No channel within %" G_GINT64_FORMAT " ms: Pool %s has %s (%s): %s",
                      waited_ms, pool->settings->name, pool->n_ready == 0 ? "no ready channel" : "no room", counts, hint);
}

static void
is_late (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (GError) error =
    waiter->address != NULL ? late_dial_error (waiter->pool, waiter) : late_error (waiter->pool, waiter);

  if (waiter->for_lease)
    counters_add (waiter->pool->meters.counters, COUNTER_ACQUIRE_TIMEOUTS, 1);
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
refusal (CenotePool *pool, const Waiter *waiter)
{
  gint64 max = pool_number (pool->settings, POOL_MAX_WAITERS);
  GError *hopeless;

  if (g_queue_get_length (&pool->waiters) >= max) {
    g_autofree char *counts = pool_describe_counts (pool);

    counters_add (pool->meters.counters, COUNTER_WAITERS_REFUSED, 1);
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_LIMIT,
                        "Pool %s has %" G_GINT64_FORMAT " waiters already (%s): raise max-waiters, or what they wait for",
                        pool->settings->name, max, counts);
  }
  hopeless = pool_hopeless (pool);
  return hopeless == NULL && waiter->fails_when_down ? pool_down_error (pool) : hopeless;
}

/* A mock takes the place of leases, not of readiness. */
static gboolean
is_for_mock (CenotePool *pool, const Waiter *waiter)
{
  return waiter->for_lease && pool->phase < POOL_STOPPING && pool_is_mocked (pool);
}

static gboolean serve (CenotePool *pool, Waiter *waiter);

/* The first who waits for an address that is not connected begins the one dial that all share. */
static void
join_address (CenotePool *pool, Waiter *waiter, Address *address)
{
  waiter->address = address;
  if (address->n_waiters++ == 0 && address->n_ready == 0) {
    pool_cache_tell_miss (pool, address);
    if (address->resting)
      address_wake (address);
  }
  pool_view_use_address (pool, address);
  address_poke (address);
}

/* FALSE: there is no address to wait for. */
static gboolean
find_address (CenotePool *pool, Waiter *waiter, GError **error)
{
  Address *address;

  if (waiter->dial == NULL)
    return TRUE;
  address = pool_cache_get (pool, waiter->dial, waiter->target, error);
  if (address != NULL)
    join_address (pool, waiter, address);
  return address != NULL;
}

/* Whether WAITER may wait; where not, it is answered. */
static gboolean
admit (CenotePool *pool, Waiter *waiter)
{
  gboolean for_mock = is_for_mock (pool, waiter);
  g_autoptr (GError) error = for_mock ? NULL : refusal (pool, waiter);

  if (!for_mock && error == NULL && find_address (pool, waiter, &error))
    return TRUE;
  waiter->done (waiter, NULL, error);
  return FALSE;
}

static void
enqueue (CenotePool *pool, Waiter *waiter)
{
  waiter->pool = cenote_pool_ref (pool);
  g_queue_push_tail (&pool->waiters, waiter);
  waiter->at = pool->waiters.tail;
  count_waiter (pool, waiter, 1);
  if (waiter->id != 0)
    g_hash_table_insert (pool->waiter_ids, GUINT_TO_POINTER (waiter->id), waiter);
}

void
pool_wait (CenotePool *pool, Waiter *waiter, gint64 timeout_us)
{
  gint64 now_us = control_now_us (pool->control);

  waiter->since_us = now_us;
  if (!admit (pool, waiter))
    return;
  enqueue (pool, waiter);
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
  note_wait (pool, waiter);
  cenote_pool_unref (pool);
  return TRUE;
}

/* Its caller's own get, or dial, is counted already. */
static LeaseResult
get_for (CenotePool *pool, const Waiter *waiter, CenoteLease *out_lease)
{
  LeaseWish wish = waiter->wish;
  LeaseResult result;

  if (waiter->address != NULL && waiter->address->n_ready == 0)
    return LEASE_NONE;
  wish.in_turn = TRUE;
  atomic_fetch_add (&pool->meters.own_gets, 1);
  if (waiter->address == NULL)
    result = lease_get (pool->table, &wish, TRUE, out_lease);
  else
    result = lease_dial (pool->table, waiter->address->name, TRUE, out_lease);
  if (result == LEASE_NONE)
    atomic_fetch_add (&pool->meters.own_misses, 1);
  return result;
}

/* TRUE where WAITER got what it waits for. */
static gboolean
serve (CenotePool *pool, Waiter *waiter)
{
  CenoteLease lease = CENOTE_LEASE_INIT;

  if (waiter->for_lease) {
    if (get_for (pool, waiter, &lease) != LEASE_GOT)
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

/* Those who dial an address whose attempts are used up. */
static void
fail_resting (CenotePool *pool)
{
  GList *at = pool->dials ? pool->waiters.head : NULL;

  while (at != NULL) {
    Waiter *waiter = at->data;

    at = at->next;
    if (waiter->address != NULL && waiter->address->resting) {
      g_autoptr (GError) error = address_error (pool, waiter->address, CENOTE_ERROR_NOT_CONNECTED,
                                                "max-connect-attempts are used up, and a new dial begins anew");

      end (pool, waiter, NULL, error);
    }
  }
}

/* Those that do not wait while every address is down. */
static void
fail_impatient (CenotePool *pool)
{
  g_autoptr (GError) down = pool_down_error (pool);
  GList *at = down == NULL ? NULL : pool->waiters.head;

  while (at != NULL) {
    GList *next = at->next;
    Waiter *waiter = at->data;

    if (waiter->fails_when_down)
      end (pool, waiter, NULL, down);
    at = next;
  }
}

/* Where streams are limited nobody overtakes one for whom there is no room yet. */
static void
serve_in_order (CenotePool *pool)
{
  gboolean keeps_order = pool_limits_streams (pool) && !pool->dials;
  gboolean is_full = FALSE;
  GList *at = pool->waiters.head;

  while (at != NULL) {
    Waiter *waiter = at->data;

    at = at->next;
    if (!(is_full && waiter->for_lease) && !serve (pool, waiter))
      is_full = keeps_order;
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
  fail_resting (pool);
  at = pool->waiters.head;
  if (pool->n_ready == 0) {
    fail_impatient (pool);
    return;
  }
  serve_in_order (pool);
}

void
pool_fail_waiters_of (CenotePool *pool, const Address *address, const GError *error)
{
  GList *at = pool->waiters.head;

  while (at != NULL) {
    Waiter *waiter = at->data;

    at = at->next;
    if (waiter->address == address) {
      g_autoptr (GError) copy = g_error_copy (error);

      end (pool, waiter, NULL, copy);
    }
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
