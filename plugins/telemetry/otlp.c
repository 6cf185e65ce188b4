/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry/otlp: every metric to an OpenTelemetry collector, by OTLP over gRPC; the
 * calls are made over a pool of the keyfile, which may be among those that are told of.
 *
 * One export is under way at a time, and at the end the last one beside it.  All that
 * adds up is cumulative (the only temporality that there is), so an export that fails loses nothing that the
 * next one does not have.  What exports come to is told when it changes.
 *
 * A plugin reads no clock, and the host's is monotonic: the wall clock's time comes from
 * the events that pass, which carry both; each pool tells one when it begins, and then at
 * its status-interval.
 *
 * The lock guards what done() writes, on whatever thread that is; the rest is the telemetry thread's.
 */
#include <cenote/plugin.h>
#include <cenote/telemetry.h>
#include <glib.h>

#include "otlp-options.h"
#include "otlp-outcome.h"
#include "otlp-request.h"

#define EXPORT_METHOD "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

typedef struct OtlpSink {
  const CenoteHost *host;
  OtlpOptions options;
  OtlpFrame frame;
  gint64 start_us;           /* on the host's clock, as all _us */
  gint64 due_us;
  gboolean knows_wall;
  gint64 wall_offset_us;     /* wall - monotonic; where knows_wall */
  guint64 start_ns;          /* START_US since 1970; 0 until the first export, and then it stays */
  gboolean left_out;         /* the last export was not whole */

  GMutex lock;
  guint under_way;
  OtlpExportResult result;   /* of the last export that ended */
} OtlpSink;

/* ------------------------------------------------------------------- life */

static void
destroy (void *state)
{
  OtlpSink *sink = state;

  otlp_options_clear (&sink->options);
  g_mutex_clear (&sink->lock);
  g_free (sink);
}

static OtlpFrame
frame_of (const OtlpOptions *options)
{
  return (OtlpFrame) { (const CenoteLabel *) (const void *) options->resource->data, options->resource->len,
                       &options->bounds, options->max_size };
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  OtlpSink *sink = g_new0 (OtlpSink, 1);
  g_autofree char *problem = otlp_options_read (values, host, &sink->options);

  g_mutex_init (&sink->lock);
  if (problem != NULL) {
    host->fail (host, fault, problem);
    destroy (sink);
    return NULL;
  }
  sink->host = host;
  sink->frame = frame_of (&sink->options);
  sink->start_us = host->now_us (host);
  sink->due_us = sink->start_us + sink->options.interval_us;
  return sink;
}

/* --------------------------------------------------------------- wall time */

static void
handle (void *state, const CenoteEvent *event)
{
  OtlpSink *sink = state;

  if (event->wall_us < 0 || event->time_us < 0)
    return;
  sink->knows_wall = TRUE;
  sink->wall_offset_us = event->wall_us - event->time_us;
}

/* Nanoseconds since 1970. */
static guint64
wall_ns (const OtlpSink *sink, gint64 time_us)
{
  return (guint64) (time_us + sink->wall_offset_us) * 1000;
}

/* ------------------------------------------------------------------- ends */

static void
tell (const OtlpSink *sink, CenoteLogLevel level, const char *what)
{
  g_autofree char *text = g_strdup_printf ("pool %s: %s", sink->options.pool, what);

  sink->host->log (sink->host, level, text);
}

static void
settle (OtlpSink *sink, const OtlpOutcome *outcome)
{
  gboolean is_news;

  g_mutex_lock (&sink->lock);
  sink->under_way--;
  is_news = outcome->result != sink->result;
  sink->result = outcome->result;
  g_mutex_unlock (&sink->lock);
  if (is_news)
    tell (sink, outcome->level, outcome->text);
}

static void
done (void *data, int32_t status, const char *message, const void *response, size_t size)
{
  g_auto (OtlpOutcome) outcome = otlp_outcome_of (status, message, response, size);

  settle (data, &outcome);
}

static void
settle_refused (OtlpSink *sink)
{
  g_auto (OtlpOutcome) outcome = {
    OTLP_EXPORT_FAILED, CENOTE_LOG_ERROR,
    g_strdup_printf ("export failed: there is no [pool:%s], or the runtime stops", sink->options.pool)
  };

  settle (sink, &outcome);
}

/* ----------------------------------------------------------------- export */

static void
add_metric (const CenoteMetric *metric, void *data)
{
  otlp_request_add (data, metric);
}

/* (transfer full) */
static OtlpRequest *
read_metrics (OtlpSink *sink, gint64 now_us)
{
  OtlpRequest *request;

  if (sink->start_ns == 0)
    sink->start_ns = wall_ns (sink, sink->start_us);
  /* A wall clock that was set back does not set the series back. */
  request = otlp_request_new (&sink->frame, sink->start_ns, MAX (wall_ns (sink, now_us), sink->start_ns));
  sink->host->read_metrics (sink->host, add_metric, request);
  return request;
}

static void
tell_of_size (OtlpSink *sink, guint left_out)
{
  g_autofree char *text = NULL;

  if (left_out > 0 && !sink->left_out) {
    text = g_strdup_printf ("%u data points have no room in max-request-size=%" G_GSIZE_FORMAT " and are left out: "
                            "give it more, here and at the collector",
                            left_out, sink->options.max_size);
    tell (sink, CENOTE_LOG_WARNING, text);
  }
  sink->left_out = left_out > 0;
}

static void
begin_export (OtlpSink *sink, gint64 now_us)
{
  g_autoptr (OtlpRequest) request = read_metrics (sink, now_us);
  g_autofree guint8 *bytes = NULL;
  gsize size;

  tell_of_size (sink, otlp_request_left_out (request));
  bytes = otlp_request_pack (request, &size);
  if (!sink->host->call_async (sink->host, sink->options.pool, EXPORT_METHOD, bytes, size, sink->options.timeout_us, done,
                               sink))
    settle_refused (sink);
}

/* Counts one more export, where there may be one. */
static gboolean
claim_export (OtlpSink *sink, uint32_t why)
{
  gboolean claimed;

  g_mutex_lock (&sink->lock);
  claimed = sink->knows_wall && (why == CENOTE_POLL_LAST || sink->under_way == 0);
  sink->under_way += claimed;
  g_mutex_unlock (&sink->lock);
  return claimed;
}

/* The time after NOW_US of those that are whole intervals apart. */
static gint64
next_due (gint64 due_us, gint64 now_us, gint64 interval_us)
{
  return due_us + (1 + (now_us - due_us) / interval_us) * interval_us;
}

static int64_t
poll (void *state, int64_t now_us, uint32_t why)
{
  OtlpSink *sink = state;

  if (why == CENOTE_POLL_DUE && now_us < sink->due_us)
    return sink->due_us;
  if (claim_export (sink, why))
    begin_export (sink, now_us);
  if (why == CENOTE_POLL_DUE)
    sink->due_us = next_due (sink->due_us, now_us, sink->options.interval_us);
  return sink->due_us;
}

/* ------------------------------------------------------------- descriptor */

static const CenoteTelemetryOps ops = {
  .struct_size = sizeof ops,
  .mask = CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT) | CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS),
  .create = create,
  .handle = handle,
  .destroy = destroy,
  .poll = poll
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TELEMETRY),
  .name = "otlp",
  .version = "0.1.0",
  .summary = "Exports metrics to an OpenTelemetry collector, over a pool of the keyfile",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (otlp_options),
  .ops = &ops
};
CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "otlp")
