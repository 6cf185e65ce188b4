/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/favourite: a picker such as a user may write: the place with a given
 * number, while there is one and it holds no more than its share; else any other.
 */
#include <cenote/plugin.h>
#include <stdlib.h>

enum { PLACE, SHARE };

static const CenoteOption options[] = {
  [PLACE] = { "place", CENOTE_OPTION_INT, 0, "0", "0", "1000", NULL, "The number of the favourite" },
  [SHARE] = { "share", CENOTE_OPTION_INT, 0, "1000000", "1", "1000000", NULL, "The most leases that it is to hold" },
};

typedef struct Favourite {
  uint32_t number;
  int64_t share;
} Favourite;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Favourite *favourite = malloc (sizeof *favourite);

  if (!favourite) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  favourite->number = (uint32_t) cenote_options_at (values, PLACE)->number;
  favourite->share = cenote_options_at (values, SHARE)->number;
  return favourite;
}

static bool
is_favourite (const Favourite *favourite, const CenotePickView *view, uint32_t i)
{
  return cenote_pick_place (view, i)->number == favourite->number;
}

/* Any but the favourite and the one to avoid, where there is one. */
static uint32_t
pick_other (const Favourite *favourite, const CenotePickView *view)
{
  uint32_t n = view->n_places;
  uint32_t first = (uint32_t) (cenote_pick_luck (view) % n);
  uint32_t k;

  for (k = 0; k < n; k++) {
    uint32_t i = (first + k) % n;

    if (i != view->avoid && !is_favourite (favourite, view, i))
      return i;
  }
  return first == view->avoid ? (first + 1) % n : first;
}

static uint32_t
pick (void *state, const CenotePickView *view)
{
  const Favourite *favourite = state;
  uint32_t i;

  for (i = 0; i < view->n_places; i++) {
    if (i != view->avoid && is_favourite (favourite, view, i) && cenote_pick_load (view, i) < favourite->share)
      return i;
  }
  return pick_other (favourite, view);
}

static const CenotePickerOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_PICKER_NEEDS_LOAD,
  .create = create,
  .pick = pick,
  .destroy = free,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "favourite",
  .version = "1.0",
  .summary = "Takes one place as long as it may",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "favourite")
