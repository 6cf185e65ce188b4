/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry/jsonl: every event is one line of JSON, in a file, a FIFO or on stdout; with metrics-interval
 * every metric too.
 *
 * Never waits for whoever reads: lines that there is no room for are dropped whole, and when all that waited
 * is out a line {"event":"telemetry.lost","count":N} says how many.  A file that is renamed or
 * removed is followed by a new one of its name: after a second at the latest, and with the next line after SIGHUP.
 */
#include <cenote/plugin.h>
#include <cenote/telemetry.h>
#include <errno.h>
#include <glib.h>

#include "complaint.h"
#include "events-option.h"
#include "hangup.h"
#include "json-line.h"
#include "line-file.h"

/* So much is written at once while events keep coming. */
#define WRITE_AT (32 * 1024)
#define LOOK_INTERVAL_US G_USEC_PER_SEC

typedef struct JsonlSink {
  const CenoteHost *host;
  guint64 events;            /* kinds that are written */
  LineFile *file;
  gboolean rotates;          /* the path names a file that may be renamed */
  gboolean minds_hangups;
  guint hangups_seen;
  gint64 metrics_interval_us; /* CENOTE_OFF: never */
  gint64 next_look_us;       /* G_MAXINT64: never */
  gint64 next_metrics_us;    /* likewise */
  GString *line;             /* scratch */
  guint64 lost;              /* lines since the last telemetry.lost */
  Complaint losses;
  Complaint troubles;
} JsonlSink;

enum { ROW_PATH, ROW_EVENTS, ROW_METRICS_INTERVAL, ROW_REOPEN_ON_SIGHUP };

static const CenoteOption options[] = {
  [ROW_PATH] = { "path", CENOTE_OPTION_PATH, 0, "-", NULL, NULL, NULL,
                 "The file that lines are appended to, a FIFO or a character device, or - for standard output" },
  [ROW_EVENTS] = { "events", CENOTE_OPTION_LIST, 0, NULL, NULL, NULL, NULL,
                   "Names of the events that are written, " EVENTS_OPTION_SUMMARY },
  [ROW_METRICS_INTERVAL] = { "metrics-interval", CENOTE_OPTION_DURATION, CENOTE_OPTION_MAY_BE_OFF, "off", "100ms",
                             "24h", NULL, "How often each metric is written, on a line of its own; and at the end" },
  [ROW_REOPEN_ON_SIGHUP] = { "reopen-on-sighup", CENOTE_OPTION_BOOL, 0, "yes", NULL, NULL, NULL,
                             "Whether SIGHUP opens a file that was renamed anew, besides what the program does with it" }
};

/* ---------------------------------------------------------------- creation */

static LineFile *
open_file (const CenoteHost *host, const char *path, CenoteFault *fault)
{
  g_autofree char *problem = NULL;
  LineFile *file = line_file_new (path, &problem);

  if (file == NULL)
    host->fail (host, fault, problem);
  return file;
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  const char *path = cenote_options_at (values, ROW_PATH)->text;
  JsonlSink *sink;
  LineFile *file;
  guint64 events;

  path = g_str_equal (path, "-") ? NULL : path;
  if (!events_option_read (host, cenote_options_at (values, ROW_EVENTS), fault, &events))
    return NULL;
  file = open_file (host, path, fault);
  if (file == NULL)
    return NULL;

  sink = g_new0 (JsonlSink, 1);
  sink->host = host;
  sink->events = events;
  sink->file = file;
  sink->line = g_string_new (NULL);
  sink->metrics_interval_us = cenote_options_at (values, ROW_METRICS_INTERVAL)->number;
  sink->rotates = path != NULL;
  sink->minds_hangups = path != NULL && cenote_options_at (values, ROW_REOPEN_ON_SIGHUP)->number != 0;
  if (sink->minds_hangups)
    hangup_watch ();
  sink->hangups_seen = hangup_count ();
  return sink;
}

/* ------------------------------------------------------------------- lines */

/* The host has no clock for people. */
static gint64
wall_us (void)
{
  return g_get_real_time ();
}

static void
lose (JsonlSink *sink, guint64 n, const char *why)
{
  sink->lost += n;
  complain (&sink->losses, sink->host, sink->host->now_us (sink->host), n, line_file_name (sink->file), why);
}

static const char *
why_it_waits (const LineFile *file)
{
  int error = line_file_error (file);

  return error == 0 || error == EAGAIN ? "lines dropped: nobody reads fast enough" : g_strerror (error);
}

/* A full pipe is no trouble until a line is lost by it, nor is a FIFO that nobody reads yet. */
static void
tell_trouble (JsonlSink *sink)
{
  int error = line_file_error (sink->file);

  if (error != 0 && error != EAGAIN && error != ENXIO)
    complain (&sink->troubles, sink->host, sink->host->now_us (sink->host), 1, line_file_name (sink->file),
              g_strerror (error));
}

/* TRUE: nothing waits. */
static gboolean
write_out (JsonlSink *sink)
{
  gboolean all = line_file_write (sink->file);
  guint lost = line_file_take_lost (sink->file);

  if (lost > 0)
    lose (sink, lost, "its reader left in the middle of a line");
  if (!all)
    tell_trouble (sink);
  return all;
}

/* TRUE: lines are taken again, or always were. */
static gboolean
recover (JsonlSink *sink)
{
  g_autoptr (GString) line = NULL;

  if (sink->lost == 0)
    return TRUE;
  if (!write_out (sink))
    return FALSE;
  line = g_string_new (NULL);
  json_line_lost (line, sink->lost, wall_us (), sink->host->now_us (sink->host));
  sink->lost = 0;
  return line_file_add (sink->file, line->str, line->len);
}

static gboolean
add_line (JsonlSink *sink)
{
  const GString *line = sink->line;

  return line_file_add (sink->file, line->str, line->len) ||
         (write_out (sink), line_file_add (sink->file, line->str, line->len));
}

/* The line in SINK->line is written, or lost. */
static void
put_line (JsonlSink *sink)
{
  if (!recover (sink) || !add_line (sink))
    lose (sink, 1, why_it_waits (sink->file));
  else if (line_file_waiting (sink->file) >= WRITE_AT)
    (void) write_out (sink);
}

/* ---------------------------------------------------------------- rotation */

static void
look (JsonlSink *sink)
{
  guint lost;

  sink->hangups_seen = hangup_count ();
  line_file_look (sink->file);
  lost = line_file_take_lost (sink->file);
  if (lost > 0)
    lose (sink, lost, "the file was renamed in the middle of a line");
  tell_trouble (sink);
}

static void
mind_hangups (JsonlSink *sink)
{
  if (sink->minds_hangups && sink->hangups_seen != hangup_count ())
    look (sink);
}

/* -------------------------------------------------------------- operations */

static void
handle (void *state, const CenoteEvent *event)
{
  JsonlSink *sink = state;

  if ((sink->events & CENOTE_EVENT_BIT (event->kind)) == 0)
    return;
  mind_hangups (sink);
  g_string_truncate (sink->line, 0);
  json_line_event (sink->line, event);
  put_line (sink);
}

static void
flush (void *state)
{
  JsonlSink *sink = state;

  mind_hangups (sink);
  if (write_out (sink) && sink->lost > 0 && recover (sink))
    (void) write_out (sink);
}

/* The lines of one reading have the same times. */
typedef struct Reading {
  JsonlSink *sink;
  gint64 wall_us;
  gint64 time_us;
} Reading;

static void
write_metric (const CenoteMetric *metric, void *data)
{
  const Reading *reading = data;

  g_string_truncate (reading->sink->line, 0);
  json_line_metric (reading->sink->line, metric, reading->wall_us, reading->time_us);
  put_line (reading->sink);
}

static void
write_metrics (JsonlSink *sink, gint64 now_us)
{
  Reading reading = { sink, wall_us (), now_us };

  sink->host->read_metrics (sink->host, write_metric, &reading);
}

static int64_t
poll_sink (void *state, int64_t now_us, uint32_t why)
{
  JsonlSink *sink = state;

  (void) why; /* the last metrics are those of destroy */
  if (sink->rotates && now_us >= sink->next_look_us) {
    look (sink);
    sink->next_look_us = now_us + LOOK_INTERVAL_US;
  }
  if (sink->metrics_interval_us != CENOTE_OFF && now_us >= sink->next_metrics_us) {
    write_metrics (sink, now_us);
    sink->next_metrics_us = now_us + sink->metrics_interval_us;
  }
  flush (sink);
  return MIN (sink->rotates ? sink->next_look_us : INT64_MAX,
              sink->metrics_interval_us != CENOTE_OFF ? sink->next_metrics_us : INT64_MAX);
}

static void
destroy (void *state)
{
  JsonlSink *sink = state;

  if (sink->metrics_interval_us != CENOTE_OFF)
    write_metrics (sink, sink->host->now_us (sink->host));
  flush (sink);
  if (line_file_waiting (sink->file) > 0 || sink->lost > 0)
    sink->host->log (sink->host, CENOTE_LOG_WARNING, "ends with lines that could not be written");
  if (sink->minds_hangups)
    hangup_unwatch ();
  line_file_free (sink->file);
  g_string_free (sink->line, TRUE);
  g_free (sink);
}

static uint64_t
interest (void *state)
{
  const JsonlSink *sink = state;

  return sink->events;
}

/* ------------------------------------------------------------- descriptor */

static const CenoteTelemetryOps ops = {
  .struct_size = sizeof ops,
  .mask = CENOTE_EVENT_MASK_ALL,
  .create = create,
  .handle = handle,
  .flush = flush,
  .destroy = destroy,
  .interest = interest,
  .poll = poll_sink
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TELEMETRY),
  .name = "jsonl",
  .version = "0.1.0",
  .summary = "Writes events, and metrics if wanted, as lines of JSON to a file or to standard output",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops
};
CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "jsonl")
