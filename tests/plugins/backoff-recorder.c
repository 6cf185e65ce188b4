/* SPDX-License-Identifier: Apache-2.0 */
/* backoff/recorder: says in the log how it is called: "new MIN MAX" (ms), "next N", "reset N", "destroy N". */
#include <cenote/plugin.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MIN, MAX };

static const CenoteOption options[] = {
  [MIN] = { "min", CENOTE_OPTION_DURATION, 0, "1s", "1us", "1h", NULL, "The delay, each time" },
  [MAX] = { "max", CENOTE_OPTION_DURATION, 0, "30s", "1us", "1h", NULL, "Told and not used" },
};

typedef struct Recorder {
  const CenoteHost *host;
  int64_t delay_us;
  int step;
} Recorder;

static void
say (const Recorder *recorder, const char *what, int64_t number)
{
  char text[64];

  snprintf (text, sizeof text, "%s %" PRId64, what, number);
  recorder->host->log (recorder->host, CENOTE_LOG_INFO, text);
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  int64_t max_us = cenote_options_at (values, MAX)->number;
  Recorder *recorder = calloc (1, sizeof *recorder);
  char text[64];

  if (recorder == NULL) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  recorder->host = host;
  recorder->delay_us = cenote_options_at (values, MIN)->number;
  snprintf (text, sizeof text, "new %" PRId64 " %" PRId64, recorder->delay_us / 1000, max_us / 1000);
  host->log (host, CENOTE_LOG_INFO, text);
  return recorder;
}

static int64_t
next (void *state)
{
  Recorder *recorder = state;

  say (recorder, "next", ++recorder->step);
  return recorder->delay_us;
}

static void
reset (void *state)
{
  Recorder *recorder = state;

  say (recorder, "reset", recorder->step);
  recorder->step = 0;
}

static void
destroy (void *state)
{
  Recorder *recorder = state;

  say (recorder, "destroy", recorder->step);
  free (recorder);
}

static const CenoteBackoffOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .next = next,
  .reset = reset,
  .destroy = destroy,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "recorder",
  .version = "1",
  .summary = "Says how it is called",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "recorder")
