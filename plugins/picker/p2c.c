/* SPDX-License-Identifier: Apache-2.0 */
/* picker/p2c: the less loaded of two channels that luck chose. */
#include "two-choices.h"

static uint32_t
pick (void *state, const CenotePickView *view)
{
  (void) state;
  return less_burdened_of_two (view);
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
