/* SPDX-License-Identifier: Apache-2.0 */
/* backoff/v1-0: twice as long each time, up to ten times the first delay.  Built with the header of ABI 1.0. */
#include "plugin-1.0.h"

#include <stdlib.h>

#if CENOTE_ABI_MAJOR != 1 || CENOTE_ABI_MINOR != 0
#error "this plugin must be built with the kept header, not with today's"
#endif

static const CenoteOption options[] = {
  { "first", CENOTE_OPTION_DURATION, 0, "1ms", "1us", "1s", NULL, "The first delay" },
};

typedef struct Doubling {
  int64_t first_us;
  int64_t next_us;
} Doubling;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Doubling *doubling = malloc (sizeof *doubling);

  if (!doubling || !CENOTE_HOST_HAS (host, call_async)) {
    host->fail (host, fault, doubling ? "the host's table is shorter than that of ABI 1.0" : "out of memory");
    free (doubling);
    return NULL;
  }
  doubling->first_us = doubling->next_us = cenote_options_at (values, 0)->number;
  return doubling;
}

static int64_t
next (void *state)
{
  Doubling *doubling = state;
  int64_t delay_us = doubling->next_us;

  if (delay_us < 10 * doubling->first_us)
    doubling->next_us *= 2;
  return delay_us;
}

static void
reset (void *state)
{
  Doubling *doubling = state;

  doubling->next_us = doubling->first_us;
}

static const CenoteBackoffOps ops = {
  .struct_size = sizeof ops, .create = create, .next = next, .reset = reset, .destroy = free
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "v1-0", .version = "1.0", .summary = "Was built with the header of ABI 1.0", .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options), .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "v1-0")
