/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry/log: every event is one record of GLib's structured log, domain
 * "Cenote": a line for people, and each value in a field of its own, so that
 * journald keeps them (`journalctl CENOTE_POOL=users`).
 *
 * What is good news is a message, what is detail is debug, what went wrong a
 * warning.  It decides nothing about where the log goes: g_log_set_writer_func()
 * does.
 */
#include <cenote/event-text.h>
#include <cenote/plugin.h>
#include <cenote/telemetry.h>
#include <glib.h>

#include "events-option.h"

#define LOG_DOMAIN "Cenote"
#define MAX_LINE 1024

typedef enum { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARNING } Level;

typedef struct LogSink {
  Level level;               /* the least that is logged */
  guint64 events;            /* kinds that are logged */
} LogSink;

enum { ROW_LEVEL, ROW_EVENTS };

static const CenoteOption options[] = {
  [ROW_LEVEL] = { "level", CENOTE_OPTION_ENUM, 0, "info", NULL, NULL, "debug|info|warning",
                  "The least important events that are logged" },
  [ROW_EVENTS] = { "events", CENOTE_OPTION_LIST, 0, NULL, NULL, NULL, NULL,
                   "Names of the events that are logged, " EVENTS_OPTION_SUMMARY }
};

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  LogSink *sink = g_new0 (LogSink, 1);

  sink->level = (Level) cenote_options_at (values, ROW_LEVEL)->number;
  if (!events_option_read (host, cenote_options_at (values, ROW_EVENTS), fault, &sink->events)) {
    g_free (sink);
    return NULL;
  }
  return sink;
}

/* ------------------------------------------------------------- importance */

static Level
level_of (const CenoteEvent *event)
{
  switch ((CenoteEventKind) event->kind) {
  case CENOTE_EVENT_CHANNEL_CONNECTION_FAILED:
  case CENOTE_EVENT_CHANNEL_DISCONNECTED:
  case CENOTE_EVENT_CHANNEL_EJECTED:
  case CENOTE_EVENT_PLUGIN_FAILED:
  case CENOTE_EVENT_TELEMETRY_DROPPED:
  case CENOTE_EVENT_LEASE_LEAK:
    return LEVEL_WARNING;
  case CENOTE_EVENT_CHANNEL_HEALTH:
  case CENOTE_EVENT_POOL_RELOAD:
    return event->ok == 0 ? LEVEL_WARNING : LEVEL_INFO;
  case CENOTE_EVENT_POOL_SCALE_UP:
  case CENOTE_EVENT_POOL_SCALE_DOWN:
    return event->failed > 0 ? LEVEL_WARNING : LEVEL_INFO;
  case CENOTE_EVENT_CHANNEL_PING:
    return event->ok == 0 ? LEVEL_WARNING : LEVEL_DEBUG;
  case CENOTE_EVENT_CHANNEL_CONNECTED:
  case CENOTE_EVENT_CHANNEL_UNEJECTED:
  case CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED:
  case CENOTE_EVENT_CHANNEL_DRAINED:
  case CENOTE_EVENT_POOL_INIT:
  case CENOTE_EVENT_PLUGIN_LOADED:
    return LEVEL_INFO;
  case CENOTE_EVENT_CHANNEL_GET:
  case CENOTE_EVENT_POOL_GET_CHANNEL:
  case CENOTE_EVENT_POOL_STATUS:
  case CENOTE_EVENT_POOL_WAITING:
  case CENOTE_EVENT_CONNECTOR_DIAL:
  case CENOTE_EVENT_CONNECTOR_CACHE_MISS:
  case CENOTE_EVENT_CONNECTOR_CONNECTION_COUNT:
  case CENOTE_EVENT_CHANNEL_STATE:
  case CENOTE_N_EVENTS:
    break;
  }
  return LEVEL_DEBUG;
}

/* ----------------------------------------------------------------- fields */

/* One record being filled; each kind of value has its room. */
#define MAX_FIELDS 32

typedef struct Record {
  GLogField fields[MAX_FIELDS];
  gsize n_fields;
  char numbers[MAX_FIELDS][24];
  char line[MAX_LINE];
} Record;

static void
add_text (Record *record, const char *key, const char *text)
{
  if (text != NULL)
    record->fields[record->n_fields++] = (GLogField) { .key = key, .value = text, .length = -1 };
}

static void
add_number (Record *record, const char *key, gint64 number)
{
  char *text = record->numbers[record->n_fields];

  if (number == -1)
    return;
  g_snprintf (text, sizeof record->numbers[0], "%" G_GINT64_FORMAT, number);
  add_text (record, key, text);
}

static void
add_values (Record *record, const CenoteEvent *event)
{
  add_text (record, "CENOTE_EVENT", cenote_event_kind_to_string (event->kind));
  add_text (record, "CENOTE_POOL", event->pool);
  add_number (record, "CENOTE_CHANNEL", event->channel != 0 ? (gint64) event->channel : -1);
  add_text (record, "CENOTE_ADDRESS", event->address);
  add_text (record, "CENOTE_REASON", event->reason);
  add_text (record, "CENOTE_ERROR", event->error);
  add_number (record, "CENOTE_TIME_US", event->time_us);
  add_number (record, "CENOTE_DURATION_NS", event->duration_ns);
  add_number (record, "CENOTE_DELAY_MS", event->delay_ms);
  add_number (record, "CENOTE_ATTEMPT", event->attempt);
  add_number (record, "CENOTE_EXPECTED_SIZE", event->expected_size);
  add_number (record, "CENOTE_CURRENT_SIZE", event->current_size);
  add_number (record, "CENOTE_IN_FLIGHT", event->in_flight);
  add_number (record, "CENOTE_WAITERS", event->waiters);
  add_number (record, "CENOTE_REQUESTED", event->requested);
  add_number (record, "CENOTE_SUCCEEDED", event->succeeded);
  add_number (record, "CENOTE_FAILED", event->failed);
  add_number (record, "CENOTE_NEW_SIZE", event->new_size);
  add_number (record, "CENOTE_COUNT", event->count);
  add_number (record, "CENOTE_OK", event->ok);
}

static void
handle (void *state, const CenoteEvent *event)
{
  static const GLogLevelFlags glib_levels[] = { G_LOG_LEVEL_DEBUG, G_LOG_LEVEL_MESSAGE, G_LOG_LEVEL_WARNING };
  static const char *const priorities[] = { "7", "5", "4" };
  const LogSink *sink = state;
  Level level = level_of (event);
  Record record;

  if ((sink->events & CENOTE_EVENT_BIT (event->kind)) == 0 || level < sink->level)
    return;

  record.n_fields = 0;
  (void) cenote_event_format (record.line, sizeof record.line, event);
  add_text (&record, "GLIB_DOMAIN", LOG_DOMAIN);
  add_text (&record, "PRIORITY", priorities[level]);
  add_text (&record, "MESSAGE", record.line);
  add_values (&record, event);
  g_log_structured_array (glib_levels[level], record.fields, record.n_fields);
}

static uint64_t
interest (void *state)
{
  const LogSink *sink = state;

  return sink->events;
}

/* ------------------------------------------------------------- descriptor */

static const CenoteTelemetryOps ops = {
  .struct_size = sizeof ops,
  .mask = CENOTE_EVENT_MASK_ALL,
  .create = create,
  .handle = handle,
  .destroy = g_free,
  .interest = interest
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TELEMETRY),
  .name = "log",
  .version = "0.1.0",
  .summary = "Writes events to GLib's structured log, and so to journald",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops
};
CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "log")
