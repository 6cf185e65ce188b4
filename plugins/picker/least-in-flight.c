/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/least-in-flight: the channel with the fewest leases of all, as far as the
 * caller's thread knows.
 *
 * Each pick looks at every channel: some 2 ns each, where p2c looks at two.  Among
 * channels that are alike luck chooses, each as likely as the others.  What other
 * threads did since the last tick is not known, so many threads that hold little
 * each may take the same channel until then; p2c does not.  Right for few threads
 * that hold many leases, and for long ones.
 */
#include "two-choices.h"

/* Whether luck lets the place that was met last stay, of N_ALIKE: so each stays with the same chance. */
static bool
stays (const CenotePickView *view, uint32_t n_alike)
{
  return draw_below ((uint32_t) (cenote_pick_luck (view) >> 32), n_alike) == 0;
}

static uint32_t
pick (void *state, const CenotePickView *view)
{
  uint32_t best = view->n_places > 1 && view->avoid == 0 ? 1 : 0;
  int64_t least = cenote_pick_burden (view, best);
  uint32_t n_alike = 1;

  (void) state;
  for (uint32_t i = best + 1; i < view->n_places; i++) {
    int64_t burden = cenote_pick_burden (view, i);

    if (i == view->avoid || burden > least)
      continue;
    n_alike = burden < least ? 1 : n_alike + 1;
    if (burden < least || stays (view, n_alike))
      best = i;
    least = burden;
  }
  return best;
}

static const CenotePickerOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_PICKER_NEEDS_LOAD,
  .pick = pick,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "least-in-flight",
  .version = "0.1.0",
  .summary = "Takes the channel with the fewest leases of all",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "least-in-flight")
