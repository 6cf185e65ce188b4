/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff/fibonacci: each delay is the sum of the two before, up to a most.
 *
 * initial * 1, 1, 2, 3, 5, 8…: the growth of a factor of 1.6, but gentler at first.
 */
#include <stdlib.h>

#include "jitter.h"

enum { INITIAL, JITTER, MAXIMUM };

static const CenoteOption options[] = {
  [INITIAL] = { "initial", CENOTE_OPTION_DURATION, 0, "100ms", "1ms", "24h", NULL,
                "The delay after the first failed attempt, and after the second" },
  [JITTER] = { "jitter", CENOTE_OPTION_FRACTION, 0, "0.2", "0", "1", NULL,
               "The part of a delay by which it may be shorter or longer" },
  [MAXIMUM] = { "max", CENOTE_OPTION_DURATION, 0, "10s", "1ms", "24h", NULL, "The longest delay, jitter aside" },
};

typedef struct Fibonacci {
  const CenoteHost *host;
  int64_t initial_us;
  int64_t max_us;
  double jitter;
  int64_t before_us;         /* the base of the last delay; 0: there was none */
  int64_t base_us;           /* of the next delay; never above max_us */
} Fibonacci;

static void
reset (void *state)
{
  Fibonacci *fibonacci = state;

  fibonacci->before_us = 0;
  fibonacci->base_us = fibonacci->initial_us;
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Fibonacci *fibonacci;

  if (cenote_options_at (values, INITIAL)->number > cenote_options_at (values, MAXIMUM)->number) {
    host->fail (host, fault, "initial is above max (raise max, or lower initial)");
    return NULL;
  }
  fibonacci = malloc (sizeof *fibonacci);
  if (!fibonacci) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  fibonacci->host = host;
  fibonacci->initial_us = cenote_options_at (values, INITIAL)->number;
  fibonacci->max_us = cenote_options_at (values, MAXIMUM)->number;
  fibonacci->jitter = cenote_options_at (values, JITTER)->real;
  reset (fibonacci);
  return fibonacci;
}

static int64_t
next (void *state)
{
  Fibonacci *fibonacci = state;
  int64_t base_us = fibonacci->base_us;
  int64_t longer_us = base_us + fibonacci->before_us;

  fibonacci->before_us = base_us;
  fibonacci->base_us = longer_us < fibonacci->max_us ? longer_us : fibonacci->max_us;
  return jitter_apply ((double) base_us, fibonacci->jitter, fibonacci->host->random (fibonacci->host));
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
  .name = "fibonacci",
  .version = "0.1.0",
  .summary = "Waits after each failure the sum of the two waits before",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "fibonacci")
