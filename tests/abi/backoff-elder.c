/* SPDX-License-Identifier: Apache-2.0 */
/* backoff/elder: a plugin of major 0, of which nothing was promised: it is refused, and nothing of it runs. */
#include "plugin-0.0.h"

#include <stdlib.h>

#if CENOTE_ABI_MAJOR != 0
#error "this plugin must be built with the kept header, not with today's"
#endif

__attribute__ ((constructor)) static void
begin (void)
{
  abort ();
}

static void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  (void) options;
  host->fail (host, fault, "a plugin of major 0 was made use of");
  return NULL;
}

static int64_t
next (void *state)
{
  (void) state;
  return 0;
}

static const CenoteBackoffOps ops = { .struct_size = sizeof ops, .create = create, .next = next };

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "elder", .version = "0.9", .summary = "Was built with an older header", .license = "Apache-2.0", .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "elder")
