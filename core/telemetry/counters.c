/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters: owns N_SHARDS rows of counts, each on cache lines of its own.
 *
 * Threads are dealt to shards in the order in which they first count; two that
 * share one stay exact, because adding is atomic.  All relaxed: a count orders
 * nothing.
 */
#include "counters.h"

#include <grpc/status.h>
#include <stdatomic.h>

#include "core/base/cache-line.h"
#include "core/base/hot.h"

#define N_SHARDS 16

typedef struct Shard {
  _Alignas (CACHE_LINE) _Atomic guint64 counts[N_OWN_COUNTERS];
} Shard;

struct Counters {
  Shard shards[N_SHARDS];
};

/* Rows of one metric stand together: it is read in this order. */
#define PLAIN(scope_, name_, summary_) { { name_, summary_, { { 0 } } }, COUNTER_OF_##scope_, NULL }
#define POOL(name_, summary_) PLAIN (POOL, name_, summary_)
#define LABELLED(name_, label_, value_, summary_) { { name_, summary_, { { label_, value_ } } }, COUNTER_OF_POOL, NULL }

#define REFRESHES(reason_) \
  LABELLED ("cenote.refreshes", "reason", reason_, "Channels whose place another one took over while they were connected.")
#define RETRIES(kind_) \
  LABELLED ("cenote.call.retries", "kind", kind_, \
            "Attempts of Cenote's own calls after the first, by the kind of retry that allowed them.")
#define PINGS(result_) LABELLED ("cenote.channel.pings", "result", result_, "Pings, by whether they were answered.")
#define SCALED(direction_) \
  LABELLED ("cenote.scaling.channels", "direction", direction_, "Channels by which pools' expected sizes changed.")
#define CALLS(status_) \
  LABELLED ("cenote.calls", "status", status_, "Cenote's own calls that have ended, by their status; NO_CHANNEL: none could be had.")
#define SCALING(direction_) \
  { { "cenote.scaling", "Changes of a pool's expected size.", { { "direction", direction_ } } }, COUNTER_OF_POOL, "reason" }

static const CounterInfo infos[] = {
  [COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED] =
    POOL ("cenote.channel.connection_attempts_succeeded", "Connection attempts that led to a ready channel."),
  [COUNTER_CONNECTION_ATTEMPTS_FAILED] =
    POOL ("cenote.channel.connection_attempts_failed", "Connection attempts that failed or timed out."),
  [COUNTER_ACQUIRE_TIMEOUTS] =
    POOL ("cenote.acquire.timeouts", "Acquires that waited as long as they were allowed, for nothing."),
  [COUNTER_WAITERS_REFUSED] = POOL ("cenote.acquire.refused", "Callers that were refused because too many waited."),
  [COUNTER_REFRESHES_AGE] = REFRESHES ("age"),
  [COUNTER_REFRESHES_CERTIFICATE] = REFRESHES ("certificate"),
  [COUNTER_REFRESHES_RECONNECT] = REFRESHES ("reconnect"),
  [COUNTER_REFRESHES_RELOAD] = REFRESHES ("reload"),
  [COUNTER_REFRESHES_ADDRESS] = REFRESHES ("address"),
  [COUNTER_REFRESHES_EJECTION] = REFRESHES ("ejection"),
  [COUNTER_EJECTIONS] = POOL ("cenote.ejections", "Channels that were taken out of rotation because their calls failed."),
  [COUNTER_EJECTIONS_REFUSED] =
    POOL ("cenote.ejections_refused", "Channels whose calls failed and that stayed in rotation because too many were out."),
  [COUNTER_PANICS] =
    POOL ("cenote.panics", "Times that every ejected channel was let back because too few others were left."),
  [COUNTER_PLANS_REFUSED] = POOL ("cenote.connector.plans_refused", "Plans that left their pool's limits."),
  [COUNTER_RETRIES_UNSENT] = RETRIES ("unsent"),
  [COUNTER_RETRIES_IDEMPOTENT] = RETRIES ("idempotent"),
  [COUNTER_RECONNECTS_SCHEDULED] =
    POOL ("cenote.channel.reconnects_scheduled", "Attempts that were put off to a time that the backoff plugin named."),
  [COUNTER_PINGS_ANSWERED] = PINGS ("ok"),
  [COUNTER_PINGS_FAILED] = PINGS ("failed"),
  [COUNTER_CACHE_MISSES] = POOL ("cenote.connector.cache_misses", "Connections that were to be made for callers that dial."),
  [COUNTER_SCALED_UP] = SCALED ("up"),
  [COUNTER_SCALED_DOWN] = SCALED ("down"),
  [COUNTER_CALLS_OK + GRPC_STATUS_OK] = CALLS ("OK"),
  [COUNTER_CALLS_OK + GRPC_STATUS_CANCELLED] = CALLS ("CANCELLED"),
  [COUNTER_CALLS_OK + GRPC_STATUS_UNKNOWN] = CALLS ("UNKNOWN"),
  [COUNTER_CALLS_OK + GRPC_STATUS_INVALID_ARGUMENT] = CALLS ("INVALID_ARGUMENT"),
  [COUNTER_CALLS_OK + GRPC_STATUS_DEADLINE_EXCEEDED] = CALLS ("DEADLINE_EXCEEDED"),
  [COUNTER_CALLS_OK + GRPC_STATUS_NOT_FOUND] = CALLS ("NOT_FOUND"),
  [COUNTER_CALLS_OK + GRPC_STATUS_ALREADY_EXISTS] = CALLS ("ALREADY_EXISTS"),
  [COUNTER_CALLS_OK + GRPC_STATUS_PERMISSION_DENIED] = CALLS ("PERMISSION_DENIED"),
  [COUNTER_CALLS_OK + GRPC_STATUS_RESOURCE_EXHAUSTED] = CALLS ("RESOURCE_EXHAUSTED"),
  [COUNTER_CALLS_OK + GRPC_STATUS_FAILED_PRECONDITION] = CALLS ("FAILED_PRECONDITION"),
  [COUNTER_CALLS_OK + GRPC_STATUS_ABORTED] = CALLS ("ABORTED"),
  [COUNTER_CALLS_OK + GRPC_STATUS_OUT_OF_RANGE] = CALLS ("OUT_OF_RANGE"),
  [COUNTER_CALLS_OK + GRPC_STATUS_UNIMPLEMENTED] = CALLS ("UNIMPLEMENTED"),
  [COUNTER_CALLS_OK + GRPC_STATUS_INTERNAL] = CALLS ("INTERNAL"),
  [COUNTER_CALLS_OK + GRPC_STATUS_UNAVAILABLE] = CALLS ("UNAVAILABLE"),
  [COUNTER_CALLS_OK + GRPC_STATUS_DATA_LOSS] = CALLS ("DATA_LOSS"),
  [COUNTER_CALLS_OK + GRPC_STATUS_UNAUTHENTICATED] = CALLS ("UNAUTHENTICATED"),
  [COUNTER_CALLS_NO_CHANNEL] = CALLS ("NO_CHANNEL"),
  [COUNTER_DISCONNECTIONS] = { { "cenote.channel.disconnections", "Connections that were lost.", { { 0 } } }, COUNTER_OF_POOL,
                               "grpc.disconnect_error" },
  [COUNTER_SCALING_UP] = SCALING ("up"),
  [COUNTER_SCALING_DOWN] = SCALING ("down"),
  [COUNTER_GETS] = POOL ("cenote.gets", "Gets, whether they found a channel or not."),
  [COUNTER_GETS_REFUSED] = POOL ("cenote.gets_refused", "Gets that found no ready channel."),
  [COUNTER_DIALS] = POOL ("cenote.connector.dials", "Dials of addresses by callers, whether their channel was cached or not."),
  [COUNTER_TELEMETRY_DROPPED] =
    PLAIN (RUNTIME, "cenote.telemetry.dropped",
           "Events that a sink did not get because the queue was full or the sink blocked, once for each sink."),
  [COUNTER_SLOW_SINK_CALLS] =
    PLAIN (RUNTIME, "cenote.telemetry.slow_calls",
           "Calls of sinks that took longer than their budget."),
  [COUNTER_SLOW_CALLBACKS] = PLAIN (RUNTIME, "cenote.callback.slow_calls", "Callbacks that took longer than their budget."),
  [COUNTER_SLOW_PLUGINS] = PLAIN (PROCESS, "cenote.plugin.slow_calls",
                                  "Calls of plugins on the control thread that took longer than their budget."),
  [COUNTER_DOUBLE_RELEASES] = PLAIN (PROCESS, "cenote.lease.double_releases", "Leases that were released again."),
  [COUNTER_FOREIGN_LEASES] = PLAIN (PROCESS, "cenote.lease.foreign", "Releases of leases that no pool had made."),
  [COUNTER_PICKER_OUT_OF_RANGE] = PLAIN (PROCESS, "cenote.picker.out_of_range", "Picks of a place that there is not."),
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

CounterId
counter_of_call (int status)
{
  if (status < 0)
    return COUNTER_CALLS_NO_CHANNEL;
  return COUNTER_CALLS_OK + (guint) (status <= GRPC_STATUS_UNAUTHENTICATED ? status : GRPC_STATUS_UNKNOWN);
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

HOT void
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
