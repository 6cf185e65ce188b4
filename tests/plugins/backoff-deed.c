/* SPDX-License-Identifier: Apache-2.0 */
/* A backoff named NAME that does DEED where it should give a delay: for test-test-plugin.sh. */
#include <cenote/plugin.h>
#include <stdio.h>
#include <stdlib.h>

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
  printf ("the plugin's own words\n");
  DEED;
  return 1000;
}

static const CenoteBackoffOps ops = { .struct_size = sizeof ops, .create = create, .next = next };

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = NAME, .version = "1", .summary = "Does something else", .license = "Apache-2.0", .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, NAME)
