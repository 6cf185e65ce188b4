/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff/@NAME@: each delay is one step longer than the one before.
 *
 * One state for each address that a pool tries to reach; all of it on the control thread.
 */
#include <cenote/plugin.h>
#include <stdlib.h>

enum { STEP, MAX, JITTER };

static const CenoteOption options[] = {
  [STEP] = { "step", CENOTE_OPTION_DURATION, 0, "200ms", "1ms", "1h", NULL, "By how much each delay is longer than the last" },
  [MAX] = { "max", CENOTE_OPTION_DURATION, 0, "30s", "1ms", "24h", NULL, "The longest delay" },
  [JITTER] = { "jitter", CENOTE_OPTION_FRACTION, 0, "10%", "0", "1", NULL, "The part of a delay by which luck may shorten it" },
};

typedef struct Backoff {
  const CenoteHost *host;
  double step_us;
  double max_us;
  double jitter;
  double failures;           /* since the connection was last good */
} Backoff;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Backoff *backoff = calloc (1, sizeof *backoff);

  if (backoff == NULL) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  backoff->host = host;
  backoff->step_us = (double) cenote_options_at (values, STEP)->number;
  backoff->max_us = (double) cenote_options_at (values, MAX)->number;
  backoff->jitter = cenote_options_at (values, JITTER)->real;
  return backoff;
}

/* Many clients that lost one server should not come back in step. */
static int64_t
shorten (const Backoff *backoff, double delay_us)
{
  double luck = (double) (backoff->host->random (backoff->host) >> 11) * 0x1p-53; /* in [0, 1) */

  return (int64_t) (delay_us * (1.0 - backoff->jitter * luck));
}

static int64_t
next (void *state)
{
  Backoff *backoff = state;
  double delay_us;

  backoff->failures++;
  delay_us = backoff->failures * backoff->step_us;
  return shorten (backoff, delay_us < backoff->max_us ? delay_us : backoff->max_us);
}

static void
reset (void *state)
{
  Backoff *backoff = state;

  backoff->failures = 0;
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
  .name = "@NAME@",
  .version = "0.1.0",
  .summary = "Makes each delay one step longer than the one before",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "@NAME@")
