/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/peak-ewma: of two channels that luck chose the one that is likely to answer
 * sooner: its latency times the leases held on it and the new one.
 *
 * As in Finagle (PeakEwma.scala) and in tower (load/peak_ewma.rs), which Linkerd has,
 * a channel's latency is a moving average over `decay` that a longer sample replaces at
 * once: quick to see that a channel has become slow, slow to believe that it is well
 * again.  While nothing is heard of a channel its latency fades, so that it is tried
 * again.  What is our own:
 *
 *   - A failed call may raise the average and never lowers it: or a channel whose calls
 *     all fail at once would look like the best.
 *   - A channel of which nothing is known counts as quick as the other one of the two.
 *     (Finagle gives it one call until that has ended, tower a second.)  A channel that
 *     has connected anew begins so, and warms up as with p2c.
 *
 * Latency is how long a lease was held, so hold it as long as a call, not a stream, lasts.
 *
 * Many threads write one channel's average: it and the time of its last sample are one
 * word, changed by compare and swap, at most every STAMP_US but for longer samples.
 * Costs a third clock read besides the host's two.
 */
#include "two-choices.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A pool has 10,000 channels at most, and a replacement inherits its number; beyond this
 * two numbers share a cell. */
#define N_CELLS 16384u

/* What a stamp counts, from the clock's zero; it wraps after 12 days, and what is so old has faded. */
#define STAMP_US 256

enum { DECAY };

static const CenoteOption options[] = {
  [DECAY] = { "decay", CENOTE_OPTION_DURATION, 0, "10s", "10ms", "1h", NULL,
              "Over what time the latency of a channel is averaged, and fades while nothing is heard of it" },
};

typedef struct Average {
  float latency_us;          /* 0: nothing is known */
  uint32_t stamp;            /* when it was so */
} Average;

/* On a line of its own. */
typedef struct Cell {
  _Atomic uint64_t average;  /* an Average */
  _Atomic int64_t since_us;  /* the connection that it is about became READY then */
  char rest[48];
} Cell;

typedef struct PeakEwma {
  const CenoteHost *host;
  float decay_us;
  Cell cells[N_CELLS];       /* by place number; a page of them is touched with its first place */
} PeakEwma;

static Cell *
cell_of (PeakEwma *ewma, uint32_t number)
{
  return &ewma->cells[number % N_CELLS];
}

static Average
unpack (uint64_t word)
{
  Average average;

  memcpy (&average, &word, sizeof average);
  return average;
}

static uint64_t
pack (Average average)
{
  uint64_t word;

  memcpy (&word, &average, sizeof word);
  return word;
}

static uint32_t
stamp_at (int64_t now_us)
{
  return (uint32_t) (now_us / STAMP_US);
}

/* What is left of a latency between two times; 1 where other threads' clocks were ahead. */
static float
left_of (const PeakEwma *ewma, Average average, uint32_t stamp)
{
  int32_t elapsed = (int32_t) (stamp - average.stamp);

  return elapsed <= 0 ? 1 : expf ((float) elapsed * -STAMP_US / ewma->decay_us);
}

/* ---------------------------------------------------------------- choosing */

static int64_t
now_of (const PeakEwma *ewma, const CenotePickView *view)
{
  return CENOTE_PICK_HAS (view, now_us) ? view->now_us : ewma->host->now_us (ewma->host);
}

/* What is known of a connection that was there before is of no use for this one. */
static void
meet (Cell *cell, int64_t ready_since_us)
{
  int64_t since_us = atomic_load_explicit (&cell->since_us, memory_order_relaxed);

  if (since_us < ready_since_us &&
      atomic_compare_exchange_strong_explicit (&cell->since_us, &since_us, ready_since_us, memory_order_relaxed,
                                               memory_order_relaxed))
    atomic_store_explicit (&cell->average, 0, memory_order_relaxed);
}

static float
latency_of (PeakEwma *ewma, const CenotePickView *view, uint32_t i, uint32_t stamp)
{
  const CenotePlace *place = cenote_pick_place (view, i);
  Cell *cell = cell_of (ewma, place->number);
  Average average;

  meet (cell, place->ready_since_us);
  average = unpack (atomic_load_explicit (&cell->average, memory_order_relaxed));
  return average.latency_us * left_of (ewma, average, stamp);
}

/* Leases, with those that count as held while it warms up, and the new one. */
static float
load_of (const CenotePickView *view, uint32_t i)
{
  int64_t burden = cenote_pick_burden (view, i);

  return burden < 0 ? 1 : (float) burden / 2 + 1;
}

static uint32_t
pick (void *state, const CenotePickView *view)
{
  PeakEwma *ewma = state;
  uint32_t i, j, stamp;
  float one, other;

  if (!choose_two (view, &i, &j))
    return i;
  stamp = stamp_at (now_of (ewma, view));
  one = latency_of (ewma, view, i, stamp);
  other = latency_of (ewma, view, j, stamp);
  if (one <= 0 || other <= 0)
    one = other = 1;
  return other * load_of (view, j) < one * load_of (view, i) ? j : i;
}

/* ---------------------------------------------------------------- learning */

/* FALSE: SAMPLE says nothing new. */
static bool
learn (const PeakEwma *ewma, Average *average, float sample_us, uint32_t stamp, bool failed)
{
  float left = left_of (ewma, *average, stamp);

  if (sample_us < average->latency_us) {
    if (failed || stamp == average->stamp)
      return false;
    average->latency_us = average->latency_us * left + sample_us * (1 - left);
  } else {
    if (failed && average->latency_us <= 0)
      return false;
    average->latency_us = sample_us;
  }
  average->stamp = stamp;
  return true;
}

static void
done (void *state, uint32_t number, int status, int64_t latency_us)
{
  PeakEwma *ewma = state;
  Cell *cell = cell_of (ewma, number);
  int64_t now_us = ewma->host->now_us (ewma->host);
  uint64_t word = atomic_load_explicit (&cell->average, memory_order_relaxed);
  Average average;

  if (latency_us < 0 || now_us - latency_us < atomic_load_explicit (&cell->since_us, memory_order_relaxed))
    return;
  do {
    average = unpack (word);
    if (!learn (ewma, &average, latency_us < 1 ? 1 : (float) latency_us, stamp_at (now_us), status > 0))
      return;
  } while (!atomic_compare_exchange_weak_explicit (&cell->average, &word, pack (average), memory_order_relaxed,
                                                   memory_order_relaxed));
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  PeakEwma *ewma = calloc (1, sizeof *ewma);

  if (!ewma) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  ewma->host = host;
  ewma->decay_us = (float) cenote_options_at (values, DECAY)->number;
  return ewma;
}

static const CenotePickerOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_PICKER_NEEDS_LOAD | CENOTE_PICKER_NEEDS_LATENCY,
  .create = create,
  .pick = pick,
  .done = done,
  .destroy = free,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_PICKER),
  .name = "peak-ewma",
  .version = "0.1.0",
  .summary = "Takes of two channels chosen by luck the one that is likely to answer sooner",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_PICKER, "peak-ewma")
