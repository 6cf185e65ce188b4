/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff/schedule: a good plugin with delays of its own: 100, 200, 400 and 50 ms, in turn.
 *
 * Its constructor leaves a mark in the environment, so that a test can tell
 * whether any of its code has run.
 */
#include <cenote/plugin.h>
#include <stdlib.h>

#include "mark.h"

enum { UNIT };

static const CenoteOption options[] = {
  [UNIT] = { "unit", CENOTE_OPTION_DURATION, CENOTE_OPTION_RELOADABLE, "50ms", "1us", "1h", NULL,
             "What the delays are multiples of" },
};

typedef struct Schedule {
  int64_t unit_us;
  unsigned step;
} Schedule;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Schedule *schedule = calloc (1, sizeof *schedule);

  if (!schedule) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  schedule->unit_us = cenote_options_at (values, UNIT)->number;
  return schedule;
}

static int64_t
next (void *state)
{
  static const int64_t multiples[] = { 2, 4, 8, 1 };
  Schedule *schedule = state;

  return multiples[schedule->step++ % 4] * schedule->unit_us;
}

static void
reset (void *state)
{
  Schedule *schedule = state;

  schedule->step = 0;
}

static const CenoteBackoffOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .next = next,
  .reset = reset,
  .destroy = free,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "schedule",
  .version = "1.2.3",
  .summary = "Delays of 2, 4, 8 and 1 units, in turn",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "schedule")
