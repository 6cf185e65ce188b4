/* SPDX-License-Identifier: Apache-2.0 */
/* gauges: owns the published numbers.  All relaxed: a number orders nothing. */
#include "gauges.h"

#include <stdatomic.h>

struct Gauges {
  _Atomic gint64 values[N_OWN_GAUGES];
};

#define CHANNELS(state_) { "cenote.channel.count", "Channels of the pool, by their state.", { { "state", state_ } } }

static const MetricInfo infos[] = {
  [GAUGE_CHANNELS_IDLE] = CHANNELS ("idle"),
  [GAUGE_CHANNELS_CONNECTING] = CHANNELS ("connecting"),
  [GAUGE_CHANNELS_READY] = CHANNELS ("ready"),
  [GAUGE_CHANNELS_TRANSIENT_FAILURE] = CHANNELS ("transient_failure"),
  [GAUGE_CHANNELS_DRAINING] = CHANNELS ("draining"),
  [GAUGE_MAX_CHANNELS] = { "cenote.channel.max", "The most channels that the pool may want.", { { 0 } } },
  [GAUGE_MIN_CHANNELS] = { "cenote.channel.min", "The fewest channels that the pool wants while it is used.", { { 0 } } },
  [GAUGE_EXPECTED_SIZE] = { "cenote.pool.expected_size", "Channels that the pool wants.", { { 0 } } },
  [GAUGE_CURRENT_SIZE] = { "cenote.pool.current_size", "Channels that are ready and in rotation.", { { 0 } } },
  [GAUGE_CONNECTIONS] = { "cenote.connector.connections", "Connections that stand, of a pool whose callers dial.", { { 0 } } },
  [GAUGE_PENDING_REQUESTS] = { "cenote.pending_requests", "Callers that wait for a channel.", { { 0 } } },
  [GAUGE_IN_FLIGHT] = { "cenote.channel.in_flight", "Leases that are held.", { { 0 } } },
};
G_STATIC_ASSERT (G_N_ELEMENTS (infos) == N_GAUGES);

const MetricInfo *
gauge_get_info (GaugeId id)
{
  g_return_val_if_fail (id < N_GAUGES, NULL);
  return &infos[id];
}

GaugeId
gauge_of_state (CenoteChannelState state)
{
  switch (state) {
  case CENOTE_CHANNEL_IDLE:
    return GAUGE_CHANNELS_IDLE;
  case CENOTE_CHANNEL_CONNECTING:
    return GAUGE_CHANNELS_CONNECTING;
  case CENOTE_CHANNEL_READY:
    return GAUGE_CHANNELS_READY;
  case CENOTE_CHANNEL_TRANSIENT_FAILURE:
    return GAUGE_CHANNELS_TRANSIENT_FAILURE;
  case CENOTE_CHANNEL_DRAINING:
    return GAUGE_CHANNELS_DRAINING;
  case CENOTE_CHANNEL_SHUTDOWN:
    break;
  }
  return N_GAUGES;
}

Gauges *
gauges_new (void)
{
  return g_new0 (Gauges, 1);
}

void
gauges_free (Gauges *gauges)
{
  g_free (gauges);
}

void
gauges_set (Gauges *gauges, GaugeId id, gint64 value)
{
  atomic_store_explicit (&gauges->values[id], value, memory_order_relaxed);
}

void
gauges_add (Gauges *gauges, GaugeId id, gint64 step)
{
  atomic_fetch_add_explicit (&gauges->values[id], step, memory_order_relaxed);
}

gint64
gauges_get (const Gauges *gauges, GaugeId id)
{
  return atomic_load_explicit (&gauges->values[id], memory_order_relaxed);
}
