/* SPDX-License-Identifier: Apache-2.0 */
#include "fake-metrics.h"

#include <string.h>

enum { KIND_TO_COME = 99 };

static const CenoteLabel pool[] = { { "pool.name", "users" } };
static const CenoteLabel ready[] = { { "pool.name", "users" }, { "state", "ready" } };
static const CenoteLabel strange[] = { { "pool.name", "users" }, { "state", "\"a\\b\",\n\xc3\xa9{}|#:@" } };
static const CenoteBucket some[] = { { 127, 1 }, { 1000000, 5 }, { 3600 * G_GINT64_CONSTANT (1000000000), 2 } };
static const CenoteBucket most[] = { { 0, 1 }, { G_MAXINT64, G_MAXUINT32 } };

#define LABELS(rows) .labels = (rows), .n_labels = G_N_ELEMENTS (rows), .label_size = sizeof (CenoteLabel)
#define BUCKETS(rows) .buckets = (rows), .n_buckets = G_N_ELEMENTS (rows), .bucket_size = sizeof (CenoteBucket)
#define METRIC(kind_, name_, ...) \
  { .struct_size = sizeof (CenoteMetric), .kind = (kind_), .name = (name_), .summary = "What it says.", __VA_ARGS__ }

static const CenoteMetric metrics[] = {
  METRIC (CENOTE_METRIC_COUNTER, "cenote.acquire.timeouts", LABELS (pool), .value = 3),
  METRIC (CENOTE_METRIC_COUNTER, "cenote.telemetry.dropped", .value = G_MAXINT64),
  METRIC (CENOTE_METRIC_GAUGE, "cenote.channel.count", LABELS (ready), .value = 0),
  METRIC (CENOTE_METRIC_GAUGE, "cenote.channel.count", LABELS (strange), .value = -1),
  METRIC (CENOTE_METRIC_HISTOGRAM, "cenote.acquire.wait_time", LABELS (pool)),
  METRIC (CENOTE_METRIC_HISTOGRAM, "cenote.lease.use_time", LABELS (pool), BUCKETS (some), .count = 8,
          .sum_ns = G_GUINT64_CONSTANT (7200005000000)),
  METRIC (CENOTE_METRIC_HISTOGRAM, "cenote.channel.create_time", BUCKETS (most), .count = G_MAXUINT32 + 1ull,
          .sum_ns = G_MAXUINT64),
  METRIC (KIND_TO_COME, "cenote.not.yet", LABELS (pool), .value = 1),
};

/* FALSE: FUNC has changed it.  What it is shown is a copy, so that the next one who asks sees the same. */
static gboolean
give (const CenoteMetric *metric, CenoteMetricFunc func, void *data)
{
  g_autofree CenoteLabel *labels = g_memdup2 (metric->labels, metric->n_labels * sizeof *labels);
  g_autofree CenoteBucket *buckets = g_memdup2 (metric->buckets, metric->n_buckets * sizeof *buckets);
  CenoteMetric shown = *metric, before;

  shown.labels = labels;
  shown.buckets = buckets;
  before = shown;
  func (&shown, data);
  return memcmp (&shown, &before, sizeof shown) == 0 &&
         (!labels || memcmp (labels, metric->labels, metric->n_labels * sizeof *labels) == 0) &&
         (!buckets || memcmp (buckets, metric->buckets, metric->n_buckets * sizeof *buckets) == 0);
}

guint
fake_metrics_give (CenoteMetricFunc func, void *data)
{
  guint changed = 0;

  for (guint i = 0; i < G_N_ELEMENTS (metrics); i++)
    changed += !give (&metrics[i], func, data);
  return changed;
}
