/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-get: a get, on its caller's thread: one call into lease.c, and what there
 * is to say where that gave no lease.
 */
#include <grpc/status.h>

#include "core/base/hot.h"
#include "core/grpc/blame.h"
#include "mock.h"
#include "pool.h"
#include "core/runtime/process.h"

/* ---------------------------------------------------------------------- get */

MockAnswer
pool_ask_mock (CenotePool *pool, CenoteLease *out_lease, GError **error)
{
  MockBox *mock;
  gboolean got;

  monitor_lock (&pool->lock);
  mock = pool->mock == NULL ? NULL : mock_ref (pool->mock);
  monitor_unlock (&pool->lock);
  if (mock == NULL)
    return MOCK_GONE;
  got = mock_get (mock, pool, out_lease, error);
  mock_unref (mock);
  return got ? MOCK_GAVE : MOCK_REFUSED;
}

/* LEASE is NULL for a get that gave none. */
static void
tell_get (CenotePool *pool, CenoteEventKind kind, gint64 duration_ns, const CenoteLease *lease)
{
  CenoteEvent event = CENOTE_EVENT_INIT (kind);

  if (!bus_wants (pool->bus, kind))
    return;
  event.duration_ns = duration_ns;
  event.ok = lease != NULL;
  event.channel = lease != NULL ? lease_channel_id (lease) : 0;
  monitor_lock (&pool->lock);
  event.current_size = pool->shown_current;
  monitor_unlock (&pool->lock);
  pool_emit (pool, &event);
}

gint64
pool_note_sample (CenotePool *pool, gint64 begun_ns, CenoteLease *lease)
{
  gint64 now_ns = world_now_ns (control_world (pool->control));

  durations_record (pool->meters.durations, DURATION_GET, now_ns - begun_ns);
  if (lease != NULL)
    lease_sample (lease, now_ns);
  return now_ns - begun_ns;
}

void
pool_lease_was_used (gpointer data, gint64 since_ns)
{
  CenotePool *pool = data;

  durations_record (pool->meters.durations, DURATION_USE, world_now_ns (control_world (pool->control)) - since_ns);
}

/* One get in telemetry-sample-rate. */
static LeaseResult
get_timed (CenotePool *pool, const LeaseWish *wish, CenoteLease *out_lease)
{
  World *world = control_world (pool->control);
  gint64 begun_ns = world_now_ns (world);
  LeaseResult result = lease_get (pool->table, wish, TRUE, out_lease);
  CenoteLease *lease = result == LEASE_GOT ? out_lease : NULL;
  gint64 duration_ns = pool_note_sample (pool, begun_ns, lease);

  tell_get (pool, CENOTE_EVENT_CHANNEL_GET, duration_ns, lease);
  tell_get (pool, CENOTE_EVENT_POOL_GET_CHANNEL, duration_ns, lease);
  return result;
}

HOT LeaseResult
pool_get (CenotePool *pool, const LeaseWish *wish, CenoteLease *out_lease)
{
  LeaseResult result = lease_get (pool->table, wish, FALSE, out_lease);

  if (G_UNLIKELY (result == LEASE_SAMPLE))
    result = get_timed (pool, wish, out_lease);
  return result;
}

gboolean
pool_get_otherwise (CenotePool *pool, LeaseResult result, CenoteLease *out_lease, GError **error)
{
  *out_lease = (CenoteLease) CENOTE_LEASE_INIT;
  while (result == LEASE_MOCKED) {
    MockAnswer answer = pool_ask_mock (pool, out_lease, error);

    if (answer != MOCK_GONE)
      return answer == MOCK_GAVE;
    result = pool_get (pool, &(LeaseWish){ 0 }, out_lease);
    if (result == LEASE_GOT)
      return TRUE;
  }
  if (error != NULL)
    *error = pool_miss_error (pool, result);
  return FALSE;
}

gboolean
pool_get_after (gpointer data, LeaseResult result, CenoteLease *out_lease, GError **error)
{
  CenotePool *pool = data;

  if (result == LEASE_SAMPLE)
    result = get_timed (pool, &(LeaseWish){ 0 }, out_lease);
  return result == LEASE_GOT ? TRUE : pool_get_otherwise (pool, result, out_lease, error);
}

HOT gboolean
cenote_pool_get_channel (CenotePool *pool, CenoteLease *out_lease, GError **error)
{
  return lease_get_or (pool->table, out_lease, error);
}

HOT gboolean
cenote_pool_get_channel_for (CenotePool *pool, const char *affinity_key, CenoteLease *out_lease, GError **error)
{
  LeaseWish wish = { 0 };
  LeaseResult result;

  if (affinity_key == NULL)
    return cenote_pool_get_channel (pool, out_lease, error);
  wish.key_hash = lease_hash_key (affinity_key);
  result = pool_get (pool, &wish, out_lease);
  return G_LIKELY (result == LEASE_GOT) ? TRUE : pool_get_otherwise (pool, result, out_lease, error);
}

LeaseVerdict
pool_verdict (int status, const char *details)
{
  if (status == GRPC_STATUS_CANCELLED)
    return LEASE_WITHDRAWN;
  if (!blame_falls_on_channel (status, details))
    return LEASE_ANSWERED;
  return status == GRPC_STATUS_DEADLINE_EXCEEDED ? LEASE_LATE : LEASE_BLAMED;
}

void
cenote_lease_release (CenoteLease *lease)
{
  if (lease != NULL)
    lease_release (lease, -1);
}

HOT void
cenote_lease_release_with_status (CenoteLease *lease, int status)
{
  if (lease != NULL && status > GRPC_STATUS_OK)
    lease_release_judged (lease, status, pool_verdict (status, NULL));
  else if (lease != NULL)
    lease_release (lease, status);
}

gpointer
cenote_lease_attach (CenoteLease *lease, gconstpointer key, gpointer data, GDestroyNotify notify, gboolean owns_channel)
{
  g_return_val_if_fail (lease != NULL, NULL);
  g_return_val_if_fail (key != NULL, NULL);
  return lease_attach (lease, key, data, notify, owns_channel);
}

gboolean
cenote_pool_is_connected (CenotePool *pool)
{
  return !process_is_forked_child () && slot_table_has_ready (pool->table);
}
