/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/random: any channel, each as likely as the others.
 *
 * A product of 32 bits of luck and the number of places, rather than a division;
 * of 10,000 places none is favoured by more than one part in 400,000.
 */
#include <cenote/plugin.h>

static uint32_t
draw (const CenotePickView *view, uint32_t n)
{
  return (uint32_t) (((cenote_pick_luck (view) >> 32) * n) >> 32);
}

static uint32_t
pick (void *state, const CenotePickView *view)
{
  uint32_t n = view->n_places;
  uint32_t i;

  (void) state;
  if (__builtin_expect (view->avoid >= n || n == 1, 1))
    return draw (view, n);
  i = draw (view, n - 1);
  return i + (i >= view->avoid);
}

static const CenotePickerOps ops = {
  .struct_size = sizeof ops,
  .pick = pick,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "random",
  .version = "0.1.0",
  .summary = "Takes any channel, each as likely as the others",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "random")
