/* SPDX-License-Identifier: Apache-2.0 */
/* call-report: how calls ended, for people and for scripts.  See call-report.h. */
#include "call-report.h"

#include "call-input.h"
#include "core/base/json.h"
#include "terminal.h"

static const struct {
  const char *name;
  const char *word;
  double share;
} quantiles[] = { { "p50", "p50", 0.5 }, { "p90", "p90", 0.9 }, { "p99", "p99", 0.99 }, { "max", "longest", 1 } };

/* -1: no call was OK. */
static gint64
quantile_us (const CallTally *tally, double share)
{
  gint64 ns = histogram_reading_quantile (tally->latencies, share);

  return ns < 0 ? -1 : (ns + 500) / 1000;
}

static double
rate (const CallTally *tally)
{
  return (double) tally->n_over * G_USEC_PER_SEC / (double) MAX (tally->elapsed_us, 1);
}

static void
write_failures (const CallTally *tally, GString *out)
{
  for (guint i = 0; i < tally->ends->len; i++) {
    const CallEnd *end = &g_array_index (tally->ends, CallEnd, i);
    g_autofree char *name = call_end_name (end);

    if (end->domain != 0)
      g_string_append_printf (out, "  %u %s\n", end->n, name);
  }
}

static void
write_latency (const CallTally *tally, GString *out)
{
  if (tally->n_ok == 0)
    return;
  g_string_append (out, "latency of what was OK: ");
  for (guint i = 0; i < G_N_ELEMENTS (quantiles); i++) {
    g_autofree char *text = format_us (quantile_us (tally, quantiles[i].share));

    g_string_append_printf (out, "%s%s %s", i == 0 ? "" : ", ", quantiles[i].word, text);
  }
  g_string_append_c (out, '\n');
}

void
call_report_write (const CallJob *job, const CallTally *tally, GString *out)
{
  g_autofree char *elapsed = format_us (tally->elapsed_us);
  guint n_threads = MIN (job->n_threads, job->n_calls);

  g_string_append_printf (out, "%u of %u calls were OK, in %s (%.0f a second", tally->n_ok, tally->n_over, elapsed, rate (tally));
  if (n_threads > 1)
    g_string_append_printf (out, ", %u at a time", n_threads);
  g_string_append (out, ")\n");
  write_failures (tally, out);
  write_latency (tally, out);
}

/* --------------------------------------------------------------------- JSON */

static void
write_json_ends (const CallTally *tally, GString *out)
{
  json_name (out, "ends");
  json_begin_array (out);
  for (guint i = 0; i < tally->ends->len; i++) {
    const CallEnd *end = &g_array_index (tally->ends, CallEnd, i);
    g_autofree char *name = call_end_name (end);

    json_begin_object (out);
    json_member_string (out, "status", name);
    json_member_int64 (out, "calls", end->n);
    json_member_string (out, "message", end->message);
    json_end_object (out);
  }
  json_end_array (out);
}

static void
write_json_latency (const CallTally *tally, GString *out)
{
  json_name (out, "latency_us");
  json_begin_object (out);
  for (guint i = 0; i < G_N_ELEMENTS (quantiles); i++)
    json_member_optional (out, quantiles[i].name, quantile_us (tally, quantiles[i].share));
  json_end_object (out);
}

void
call_report_write_json (const CallJob *job, const CallTally *tally, GString *out)
{
  g_autofree char *reply = tally->reply == NULL ? NULL : call_input_to_hex (tally->reply);

  json_begin_object (out);
  json_member_string (out, "pool", cenote_pool_get_name (job->pool));
  json_member_string (out, "method", job->method);
  json_member_int64 (out, "calls", tally->n_over);
  json_member_int64 (out, "ok", tally->n_ok);
  json_member_int64 (out, "failed", tally->n_over - tally->n_ok);
  json_member_int64 (out, "elapsed_us", tally->elapsed_us);
  write_json_latency (tally, out);
  write_json_ends (tally, out);
  json_member_string (out, "reply", reply);
  json_end_object (out);
}
