/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/@NAME@: each thread takes the channels in turn, one of weight N for N turns.
 *
 * pick() runs on callers' threads, many at once: what a thread remembers is in the
 * scratch word that it has for the pool, and the state is only read.
 */
#include <cenote/plugin.h>
#include <stdlib.h>

enum { WEIGHTS };

static const CenoteOption options[] = {
  [WEIGHTS] = { "weights", CENOTE_OPTION_BOOL, 0, "yes", NULL, NULL, NULL,
                "Whether a channel of weight N is taken N times as often as one of weight 1" },
};

typedef struct Picker {
  bool weights;
} Picker;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Picker *picker = calloc (1, sizeof *picker);

  if (picker == NULL)
    host->fail (host, fault, "out of memory");
  else
    picker->weights = cenote_options_at (values, WEIGHTS)->number != 0;
  return picker;
}

/* 1 or more. */
static uint32_t
turns_of (const Picker *picker, const CenotePickView *view, uint32_t i)
{
  uint32_t weight = cenote_pick_place (view, i)->weight;

  return picker->weights && weight > 0 ? weight : 1;
}

static uint32_t
pick (void *state, const CenotePickView *view)
{
  const Picker *picker = state;
  uint64_t turns = 0, turn;
  uint32_t i;

  for (i = 0; i < view->n_places; i++)
    turns += turns_of (picker, view, i);
  turn = *view->scratch % turns; /* the word starts random, so that threads are not in step */
  *view->scratch = turn + 1;
  for (i = 0; turn >= turns_of (picker, view, i); i++)
    turn -= turns_of (picker, view, i);
  return i == view->avoid ? (i + 1) % view->n_places : i;
}

static const CenotePickerOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .pick = pick,
  .destroy = free,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "@NAME@",
  .version = "0.1.0",
  .summary = "Takes the channels in turn, by their weights",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "@NAME@")
