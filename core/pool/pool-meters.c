/* SPDX-License-Identifier: Apache-2.0 */
#include "pool-meters.h"

#include "core/grpc/disconnect-error.h"
#include "pool.h"

/* Those of the verbs; a connector's own reasons come as it says them. */
static const char *const reasons_up[] = { "scale_up", "resize", "reload", NULL };
static const char *const reasons_down[] = { "scale_down", "resize", "reload", NULL };

void
pool_meters_init (PoolMeters *meters)
{
  *meters = (PoolMeters) {
    .counters = counters_new (),
    .disconnections = breakdown_new (disconnect_errors ()),
    .scaling_up = breakdown_new (reasons_up),
    .scaling_down = breakdown_new (reasons_down),
    .gauges = gauges_new (),
    .durations = durations_new (),
  };
}

void
pool_meters_clear (PoolMeters *meters)
{
  counters_free (meters->counters);
  breakdown_free (meters->disconnections);
  breakdown_free (meters->scaling_up);
  breakdown_free (meters->scaling_down);
  gauges_free (meters->gauges);
  durations_free (meters->durations);
}

/* ALL less OWN, which were not read at one instant: never less than was TOLD before. */
static guint64
without_own (guint64 all, guint64 own, _Atomic guint64 *told)
{
  guint64 now = all > own ? all - own : 0;
  guint64 before = atomic_load_explicit (told, memory_order_relaxed);

  while (before < now && !atomic_compare_exchange_weak_explicit (told, &before, now, memory_order_relaxed, memory_order_relaxed))
    continue;
  return MAX (before, now);
}

/* An own get is counted as such before it is made, so that none counts as a caller's. */
static guint64
callers_gets (CenotePool *pool)
{
  guint64 all = slot_table_uses (pool->table);

  return without_own (all, atomic_load (&pool->meters.own_gets), &pool->meters.told_gets);
}

static guint64
callers_misses (CenotePool *pool)
{
  guint64 own = atomic_load (&pool->meters.own_misses);

  return without_own (slot_table_misses (pool->table), own, &pool->meters.told_misses);
}

guint64
pool_count (CenotePool *pool, CounterId id)
{
  const Breakdown *breakdown = pool_breakdown (pool, id);

  if (id < N_OWN_COUNTERS)
    return counters_sum (pool->meters.counters, id);
  if (breakdown != NULL)
    return breakdown_sum (breakdown);
  if (id == COUNTER_GETS_REFUSED)
    return callers_misses (pool);
  return (id == COUNTER_DIALS) == pool->dials ? callers_gets (pool) : 0;
}

const Breakdown *
pool_breakdown (CenotePool *pool, CounterId id)
{
  if (id == COUNTER_DISCONNECTIONS)
    return pool->meters.disconnections;
  if (id == COUNTER_SCALING_UP)
    return pool->meters.scaling_up;
  return id == COUNTER_SCALING_DOWN ? pool->meters.scaling_down : NULL;
}

gint64
pool_gauge (CenotePool *pool, GaugeId id)
{
  if (id == GAUGE_PENDING_REQUESTS)
    return atomic_load (&pool->n_waiters);
  if (id == GAUGE_IN_FLIGHT)
    return slot_table_in_flight (pool->table);
  return gauges_get (pool->meters.gauges, id);
}

const Histogram *
pool_durations (CenotePool *pool, DurationId id)
{
  return durations_get (pool->meters.durations, id);
}
