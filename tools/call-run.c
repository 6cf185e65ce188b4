/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call-run: the same unary call many times.  See call-run.h.
 *
 * Lock: `monitor` guards what is counted; a call is made without it.
 */
#include "call-run.h"

#include "core/base/monitor.h"
#include "core/call/status-name.h"

#define PROGRESS_US (200 * 1000)

typedef struct Run {
  const CallJob *job;
  Monitor monitor;           /* all below */
  guint n_begun;
  guint n_working;           /* threads that have not ended */
  CallTally *tally;
  Histogram *latencies;      /* any thread */
} Run;

/* ---------------------------------------------------------------- counting */

static void
clear_end (gpointer data)
{
  g_free (((CallEnd *) data)->message);
}

static CallTally *
tally_new (void)
{
  CallTally *tally = g_new0 (CallTally, 1);

  tally->ends = g_array_new (FALSE, FALSE, sizeof (CallEnd));
  g_array_set_clear_func (tally->ends, clear_end);
  return tally;
}

void
call_tally_free (CallTally *tally)
{
  if (tally == NULL)
    return;
  g_array_unref (tally->ends);
  g_clear_pointer (&tally->latencies, histogram_reading_free);
  g_clear_pointer (&tally->reply, g_bytes_unref);
  g_free (tally);
}

static void
count_end (CallTally *tally, const GError *error)
{
  CallEnd end = { .domain = error == NULL ? 0 : error->domain, .code = error == NULL ? 0 : error->code, .n = 1 };

  for (guint i = 0; i < tally->ends->len; i++) {
    CallEnd *old = &g_array_index (tally->ends, CallEnd, i);

    if (old->domain == end.domain && old->code == end.code) {
      old->n++;
      return;
    }
  }
  end.message = error == NULL ? NULL : g_strdup (error->message);
  g_array_append_val (tally->ends, end);
}

/* REPLY: (transfer full) (nullable). */
static void
note_call (Run *run, GBytes *reply, const GError *error)
{
  CallTally *tally = run->tally;

  monitor_lock (&run->monitor);
  tally->n_over++;
  tally->n_ok += error == NULL;
  count_end (tally, error);
  if (reply != NULL) {
    g_clear_pointer (&tally->reply, g_bytes_unref);
    tally->reply = reply;
  }
  monitor_unlock (&run->monitor);
}

char *
call_end_name (const CallEnd *end)
{
  static const char *const errors[] = {
    [CENOTE_ERROR_CONFIG] = "CENOTE_CONFIG",       [CENOTE_ERROR_PLUGIN] = "CENOTE_PLUGIN",
    [CENOTE_ERROR_NOT_FOUND] = "CENOTE_NOT_FOUND", [CENOTE_ERROR_NOT_CONNECTED] = "CENOTE_NOT_CONNECTED",
    [CENOTE_ERROR_TIMEOUT] = "CENOTE_TIMEOUT",     [CENOTE_ERROR_LIMIT] = "CENOTE_LIMIT",
    [CENOTE_ERROR_STOPPED] = "CENOTE_STOPPED",     [CENOTE_ERROR_INVALID] = "CENOTE_INVALID",
    [CENOTE_ERROR_CALL] = "CENOTE_CALL",
  };
  const char *name = status_name (end->code);

  if (end->domain == CENOTE_ERROR && end->code > 0 && end->code < (int) G_N_ELEMENTS (errors))
    return g_strdup (errors[end->code]);
  return name != NULL ? g_strdup (name) : g_strdup_printf ("status %d", end->code);
}

/* ----------------------------------------------------------------- calling */

static gboolean
take_one (Run *run)
{
  gboolean is_taken;

  monitor_lock (&run->monitor);
  is_taken = run->n_begun < run->job->n_calls && g_atomic_int_get (run->job->interrupted) == 0;
  run->n_begun += is_taken;
  monitor_unlock (&run->monitor);
  return is_taken;
}

static void
call_once (Run *run)
{
  const CallJob *job = run->job;
  g_autoptr (GError) error = NULL;
  GBytes *reply = NULL;
  gint64 begun_us = g_get_monotonic_time ();

  if (cenote_call_unary (job->pool, job->method, job->request, job->options, &reply, &error))
    histogram_record (run->latencies, (g_get_monotonic_time () - begun_us) * 1000);
  note_call (run, reply, error);
}

static gpointer
work (gpointer data)
{
  Run *run = data;

  while (take_one (run))
    call_once (run);
  monitor_lock (&run->monitor);
  run->n_working--;
  monitor_broadcast (&run->monitor);
  monitor_unlock (&run->monitor);
  return NULL;
}

/* Waits for the threads' ends, and tells meanwhile. */
static void
watch (Run *run, void (*progress) (guint n_over, guint n_ok, gpointer data), gpointer data)
{
  guint n_working, n_over, n_ok;

  do {
    gint64 until_us = g_get_monotonic_time () + PROGRESS_US;

    monitor_lock (&run->monitor);
    while (run->n_working > 0 && monitor_wait_until (&run->monitor, until_us))
      continue;
    n_working = run->n_working;
    n_over = run->tally->n_over;
    n_ok = run->tally->n_ok;
    monitor_unlock (&run->monitor);
    progress (n_over, n_ok, data);
  } while (n_working > 0);
}

/* (transfer full): as many of N as the system gives; NULL: not one. */
static GPtrArray *
start_threads (Run *run, guint n, GError **error)
{
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();

  run->n_working = n;
  while (threads->len < n) {
    GThread *thread = g_thread_try_new ("call", work, run, threads->len == 0 ? error : NULL);

    if (thread == NULL)
      break;
    g_ptr_array_add (threads, thread);
  }
  monitor_lock (&run->monitor);
  run->n_working -= n - threads->len;
  monitor_unlock (&run->monitor);
  return threads->len > 0 ? g_steal_pointer (&threads) : NULL;
}

static void
join (GPtrArray *threads)
{
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (threads->pdata[i]);
}

CallTally *
call_run (const CallJob *job, void (*progress) (guint n_over, guint n_ok, gpointer data), gpointer data, GError **error)
{
  g_autoptr (CallTally) tally = tally_new ();
  Run run = { .job = job, .tally = tally, .latencies = histogram_new () };
  gint64 begun_us = g_get_monotonic_time ();
  g_autoptr (GPtrArray) threads = NULL;

  monitor_init (&run.monitor);
  threads = start_threads (&run, MIN (job->n_threads, job->n_calls), error);
  if (threads != NULL) {
    watch (&run, progress, data);
    join (threads);
  }
  tally->elapsed_us = g_get_monotonic_time () - begun_us;
  tally->latencies = histogram_read (run.latencies);
  histogram_free (run.latencies);
  monitor_clear (&run.monitor);
  return threads == NULL ? NULL : g_steal_pointer (&tally);
}
