/* SPDX-License-Identifier: Apache-2.0 */
/* durations: owns a pool's histograms. */
#include "durations.h"

#include "core/base/hot.h"

struct Durations {
  Histogram *histograms[N_DURATIONS];
};

static const MetricInfo infos[] = {
  [DURATION_CREATE] = { "cenote.channel.create_time", "How long attempts took that led to a ready channel.", { { 0 } } },
  [DURATION_FAILED] = { "cenote.channel.failed_time", "How long attempts took that failed or timed out.", { { 0 } } },
  [DURATION_CONNECTED] = { "cenote.channel.connected_time", "How long connections had stood that were lost.", { { 0 } } },
  [DURATION_DELAY] = { "cenote.channel.reconnect_delay", "How long attempts were put off by the backoff plugin.", { { 0 } } },
  [DURATION_PING] = { "cenote.channel.ping_time", "How long pings took that were answered.", { { 0 } } },
  [DURATION_SCALING] = { "cenote.scaling.time", "How long changes of a pool's expected size took.", { { 0 } } },
  [DURATION_WAIT] = { "cenote.acquire.wait_time", "How long callers waited for a channel that had none at once.",
                      { { 0 } } },
  [DURATION_GET] = { "cenote.get_time", "How long gets took; one in telemetry-sample-rate.", { { 0 } } },
  [DURATION_USE] = { "cenote.lease.use_time", "How long leases were held; one in telemetry-sample-rate.", { { 0 } } },
  [DURATION_CALL] = { "cenote.call.duration", "How long Cenote's own calls took, retries and waits among it.", { { 0 } } },
};
G_STATIC_ASSERT (G_N_ELEMENTS (infos) == N_DURATIONS);

const MetricInfo *
duration_get_info (DurationId id)
{
  g_return_val_if_fail (id < N_DURATIONS, NULL);
  return &infos[id];
}

Durations *
durations_new (void)
{
  Durations *durations = g_new0 (Durations, 1);

  for (guint i = 0; i < N_DURATIONS; i++)
    durations->histograms[i] = histogram_new ();
  return durations;
}

void
durations_free (Durations *durations)
{
  if (durations == NULL)
    return;
  for (guint i = 0; i < N_DURATIONS; i++)
    histogram_free (durations->histograms[i]);
  g_free (durations);
}

HOT void
durations_record (Durations *durations, DurationId id, gint64 ns)
{
  histogram_record (durations->histograms[id], ns);
}

const Histogram *
durations_get (const Durations *durations, DurationId id)
{
  return durations->histograms[id];
}
