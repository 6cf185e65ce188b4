/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp-request: builds the messages of otlp.proto in memory of their own, which all
 * goes at once, and adds up meanwhile what they will take when packed.
 */
#include "otlp-request.h"

#include <cenote/version.h>

#include "otlp.pb-c.h"

/* What goes before a message inside another: its tag and its length. */
#define NESTED_BYTES 6
/* The lengths of what holds the data points, which grow with them. */
#define FRAME_BYTES (4 * NESTED_BYTES)

#define SECONDS(ns) ((double) (ns) / 1e9)

/* One metric, and its data points so far. */
typedef struct Series {
  Otlp__Metric metric;
  union {
    Otlp__Gauge gauge;
    Otlp__Sum sum;
    Otlp__Histogram histogram;
  } data;
  guint32 kind;              /* CenoteMetricKind */
  GPtrArray *points;         /* of messages */
} Series;

struct OtlpRequest {
  const OtlpFrame *frame;
  guint64 start_ns;
  guint64 now_ns;
  gsize size;                /* it is no more than that when packed */
  guint left_out;
  GPtrArray *blocks;         /* what the messages are made of */
  GStringChunk *texts;
  GPtrArray *series;         /* of Series, whose first member is what the scope points to */

  Otlp__ExportMetricsServiceRequest message;
  Otlp__ResourceMetrics resource_metrics, *resource_metrics_list[1];
  Otlp__Resource resource;
  Otlp__ScopeMetrics scope_metrics, *scope_metrics_list[1];
  Otlp__InstrumentationScope scope;
};

/* ----------------------------------------------------------------- memory */

/* (transfer none): zeroed, until the request's end. */
static gpointer
keep (OtlpRequest *request, gsize size)
{
  gpointer block = g_malloc0 (size);

  g_ptr_array_add (request->blocks, block);
  return block;
}

static char *
keep_text (OtlpRequest *request, const char *text)
{
  return g_string_chunk_insert_const (request->texts, text != NULL ? text : "");
}

/* ------------------------------------------------------------- attributes */

static Otlp__KeyValue *
make_attribute (OtlpRequest *request, const CenoteLabel *label)
{
  Otlp__KeyValue *attribute = keep (request, sizeof *attribute);
  Otlp__AnyValue *value = keep (request, sizeof *value);

  otlp__any_value__init (value);
  value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
  value->string_value = keep_text (request, label->value);
  otlp__key_value__init (attribute);
  attribute->key = keep_text (request, label->name);
  attribute->value = value;
  return attribute;
}

static Otlp__KeyValue **
make_attributes (OtlpRequest *request, const CenoteMetric *metric)
{
  Otlp__KeyValue **attributes = keep (request, metric->n_labels * sizeof *attributes);

  for (guint i = 0; i < metric->n_labels; i++)
    attributes[i] = make_attribute (request, cenote_metric_label (metric, i));
  return attributes;
}

/* ----------------------------------------------------------------- points */

/* START_NS 0: it does not add up since then. */
static ProtobufCMessage *
make_number (OtlpRequest *request, const CenoteMetric *metric, guint64 start_ns)
{
  Otlp__NumberDataPoint *point = keep (request, sizeof *point);

  otlp__number_data_point__init (point);
  point->start_time_unix_nano = start_ns;
  point->time_unix_nano = request->now_ns;
  point->value_case = OTLP__NUMBER_DATA_POINT__VALUE_AS_INT;
  point->as_int = metric->value;
  point->n_attributes = metric->n_labels;
  point->attributes = make_attributes (request, metric);
  return &point->base;
}

/* How many durations are in each bucket by itself: up to its bound, and above the one before; the last is
 * what is above all bounds. */
static guint64 *
count_buckets (OtlpRequest *request, const CenoteMetric *metric)
{
  const Bounds *bounds = request->frame->bounds;
  guint64 *counts = keep (request, (bounds->n + 1) * sizeof *counts);
  guint at = 0;

  for (guint i = 0; i < metric->n_buckets; i++) {
    const CenoteBucket *bucket = cenote_metric_bucket (metric, i);

    while (at < bounds->n && bucket->upper_ns > bounds->ns[at])
      at++;
    counts[at] += bucket->count;
  }
  return counts;
}

static double *
bounds_in_seconds (OtlpRequest *request)
{
  const Bounds *bounds = request->frame->bounds;
  double *seconds = keep (request, bounds->n * sizeof *seconds);

  for (guint i = 0; i < bounds->n; i++)
    seconds[i] = SECONDS (bounds->ns[i]);
  return seconds;
}

static ProtobufCMessage *
make_histogram (OtlpRequest *request, const CenoteMetric *metric)
{
  Otlp__HistogramDataPoint *point = keep (request, sizeof *point);

  otlp__histogram_data_point__init (point);
  point->start_time_unix_nano = request->start_ns;
  point->time_unix_nano = request->now_ns;
  point->count = metric->count;
  point->sum_presence_case = OTLP__HISTOGRAM_DATA_POINT__SUM_PRESENCE_SUM;
  point->sum = SECONDS (metric->sum_ns);
  point->n_bucket_counts = request->frame->bounds->n + 1;
  point->bucket_counts = count_buckets (request, metric);
  point->n_explicit_bounds = request->frame->bounds->n;
  point->explicit_bounds = bounds_in_seconds (request);
  point->n_attributes = metric->n_labels;
  point->attributes = make_attributes (request, metric);
  return &point->base;
}

/* (nullable): NULL for a kind of a later host. */
static ProtobufCMessage *
make_point (OtlpRequest *request, const CenoteMetric *metric)
{
  switch ((CenoteMetricKind) metric->kind) {
  case CENOTE_METRIC_COUNTER:
    return make_number (request, metric, request->start_ns);
  case CENOTE_METRIC_GAUGE:
    return make_number (request, metric, 0);
  case CENOTE_METRIC_HISTOGRAM:
    return make_histogram (request, metric);
  }
  return NULL;
}

/* ----------------------------------------------------------------- series */

static void
series_free (gpointer data)
{
  Series *series = data;

  g_ptr_array_unref (series->points);
  g_free (series);
}

static void
init_sum (Otlp__Sum *sum)
{
  otlp__sum__init (sum);
  sum->aggregation_temporality = OTLP__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE;
  sum->is_monotonic = TRUE;
}

static void
init_histogram (Otlp__Histogram *histogram)
{
  otlp__histogram__init (histogram);
  histogram->aggregation_temporality = OTLP__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE;
}

static void
series_set_data (Series *series)
{
  Otlp__Metric *metric = &series->metric;

  switch ((CenoteMetricKind) series->kind) {
  case CENOTE_METRIC_COUNTER:
    init_sum (&series->data.sum);
    metric->data_case = OTLP__METRIC__DATA_SUM;
    metric->sum = &series->data.sum;
    break;
  case CENOTE_METRIC_GAUGE:
    otlp__gauge__init (&series->data.gauge);
    metric->data_case = OTLP__METRIC__DATA_GAUGE;
    metric->gauge = &series->data.gauge;
    break;
  case CENOTE_METRIC_HISTOGRAM:
    init_histogram (&series->data.histogram);
    metric->data_case = OTLP__METRIC__DATA_HISTOGRAM;
    metric->histogram = &series->data.histogram;
    metric->unit = (char *) "s";
    break;
  }
}

static Series *
series_new (OtlpRequest *request, const CenoteMetric *metric)
{
  Series *series = g_new0 (Series, 1);

  otlp__metric__init (&series->metric);
  series->metric.name = keep_text (request, metric->name);
  series->metric.description = keep_text (request, metric->summary);
  series->kind = metric->kind;
  series->points = g_ptr_array_new ();
  series_set_data (series);
  return series;
}

static void
series_take (Series *series, ProtobufCMessage *point)
{
  g_ptr_array_add (series->points, point);
  switch ((CenoteMetricKind) series->kind) {
  case CENOTE_METRIC_COUNTER:
    series->data.sum.n_data_points = series->points->len;
    series->data.sum.data_points = (Otlp__NumberDataPoint **) series->points->pdata;
    break;
  case CENOTE_METRIC_GAUGE:
    series->data.gauge.n_data_points = series->points->len;
    series->data.gauge.data_points = (Otlp__NumberDataPoint **) series->points->pdata;
    break;
  case CENOTE_METRIC_HISTOGRAM:
    series->data.histogram.n_data_points = series->points->len;
    series->data.histogram.data_points = (Otlp__HistogramDataPoint **) series->points->pdata;
    break;
  }
}

/* (nullable): the one that METRIC belongs to, which could only be the last. */
static Series *
find_series (const OtlpRequest *request, const CenoteMetric *metric)
{
  Series *last = request->series->len == 0 ? NULL : request->series->pdata[request->series->len - 1];

  return last != NULL && last->kind == metric->kind && g_str_equal (last->metric.name, metric->name) ? last : NULL;
}

/* ---------------------------------------------------------------- request */

/* Takes SIZE of the room that is left.  FALSE: there is not so much. */
static gboolean
reserve (OtlpRequest *request, gsize size)
{
  if (size > request->frame->max_size - MIN (request->size, request->frame->max_size))
    return FALSE;
  request->size += size;
  return TRUE;
}

void
otlp_request_add (OtlpRequest *request, const CenoteMetric *metric)
{
  ProtobufCMessage *point = make_point (request, metric);
  Series *series = find_series (request, metric), *added = NULL;
  gsize size;

  if (point == NULL)
    return;
  if (series == NULL)
    series = added = series_new (request, metric);
  size = protobuf_c_message_get_packed_size (point) + NESTED_BYTES;
  if (added != NULL)
    size += protobuf_c_message_get_packed_size (&added->metric.base) + 2 * NESTED_BYTES;
  if (!reserve (request, size)) {
    request->left_out++;
    g_clear_pointer (&added, series_free);
    return;
  }
  if (added != NULL)
    g_ptr_array_add (request->series, added);
  series_take (series, point);
}

static void
set_resource (OtlpRequest *request)
{
  const OtlpFrame *frame = request->frame;
  Otlp__KeyValue **attributes = keep (request, frame->n_resource * sizeof *attributes);

  for (guint i = 0; i < frame->n_resource; i++)
    attributes[i] = make_attribute (request, &frame->resource[i]);
  otlp__resource__init (&request->resource);
  request->resource.n_attributes = frame->n_resource;
  request->resource.attributes = attributes;
}

static void
set_frame (OtlpRequest *request)
{
  set_resource (request);
  otlp__instrumentation_scope__init (&request->scope);
  request->scope.name = (char *) "cenote";
  request->scope.version = (char *) CENOTE_VERSION_STRING;

  otlp__scope_metrics__init (&request->scope_metrics);
  request->scope_metrics.scope = &request->scope;
  request->scope_metrics_list[0] = &request->scope_metrics;

  otlp__resource_metrics__init (&request->resource_metrics);
  request->resource_metrics.resource = &request->resource;
  request->resource_metrics.n_scope_metrics = 1;
  request->resource_metrics.scope_metrics = request->scope_metrics_list;
  request->resource_metrics_list[0] = &request->resource_metrics;

  otlp__export_metrics_service_request__init (&request->message);
  request->message.n_resource_metrics = 1;
  request->message.resource_metrics = request->resource_metrics_list;
}

OtlpRequest *
otlp_request_new (const OtlpFrame *frame, guint64 start_ns, guint64 now_ns)
{
  OtlpRequest *request = g_new0 (OtlpRequest, 1);

  request->frame = frame;
  request->start_ns = start_ns;
  request->now_ns = now_ns;
  request->blocks = g_ptr_array_new_with_free_func (g_free);
  request->texts = g_string_chunk_new (4096);
  request->series = g_ptr_array_new_with_free_func (series_free);
  set_frame (request);
  request->size = protobuf_c_message_get_packed_size (&request->message.base) + FRAME_BYTES;
  return request;
}

void
otlp_request_free (OtlpRequest *request)
{
  g_ptr_array_unref (request->series);
  g_string_chunk_free (request->texts);
  g_ptr_array_unref (request->blocks);
  g_free (request);
}

guint
otlp_request_left_out (const OtlpRequest *request)
{
  return request->left_out;
}

guint8 *
otlp_request_pack (OtlpRequest *request, gsize *out_size)
{
  guint8 *bytes;

  request->scope_metrics.n_metrics = request->series->len;
  request->scope_metrics.metrics = (Otlp__Metric **) request->series->pdata;
  *out_size = protobuf_c_message_get_packed_size (&request->message.base);
  bytes = g_malloc (*out_size);
  protobuf_c_message_pack (&request->message.base, bytes);
  return bytes;
}
