/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff/constant: the same delay before every attempt.
 *
 * For a peer that is expected back soon and can bear being asked; where many
 * clients share a server, give it jitter or use backoff/exponential.
 */
#include <stdlib.h>

#include "jitter.h"

enum { DELAY, JITTER };

static const CenoteOption options[] = {
  [DELAY] = { "delay", CENOTE_OPTION_DURATION, 0, "1s", "1ms", "24h", NULL, "The delay before each attempt" },
  [JITTER] = { "jitter", CENOTE_OPTION_FRACTION, 0, "0", "0", "1", NULL,
               "The part of the delay by which it may be shorter or longer" },
};

typedef struct Constant {
  const CenoteHost *host;
  double delay_us;
  double jitter;
} Constant;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Constant *constant = malloc (sizeof *constant);

  if (!constant) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  constant->host = host;
  constant->delay_us = (double) cenote_options_at (values, DELAY)->number;
  constant->jitter = cenote_options_at (values, JITTER)->real;
  return constant;
}

static int64_t
next (void *state)
{
  const Constant *constant = state;

  return jitter_apply (constant->delay_us, constant->jitter, constant->host->random (constant->host));
}

static const CenoteBackoffOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .next = next,
  .destroy = free,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "constant",
  .version = "0.1.0",
  .summary = "Waits the same time before every attempt",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "constant")
