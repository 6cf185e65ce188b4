/* SPDX-License-Identifier: Apache-2.0 */
/* Refused: a required slot, next, is empty. */
#include <cenote/plugin.h>

static void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  (void) options;
  (void) fault;
  return (void *) host;
}

static const CenoteBackoffOps ops = { .struct_size = sizeof ops, .create = create };

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "no-next", .version = "1", .summary = "Has no slot next", .license = "Apache-2.0", .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "no-next")
