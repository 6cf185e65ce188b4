/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector/@NAME@: keeps the wanted number of channels, each address its even share of them.
 *
 * A plan follows from its view alone: nothing is remembered from one to the next.
 * All of it on the control thread.
 */
#include <cenote/plugin.h>
#include <stdlib.h>

enum { REPLACE };

static const CenoteOption options[] = {
  [REPLACE] = { "replace", CENOTE_OPTION_BOOL, 0, "yes", NULL, NULL, NULL,
                "Whether channels that are stale or ejected are replaced" },
};

typedef struct Connector {
  bool replace;
} Connector;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Connector *connector = calloc (1, sizeof *connector);

  if (connector == NULL)
    host->fail (host, fault, "out of memory");
  else
    connector->replace = cenote_options_at (values, REPLACE)->number != 0;
  return connector;
}

static bool
lives (const CenoteChannelView *channel)
{
  return channel->state != CENOTE_CHANNEL_DRAINING && channel->state != CENOTE_CHANNEL_SHUTDOWN;
}

/* Whether CHANNEL is to take over from one that still lives: the two count as one. */
static bool
is_successor (const CenoteConnectorView *view, const CenoteChannelView *channel)
{
  for (uint32_t i = 0; channel->replaces != 0 && i < view->n_channels; i++) {
    const CenoteChannelView *elder = cenote_view_channel (view, i);

    if (elder->id == channel->replaces && lives (elder))
      return true;
  }
  return false;
}

static bool
counts_at (const CenoteConnectorView *view, const CenoteChannelView *channel, uint32_t address)
{
  return channel->address == address && lives (channel) && !is_successor (view, channel);
}

static uint32_t
count_at (const CenoteConnectorView *view, uint32_t address)
{
  uint32_t count = 0;

  for (uint32_t i = 0; i < view->n_channels; i++)
    count += counts_at (view, cenote_view_channel (view, i), address);
  return count;
}

/* How many READY channels may go: where any are wanted, the last one stays until there is another. */
static uint32_t
count_spare (const CenoteConnectorView *view, uint32_t wanted)
{
  uint32_t ready = 0;

  for (uint32_t i = 0; i < view->n_channels; i++)
    ready += cenote_view_channel (view, i)->state == CENOTE_CHANNEL_READY;
  return wanted > 0 && ready > 0 ? ready - 1 : ready;
}

/* The newest go first; of those that are READY, *SPARE at most. */
static void
drain_surplus (const CenoteConnectorView *view, CenotePlan *plan, uint32_t address, uint32_t surplus, uint32_t *spare)
{
  for (uint32_t i = view->n_channels; i > 0 && surplus > 0; i--) {
    const CenoteChannelView *channel = cenote_view_channel (view, i - 1);
    bool is_ready = channel->state == CENOTE_CHANNEL_READY;

    if (!counts_at (view, channel, address) || (is_ready && *spare == 0))
      continue;
    plan->drain (plan, channel->id, "surplus");
    *spare -= is_ready;
    surplus--;
  }
}

static void
keep_share (const CenoteConnectorView *view, CenotePlan *plan, uint32_t address, uint32_t share, uint32_t *spare)
{
  uint32_t count = count_at (view, address);

  if (count < share)
    plan->open (plan, address, share - count, 0);
  else
    drain_surplus (view, plan, address, count - share, spare);
}

static uint32_t
count_addresses (const CenoteConnectorView *view)
{
  uint32_t count = 0;

  for (uint32_t i = 0; i < view->n_addresses; i++)
    count += cenote_view_address (view, i)->removed == 0;
  return count;
}

/* WANTED channels over the addresses: the first ones get what is left over. */
static void
spread (const CenoteConnectorView *view, CenotePlan *plan, uint32_t wanted)
{
  uint32_t n_addresses = count_addresses (view), spare = count_spare (view, wanted), at = 0;

  for (uint32_t i = 0; i < view->n_addresses; i++) {
    const CenoteAddressView *address = cenote_view_address (view, i);

    if (address->removed != 0)
      keep_share (view, plan, address->id, 0, &spare);
    else {
      keep_share (view, plan, address->id, wanted / n_addresses + (at < wanted % n_addresses), &spare);
      at++;
    }
  }
}

/* One at a time, make before break: the successor takes over once it is READY. */
static void
replace_one (const CenoteConnectorView *view, CenotePlan *plan)
{
  const CenoteChannelView *stale = NULL;

  for (uint32_t i = 0; i < view->n_channels; i++) {
    const CenoteChannelView *channel = cenote_view_channel (view, i);

    if (lives (channel) && is_successor (view, channel))
      return;
    if (stale == NULL && lives (channel) && (channel->flags & (CENOTE_CHANNEL_STALE | CENOTE_CHANNEL_EJECTED)) != 0)
      stale = channel;
  }
  if (stale != NULL)
    plan->open (plan, stale->address, 1, stale->id);
}

static bool
is_at_rest (const CenoteConnectorView *view, uint32_t wanted)
{
  uint32_t count = 0;

  for (uint32_t i = 0; i < view->n_addresses; i++)
    count += count_at (view, cenote_view_address (view, i)->id);
  return count == wanted;
}

static void
plan (void *state, const CenoteConnectorView *view, CenotePlan *out_plan)
{
  const Connector *connector = state;
  uint32_t wanted = view->verb == CENOTE_VERB_DISCONNECT ? 0 : view->wanted;

  spread (view, out_plan, wanted);
  if (connector->replace && is_at_rest (view, wanted))
    replace_one (view, out_plan);
}

static const CenoteConnectorOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .plan = plan,
  .destroy = free,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_CONNECTOR),
  .name = "@NAME@",
  .version = "0.1.0",
  .summary = "Keeps the wanted number of channels, each address its even share",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_CONNECTOR, "@NAME@")
