/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include "core/pool/pool.h"

/* Those of the table, pool.name, and one that breaks a count down. */
#define MAX_LABELS (METRIC_MAX_LABELS + 2)

typedef struct Reader {
  const CountSources *sources;
  CenoteMetricFunc func;
  void *data;
  GArray *buckets;           /* of CenoteBucket, for one metric at a time */
} Reader;

/* ------------------------------------------------------------------ telling */

static void
add_label (CenoteLabel *labels, guint32 *n, const char *name, const char *value)
{
  labels[(*n)++] = (CenoteLabel) { name, value };
}

/* METRIC has its kind and numbers.  POOL and MORE (whose name is NULL then) may be none. */
static void
tell (const Reader *reader, const MetricInfo *info, CenotePool *pool, CenoteLabel more, CenoteMetric metric)
{
  CenoteLabel labels[MAX_LABELS];

  metric.struct_size = sizeof metric;
  metric.name = info->name;
  metric.summary = info->summary;
  metric.labels = labels;
  metric.label_size = sizeof labels[0];
  if (pool != NULL)
    add_label (labels, &metric.n_labels, "pool.name", cenote_pool_get_name (pool));
  for (guint i = 0; i < METRIC_MAX_LABELS && info->labels[i].name != NULL; i++)
    add_label (labels, &metric.n_labels, info->labels[i].name, info->labels[i].value);
  if (more.name != NULL)
    add_label (labels, &metric.n_labels, more.name, more.value);
  reader->func (&metric, reader->data);
}

static CenoteMetric
counter (guint64 count)
{
  return (CenoteMetric) { .kind = CENOTE_METRIC_COUNTER, .value = (gint64) count };
}

/* ----------------------------------------------------------------- counters */

static void
read_breakdown (const Reader *reader, CenotePool *pool, const CounterInfo *info, const Breakdown *breakdown)
{
  for (guint i = 0; i < breakdown_length (breakdown); i++) {
    CenoteLabel label = { info->breakdown, NULL };
    guint64 count = breakdown_nth (breakdown, i, &label.value);

    tell (reader, &info->metric, pool, label, counter (count));
  }
}

static void
read_counter_of_pool (const Reader *reader, CenotePool *pool, CounterId id)
{
  const CounterInfo *info = counter_get_info (id);
  const Breakdown *breakdown = pool_breakdown (pool, id);

  if (breakdown != NULL)
    read_breakdown (reader, pool, info, breakdown);
  else
    tell (reader, &info->metric, pool, (CenoteLabel) { 0 }, counter (pool_count (pool, id)));
}

static void
read_counter (const Reader *reader, CounterId id)
{
  const GPtrArray *pools = reader->sources->pools;
  const CounterInfo *info = counter_get_info (id);

  if (info->scope != COUNTER_OF_POOL) {
    tell (reader, &info->metric, NULL, (CenoteLabel) { 0 }, counter (counts_read (reader->sources, id)));
    return;
  }
  for (guint i = 0; i < pools->len; i++)
    read_counter_of_pool (reader, pools->pdata[i], id);
}

/* ------------------------------------------------------- gauges, histograms */

static void
read_gauge (const Reader *reader, GaugeId id)
{
  const GPtrArray *pools = reader->sources->pools;

  for (guint i = 0; i < pools->len; i++)
    tell (reader, gauge_get_info (id), pools->pdata[i], (CenoteLabel) { 0 },
          (CenoteMetric) { .kind = CENOTE_METRIC_GAUGE, .value = pool_gauge (pools->pdata[i], id) });
}

static void
read_durations_of_pool (const Reader *reader, CenotePool *pool, DurationId id)
{
  g_autoptr (HistogramReading) reading = histogram_read (pool_durations (pool, id));
  CenoteMetric metric = { .kind = CENOTE_METRIC_HISTOGRAM, .bucket_size = sizeof (CenoteBucket) };

  histogram_reading_list (reading, reader->buckets);
  metric.count = histogram_reading_count (reading);
  metric.sum_ns = histogram_reading_sum (reading);
  metric.buckets = (const CenoteBucket *) (gpointer) reader->buckets->data;
  metric.n_buckets = reader->buckets->len;
  tell (reader, duration_get_info (id), pool, (CenoteLabel) { 0 }, metric);
}

static void
read_durations (const Reader *reader, DurationId id)
{
  const GPtrArray *pools = reader->sources->pools;

  for (guint i = 0; i < pools->len; i++)
    read_durations_of_pool (reader, pools->pdata[i], id);
}

void
metrics_read (const CountSources *sources, CenoteMetricFunc func, void *data)
{
  g_autoptr (GArray) buckets = g_array_new (FALSE, FALSE, sizeof (CenoteBucket));
  const Reader reader = { sources, func, data, buckets };

  for (guint id = 0; id < N_COUNTERS; id++)
    read_counter (&reader, id);
  for (guint id = 0; id < N_GAUGES; id++)
    read_gauge (&reader, id);
  for (guint id = 0; id < N_DURATIONS; id++)
    read_durations (&reader, id);
}
