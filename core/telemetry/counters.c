/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters: owns N_SHARDS rows of counts, each on cache lines of its own.
 *
 * Threads are dealt to shards in the order in which they first count; two that
 * share one stay exact, because adding is atomic.  All relaxed: a count orders
 * nothing.
 */
#include "counters.h"

#include <stdatomic.h>

#define N_SHARDS 16
#define CACHE_LINE 64

typedef struct Shard {
  _Alignas (CACHE_LINE) _Atomic guint64 counts[N_COUNTERS];
} Shard;

struct Counters {
  Shard shards[N_SHARDS];
};

static const CounterInfo infos[] = {
  [COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED] = {
    "cenote.channel.connection_attempts_succeeded", NULL, NULL, "Connection attempts that led to a ready channel."
  },
  [COUNTER_CONNECTION_ATTEMPTS_FAILED] = {
    "cenote.channel.connection_attempts_failed", NULL, NULL, "Connection attempts that failed or timed out."
  },
  [COUNTER_DISCONNECTIONS] = {
    "cenote.channel.disconnections", NULL, NULL, "Connections that were lost."
  },
  [COUNTER_ACQUIRE_TIMEOUTS] = {
    "cenote.acquire.timeouts", NULL, NULL, "Acquires that waited longer than they were allowed."
  },
  [COUNTER_SCALING_UP] = {
    "cenote.scaling", "direction", "up", "Changes of a pool's expected size."
  },
  [COUNTER_SCALING_DOWN] = {
    "cenote.scaling", "direction", "down", "Changes of a pool's expected size."
  },
  [COUNTER_EJECTIONS] = {
    "cenote.ejections", NULL, NULL, "Channels that were taken out of the rotation for failing calls."
  },
  [COUNTER_REFRESHES] = {
    "cenote.refreshes", NULL, NULL, "Channels that were replaced while they were good."
  },
  [COUNTER_TELEMETRY_DROPPED] = {
    "cenote.telemetry.dropped", NULL, NULL, "Events that found the queue full."
  },
  [COUNTER_GETS_REFUSED] = {
    "cenote.gets_refused", NULL, NULL, "Gets that found no ready channel."
  },
  [COUNTER_WAITERS_REFUSED] = {
    "cenote.acquire.refused", NULL, NULL, "Acquires that were refused because too many waited."
  },
  [COUNTER_DOUBLE_RELEASES] = {
    "cenote.lease.double_releases", NULL, NULL, "Leases that were released again."
  },
  [COUNTER_FOREIGN_LEASES] = {
    "cenote.lease.foreign", NULL, NULL, "Releases of leases that no pool had made."
  },
  [COUNTER_PICKER_OUT_OF_RANGE] = {
    "cenote.picker.out_of_range", NULL, NULL, "Picks of a place that there is not."
  },
  [COUNTER_PLANS_REFUSED] = {
    "cenote.connector.plans_refused", NULL, NULL, "Plans that left their pool's limits."
  },
  [COUNTER_SLOW_PLUGIN_CALLS] = {
    "cenote.plugin.slow_calls", NULL, NULL, "Calls of plugins that took longer than their budget."
  },
  [COUNTER_SLOW_CALLBACKS] = {
    "cenote.callback.slow_calls", NULL, NULL, "Callbacks that took longer than their budget."
  }
};
G_STATIC_ASSERT (G_N_ELEMENTS (infos) == N_COUNTERS);

/* The next thread's number; the only state outside the objects, and nothing depends on its value. */
static atomic_uint next_number;
static __thread guint own_number;

guint
counters_shard (guint n_shards)
{
  if (own_number == 0)
    own_number = (atomic_fetch_add_explicit (&next_number, 1, memory_order_relaxed) & 63) + 1;
  return (own_number - 1) & (n_shards - 1);
}

const CounterInfo *
counter_get_info (CounterId id)
{
  g_return_val_if_fail (id < N_COUNTERS, NULL);
  return &infos[id];
}

Counters *
counters_new (void)
{
  return g_aligned_alloc0 (1, sizeof (Counters), CACHE_LINE);
}

void
counters_free (Counters *counters)
{
  if (counters != NULL)
    g_aligned_free (counters);
}

void
counters_add (Counters *counters, CounterId id, guint64 n)
{
  Shard *shard = &counters->shards[counters_shard (N_SHARDS)];

  atomic_fetch_add_explicit (&shard->counts[id], n, memory_order_relaxed);
}

guint64
counters_sum (const Counters *counters, CounterId id)
{
  guint64 sum = 0;

  for (guint i = 0; i < N_SHARDS; i++)
    sum += atomic_load_explicit (&counters->shards[i].counts[id], memory_order_relaxed);
  return sum;
}
