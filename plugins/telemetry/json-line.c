/* SPDX-License-Identifier: Apache-2.0 */
#include "json-line.h"

#include <cenote/event-text.h>
#include <string.h>
#include <time.h>

#include "json-text.h"
#include "metric-kind.h"

/* ----------------------------------------------------------------- members */

/* No value ends in '{', because strings end in '"'. */
static void
append_name (GString *out, const char *name)
{
  if (out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
  json_append_string (out, name);
  g_string_append_c (out, ':');
}

static void
add_text (GString *out, const char *name, const char *text)
{
  if (text == NULL)
    return;
  append_name (out, name);
  json_append_string (out, text);
}

static void
add_integer (GString *out, const char *name, gint64 number)
{
  append_name (out, name);
  g_string_append_printf (out, "%" G_GINT64_FORMAT, number);
}

static void
add_unsigned (GString *out, const char *name, guint64 number)
{
  append_name (out, name);
  g_string_append_printf (out, "%" G_GUINT64_FORMAT, number);
}

/* A number of an event: -1 is none. */
static void
add_number (GString *out, const char *name, gint64 number)
{
  if (number != -1)
    add_integer (out, name, number);
}

static void
add_truth (GString *out, const char *name, gint64 truth)
{
  if (truth == -1)
    return;
  append_name (out, name);
  g_string_append (out, truth != 0 ? "true" : "false");
}

/* RFC 3339, UTC, to the microsecond. */
static void
add_time (GString *out, gint64 wall_us)
{
  time_t seconds = (time_t) (wall_us / G_USEC_PER_SEC);
  struct tm utc;

  if (wall_us < 0 || gmtime_r (&seconds, &utc) == NULL)
    return;
  append_name (out, "time");
  g_string_append_printf (out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\"", utc.tm_year + 1900, utc.tm_mon + 1,
                          utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int) (wall_us % G_USEC_PER_SEC));
}

static void
begin_line (GString *out, const char *event, gint64 wall_us, gint64 time_us)
{
  g_string_append_c (out, '{');
  add_text (out, "event", event);
  add_time (out, wall_us);
  add_number (out, "time_us", time_us);
}

static void
end_line (GString *out)
{
  g_string_append (out, "}\n");
}

/* ------------------------------------------------------------------- lines */

void
json_line_event (GString *out, const CenoteEvent *event)
{
  begin_line (out, cenote_event_kind_to_string (event->kind), event->wall_us, event->time_us);
  add_text (out, "pool", event->pool);
  if (event->channel != 0)
    add_unsigned (out, "channel", event->channel);
  add_text (out, "address", event->address);
  add_text (out, "reason", event->reason);
  add_text (out, "error", event->error);
  add_number (out, "duration_ns", event->duration_ns);
  add_number (out, "delay_ms", event->delay_ms);
  add_number (out, "attempt", event->attempt);
  add_number (out, "expected_size", event->expected_size);
  add_number (out, "current_size", event->current_size);
  add_number (out, "in_flight", event->in_flight);
  add_number (out, "waiters", event->waiters);
  add_number (out, "requested", event->requested);
  add_number (out, "succeeded", event->succeeded);
  add_number (out, "failed", event->failed);
  add_number (out, "new_size", event->new_size);
  add_number (out, "count", event->count);
  add_truth (out, "ok", event->ok);
  end_line (out);
}

static void
add_labels (GString *out, const CenoteMetric *metric)
{
  append_name (out, "labels");
  g_string_append_c (out, '{');
  for (guint i = 0; i < metric->n_labels; i++)
    add_text (out, cenote_metric_label (metric, i)->name, cenote_metric_label (metric, i)->value);
  g_string_append_c (out, '}');
}

static void
add_durations (GString *out, const CenoteMetric *metric)
{
  add_unsigned (out, "count", metric->count);
  add_unsigned (out, "sum_ns", metric->sum_ns);
  add_number (out, "p50_ns", cenote_metric_quantile (metric, 0.5));
  add_number (out, "p90_ns", cenote_metric_quantile (metric, 0.9));
  add_number (out, "p99_ns", cenote_metric_quantile (metric, 0.99));
  add_number (out, "max_ns", cenote_metric_quantile (metric, 1));
}

void
json_line_metric (GString *out, const CenoteMetric *metric, gint64 wall_us, gint64 time_us)
{
  const char *kind = metric_kind_word (metric->kind);

  begin_line (out, "metrics", wall_us, time_us);
  add_text (out, "name", metric->name);
  add_text (out, "kind", kind != NULL ? kind : "unknown");
  add_labels (out, metric);
  if (metric->kind == CENOTE_METRIC_HISTOGRAM)
    add_durations (out, metric);
  else
    add_integer (out, "value", metric->value);
  end_line (out);
}

void
json_line_lost (GString *out, guint64 count, gint64 wall_us, gint64 time_us)
{
  begin_line (out, "telemetry.lost", wall_us, time_us);
  add_unsigned (out, "count", count);
  end_line (out);
}
