/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/p2c: the less loaded of two channels that luck chose.
 *
 * Two choices come close to asking all channels, and do not send every caller to
 * the same one (Mitzenmacher, "The Power of Two Choices in Randomized Load
 * Balancing", 1996).  Loads are compared by their burdens: a channel that is
 * still warming up counts with its penalty, and a tie goes to the warmer one;
 * between warm ones to luck, so that idle channels are used alike.
 */
#include <cenote/plugin.h>

/* Below N, from 32 random bits; a product is quicker than a division. */
static inline uint32_t
draw (uint32_t luck, uint32_t n)
{
  return (uint32_t) (((uint64_t) luck * n) >> 32);
}

static uint32_t
pick (void *state, const CenotePickView *view)
{
  uint32_t n = view->n_places;
  uint64_t luck = cenote_pick_luck (view);
  uint32_t i = draw ((uint32_t) luck, n);
  uint32_t j = draw ((uint32_t) (luck >> 32), n - 1);

  (void) state;
  if (__builtin_expect (n == 1, 0))
    return 0;
  j += j >= i;
  if (__builtin_expect (view->attempt > 0, 0) && (i == view->avoid || j == view->avoid))
    return i == view->avoid ? j : i;
  return cenote_pick_burden (view, j) < cenote_pick_burden (view, i) ? j : i;
}

static const CenotePickerOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_PICKER_NEEDS_LOAD,
  .pick = pick,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "p2c",
  .version = "0.1.0",
  .summary = "Takes the less loaded of two channels chosen by luck",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "p2c")
