/* SPDX-License-Identifier: Apache-2.0 */
/*
 * two-choices: two different places that luck chose, for pickers that take the
 * better of the two.
 *
 * Two choices come close to asking all channels, and do not send every caller to
 * the same one (Mitzenmacher, "The Power of Two Choices in Randomized Load
 * Balancing", 1996).
 */
#ifndef CENOTE_PLUGINS_TWO_CHOICES_H
#define CENOTE_PLUGINS_TWO_CHOICES_H

#include <cenote/plugin.h>

/* Below N, from 32 random bits; a product is quicker than a division. */
static inline uint32_t
draw_below (uint32_t luck, uint32_t n)
{
  return (uint32_t) (((uint64_t) luck * n) >> 32);
}

/* FALSE: there is nothing to compare, and FIRST is to be taken: it is the only
 * place, or the other one is to be avoided. */
static inline bool
choose_two (const CenotePickView *view, uint32_t *out_first, uint32_t *out_second)
{
  uint32_t n = view->n_places;
  uint64_t luck = cenote_pick_luck (view);
  uint32_t i = draw_below ((uint32_t) luck, n);
  uint32_t j = draw_below ((uint32_t) (luck >> 32), n - 1);

  j += j >= i;
  *out_first = i;
  *out_second = j;
  if (__builtin_expect (n == 1, 0))
    return false;
  if (__builtin_expect (view->attempt > 0, 0) && (i == view->avoid || j == view->avoid)) {
    *out_first = i == view->avoid ? j : i;
    return false;
  }
  return true;
}

/* Of two, the less loaded: compared are burdens, so a channel that warms up counts with
 * its penalty, and a tie goes to the warmer one; between warm ones to luck, so that idle
 * channels are used alike. */
static inline uint32_t
less_burdened_of_two (const CenotePickView *view)
{
  uint32_t i, j;

  if (!choose_two (view, &i, &j))
    return i;
  return cenote_pick_burden (view, j) < cenote_pick_burden (view, i) ? j : i;
}

#endif
