/* SPDX-License-Identifier: Apache-2.0 */
/* Refused: it has all that a plugin needs, but the note. */
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
  .name = "no-note", .version = "1", .summary = "Has no note", .license = "Apache-2.0", .ops = &ops,
};

CENOTE_PLUGIN_QUERY_DEFINE (cenote_plugin_query, plugin)
