/* SPDX-License-Identifier: Apache-2.0 */
/* Refused: it has all that a plugin needs, but the note. */
#include "least-backoff.h"

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "no-note", .version = "1", .summary = "Has no note", .license = "Apache-2.0", .ops = &ops,
};

CENOTE_PLUGIN_QUERY_DEFINE (cenote_plugin_query, plugin)
