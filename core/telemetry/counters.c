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
  _Alignas (CACHE_LINE) _Atomic guint64 counts[N_OWN_COUNTERS];
} Shard;

struct Counters {
  Shard shards[N_SHARDS];
};

static const CounterInfo infos[] = {
  [COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED] = {
    "cenote.channel.connection_attempts_succeeded", COUNTER_OF_POOL, NULL, NULL,
    "Connection attempts that led to a ready channel."
  },
  [COUNTER_CONNECTION_ATTEMPTS_FAILED] = {
    "cenote.channel.connection_attempts_failed", COUNTER_OF_POOL, NULL, NULL,
    "Connection attempts that failed or timed out."
  },
  [COUNTER_DISCONNECTIONS] = {
    "cenote.channel.disconnections", COUNTER_OF_POOL, NULL, NULL,
    "Connections that were lost."
  },
  [COUNTER_ACQUIRE_TIMEOUTS] = {
    "cenote.acquire.timeouts", COUNTER_OF_POOL, NULL, NULL,
    "Acquires that waited as long as they were allowed, for nothing."
  },
  [COUNTER_WAITERS_REFUSED] = {
    "cenote.acquire.refused", COUNTER_OF_POOL, NULL, NULL,
    "Callers that were refused because too many waited."
  },
  [COUNTER_SCALING_UP] = {
    "cenote.scaling", COUNTER_OF_POOL, "direction", "up",
    "Changes of a pool's expected size."
  },
  [COUNTER_SCALING_DOWN] = {
    "cenote.scaling", COUNTER_OF_POOL, "direction", "down",
    "Changes of a pool's expected size."
  },
  [COUNTER_REFRESHES_AGE] = {
    "cenote.refreshes", COUNTER_OF_POOL, "reason", "age",
    "Channels whose place another one took over while they were connected."
  },
  [COUNTER_REFRESHES_CERTIFICATE] = {
    "cenote.refreshes", COUNTER_OF_POOL, "reason", "certificate",
    "Channels whose place another one took over while they were connected."
  },
  [COUNTER_REFRESHES_RECONNECT] = {
    "cenote.refreshes", COUNTER_OF_POOL, "reason", "reconnect",
    "Channels whose place another one took over while they were connected."
  },
  [COUNTER_REFRESHES_ADDRESS] = {
    "cenote.refreshes", COUNTER_OF_POOL, "reason", "address",
    "Channels whose place another one took over while they were connected."
  },
  [COUNTER_REFRESHES_EJECTION] = {
    "cenote.refreshes", COUNTER_OF_POOL, "reason", "ejection",
    "Channels whose place another one took over while they were connected."
  },
  [COUNTER_EJECTIONS] = {
    "cenote.ejections", COUNTER_OF_POOL, NULL, NULL,
    "Channels that were taken out of rotation because their calls failed."
  },
  [COUNTER_EJECTIONS_REFUSED] = {
    "cenote.ejections_refused", COUNTER_OF_POOL, NULL, NULL,
    "Channels whose calls failed and that stayed in rotation because too many were out."
  },
  [COUNTER_PANICS] = {
    "cenote.panics", COUNTER_OF_POOL, NULL, NULL,
    "Times that every ejected channel was let back because too few others were left."
  },
  [COUNTER_PLANS_REFUSED] = {
    "cenote.connector.plans_refused", COUNTER_OF_POOL, NULL, NULL,
    "Plans that left their pool's limits."
  },
  [COUNTER_RETRIES_UNSENT] = {
    "cenote.call.retries", COUNTER_OF_POOL, "kind", "unsent",
    "Attempts of Cenote's own calls after the first, by the kind of retry that allowed them."
  },
  [COUNTER_RETRIES_IDEMPOTENT] = {
    "cenote.call.retries", COUNTER_OF_POOL, "kind", "idempotent",
    "Attempts of Cenote's own calls after the first, by the kind of retry that allowed them."
  },
  [COUNTER_GETS] = {
    "cenote.gets", COUNTER_OF_POOL, NULL, NULL,
    "Gets, whether they found a channel or not."
  },
  [COUNTER_GETS_REFUSED] = {
    "cenote.gets_refused", COUNTER_OF_POOL, NULL, NULL,
    "Gets that found no ready channel."
  },
  [COUNTER_TELEMETRY_DROPPED] = {
    "cenote.telemetry.dropped", COUNTER_OF_RUNTIME, NULL, NULL,
    "Events that a sink did not get because the queue was full or the sink blocked, once for each sink."
  },
  [COUNTER_SLOW_SINK_CALLS] = {
    "cenote.telemetry.slow_calls", COUNTER_OF_RUNTIME, NULL, NULL,
    "Calls of sinks that took longer than their budget."
  },
  [COUNTER_SLOW_CALLBACKS] = {
    "cenote.callback.slow_calls", COUNTER_OF_RUNTIME, NULL, NULL,
    "Callbacks that took longer than their budget."
  },
  [COUNTER_DOUBLE_RELEASES] = {
    "cenote.lease.double_releases", COUNTER_OF_PROCESS, NULL, NULL,
    "Leases that were released again."
  },
  [COUNTER_FOREIGN_LEASES] = {
    "cenote.lease.foreign", COUNTER_OF_PROCESS, NULL, NULL,
    "Releases of leases that no pool had made."
  },
  [COUNTER_PICKER_OUT_OF_RANGE] = {
    "cenote.picker.out_of_range", COUNTER_OF_PROCESS, NULL, NULL,
    "Picks of a place that there is not."
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

  g_return_if_fail (id < N_OWN_COUNTERS);
  atomic_fetch_add_explicit (&shard->counts[id], n, memory_order_relaxed);
}

guint64
counters_sum (const Counters *counters, CounterId id)
{
  guint64 sum = 0;

  g_return_val_if_fail (id < N_OWN_COUNTERS, 0);
  for (guint i = 0; i < N_SHARDS; i++)
    sum += atomic_load_explicit (&counters->shards[i].counts[id], memory_order_relaxed);
  return sum;
}
