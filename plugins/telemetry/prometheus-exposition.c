/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-exposition: appends to one text; nothing here asks for a locale. */
#include "prometheus-exposition.h"

#include <string.h>

#include "metric-kind.h"

#define NS_PER_S G_GUINT64_CONSTANT (1000000000)

/* ------------------------------------------------------------------- names */

static void
append_name (GString *out, const char *name)
{
  for (; *name != '\0'; name++)
    g_string_append_c (out, g_ascii_isalnum (*name) ? *name : '_');
}

/* What all samples of METRIC's name have in common. */
static void
append_family (GString *out, const CenoteMetric *metric)
{
  append_name (out, metric->name);
  if (metric->kind == CENOTE_METRIC_HISTOGRAM)
    g_string_append (out, "_seconds");
  if (metric->kind == CENOTE_METRIC_GAUGE && g_str_has_suffix (metric->name, ".count")) {
    g_string_truncate (out, out->len - strlen (".count"));
    g_string_append_c (out, 's');
  }
}

/* The text format names a counter's family as its sample. */
static void
append_headline (Exposition *exposition, const char *word, const CenoteMetric *metric)
{
  g_string_append_printf (exposition->out, "# %s ", word);
  append_family (exposition->out, metric);
  if (exposition->format == FORMAT_TEXT && metric->kind == CENOTE_METRIC_COUNTER)
    g_string_append (exposition->out, "_total");
  g_string_append_c (exposition->out, ' ');
}

/* ------------------------------------------------------------------ escapes */

static void
append_escaped (GString *out, const char *text, gboolean quotes)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);

  for (const char *c = valid; *c != '\0'; c++)
    if (*c == '\n')
      g_string_append (out, "\\n");
    else if (*c == '\\' || (quotes && *c == '"'))
      g_string_append_printf (out, "\\%c", *c);
    else
      g_string_append_c (out, *c);
}

/* ------------------------------------------------------------------ numbers */

/* Seconds, exactly; IS_CANONICAL: never without a decimal point. */
static void
append_seconds (GString *out, guint64 ns, gboolean is_canonical)
{
  guint64 rest = ns % NS_PER_S;

  g_string_append_printf (out, "%" G_GUINT64_FORMAT, ns / NS_PER_S);
  if (rest == 0) {
    g_string_append (out, is_canonical ? ".0" : "");
    return;
  }
  g_string_append_printf (out, ".%09" G_GUINT64_FORMAT, rest);
  while (out->str[out->len - 1] == '0')
    g_string_truncate (out, out->len - 1);
}

/* ------------------------------------------------------------------ samples */

/* LE: the bucket's bound, NS or -1 for +Inf; 0: the sample has none. */
static void
append_labels (Exposition *exposition, const CenoteMetric *metric, gint64 le_ns)
{
  GString *out = exposition->out;
  char separator = '{';

  for (guint i = 0; i < metric->n_labels; i++, separator = ',') {
    g_string_append_c (out, separator);
    append_name (out, cenote_metric_label (metric, i)->name);
    g_string_append (out, "=\"");
    append_escaped (out, cenote_metric_label (metric, i)->value, TRUE);
    g_string_append_c (out, '"');
  }
  if (le_ns != 0) {
    g_string_append_printf (out, "%cle=\"", separator);
    if (le_ns < 0)
      g_string_append (out, "+Inf");
    else
      append_seconds (out, (guint64) le_ns, exposition->format == FORMAT_OPENMETRICS);
    g_string_append_c (out, '"');
  }
  g_string_append (out, metric->n_labels > 0 || le_ns != 0 ? "} " : " ");
}

static void
append_number (Exposition *exposition, const CenoteMetric *metric, const char *suffix)
{
  append_family (exposition->out, metric);
  g_string_append (exposition->out, suffix);
  append_labels (exposition, metric, 0);
  g_string_append_printf (exposition->out, "%" G_GINT64_FORMAT "\n", metric->value);
}

static void
append_bucket (Exposition *exposition, const CenoteMetric *metric, gint64 le_ns, guint64 count)
{
  append_family (exposition->out, metric);
  g_string_append (exposition->out, "_bucket");
  append_labels (exposition, metric, le_ns);
  g_string_append_printf (exposition->out, "%" G_GUINT64_FORMAT "\n", count);
}

static void
append_histogram (Exposition *exposition, const CenoteMetric *metric)
{
  const Bounds *bounds = exposition->bounds;

  for (guint i = 0; i < bounds->n; i++)
    append_bucket (exposition, metric, bounds->ns[i],
                   MIN (cenote_metric_count_up_to (metric, bounds->ns[i]), metric->count));
  append_bucket (exposition, metric, -1, metric->count);
  append_family (exposition->out, metric);
  g_string_append (exposition->out, "_sum");
  append_labels (exposition, metric, 0);
  append_seconds (exposition->out, metric->sum_ns, FALSE);
  g_string_append_c (exposition->out, '\n');
  append_family (exposition->out, metric);
  g_string_append (exposition->out, "_count");
  append_labels (exposition, metric, 0);
  g_string_append_printf (exposition->out, "%" G_GUINT64_FORMAT "\n", metric->count);
}

/* ----------------------------------------------------------------- families */

static void
begin_family (Exposition *exposition, const CenoteMetric *metric)
{
  append_headline (exposition, "HELP", metric);
  append_escaped (exposition->out, metric->summary, exposition->format == FORMAT_OPENMETRICS);
  g_string_append_c (exposition->out, '\n');
  append_headline (exposition, "TYPE", metric);
  g_string_append_printf (exposition->out, "%s\n", metric_kind_word (metric->kind));
  if (exposition->format == FORMAT_OPENMETRICS && metric->kind == CENOTE_METRIC_HISTOGRAM) {
    append_headline (exposition, "UNIT", metric);
    g_string_append (exposition->out, "seconds\n");
  }
}

void
exposition_init (Exposition *exposition, Format format, const Bounds *bounds)
{
  *exposition = (Exposition) { .format = format, .bounds = bounds, .out = g_string_new (NULL) };
}

/* A kind that is newer than we are is left out. */
void
exposition_add (const CenoteMetric *metric, void *data)
{
  Exposition *exposition = data;

  if (metric_kind_word (metric->kind) == NULL)
    return;
  if (g_strcmp0 (exposition->last_name, metric->name) != 0) {
    begin_family (exposition, metric);
    g_free (exposition->last_name);
    exposition->last_name = g_strdup (metric->name);
  }
  if (metric->kind == CENOTE_METRIC_HISTOGRAM)
    append_histogram (exposition, metric);
  else
    append_number (exposition, metric, metric->kind == CENOTE_METRIC_COUNTER ? "_total" : "");
}

GBytes *
exposition_end (Exposition *exposition)
{
  if (exposition->format == FORMAT_OPENMETRICS)
    g_string_append (exposition->out, "# EOF\n");
  g_clear_pointer (&exposition->last_name, g_free);
  return g_string_free_to_bytes (g_steal_pointer (&exposition->out));
}

const char *
exposition_content_type (Format format)
{
  switch (format) {
  case FORMAT_TEXT:
    return "text/plain; version=0.0.4; charset=utf-8";
  case FORMAT_OPENMETRICS:
    break;
  }
  return "application/openmetrics-text; version=1.0.0; charset=utf-8";
}
