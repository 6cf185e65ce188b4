/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector/persistent: keeps the wanted number of channels, spread evenly over the addresses.
 *
 * All that there is to it is in roster.h.
 */
#include "roster.h"

static void
plan (void *state, const CenoteConnectorView *view, CenotePlan *out_plan)
{
  Roster *roster = state;

  if (!roster_begin (roster, view, out_plan))
    return;
  if (view->verb == CENOTE_VERB_DISCONNECT)
    roster_keep (roster, 0, "disconnect");
  else
    roster_keep (roster, view->wanted, "resize");
}

static void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  Roster *roster = roster_new (host);

  (void) options;
  if (!roster)
    host->fail (host, fault, "out of memory");
  return roster;
}

static void
destroy (void *state)
{
  roster_free (state);
}

static const CenoteConnectorOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .plan = plan,
  .destroy = destroy,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_CONNECTOR),
  .name = "persistent",
  .version = "0.1.0",
  .summary = "Keeps the wanted number of channels, spread evenly over the addresses",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_CONNECTOR, "persistent")
