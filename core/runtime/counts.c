/* SPDX-License-Identifier: Apache-2.0 */
#include "counts.h"

#include "core/pool/pool.h"
#include "core/registry/instance.h"

static guint64
sum_over_pools (const GPtrArray *pools, CounterId id)
{
  guint64 sum = 0;
  guint i;

  for (i = 0; i < pools->len; i++)
    sum += pool_count (pools->pdata[i], id);
  return sum;
}

static guint64
read_bus (Bus *bus, CounterId id)
{
  BusStatistics statistics;

  bus_get_statistics (bus, &statistics);
  return id == COUNTER_TELEMETRY_DROPPED ? statistics.lost : statistics.slow_calls;
}

guint64
counts_read (const CountSources *sources, CounterId id)
{
  if (counter_get_info (id)->scope == COUNTER_OF_POOL)
    return sum_over_pools (sources->pools, id);
  if (id == COUNTER_TELEMETRY_DROPPED || id == COUNTER_SLOW_SINK_CALLS)
    return read_bus (sources->bus, id);
  if (id == COUNTER_SLOW_CALLBACKS)
    return callbacks_get_slow (sources->callbacks);
  if (id == COUNTER_SLOW_PLUGINS)
    return instance_slow_calls ();
  if (id == COUNTER_DOUBLE_RELEASES)
    return lease_get_faults ().double_releases;
  if (id == COUNTER_FOREIGN_LEASES)
    return lease_get_faults ().foreign_leases;
  return lease_get_faults ().picks_out_of_range;
}
