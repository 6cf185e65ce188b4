/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff/linear: each delay is longer than the one before by the first, up to a most.
 *
 * GrpcConnectionPool 0.1's schedule: the delay after the k-th failure is
 * min (k * initial, max), with its figures as defaults and without jitter unless asked.
 */
#include <stdlib.h>

#include "jitter.h"

enum { INITIAL, MAXIMUM, JITTER };

static const CenoteOption options[] = {
  [INITIAL] = { "initial", CENOTE_OPTION_DURATION, 0, "1s", "1ms", "24h", NULL,
                "The delay after the first failed attempt, and how much longer each further one is" },
  [MAXIMUM] = { "max", CENOTE_OPTION_DURATION, 0, "5s", "1ms", "24h", NULL, "The longest delay, jitter aside" },
  [JITTER] = { "jitter", CENOTE_OPTION_FRACTION, 0, "0", "0", "1", NULL,
               "The part of a delay by which it may be shorter or longer" },
};

typedef struct Linear {
  const CenoteHost *host;
  int64_t initial_us;
  int64_t max_us;
  double jitter;
  int64_t base_us;           /* of the next delay; never above max_us */
} Linear;

static void
reset (void *state)
{
  Linear *linear = state;

  linear->base_us = linear->initial_us;
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Linear *linear;

  if (cenote_options_at (values, INITIAL)->number > cenote_options_at (values, MAXIMUM)->number) {
    host->fail (host, fault, "initial is above max (raise max, or lower initial)");
    return NULL;
  }
  linear = malloc (sizeof *linear);
  if (!linear) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  linear->host = host;
  linear->initial_us = cenote_options_at (values, INITIAL)->number;
  linear->max_us = cenote_options_at (values, MAXIMUM)->number;
  linear->jitter = cenote_options_at (values, JITTER)->real;
  reset (linear);
  return linear;
}

static int64_t
next (void *state)
{
  Linear *linear = state;
  int64_t base_us = linear->base_us;
  int64_t longer_us = base_us + linear->initial_us;

  linear->base_us = longer_us < linear->max_us ? longer_us : linear->max_us;
  return jitter_apply ((double) base_us, linear->jitter, linear->host->random (linear->host));
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
  .name = "linear",
  .version = "0.1.0",
  .summary = "Waits longer after each failure, by the same time",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "linear")
