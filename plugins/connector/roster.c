/* SPDX-License-Identifier: Apache-2.0 */
#include "roster.h"

#include <stdlib.h>

/* A channel that has been READY for so long shows that its address can be relied on. */
#define PROOF_US 1000000

typedef struct Address {
  const CenoteAddressView *view;
  uint32_t count;            /* channels that count, where they will be */
  uint32_t to_open;
  bool has_channel;          /* of any state */
  bool has_dialler;          /* a channel that lives and is not READY: it is tried */
  int64_t ready_since_us;    /* of the channel that has been READY longest; INT64_MAX: there is none */
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

struct Roster {
  const CenoteHost *host;
  CenotePlan *plan;          /* this and what follows: of one plan */
  int64_t now_us;
  Address *addresses;
  Channel *channels;
  Channel **order;           /* as much room as channels have */
  uint32_t address_room;
  uint32_t channel_room;
  uint32_t n_addresses;
  uint32_t n_channels;
  uint32_t wanted;
  uint32_t count;
  bool is_replacing;         /* a successor is on its way to an address that is not down */
  const char *why;           /* a surplus channel goes */
};

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
is_down (const Address *address)
{
  return address->view->gate == CENOTE_GATE_DOWN;
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
find_address (Roster *roster, uint32_t id)
{
  return bsearch (&id, roster->addresses, roster->n_addresses, sizeof *roster->addresses, compare_address_id);
}

static Channel *
find_channel (Roster *roster, uint64_t id)
{
  return bsearch (&id, roster->channels, roster->n_channels, sizeof *roster->channels, compare_channel_id);
}

static void
count_channel (Roster *roster, const Channel *channel, int by)
{
  Address *address = place_of (channel);

  roster->count += (uint32_t) by;
  if (address)
    address->count += (uint32_t) by;
}

static void
survey_channel (Roster *roster, Channel *channel)
{
  channel->address = find_address (roster, channel->view->address);
  channel->lives = channel->view->state != CENOTE_CHANNEL_DRAINING && channel->view->state != CENOTE_CHANNEL_SHUTDOWN;
  if (channel->address) {
    channel->address->has_channel = true;
    channel->address->has_dialler |= channel->lives && !is_ready (channel);
    if (is_ready (channel) && channel->view->ready_since_us < channel->address->ready_since_us)
      channel->address->ready_since_us = channel->view->ready_since_us;
  }
}

static void
link_successor (Roster *roster, Channel *channel)
{
  Channel *predecessor = channel->view->replaces ? find_channel (roster, channel->view->replaces) : NULL;

  if (!predecessor)
    return;
  predecessor->was_replaced = true;
  if (!channel->lives || !predecessor->lives || predecessor->successor)
    return;
  predecessor->successor = channel;
  channel->predecessor = predecessor;
}

static void
survey (Roster *roster, const CenoteConnectorView *view)
{
  for (uint32_t i = 0; i < roster->n_addresses; i++)
    roster->addresses[i] = (Address) { .view = cenote_view_address (view, i), .ready_since_us = INT64_MAX };
  for (uint32_t i = 0; i < roster->n_channels; i++)
    roster->channels[i] = (Channel) { .view = cenote_view_channel (view, i) };
  for (uint32_t i = 0; i < roster->n_channels; i++)
    survey_channel (roster, &roster->channels[i]);
  for (uint32_t i = 0; i < roster->n_channels; i++)
    link_successor (roster, &roster->channels[i]);
  for (uint32_t i = 0; i < roster->n_channels; i++) {
    if (counts (&roster->channels[i]))
      count_channel (roster, &roster->channels[i], 1);
  }
}

/* ----------------------------------------------------------------- ending */

static void
end (Roster *roster, Channel *channel, const char *why)
{
  if (is_ready (channel))
    roster->plan->drain (roster->plan, channel->view->id, why);
  else
    roster->plan->close (roster->plan, channel->view->id, why);
  channel->lives = false;
}

/* Ends a successor; the one that it was to replace counts where it is. */
static void
end_successor (Roster *roster, Channel *successor, const char *why)
{
  Channel *channel = successor->predecessor;

  count_channel (roster, channel, -1);
  channel->successor = NULL;
  successor->predecessor = NULL;
  count_channel (roster, channel, 1);
  end (roster, successor, why);
}

/* Ends a channel that counts, and its successor with it. */
static void
end_counted (Roster *roster, Channel *channel, const char *why)
{
  if (channel->successor)
    end_successor (roster, channel->successor, why);
  count_channel (roster, channel, -1);
  end (roster, channel, why);
}

static bool
any_address_is_kept (const Roster *roster)
{
  for (uint32_t i = 0; i < roster->n_addresses; i++) {
    if (is_kept (&roster->addresses[i]))
      return true;
  }
  return false;
}

/* What is not connected anyway and would have to be replaced goes at once; the count then brings a new one. */
static void
end_hopeless (Roster *roster)
{
  bool has_elsewhere = any_address_is_kept (roster);

  for (uint32_t i = 0; i < roster->n_channels; i++) {
    Channel *channel = &roster->channels[i];
    bool is_stale = (channel->view->flags & CENOTE_CHANNEL_STALE) != 0;
    bool is_astray = has_elsewhere && !is_kept (channel->address);

    if (!channel->lives || is_ready (channel) || !(is_stale || is_astray))
      continue;
    if (channel->predecessor)
      end_successor (roster, channel, is_astray ? "address removed" : "stale");
    else if (!channel->successor)
      end_counted (roster, channel, is_astray ? "address removed" : "stale");
  }
}

/* ------------------------------------------------------------------- down */

/* Whether one that waits at ADDRESS, which is down, may connect sooner at another one. */
static bool
may_connect_sooner (const Roster *roster, const Address *address)
{
  for (uint32_t i = 0; i < roster->n_addresses; i++) {
    const Address *other = &roster->addresses[i];
    bool is_next = !other->has_dialler && other->view->next_attempt_us < address->view->next_attempt_us;

    if (is_kept (other) && (!is_down (other) || is_next))
      return true;
  }
  return false;
}

/* It is to be replaced where it is, and has a scout elsewhere in the way. */
static bool
has_idle_scout (const Channel *channel)
{
  const Channel *scout = channel->successor;

  return scout && channel->view->flags != 0 && is_kept (channel->address) && !is_down (channel->address) &&
         scout->address && scout->address != channel->address && is_down (scout->address) &&
         scout->view->state != CENOTE_CHANNEL_CONNECTING;
}

static bool
waits_in_vain (const Roster *roster, const Channel *channel)
{
  bool waits = channel->view->state == CENOTE_CHANNEL_IDLE || channel->view->state == CENOTE_CHANNEL_TRANSIENT_FAILURE;

  return counts (channel) && !channel->successor && waits && is_kept (channel->address) && is_down (channel->address) &&
         may_connect_sooner (roster, channel->address);
}

/* What waits at an address that is down and may connect sooner elsewhere goes; the count then brings a new one there. */
static void
leave_down (Roster *roster)
{
  for (uint32_t i = 0; i < roster->n_channels; i++) {
    Channel *channel = &roster->channels[i];

    if (channel->lives && has_idle_scout (channel))
      end_successor (roster, channel->successor, "the channel that it was to replace is replaced for another reason");
    if (waits_in_vain (roster, channel))
      end_counted (roster, channel, "another address may be reached sooner");
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
  if (worn_a != worn_b)
    return worn_a != 0;
  if (is_kept (a->address) != is_kept (b->address))
    return is_kept (b->address);
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
line_up (Roster *roster, Address *astray)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < roster->n_channels; i++) {
    if (counts (&roster->channels[i]))
      roster->order[n++] = &roster->channels[i];
  }
  qsort (roster->order, n, sizeof (Channel *), compare_going);
  while (n > 0) {
    Channel *channel = roster->order[--n];
    Address *address = channel->address ? channel->address : astray;

    channel->next = address->first;
    address->first = channel;
  }
}

/* The address whose first channel is to go. */
static Address *
first_to_shrink (Roster *roster, Address *astray)
{
  Address *first = astray;

  for (uint32_t i = 0; i < roster->n_addresses; i++) {
    Address *address = &roster->addresses[i];

    if (address->first && (!first->first || goes_before (address->first, first->first)))
      first = address;
  }
  return first;
}

static void
shrink (Roster *roster)
{
  Address astray = { 0 };

  if (roster->count <= roster->wanted)
    return;
  line_up (roster, &astray);
  while (roster->count > roster->wanted) {
    Address *address = first_to_shrink (roster, &astray);
    Channel *channel = address->first;

    address->first = channel->next;
    end_counted (roster, channel, roster->why);
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
revive (Roster *roster)
{
  for (uint32_t i = 0; i < roster->n_channels && roster->count < roster->wanted; i++) {
    Channel *channel = &roster->channels[i];

    if (!can_be_revived (channel) || channel->was_replaced)
      continue;
    roster->plan->revive (roster->plan, channel->view->id);
    roster->count++;
    channel->address->count++;
  }
}

/* Whether A is a better place for one more channel. */
static bool
suits_better (const Address *a, const Address *b)
{
  if (is_down (a) != is_down (b))
    return is_down (b);
  if (a->count != b->count)
    return a->count < b->count;
  return a->view->next_attempt_us < b->view->next_attempt_us;
}

/* (nullable): where one more channel goes; to an address that is down only where DOWN_TOO. */
static Address *
best_place (Roster *roster, bool down_too)
{
  Address *best = NULL;

  for (uint32_t i = 0; i < roster->n_addresses; i++) {
    Address *address = &roster->addresses[i];

    if (is_kept (address) && (down_too || !is_down (address)) && (!best || suits_better (address, best)))
      best = address;
  }
  return best;
}

static void
grow (Roster *roster)
{
  Address *address;

  revive (roster);
  while (roster->count < roster->wanted && (address = best_place (roster, true))) {
    roster->count++;
    address->count++;
    address->to_open++;
  }
  for (uint32_t i = 0; i < roster->n_addresses; i++) {
    if (roster->addresses[i].to_open > 0)
      roster->plan->open (roster->plan, roster->addresses[i].view->id, roster->addresses[i].to_open, 0);
  }
}

/* ------------------------------------------------------------ replacement */

static void
replace (Roster *roster, Channel *channel, Address *address)
{
  roster->plan->open (roster->plan, address->view->id, 1, channel->view->id);
  if (channel->address)
    channel->address->count--;
  address->count++;
  channel->in_hand = true;
  roster->is_replacing |= !is_down (address);
}

static bool
awaits_replacement (const Channel *channel)
{
  return counts (channel) && !channel->successor && !channel->in_hand;
}

static void
find_replacing (Roster *roster)
{
  for (uint32_t i = 0; i < roster->n_channels; i++) {
    const Channel *channel = &roster->channels[i];

    if (channel->lives && channel->predecessor && is_kept (channel->address) && !is_down (channel->address))
      roster->is_replacing = true;
  }
}

/* (nullable): where a channel that should not serve is to be replaced. */
static Address *
find_refuge (Roster *roster, const Channel *channel)
{
  if (is_kept (channel->address))
    return channel->view->flags & CENOTE_CHANNEL_EJECTED ? channel->address : NULL;
  return best_place (roster, true);
}

/* Channels that serve and should not, of removed addresses and ejected ones: all at once. */
static void
replace_unwanted (Roster *roster)
{
  for (uint32_t i = 0; i < roster->n_channels; i++) {
    Channel *channel = &roster->channels[i];
    Address *refuge = awaits_replacement (channel) && is_ready (channel) ? find_refuge (roster, channel) : NULL;

    if (refuge)
      replace (roster, channel, refuge);
  }
}

static Channel *
find_stale (Roster *roster)
{
  for (uint32_t i = 0; i < roster->n_channels; i++) {
    Channel *channel = &roster->channels[i];

    if (awaits_replacement (channel) && (channel->view->flags & CENOTE_CHANNEL_STALE) && is_kept (channel->address) &&
        !is_down (channel->address))
      return channel;
  }
  return NULL;
}

/* (nullable): a channel of an address that has at least two more than ADDRESS. */
static Channel *
find_crowded (Roster *roster, const Address *address)
{
  Channel *first = NULL;

  for (uint32_t i = 0; i < roster->n_channels; i++) {
    Channel *channel = &roster->channels[i];

    if (awaits_replacement (channel) && channel->view->flags == 0 && is_kept (channel->address) &&
        channel->address->count >= address->count + 2 && (!first || goes_before (channel, first)))
      first = channel;
  }
  return first;
}

/* An address with none yet gets one, and more when that one has stood for a while. */
static bool
may_take_more (Roster *roster, const Address *address)
{
  int64_t proved_us = address->ready_since_us == INT64_MAX ? INT64_MAX : address->ready_since_us + PROOF_US;

  if (address->count == 0 || proved_us <= roster->now_us)
    return true;
  if (proved_us != INT64_MAX)
    roster->plan->wake_at (roster->plan, proved_us);
  return false;
}

/* Channels that may serve on until their turn comes: one at a time. */
static void
replace_one (Roster *roster)
{
  Channel *stale = find_stale (roster);
  Address *empty = best_place (roster, false);
  Channel *crowded = empty ? find_crowded (roster, empty) : NULL;

  if (roster->is_replacing)
    return;
  if (stale)
    replace (roster, stale, stale->address);
  else if (crowded && may_take_more (roster, empty))
    replace (roster, crowded, empty);
}

/* An address that is down and that nobody tries gets a scout, where the others have it crowded meanwhile. */
static void
send_scouts (Roster *roster)
{
  for (uint32_t i = 0; i < roster->n_addresses; i++) {
    Address *address = &roster->addresses[i];
    bool is_untried = is_kept (address) && is_down (address) && !address->has_dialler && address->to_open == 0;
    Channel *channel = is_untried ? find_crowded (roster, address) : NULL;

    if (channel)
      replace (roster, channel, address);
  }
}

static void
forget_addresses (Roster *roster)
{
  for (uint32_t i = 0; i < roster->n_addresses; i++) {
    if (!is_kept (&roster->addresses[i]) && !roster->addresses[i].has_channel)
      roster->plan->forget (roster->plan, roster->addresses[i].view->id);
  }
}

/* ------------------------------------------------------------------ a plan */

static bool
make_channel_room (Roster *roster, uint32_t n_channels)
{
  Channel *channels = reallocarray (roster->channels, n_channels, sizeof *channels);
  Channel **order;

  if (!channels)
    return false;
  roster->channels = channels;
  order = reallocarray (roster->order, n_channels, sizeof *order);
  if (!order)
    return false;
  roster->order = order;
  roster->channel_room = n_channels;
  return true;
}

static bool
make_room (Roster *roster, uint32_t n_addresses, uint32_t n_channels)
{
  if (n_addresses > roster->address_room) {
    Address *addresses = reallocarray (roster->addresses, n_addresses, sizeof *addresses);

    if (!addresses)
      return false;
    roster->addresses = addresses;
    roster->address_room = n_addresses;
  }
  return n_channels <= roster->channel_room || make_channel_room (roster, n_channels);
}

bool
roster_begin (Roster *roster, const CenoteConnectorView *view, CenotePlan *plan)
{
  if (!make_room (roster, view->n_addresses, view->n_channels)) {
    roster->host->log (roster->host, CENOTE_LOG_ERROR, "out of memory: no plan was made");
    return false;
  }
  roster->plan = plan;
  roster->now_us = view->now_us;
  roster->n_addresses = view->n_addresses;
  roster->n_channels = view->n_channels;
  roster->count = 0;
  roster->is_replacing = false;
  survey (roster, view);
  return true;
}

uint32_t
roster_count (const Roster *roster)
{
  return roster->count;
}

const CenoteChannelView *
roster_next (const Roster *roster, uint32_t *at)
{
  while (*at < roster->n_channels) {
    const Channel *channel = &roster->channels[(*at)++];

    if (counts (channel))
      return channel->view;
  }
  return NULL;
}

void
roster_keep (Roster *roster, uint32_t wanted, const char *why)
{
  roster->wanted = wanted;
  roster->why = why;
  end_hopeless (roster);
  leave_down (roster);
  shrink (roster);
  grow (roster);
  find_replacing (roster);
  replace_unwanted (roster);
  replace_one (roster);
  send_scouts (roster);
  forget_addresses (roster);
}

/* -------------------------------------------------------------- its memory */

Roster *
roster_new (const CenoteHost *host)
{
  Roster *roster = calloc (1, sizeof *roster);

  if (roster)
    roster->host = host;
  return roster;
}

void
roster_free (Roster *roster)
{
  if (!roster)
    return;
  free (roster->addresses);
  free (roster->channels);
  free (roster->order);
  free (roster);
}
