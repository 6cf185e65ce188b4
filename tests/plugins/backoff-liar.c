/* SPDX-License-Identifier: Apache-2.0 */
/* Refused: the note says backoff/liar, the descriptor another name. */
#include "least-backoff.h"

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "honest", .version = "1", .summary = "Is not what its note says", .license = "Apache-2.0", .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "liar")
