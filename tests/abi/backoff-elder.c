/* SPDX-License-Identifier: Apache-2.0 */
/* backoff/elder: a plugin as it was built one minor before the core: its tables are shorter. */
#include "plugin-0.0.h"

#if CENOTE_ABI_MINOR != 0
#error "this plugin must be built with the kept header, not with today's"
#endif

static char only_state;

/* Fails unless its host gives what the kept header says, in its places. */
static void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  (void) options;
  if (host->struct_size < sizeof (CenoteHost) || !CENOTE_HOST_HAS (host, timer_stop)) {
    host->fail (host, fault, "the host's table is shorter than ABI 0.0");
    return NULL;
  }
  host->log (host, CENOTE_LOG_DEBUG, "the elder was created");
  return &only_state;
}

static int64_t
next (void *state)
{
  return state == &only_state ? 12345 : -1;
}

static const CenoteBackoffOps ops = { .struct_size = sizeof ops, .create = create, .next = next };

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "elder", .version = "0.9", .summary = "Was built with an older header", .license = "Apache-2.0", .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "elder")
