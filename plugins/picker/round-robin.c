/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/round-robin: each thread takes the channels in turn.
 *
 * The thread's scratch word is the place that is due.  It starts random, so that
 * threads do not move in step, and is brought into range by a division only
 * then, or when the pool has shrunk: else a comparison wraps it.
 */
#include <cenote/plugin.h>

static uint32_t
pick (void *state, const CenotePickView *view)
{
  uint32_t n = view->n_places;
  uint64_t due = *view->scratch;

  (void) state;
  if (__builtin_expect (due >= n, 0))
    due %= n;
  if (due == view->avoid && n > 1)
    due = due + 1 == n ? 0 : due + 1;
  *view->scratch = due + 1 == n ? 0 : due + 1;
  return (uint32_t) due;
}

static const CenotePickerOps ops = {
  .struct_size = sizeof ops,
  .pick = pick,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "round-robin",
  .version = "0.1.0",
  .summary = "Takes the channels in turn, each thread on its own",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "round-robin")
