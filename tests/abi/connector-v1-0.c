/* SPDX-License-Identifier: Apache-2.0 */
/* connector/v1-0: as many channels as are wanted, all to the first address.  Built with the header of ABI 1.0. */
#include "plugin-1.0.h"

#if CENOTE_ABI_MAJOR != 1 || CENOTE_ABI_MINOR != 0
#error "this plugin must be built with the kept header, not with today's"
#endif

static bool
lives (const CenoteChannelView *channel)
{
  return channel->state != CENOTE_CHANNEL_DRAINING && channel->state != CENOTE_CHANNEL_SHUTDOWN;
}

static uint32_t
count_living (const CenoteConnectorView *view)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < view->n_channels; i++)
    n += lives (cenote_view_channel (view, i));
  return n;
}

/* Those that connect go before those that serve. */
static void
give_up (const CenoteConnectorView *view, CenotePlan *plan, uint32_t surplus, bool serving)
{
  for (uint32_t i = view->n_channels; i > 0 && surplus > 0; i--) {
    const CenoteChannelView *channel = cenote_view_channel (view, i - 1);

    if (!lives (channel) || (channel->state == CENOTE_CHANNEL_READY) != serving)
      continue;
    if (serving)
      plan->drain (plan, channel->id, "more than are wanted");
    else
      plan->close (plan, channel->id, "more than are wanted");
    surplus--;
  }
}

static uint32_t
count_connecting (const CenoteConnectorView *view)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < view->n_channels; i++) {
    const CenoteChannelView *channel = cenote_view_channel (view, i);

    n += lives (channel) && channel->state != CENOTE_CHANNEL_READY;
  }
  return n;
}

static void
plan (void *state, const CenoteConnectorView *view, CenotePlan *out_plan)
{
  uint32_t wanted = view->verb == CENOTE_VERB_DISCONNECT ? 0 : view->wanted;
  uint32_t living = count_living (view);
  uint32_t connecting = count_connecting (view);

  (void) state;
  if (living < wanted && view->n_addresses > 0)
    out_plan->open (out_plan, cenote_view_address (view, 0)->id, wanted - living, 0);
  if (living > wanted)
    give_up (view, out_plan, living - wanted, false);
  if (living > wanted + connecting)
    give_up (view, out_plan, living - wanted - connecting, true);
}

static const CenoteConnectorOps ops = { .struct_size = sizeof ops, .plan = plan };

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_CONNECTOR),
  .name = "v1-0", .version = "1.0", .summary = "Was built with the header of ABI 1.0", .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_CONNECTOR, "v1-0")
