/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry/@NAME@: counts events by kind, and logs the counts now and then.
 *
 * handle() and poll() run on the telemetry thread, one after the other, so that
 * the counts need no lock.
 */
#include <cenote/event-text.h>
#include <cenote/plugin.h>
#include <stdlib.h>

enum { EVERY };

static const CenoteOption options[] = {
  [EVERY] = { "every", CENOTE_OPTION_DURATION, 0, "1min", "1ms", "24h", NULL, "How often the counts are logged" },
};

typedef struct Sink {
  const CenoteHost *host;
  int64_t every_us;
  uint64_t total;            /* since the last log */
  uint64_t counts[CENOTE_N_EVENTS];
} Sink;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Sink *sink = calloc (1, sizeof *sink);

  if (sink == NULL) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  sink->host = host;
  sink->every_us = cenote_options_at (values, EVERY)->number;
  return sink;
}

static void
handle (void *state, const CenoteEvent *event)
{
  Sink *sink = state;

  if (event->kind >= CENOTE_N_EVENTS) /* of a newer Cenote */
    return;
  sink->total++;
  sink->counts[event->kind]++;
}

/* "3 events: 1 pool.init, 2 channel.connected"; a line that is too long is cut. */
static void
write_counts (const Sink *sink, char *line, size_t size)
{
  size_t at = (size_t) snprintf (line, size, "%" PRIu64 " events", sink->total);

  for (uint32_t kind = 0; kind < CENOTE_N_EVENTS && at < size; kind++)
    if (sink->counts[kind] > 0)
      at += (size_t) snprintf (line + at, size - at, "%s%" PRIu64 " %s", strchr (line, ':') != NULL ? ", " : ": ",
                               sink->counts[kind], cenote_event_kind_to_string (kind));
}

static int64_t
poll (void *state, int64_t now_us, uint32_t why)
{
  Sink *sink = state;
  char line[1024];

  (void) why;                /* the last time, too, is a time to log */
  if (sink->total > 0) {
    write_counts (sink, line, sizeof line);
    sink->host->log (sink->host, CENOTE_LOG_INFO, line);
    sink->total = 0;
    memset (sink->counts, 0, sizeof sink->counts);
  }
  return now_us + sink->every_us;
}

static const CenoteTelemetryOps ops = {
  .struct_size = sizeof ops,
  .mask = CENOTE_EVENT_MASK_ALL,
  .create = create,
  .handle = handle,
  .destroy = free,
  .poll = poll,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TELEMETRY),
  .name = "@NAME@",
  .version = "0.1.0",
  .summary = "Counts events by kind and logs the counts",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "@NAME@")
