/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters: what is counted, how each count is called, and the counts of a pool.
 *
 * Counts are exact, never wrap in practice and never go down.  Each is fed from one
 * place: some in a pool's Counters, which many threads add to and seldom anyone
 * reads (each thread adds in a shard of its own cache lines; reading sums the
 * shards), some in its Breakdowns, which the control thread feeds and whose labels have
 * values that are not all known here, the others where they happen anyway, in the
 * slots, the bus and the callbacks.  counts_read() (core/runtime/counts.h) reads them all.
 */
#ifndef CENOTE_CORE_COUNTERS_H
#define CENOTE_CORE_COUNTERS_H

#include <glib.h>

#include "metric.h"

G_BEGIN_DECLS

typedef enum {
  /* In a pool's Counters. */
  COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED,
  COUNTER_CONNECTION_ATTEMPTS_FAILED,
  COUNTER_ACQUIRE_TIMEOUTS,
  COUNTER_WAITERS_REFUSED,
  COUNTER_REFRESHES_AGE,
  COUNTER_REFRESHES_CERTIFICATE,
  COUNTER_REFRESHES_RECONNECT,
  COUNTER_REFRESHES_RELOAD,
  COUNTER_REFRESHES_ADDRESS,
  COUNTER_REFRESHES_EJECTION,
  COUNTER_EJECTIONS,
  COUNTER_EJECTIONS_REFUSED,
  COUNTER_PANICS,
  COUNTER_PLANS_REFUSED,
  COUNTER_RETRIES_UNSENT,
  COUNTER_RETRIES_IDEMPOTENT,
  COUNTER_RECONNECTS_SCHEDULED,
  COUNTER_PINGS_ANSWERED,
  COUNTER_PINGS_FAILED,
  COUNTER_CACHE_MISSES,
  COUNTER_SCALED_UP,
  COUNTER_SCALED_DOWN,
  COUNTER_CALLS_OK,          /* and by their grpc_status_code the others: counter_of_call() */
  COUNTER_CALLS_LAST = COUNTER_CALLS_OK + 16,
  COUNTER_CALLS_NO_CHANNEL,
  N_OWN_COUNTERS,
  /* In a pool's breakdowns: sums over their values. */
  COUNTER_DISCONNECTIONS = N_OWN_COUNTERS,
  COUNTER_SCALING_UP,
  COUNTER_SCALING_DOWN,
  /* In a pool's slots. */
  COUNTER_GETS,
  COUNTER_GETS_REFUSED,
  COUNTER_DIALS,
  /* Of a runtime: in its bus and its callbacks. */
  COUNTER_TELEMETRY_DROPPED,
  COUNTER_SLOW_SINK_CALLS,
  COUNTER_SLOW_CALLBACKS,
  COUNTER_SLOW_PLUGINS,
  /* Of the process: whose lease or picker it was is not known. */
  COUNTER_DOUBLE_RELEASES,
  COUNTER_FOREIGN_LEASES,
  COUNTER_PICKER_OUT_OF_RANGE,
  N_COUNTERS
} CounterId;

typedef enum { COUNTER_OF_POOL, COUNTER_OF_RUNTIME, COUNTER_OF_PROCESS } CounterScope;

/* How a counter is called by every sink. */
typedef struct CounterInfo {
  MetricInfo metric;
  CounterScope scope;        /* a pool's has the label pool.name */
  const char *breakdown;     /* (nullable) the label by which it is broken down besides: "reason" */
} CounterInfo;

const CounterInfo *counter_get_info (CounterId id);
/* STATUS: a grpc_status_code (another is UNKNOWN), or -1: the call got no channel. */
CounterId counter_of_call (int status);

/* Those below N_OWN_COUNTERS. */
typedef struct Counters Counters;

Counters *counters_new (void);
void counters_free (Counters *counters);
/* Any thread, no lock. */
void counters_add (Counters *counters, CounterId id, guint64 n);
/* Any thread.  Exact for all adding that happened before; two readings never go down. */
guint64 counters_sum (const Counters *counters, CounterId id);

/* The shard of this thread in anything that has N_SHARDS (a power of two, at most 64) of them. */
guint counters_shard (guint n_shards);

G_END_DECLS

#endif
