/* SPDX-License-Identifier: Apache-2.0 */
#include "statsd-spelling.h"

#include <string.h>

static void
append_clean (GString *out, const char *text, const char *allowed)
{
  for (; *text != '\0'; text++)
    g_string_append_c (out, g_ascii_isalnum (*text) || strchr (allowed, *text) != NULL ? *text : '_');
}

static void
append_name (GString *out, const StatsdSpelling *spelling, const CenoteMetric *metric)
{
  g_string_append (out, spelling->prefix);
  append_clean (out, metric->name, "_-.");
  for (guint i = 0; spelling->tags == STATSD_TAGS_NONE && i < metric->n_labels; i++) {
    g_string_append_c (out, '.');
    append_clean (out, cenote_metric_label (metric, i)->value, "_-");
  }
  g_string_append_c (out, ':');
}

static void
append_tags (GString *out, const StatsdSpelling *spelling, const CenoteMetric *metric)
{
  for (guint i = 0; spelling->tags == STATSD_TAGS_DOGSTATSD && i < metric->n_labels; i++) {
    g_string_append (out, i == 0 ? "|#" : ",");
    append_clean (out, cenote_metric_label (metric, i)->name, "_-./");
    g_string_append_c (out, ':');
    append_clean (out, cenote_metric_label (metric, i)->value, "_-./");
  }
}

/* NUMBER / 10^DIGITS, exactly, without the zeros at its end; locales do not reach it. */
static void
append_decimal (GString *out, guint64 number, guint digits)
{
  guint64 unit = 1;
  gsize end;

  for (guint i = 0; i < digits; i++)
    unit *= 10;
  g_string_append_printf (out, "%" G_GUINT64_FORMAT ".%0*" G_GUINT64_FORMAT, number / unit, (int) digits, number % unit);
  for (end = out->len; out->str[end - 1] == '0'; end--)
    continue;
  g_string_truncate (out, out->str[end - 1] == '.' ? end - 1 : end);
}

/* 1/SHARE: 2^-k is 5^k / 10^k. */
static void
append_rate (GString *out, guint64 share)
{
  guint64 fives = 1;
  guint k = 0;

  for (; share > 1; share >>= 1, k++)
    fives *= 5;
  if (k == 0)
    return;
  g_string_append (out, "|@0.");
  g_string_append_printf (out, "%0*" G_GUINT64_FORMAT, (int) k, fives);
}

guint64
statsd_share (guint64 n)
{
  guint64 share = 1;

  for (guint bits = 0; bits < STATSD_MAX_SHARE_BITS && n / 2 >= share; bits++)
    share <<= 1;
  return share;
}

void
statsd_line_counter (GString *out, const StatsdSpelling *spelling, const CenoteMetric *metric, guint64 delta)
{
  append_name (out, spelling, metric);
  g_string_append_printf (out, "%" G_GUINT64_FORMAT "|c", delta);
  append_tags (out, spelling, metric);
}

void
statsd_line_gauge (GString *out, const StatsdSpelling *spelling, const CenoteMetric *metric)
{
  append_name (out, spelling, metric);
  g_string_append_printf (out, "%" G_GINT64_FORMAT "|g", metric->value);
  append_tags (out, spelling, metric);
}

void
statsd_line_durations (GString *out, const StatsdSpelling *spelling, const CenoteMetric *metric, gint64 ns,
                       guint64 share)
{
  append_name (out, spelling, metric);
  append_decimal (out, (guint64) MAX (ns, 0), 6);
  g_string_append (out, "|ms");
  append_rate (out, share);
  append_tags (out, spelling, metric);
}
