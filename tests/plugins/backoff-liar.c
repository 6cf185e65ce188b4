/* SPDX-License-Identifier: Apache-2.0 */
/* Refused: the note says backoff/liar, the descriptor another name. */
#include <cenote/plugin.h>

static void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  (void) options;
  (void) fault;
  return (void *) host;
}

static int64_t
next (void *state)
{
  (void) state;
  return 1000;
}

static const CenoteBackoffOps ops = { .struct_size = sizeof ops, .create = create, .next = next };

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "honest", .version = "1", .summary = "Is not what its note says", .license = "Apache-2.0", .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "liar")
