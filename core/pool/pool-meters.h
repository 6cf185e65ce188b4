/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-meters: all that is measured of one pool, and where each number is read.
 *
 * Embedded in a pool, and as long as its memory: what was counted is there after its stop
 * too.  Reading is for any thread, takes no lock and waits for nobody.
 */
#ifndef CENOTE_CORE_POOL_METERS_H
#define CENOTE_CORE_POOL_METERS_H

#include <cenote/pool.h>
#include <stdatomic.h>

#include "core/telemetry/breakdown.h"
#include "core/telemetry/counters.h"
#include "core/telemetry/durations.h"
#include "core/telemetry/gauges.h"

typedef struct PoolMeters {
  Counters *counters;        /* any thread adds */
  Breakdown *disconnections; /* this and the next three: the control thread adds */
  Breakdown *scaling_up;
  Breakdown *scaling_down;
  Gauges *gauges;
  Durations *durations;      /* any thread adds */
  _Atomic guint64 own_gets;  /* the control thread's, for those who wait: no caller's */
  _Atomic guint64 own_misses;
  _Atomic guint64 told_gets; /* the greatest that was read, so that no reading is less than the one before */
  _Atomic guint64 told_misses;
} PoolMeters;

void pool_meters_init (PoolMeters *meters);
void pool_meters_clear (PoolMeters *meters);

/* Any thread, all of them.  Of COUNTER_OF_POOL. */
guint64 pool_count (CenotePool *pool, CounterId id);
/* (transfer none): by whose values ID is broken down; NULL: it is not. */
const Breakdown *pool_breakdown (CenotePool *pool, CounterId id);
gint64 pool_gauge (CenotePool *pool, GaugeId id);
/* (transfer none) */
const Histogram *pool_durations (CenotePool *pool, DurationId id);

#endif
