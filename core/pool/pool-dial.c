/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-dial: leases by address, on their callers' threads: a cached channel that is
 * ready costs one call into lease.c; every other dial waits on the control thread,
 * with all who wait for that address, each until its own deadline.
 */
#include <string.h>

#include "core/runtime/process.h"
#include "pool.h"

#define MAX_ADDRESS_BYTES 1024

/* ------------------------------------------------------------------- telling */

/* Once an observer wants to know of dials, each of them takes this lock. */
static void
tell_observers (CenotePool *pool, const char *address)
{
  if (process_is_forked_child ())
    return;
  monitor_lock (&pool->lock);
  if (pool->observers != NULL)
    observers_connect_requested (pool->observers, address);
  monitor_unlock (&pool->lock);
}

/* LEASE is NULL for a dial that missed. */
static void
tell_dial (CenotePool *pool, const char *address, gint64 duration_ns, const CenoteLease *lease)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CONNECTOR_DIAL);

  if (!bus_wants (pool->bus, CENOTE_EVENT_CONNECTOR_DIAL))
    return;
  event.address = address;
  event.duration_ns = duration_ns;
  event.ok = lease != NULL;
  event.channel = lease != NULL ? lease_channel_id (lease) : 0;
  pool_emit (pool, &event);
}

/* One dial in telemetry-sample-rate. */
static LeaseResult
dial_timed (CenotePool *pool, const char *address, CenoteLease *out_lease)
{
  World *world = control_world (pool->control);
  gint64 begun_ns = world_now_ns (world);
  LeaseResult result = lease_dial (pool->table, address, TRUE, out_lease);
  CenoteLease *lease = result == LEASE_GOT ? out_lease : NULL;
  gint64 duration_ns = pool_note_sample (pool, begun_ns, lease);

  if (lease != NULL)
    tell_dial (pool, address, duration_ns, lease);
  return result;
}

/* ---------------------------------------------------------------------- dial */

typedef struct Dial {
  CenotePool *pool;
  const char *address;
  char *target;              /* made whole */
  gint64 until_us;
} Dial;

static gboolean
check_connector (CenotePool *pool, GError **error)
{
  if (pool->dials || pool->settings->failure != NULL)
    return TRUE;
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
               "Pool %s has no dial: the addresses of its connector %s come from the configuration (connector=caching)",
               pool->settings->name, pool->settings->connector->plugin->name);
  return FALSE;
}

/* (transfer full) (nullable) */
static char *
whole_target (CenotePool *pool, const char *address, GError **error)
{
  g_autofree char *problem = NULL;
  char *target = NULL;

  if (strlen (address) > MAX_ADDRESS_BYTES)
    problem = g_strdup_printf ("an address has at most %d bytes", MAX_ADDRESS_BYTES);
  else if (!g_utf8_validate (address, -1, NULL))
    problem = g_strdup ("an address is text in UTF-8");
  else
    target = pool_settings_whole_target (pool->settings, address, &problem);
  if (target == NULL)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "Pool %s cannot dial: %s", pool->settings->name, problem);
  return target;
}

/* What needs no wait, after RESULT: the mock's answer, an error.  FALSE: wait. */
static gboolean
end_at_once (Dial *dial, LeaseResult result, CenoteLease *out_lease, GError **error)
{
  CenotePool *pool = dial->pool;

  if (result == LEASE_GOT)
    return TRUE;
  if (result == LEASE_MOCKED && pool_ask_mock (pool, out_lease, error) != MOCK_GONE)
    return TRUE;
  if (result != LEASE_STOPPED && pool_left_us (pool, dial->until_us) > 0)
    return FALSE;
  g_propagate_error (error, pool_dial_error (pool, dial->address, result));
  return TRUE;
}

/* A mock that was set meanwhile answers; where it has gone again the wait goes on, from the queue's end. */
static gboolean
wait_for_lease (Dial *dial, CenoteLease *out_lease, GError **error)
{
  const Waiter wish = { .for_lease = TRUE, .dial = dial->address, .target = dial->target };
  CenotePool *pool = dial->pool;
  WaitOutcome outcome;

  if (!process_check_fork (error) || !process_check_may_block ("cenote_pool_dial()", error))
    return FALSE;
  while ((outcome = pool_block (pool, &wish, pool_left_us (pool, dial->until_us), out_lease, error)) == WAIT_MOCKED) {
    if (end_at_once (dial, lease_dial (pool->table, dial->address, TRUE, out_lease), out_lease, error))
      return out_lease->channel != NULL;
  }
  return outcome == WAIT_GOT;
}

/* A dial whose first look ended with RESULT. */
static G_GNUC_NO_INLINE gboolean
dial_with_care (CenotePool *pool, const char *address, gint64 timeout_ms, LeaseResult result, CenoteLease *out_lease,
                GError **error)
{
  Dial dial = { .pool = pool, .address = address };
  gint64 timeout_us;
  gboolean got;

  *out_lease = (CenoteLease) CENOTE_LEASE_INIT;
  if (!check_connector (pool, error) || !pool_timeout_to_us (pool, timeout_ms, &timeout_us, error))
    return FALSE;
  if (result == LEASE_SAMPLE)
    result = dial_timed (pool, address, out_lease);
  if (result == LEASE_GOT)
    return TRUE;
  tell_dial (pool, address, -1, NULL);
  dial.until_us = pool_until (pool, timeout_us);
  dial.target = whole_target (pool, address, error);
  if (dial.target == NULL)
    return FALSE;
  if (end_at_once (&dial, result, out_lease, error))
    got = out_lease->channel != NULL;
  else
    got = wait_for_lease (&dial, out_lease, error);
  g_free (dial.target);
  return got;
}

gboolean
cenote_pool_dial (CenotePool *pool, const char *address, gint64 timeout_ms, CenoteLease *out_lease, GError **error)
{
  LeaseResult result = LEASE_NONE;

  g_return_val_if_fail (pool != NULL && address != NULL && out_lease != NULL, FALSE);
  if (G_UNLIKELY (atomic_load_explicit (&pool->tells_dials, memory_order_relaxed)))
    tell_observers (pool, address);
  if (G_LIKELY (timeout_ms >= -1 && pool->dials))
    result = lease_dial (pool->table, address, FALSE, out_lease);
  if (G_LIKELY (result == LEASE_GOT))
    return TRUE;
  return dial_with_care (pool, address, timeout_ms, result, out_lease, error);
}

/* --------------------------------------------------------------------- verbs */

typedef struct ExpireCall {
  CenotePool *pool;
  char **closed;
} ExpireCall;

static void
expire_here (gpointer data)
{
  ExpireCall *call = data;

  call->closed = pool_cache_expire (call->pool);
}

char **
cenote_pool_expire (CenotePool *pool)
{
  ExpireCall call = { pool, NULL };

  g_return_val_if_fail (pool != NULL, NULL);
  if (process_is_forked_child () || !control_call (pool->control, expire_here, &call))
    return g_new0 (char *, 1);
  return call.closed;
}

typedef struct CloseCall {
  CenotePool *pool;
  const char *address;
  gboolean was_there;
} CloseCall;

static void
close_here (gpointer data)
{
  CloseCall *call = data;

  call->was_there = pool_cache_close_on_release (call->pool, call->address);
}

gboolean
cenote_pool_close_on_release (CenotePool *pool, const char *address)
{
  CloseCall call = { pool, address, FALSE };

  g_return_val_if_fail (pool != NULL && address != NULL, FALSE);
  if (!process_is_forked_child ())
    control_call (pool->control, close_here, &call);
  return call.was_there;
}
