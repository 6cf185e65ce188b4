/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters: exact counts that many threads add to and seldom anyone reads.
 *
 * Each thread adds in a shard of its own cache lines; reading sums the shards.
 * Counts never wrap in practice and never go down.
 */
#ifndef CENOTE_CORE_COUNTERS_H
#define CENOTE_CORE_COUNTERS_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED,
  COUNTER_CONNECTION_ATTEMPTS_FAILED,
  COUNTER_DISCONNECTIONS,
  COUNTER_ACQUIRE_TIMEOUTS,
  COUNTER_SCALING_UP,
  COUNTER_SCALING_DOWN,
  COUNTER_EJECTIONS,
  COUNTER_REFRESHES,
  COUNTER_TELEMETRY_DROPPED,
  COUNTER_GETS_REFUSED,
  COUNTER_WAITERS_REFUSED,
  COUNTER_DOUBLE_RELEASES,
  COUNTER_FOREIGN_LEASES,
  COUNTER_PICKER_OUT_OF_RANGE,
  COUNTER_PLANS_REFUSED,
  COUNTER_SLOW_PLUGIN_CALLS,
  COUNTER_SLOW_CALLBACKS,
  N_COUNTERS
} CounterId;

/* How a counter is called by every sink. */
typedef struct CounterInfo {
  const char *metric;        /* "cenote.scaling" */
  const char *label;         /* "direction"; NULL: none */
  const char *label_value;   /* "up" */
  const char *summary;       /* one sentence */
} CounterInfo;

const CounterInfo *counter_get_info (CounterId id);

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
