/* SPDX-License-Identifier: Apache-2.0 */
/* The least that is a backoff plugin, for modules that are about something else: LEAST_BACKOFF ("name"), or
 * its ops alone. */
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
  return 1000000;
}

static const CenoteBackoffOps ops = { .struct_size = sizeof ops, .create = create, .next = next };

#define LEAST_BACKOFF(name_) \
  static const CenotePlugin plugin = { \
    CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF), \
    .name = name_, .version = "1", .summary = "Waits a second", .license = "Apache-2.0", .ops = &ops, \
  }; \
  CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, name_)
