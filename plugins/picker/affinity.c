/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/affinity: the same channel for the same key.
 *
 * Rendezvous hashing (Thaler and Ravishankar, "Using Name-Based Mappings to
 * Increase Hit Rates", 1998): each place bids for the key with a number that both
 * hash to, and the highest bid has it.  So a key moves only when its place is not
 * in rotation, to the place with the next bid, and returns with it; of the keys of
 * all others none moves; a new place takes its share from all alike.  There is no
 * ring to keep, and a place of any weight gets its share exactly (Schindelhauer and
 * Schomaker, "Weighted Distributed Hash Tables", 2005).  Each pick looks at every
 * place: some 2 ns each.
 *
 * Bids are for place numbers, which a channel's replacement inherits, and which start
 * at 0 in every process: with pools of one size a key has the same number everywhere.
 *
 * A caller without a key gets the less loaded of two, as with p2c.  (gRPC's ring_hash
 * takes a random point of its ring then; it knows no loads.)
 */
#include "two-choices.h"

#include <math.h>

typedef struct Bid {
  uint64_t number;
  uint32_t weight;
} Bid;

/* The finaliser of splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
 * Generators", 2014): each bit of what goes in changes half of what comes out. */
static uint64_t
mix (uint64_t word)
{
  word = (word ^ (word >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  word = (word ^ (word >> 27)) * UINT64_C (0x94d049bb133111eb);
  return word ^ (word >> 31);
}

static Bid
bid_of (const CenotePickView *view, uint32_t i)
{
  const CenotePlace *place = cenote_pick_place (view, i);

  return (Bid) { mix (view->key_hash ^ mix (place->number + UINT64_C (1))), place->weight };
}

/* The logarithm of what is as good as uniform between 0 and 1, over the weight. */
static double
weighed (Bid bid)
{
  return log (((double) (bid.number >> 11) + 0.5) * 0x1p-53) / bid.weight;
}

static bool
outbids (Bid bid, Bid other)
{
  if (bid.weight == other.weight)
    return bid.number > other.number;
  return weighed (bid) > weighed (other);
}

static uint32_t
pick_for_key (const CenotePickView *view)
{
  uint32_t best = view->n_places > 1 && view->avoid == 0 ? 1 : 0;
  Bid highest = bid_of (view, best);

  for (uint32_t i = best + 1; i < view->n_places; i++) {
    Bid bid = bid_of (view, i);

    if (i == view->avoid || !outbids (bid, highest))
      continue;
    highest = bid;
    best = i;
  }
  return best;
}

static uint32_t
pick (void *state, const CenotePickView *view)
{
  (void) state;
  return view->has_key ? pick_for_key (view) : less_burdened_of_two (view);
}

static const CenotePickerOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_PICKER_NEEDS_LOAD,
  .pick = pick,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "affinity",
  .version = "0.1.0",
  .summary = "Takes the same channel for the same key; without a key the less loaded of two",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "affinity")
