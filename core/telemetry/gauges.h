/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gauges: what a pool is like now, and how each number is called.
 *
 * The control thread publishes a change, any thread reads.  Those past N_OWN_GAUGES are
 * kept where they are needed anyway: pool_gauge() reads them all.
 */
#ifndef CENOTE_CORE_GAUGES_H
#define CENOTE_CORE_GAUGES_H

#include <glib.h>

#include "metric.h"

G_BEGIN_DECLS

typedef enum {
  GAUGE_CHANNELS_IDLE,       /* the five: CENOTE_CHANNEL_* by gauge_of_state() */
  GAUGE_CHANNELS_CONNECTING,
  GAUGE_CHANNELS_READY,
  GAUGE_CHANNELS_TRANSIENT_FAILURE,
  GAUGE_CHANNELS_DRAINING,
  GAUGE_MAX_CHANNELS,
  GAUGE_MIN_CHANNELS,
  GAUGE_EXPECTED_SIZE,
  GAUGE_CURRENT_SIZE,
  GAUGE_CONNECTIONS,         /* of a pool that dials */
  N_OWN_GAUGES,
  GAUGE_PENDING_REQUESTS = N_OWN_GAUGES, /* in the pool's queue of waiters */
  GAUGE_IN_FLIGHT,           /* in its slots */
  N_GAUGES
} GaugeId;

const MetricInfo *gauge_get_info (GaugeId id);
/* N_GAUGES for SHUTDOWN, which is not counted. */
GaugeId gauge_of_state (CenoteChannelState state);

typedef struct Gauges Gauges;

Gauges *gauges_new (void);
void gauges_free (Gauges *gauges);
void gauges_set (Gauges *gauges, GaugeId id, gint64 value);
void gauges_add (Gauges *gauges, GaugeId id, gint64 step);
/* Any thread. */
gint64 gauges_get (const Gauges *gauges, GaugeId id);

G_END_DECLS

#endif
