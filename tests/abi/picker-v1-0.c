/* SPDX-License-Identifier: Apache-2.0 */
/* picker/v1-0: the least burdened place, the first from a random one on.  Built with the header of ABI 1.0. */
#include "plugin-1.0.h"

#if CENOTE_ABI_MAJOR != 1 || CENOTE_ABI_MINOR != 0
#error "this plugin must be built with the kept header, not with today's"
#endif

static uint32_t
pick (void *state, const CenotePickView *view)
{
  uint32_t begin = (uint32_t) (cenote_pick_luck (view) % view->n_places);
  uint32_t best = CENOTE_PICK_NONE;

  (void) state;
  for (uint32_t n = 0; n < view->n_places; n++) {
    uint32_t i = (begin + n) % view->n_places;

    if (i != view->avoid && (best == CENOTE_PICK_NONE || cenote_pick_burden (view, i) < cenote_pick_burden (view, best)))
      best = i;
  }
  return best == CENOTE_PICK_NONE ? view->avoid : best;
}

static const CenotePickerOps ops = { .struct_size = sizeof ops, .flags = CENOTE_PICKER_NEEDS_LOAD, .pick = pick };

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "v1-0", .version = "1.0", .summary = "Was built with the header of ABI 1.0", .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "v1-0")
