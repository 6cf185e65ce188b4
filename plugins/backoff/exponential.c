/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff/exponential: each delay is the one before times a factor, up to a most.
 *
 * The arithmetic of gRPC's connection backoff (grpc/grpc, doc/connection-backoff.md):
 * the base of the first delay is `initial`, of each further one
 * min (base * multiplier, max); the delay is its base moved by a uniformly random
 * part of at most `jitter` to either side.  So a delay may exceed `max` by its
 * jitter.  gRPC's own figures are initial=1s multiplier=1.6 jitter=0.2 max=120s;
 * the defaults here are quicker, because one channel alone probes an address.
 */
#include <stdlib.h>

#include "jitter.h"

enum { INITIAL, MULTIPLIER, JITTER, MAXIMUM };

static const CenoteOption options[] = {
  [INITIAL] = { "initial", CENOTE_OPTION_DURATION, 0, "100ms", "1ms", "24h", NULL,
                "The delay after the first failed attempt" },
  [MULTIPLIER] = { "multiplier", CENOTE_OPTION_DOUBLE, 0, "1.6", "1", "100", NULL,
                   "What the delay is multiplied by after each further failure" },
  [JITTER] = { "jitter", CENOTE_OPTION_FRACTION, 0, "0.2", "0", "1", NULL,
               "The part of a delay by which it may be shorter or longer" },
  [MAXIMUM] = { "max", CENOTE_OPTION_DURATION, 0, "10s", "1ms", "24h", NULL, "The longest delay, jitter aside" },
};

typedef struct Exponential {
  const CenoteHost *host;
  double initial_us;
  double multiplier;
  double jitter;
  double max_us;
  double base_us;            /* of the next delay; never above max_us */
} Exponential;

static void
reset (void *state)
{
  Exponential *exponential = state;

  exponential->base_us = exponential->initial_us;
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Exponential *exponential;

  if (cenote_options_at (values, INITIAL)->number > cenote_options_at (values, MAXIMUM)->number) {
    host->fail (host, fault, "initial is above max (raise max, or lower initial)");
    return NULL;
  }
  exponential = malloc (sizeof *exponential);
  if (!exponential) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  exponential->host = host;
  exponential->initial_us = (double) cenote_options_at (values, INITIAL)->number;
  exponential->multiplier = cenote_options_at (values, MULTIPLIER)->real;
  exponential->jitter = cenote_options_at (values, JITTER)->real;
  exponential->max_us = (double) cenote_options_at (values, MAXIMUM)->number;
  reset (exponential);
  return exponential;
}

static int64_t
next (void *state)
{
  Exponential *exponential = state;
  double base_us = exponential->base_us;
  double longer_us = base_us * exponential->multiplier;

  exponential->base_us = longer_us < exponential->max_us ? longer_us : exponential->max_us;
  return jitter_apply (base_us, exponential->jitter, exponential->host->random (exponential->host));
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
  .name = "exponential",
  .version = "0.1.0",
  .summary = "Waits longer after each failure, as gRPC does",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "exponential")
