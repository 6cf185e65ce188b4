/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picker/peak-ewma: of two channels that luck chose the one that is likely to answer
 * sooner: its latency times the leases held on it and the new one.
 *
 * As in Finagle (PeakEwma.scala) and in tower (load/peak_ewma.rs), which Linkerd has, a
 * channel's latency is a moving average over `decay` that longer answers replace at once:
 * quick to see that a channel has become slow, slow to believe that it is well again.  Three
 * things are different (estimate.h has them all):
 *
 *   - What is out counts while it is out: a channel from which nothing comes back will take
 *     at least as long as that has lasted, so a hole is avoided after a few of its usual
 *     latencies and not after a deadline.  (Kratos, selector/node/ewma, counts the ages of the
 *     calls that are out, from a list under a lock; here it is one time for all of them.)
 *   - One long answer is doubted, two in a row are believed: or one stall of a good channel's
 *     would count for its decay.
 *   - A failed or cancelled call may raise the average and never lowers it: or a channel whose
 *     calls all fail at once would look like the best.
 *
 * A channel of which nothing is known counts as quick as the other one of the two.  (Finagle
 * gives it one call until that has ended, tower a second.)  A channel that has connected anew
 * begins so, and warms up as with p2c.
 *
 * Latency is how long a lease was held, so hold it as long as a call, not a stream, lasts.
 * Costs a third clock read besides the host's two.
 */
#include "estimate.h"
#include "two-choices.h"

#include <math.h>
#include <stdlib.h>

/* A pool has 10,000 channels at most, and a replacement inherits its number; beyond this
 * two numbers share a cell. */
#define N_CELLS 16384u

/* Where the better one of two has kept its callers waiting for so many times what is usual there, two others are
 * drawn, so often at most: of two channels at fault the better one is none to take. */
#define OVERDUE_TIMES 2
#define N_DRAWS 3

enum { DECAY };

static const CenoteOption options[] = {
  [DECAY] = { "decay", CENOTE_OPTION_DURATION, 0, "10s", "10ms", "1h", NULL,
              "Over what time the latency of a channel is averaged, and fades while nothing is heard of it" },
};

typedef struct PeakEwma {
  const CenoteHost *host;
  int64_t decay_us;
  Estimate cells[N_CELLS];   /* by place number; a page of them is touched with its first place */
} PeakEwma;

static Estimate *
cell_of (PeakEwma *ewma, uint32_t number)
{
  return &ewma->cells[number % N_CELLS];
}

/* ---------------------------------------------------------------- choosing */

static int64_t
now_of (const PeakEwma *ewma, const CenotePickView *view)
{
  return CENOTE_PICK_HAS (view, now_us) ? view->now_us : ewma->host->now_us (ewma->host);
}

/* That of the connection that place I has now. */
static Estimate *
estimate_at (PeakEwma *ewma, const CenotePickView *view, uint32_t i)
{
  const CenotePlace *place = cenote_pick_place (view, i);
  Estimate *estimate = cell_of (ewma, place->number);

  estimate_meet (estimate, place->ready_since_us);
  return estimate;
}

static bool
is_held (const CenotePickView *view, uint32_t i)
{
  return cenote_pick_load (view, i) > 0;
}

/* Leases, with those that count as held while it warms up, and the new one. */
static float
load_at (const CenotePickView *view, uint32_t i)
{
  int64_t burden = cenote_pick_burden (view, i);

  return burden < 0 ? 1 : (float) burden / 2 + 1;
}

typedef struct Candidate {
  uint32_t i;
  float load;
  Outlook outlook;
} Candidate;

static Candidate
candidate_at (PeakEwma *ewma, const CenotePickView *view, uint32_t i, int64_t now_us)
{
  return (Candidate) { i, load_at (view, i),
                       estimate_outlook (estimate_at (ewma, view, i), ewma->decay_us, is_held (view, i), now_us) };
}

static float
latency_of (const Candidate *one, const Candidate *other)
{
  float known_us = one->outlook.known_us > 0 ? one->outlook.known_us : other->outlook.known_us;

  return fmaxf (known_us, one->outlook.least_us);
}

/* Where nothing is known of either, by loads. */
static bool
is_better (const Candidate *one, const Candidate *other)
{
  if (one->outlook.known_us <= 0 && other->outlook.known_us <= 0)
    return one->load < other->load;
  return latency_of (one, other) * one->load < latency_of (other, one) * other->load;
}

static bool
is_overdue (const Candidate *candidate)
{
  return candidate->outlook.known_us > 0 && candidate->outlook.least_us > OVERDUE_TIMES * candidate->outlook.known_us;
}

/* The best of N_DRAWS pairs at most: of the first, unless it is overdue. */
static uint32_t
choose (PeakEwma *ewma, const CenotePickView *view, uint32_t i, uint32_t j, int64_t now_us)
{
  Candidate best = candidate_at (ewma, view, i, now_us), other = candidate_at (ewma, view, j, now_us);
  int draws;

  if (is_better (&other, &best))
    best = other;
  for (draws = 1; draws < N_DRAWS && is_overdue (&best) && choose_two (view, &i, &j); draws++) {
    Candidate pair[] = { candidate_at (ewma, view, i, now_us), candidate_at (ewma, view, j, now_us) };

    best = is_better (&pair[0], &best) ? pair[0] : best;
    best = is_better (&pair[1], &best) ? pair[1] : best;
  }
  return best.i;
}

static uint32_t
pick (void *state, const CenotePickView *view)
{
  PeakEwma *ewma = state;
  int64_t now_us = now_of (ewma, view);
  uint32_t i, j;

  if (choose_two (view, &i, &j))
    i = choose (ewma, view, i, j, now_us);
  estimate_begin (estimate_at (ewma, view, i), ewma->decay_us, is_held (view, i), now_us);
  return i;
}

/* ---------------------------------------------------------------- learning */

static void
done (void *state, uint32_t number, int32_t status, int64_t latency_us)
{
  PeakEwma *ewma = state;
  int64_t now_us = ewma->host->now_us (ewma->host);

  if (latency_us >= 0)
    estimate_end (cell_of (ewma, number), ewma->decay_us, status, now_us - latency_us, now_us);
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
  ewma->decay_us = cenote_options_at (values, DECAY)->number;
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
