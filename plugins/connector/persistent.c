/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector/persistent: keeps the wanted number of channels, spread evenly over the addresses.
 *
 * A channel lives while it is neither draining nor shut down.  It counts unless
 * it is the successor of one that lives: the two are one until the older one is
 * gone.  A plan first gives up what cannot serve and should not be there, then
 * brings the count to what is wanted, then has channels that should not stay
 * (of a removed address, ejected, stale, or too many to one address) replaced,
 * make before break.  Stale and unevenly spread ones go one at a time; an address
 * that is down holds up no other.  With nothing wanted, everything drains.
 *
 * The state is scratch memory alone: the plan follows from the view.
 */
#include <cenote/plugin.h>
#include <stdlib.h>
#include <string.h>

typedef struct Address {
  const CenoteAddressView *view;
  uint32_t count;            /* channels that count, where they will be */
  uint32_t to_open;
  bool has_channel;          /* of any state */
  struct Channel *first;     /* while shrinking: those that count, in the order in which they go */
} Address;

typedef struct Channel {
  const CenoteChannelView *view;
  struct Address *address;   /* NULL: not in the table */
  struct Channel *successor; /* that lives */
  struct Channel *predecessor; /* that lives */
  struct Channel *next;      /* of the same address, while shrinking */
  bool lives;
  bool was_replaced;         /* some channel took over, or is to take over, from it */
  bool in_hand;              /* this plan has it replaced */
} Channel;

typedef struct Persistent {
  const CenoteHost *host;
  Address *addresses;
  Channel *channels;
  Channel **order;           /* as much room as channels have */
  uint32_t address_room;
  uint32_t channel_room;
} Persistent;

typedef struct Planner {
  const CenoteConnectorView *view;
  CenotePlan *plan;
  Address *addresses;
  Channel *channels;
  Channel **order;
  uint32_t n_addresses;
  uint32_t n_channels;
  uint32_t wanted;
  uint32_t count;
  bool is_replacing;         /* a successor is on its way to an address that is not down */
  const char *why;           /* a surplus channel goes */
} Planner;

/* ----------------------------------------------------------------- survey */

static bool
is_ready (const Channel *channel)
{
  return channel->view->state == CENOTE_CHANNEL_READY;
}

static bool
is_kept (const Address *address)
{
  return address && !address->view->removed;
}

static bool
counts (const Channel *channel)
{
  return channel->lives && !channel->predecessor;
}

/* Where the channel that counts will be: at its successor's address. */
static Address *
place_of (const Channel *channel)
{
  return channel->successor ? channel->successor->address : channel->address;
}

static int
compare_address_id (const void *key, const void *address)
{
  uint32_t id = *(const uint32_t *) key, other = ((const Address *) address)->view->id;

  return (id > other) - (id < other);
}

static int
compare_channel_id (const void *key, const void *channel)
{
  uint64_t id = *(const uint64_t *) key, other = ((const Channel *) channel)->view->id;

  return (id > other) - (id < other);
}

/* A view is in the order of its ids. */
static Address *
find_address (Planner *planner, uint32_t id)
{
  return bsearch (&id, planner->addresses, planner->n_addresses, sizeof *planner->addresses, compare_address_id);
}

static Channel *
find_channel (Planner *planner, uint64_t id)
{
  return bsearch (&id, planner->channels, planner->n_channels, sizeof *planner->channels, compare_channel_id);
}

static void
count_channel (Planner *planner, const Channel *channel, int by)
{
  Address *address = place_of (channel);

  planner->count += (uint32_t) by;
  if (address)
    address->count += (uint32_t) by;
}

static void
survey_channel (Planner *planner, Channel *channel)
{
  channel->address = find_address (planner, channel->view->address);
  channel->lives = channel->view->state != CENOTE_CHANNEL_DRAINING && channel->view->state != CENOTE_CHANNEL_SHUTDOWN;
  if (channel->address)
    channel->address->has_channel = true;
}

static void
link_successor (Planner *planner, Channel *channel)
{
  Channel *predecessor = channel->view->replaces ? find_channel (planner, channel->view->replaces) : NULL;

  if (!predecessor)
    return;
  predecessor->was_replaced = true;
  if (!channel->lives || !predecessor->lives || predecessor->successor)
    return;
  predecessor->successor = channel;
  channel->predecessor = predecessor;
}

static void
survey (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_addresses; i++)
    planner->addresses[i] = (Address) { .view = cenote_view_address (planner->view, i) };
  for (uint32_t i = 0; i < planner->n_channels; i++)
    planner->channels[i] = (Channel) { .view = cenote_view_channel (planner->view, i) };
  for (uint32_t i = 0; i < planner->n_channels; i++)
    survey_channel (planner, &planner->channels[i]);
  for (uint32_t i = 0; i < planner->n_channels; i++)
    link_successor (planner, &planner->channels[i]);
  for (uint32_t i = 0; i < planner->n_channels; i++) {
    if (counts (&planner->channels[i]))
      count_channel (planner, &planner->channels[i], 1);
  }
}

/* ----------------------------------------------------------------- ending */

static void
end (Planner *planner, Channel *channel, const char *why)
{
  if (is_ready (channel))
    planner->plan->drain (planner->plan, channel->view->id, why);
  else
    planner->plan->close (planner->plan, channel->view->id, why);
  channel->lives = false;
}

/* Ends a successor; the one that it was to replace counts where it is. */
static void
end_successor (Planner *planner, Channel *successor, const char *why)
{
  Channel *channel = successor->predecessor;

  count_channel (planner, channel, -1);
  channel->successor = NULL;
  successor->predecessor = NULL;
  count_channel (planner, channel, 1);
  end (planner, successor, why);
}

/* Ends a channel that counts, and its successor with it. */
static void
end_counted (Planner *planner, Channel *channel, const char *why)
{
  if (channel->successor)
    end_successor (planner, channel->successor, why);
  count_channel (planner, channel, -1);
  end (planner, channel, why);
}

static bool
any_address_is_kept (const Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_addresses; i++) {
    if (is_kept (&planner->addresses[i]))
      return true;
  }
  return false;
}

/* What is not connected anyway and would have to be replaced goes at once; the count then brings a new one. */
static void
end_hopeless (Planner *planner)
{
  bool has_elsewhere = any_address_is_kept (planner);

  for (uint32_t i = 0; i < planner->n_channels; i++) {
    Channel *channel = &planner->channels[i];
    bool is_stale = (channel->view->flags & CENOTE_CHANNEL_STALE) != 0;
    bool is_astray = has_elsewhere && !is_kept (channel->address);

    if (!channel->lives || is_ready (channel) || !(is_stale || is_astray))
      continue;
    if (channel->predecessor)
      end_successor (planner, channel, is_astray ? "address removed" : "stale");
    else if (!channel->successor)
      end_counted (planner, channel, is_astray ? "address removed" : "stale");
  }
}

/* ------------------------------------------------------------------ count */

/* Whether A should go before B, both of which count. */
static bool
goes_before (const Channel *a, const Channel *b)
{
  uint32_t crowd_a = a->address ? a->address->count : 0, crowd_b = b->address ? b->address->count : 0;
  uint32_t worn_a = a->view->flags & CENOTE_CHANNEL_EJECTED, worn_b = b->view->flags & CENOTE_CHANNEL_EJECTED;

  if (is_ready (a) != is_ready (b))
    return is_ready (b);
  if (is_kept (a->address) != is_kept (b->address))
    return is_kept (b->address);
  if (worn_a != worn_b)
    return worn_a != 0;
  if (crowd_a != crowd_b)
    return crowd_a > crowd_b;
  if (a->view->in_flight != b->view->in_flight)
    return a->view->in_flight < b->view->in_flight;
  return a->view->id > b->view->id;
}

static int
compare_going (const void *a, const void *b)
{
  const Channel *one = *(Channel *const *) a, *other = *(Channel *const *) b;

  return goes_before (one, other) ? -1 : goes_before (other, one);
}

/* Those that count, ASTRAY ones (of no address) in a list of their own.  How crowded
 * its address is decides nothing between two channels of one address: in each
 * list the order stays, whoever goes. */
static void
line_up (Planner *planner, Address *astray)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < planner->n_channels; i++) {
    if (counts (&planner->channels[i]))
      planner->order[n++] = &planner->channels[i];
  }
  qsort (planner->order, n, sizeof (Channel *), compare_going);
  while (n > 0) {
    Channel *channel = planner->order[--n];
    Address *address = channel->address ? channel->address : astray;

    channel->next = address->first;
    address->first = channel;
  }
}

/* The address whose first channel is to go. */
static Address *
first_to_shrink (Planner *planner, Address *astray)
{
  Address *first = astray;

  for (uint32_t i = 0; i < planner->n_addresses; i++) {
    Address *address = &planner->addresses[i];

    if (address->first && (!first->first || goes_before (address->first, first->first)))
      first = address;
  }
  return first;
}

static void
shrink (Planner *planner)
{
  Address astray = { 0 };

  if (planner->count <= planner->wanted)
    return;
  line_up (planner, &astray);
  while (planner->count > planner->wanted) {
    Address *address = first_to_shrink (planner, &astray);
    Channel *channel = address->first;

    address->first = channel->next;
    end_counted (planner, channel, planner->why);
  }
}

/* A surplus channel that drains, is connected still and has nothing against it. */
static bool
can_be_revived (const Channel *channel)
{
  return channel->view->state == CENOTE_CHANNEL_DRAINING && channel->view->ready_since_us >= 0 &&
         channel->view->flags == 0 && is_kept (channel->address);
}

static void
revive (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_channels && planner->count < planner->wanted; i++) {
    Channel *channel = &planner->channels[i];

    if (!can_be_revived (channel) || channel->was_replaced)
      continue;
    planner->plan->revive (planner->plan, channel->view->id);
    planner->count++;
    channel->address->count++;
  }
}

/* (nullable): the address with the fewest channels; one that is down only where DOWN_TOO. */
static Address *
emptiest (Planner *planner, bool down_too)
{
  Address *emptiest_one = NULL;

  for (uint32_t i = 0; i < planner->n_addresses; i++) {
    Address *address = &planner->addresses[i];

    if (is_kept (address) && (down_too || address->view->gate != CENOTE_GATE_DOWN) &&
        (!emptiest_one || address->count < emptiest_one->count))
      emptiest_one = address;
  }
  return emptiest_one;
}

static void
grow (Planner *planner)
{
  Address *address;

  revive (planner);
  while (planner->count < planner->wanted && (address = emptiest (planner, true))) {
    planner->count++;
    address->count++;
    address->to_open++;
  }
  for (uint32_t i = 0; i < planner->n_addresses; i++) {
    if (planner->addresses[i].to_open > 0)
      planner->plan->open (planner->plan, planner->addresses[i].view->id, planner->addresses[i].to_open, 0);
  }
}

/* ------------------------------------------------------------ replacement */

static void
replace (Planner *planner, Channel *channel, Address *address)
{
  planner->plan->open (planner->plan, address->view->id, 1, channel->view->id);
  if (channel->address)
    channel->address->count--;
  address->count++;
  channel->in_hand = true;
  planner->is_replacing = true;
}

static bool
awaits_replacement (const Channel *channel)
{
  return counts (channel) && !channel->successor && !channel->in_hand;
}

static void
find_replacing (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_channels; i++) {
    const Channel *channel = &planner->channels[i];

    if (channel->lives && channel->predecessor && is_kept (channel->address) &&
        channel->address->view->gate != CENOTE_GATE_DOWN)
      planner->is_replacing = true;
  }
}

/* (nullable): where a channel that should not serve is to be replaced. */
static Address *
find_refuge (Planner *planner, const Channel *channel)
{
  Address *elsewhere;

  if (is_kept (channel->address))
    return channel->view->flags & CENOTE_CHANNEL_EJECTED ? channel->address : NULL;
  elsewhere = emptiest (planner, false);
  return elsewhere ? elsewhere : emptiest (planner, true);
}

/* Channels that serve and should not, of removed addresses and ejected ones: all at once. */
static void
replace_unwanted (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_channels; i++) {
    Channel *channel = &planner->channels[i];
    Address *refuge = awaits_replacement (channel) && is_ready (channel) ? find_refuge (planner, channel) : NULL;

    if (refuge)
      replace (planner, channel, refuge);
  }
}

static Channel *
find_stale (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_channels; i++) {
    Channel *channel = &planner->channels[i];

    if (awaits_replacement (channel) && (channel->view->flags & CENOTE_CHANNEL_STALE) && is_kept (channel->address) &&
        channel->address->view->gate != CENOTE_GATE_DOWN)
      return channel;
  }
  return NULL;
}

/* (nullable): a channel of an address that has at least two more than ADDRESS. */
static Channel *
find_crowded (Planner *planner, const Address *address)
{
  Channel *first = NULL;

  for (uint32_t i = 0; i < planner->n_channels; i++) {
    Channel *channel = &planner->channels[i];

    if (awaits_replacement (channel) && is_kept (channel->address) && channel->address->count >= address->count + 2 &&
        (!first || goes_before (channel, first)))
      first = channel;
  }
  return first;
}

/* Channels that may serve on until their turn comes: one at a time. */
static void
replace_one (Planner *planner)
{
  Channel *stale = find_stale (planner);
  Address *empty = emptiest (planner, false);
  Channel *crowded = empty ? find_crowded (planner, empty) : NULL;

  if (planner->is_replacing)
    return;
  if (stale)
    replace (planner, stale, stale->address);
  else if (crowded)
    replace (planner, crowded, empty);
}

/* ------------------------------------------------------------------- plan */

static void
forget_addresses (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_addresses; i++) {
    if (!is_kept (&planner->addresses[i]) && !planner->addresses[i].has_channel)
      planner->plan->forget (planner->plan, planner->addresses[i].view->id);
  }
}

static bool
make_channel_room (Persistent *persistent, uint32_t n_channels)
{
  Channel *channels = reallocarray (persistent->channels, n_channels, sizeof *channels);
  Channel **order;

  if (!channels)
    return false;
  persistent->channels = channels;
  order = reallocarray (persistent->order, n_channels, sizeof *order);
  if (!order)
    return false;
  persistent->order = order;
  persistent->channel_room = n_channels;
  return true;
}

static bool
make_room (Persistent *persistent, uint32_t n_addresses, uint32_t n_channels)
{
  if (n_addresses > persistent->address_room) {
    Address *addresses = reallocarray (persistent->addresses, n_addresses, sizeof *addresses);

    if (!addresses)
      return false;
    persistent->addresses = addresses;
    persistent->address_room = n_addresses;
  }
  return n_channels <= persistent->channel_room || make_channel_room (persistent, n_channels);
}

static void
plan (void *state, const CenoteConnectorView *view, CenotePlan *out_plan)
{
  Persistent *persistent = state;
  bool is_ended = view->verb == CENOTE_VERB_DISCONNECT;
  Planner planner = { .view = view, .plan = out_plan, .n_addresses = view->n_addresses, .n_channels = view->n_channels,
                      .wanted = is_ended ? 0 : view->wanted, .why = is_ended ? "disconnect" : "resize" };

  if (!make_room (persistent, view->n_addresses, view->n_channels)) {
    persistent->host->log (persistent->host, CENOTE_LOG_ERROR, "out of memory: no plan was made");
    return;
  }
  planner.addresses = persistent->addresses;
  planner.channels = persistent->channels;
  planner.order = persistent->order;
  survey (&planner);
  end_hopeless (&planner);
  shrink (&planner);
  grow (&planner);
  find_replacing (&planner);
  replace_unwanted (&planner);
  replace_one (&planner);
  forget_addresses (&planner);
}

static void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  Persistent *persistent = calloc (1, sizeof *persistent);

  (void) options;
  if (!persistent) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  persistent->host = host;
  return persistent;
}

static void
destroy (void *state)
{
  Persistent *persistent = state;

  free (persistent->addresses);
  free (persistent->channels);
  free (persistent->order);
  free (persistent);
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
