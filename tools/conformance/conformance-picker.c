/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-picker: always an index that exists, on any number of threads. */
#include "conformance.h"

#include <string.h>

enum { MOST_PLACES = 1000, N_THREADS = 4, PICKS_OF_A_THREAD = 20000 };

/* A place and a tally as a newer host would have them. */
typedef struct Place {
  CenotePlace known;
  gint64 newer;
} Place;

typedef struct LongTally {
  CenoteTally known;
  gint64 newer;
} LongTally;

/* What one thread sees: places that all share, words and tallies of its own, these
 * in two blocks. */
typedef struct Places {
  Place rows[MOST_PLACES];
  LongTally tallies[MOST_PLACES];
  const CenoteTally *blocks[2];
  guint64 scratch;
  guint64 luck;
  CenotePickView view;
} Places;

static CenoteTally *
tally_of (Places *places, guint i)
{
  return &places->tallies[i].known;
}

static void
places_init (Places *places, guint n, guint64 seed)
{
  memset (places->tallies, 0, n * sizeof places->tallies[0]);
  memset (places->rows, 0, n * sizeof places->rows[0]);
  for (guint i = 0; i < n; i++)
    places->rows[i].known = (CenotePlace) {
      .channel_id = i + 1, .number = i, .weight = 1,
      .tally_block = i / 3 % 2, .tally_offset = (i - i / 3 % 2) * sizeof (LongTally),
    };
  places->blocks[0] = tally_of (places, 0);
  places->blocks[1] = tally_of (places, 1);
  places->scratch = fixture_random (&seed);
  places->luck = fixture_random (&seed) | 1;
  places->view = (CenotePickView) {
    .struct_size = sizeof places->view, .n_places = n, .place_size = sizeof (Place), .avoid = CENOTE_PICK_NONE,
    .places = &places->rows[0].known, .scratch = &places->scratch, .luck = &places->luck,
    .tallies = places->blocks,
  };
}

static guint
pick (Fixture *fixture, Places *places)
{
  return fixture->plugin->ops.picker.pick (fixture->state, &places->view);
}

/* ------------------------------------------------------------------- index */

/* (transfer full) (nullable): picks out of N places, from each of these words, and twice round. */
static char *
judge_places (Fixture *fixture, guint n)
{
  static const guint64 words[] = { 0, 1, 63, 64, G_MAXUINT32, G_MAXINT64, G_MAXUINT64 };
  Places places;

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    places_init (&places, n, i);
    places.scratch = words[i];
    for (guint attempt = 0; attempt < 2 * n; attempt++) {
      guint index;

      places.view.attempt = attempt;
      index = pick (fixture, &places);
      if (index >= n)
        return g_strdup_printf ("picked %u of %u places", index, n);
    }
  }
  return NULL;
}

static char *
check_index (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  char *problem = NULL;

  for (guint n = 1; n <= 64 && !problem; n++)
    problem = judge_places (fixture, n);
  return problem ? problem : judge_places (fixture, MOST_PLACES);
}

static char *
check_keys (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint64 seed = 3;
  guint wrong = 0;

  places_init (&places, 5, seed);
  places.view.has_key = 1;
  for (guint i = 0; i < 10000; i++) {
    places.view.key_hash = i == 0 ? 0 : i == 1 ? G_MAXUINT64 : fixture_random (&seed);
    wrong += pick (fixture, &places) >= 5;
  }
  return wrong > 0 ? g_strdup_printf ("%u of 10000 picks by a key were out of range", wrong) : NULL;
}

/* The pool changes under a thread whose word stays. */
static char *
check_change (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint64 seed = 7;
  guint wrong = 0;

  places_init (&places, MOST_PLACES, seed);
  for (guint i = 0; i < 10000; i++) {
    places.view.n_places = 1 + (guint) (fixture_random (&seed) % 64);
    wrong += pick (fixture, &places) >= places.view.n_places;
  }
  return wrong > 0 ? g_strdup_printf ("%u of 10000 picks were out of range", wrong) : NULL;
}

/* ------------------------------------------------------------------ choice */

static char *
check_avoid (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint avoided = 0;

  places_init (&places, 5, 11);
  places.view.avoid = 3;
  places.view.attempt = 1;
  for (guint i = 0; i < 1000; i++)
    avoided += pick (fixture, &places) == 3;
  return avoided > 0 ? g_strdup_printf ("picked %u times in 1000", avoided) : NULL;
}

static char *
check_only (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint alone;

  places_init (&places, 1, 11);
  places.view.avoid = 0;
  alone = pick (fixture, &places);
  return alone != 0 ? g_strdup_printf ("picked %u", alone) : NULL;
}

/* Without a key nobody is left out.  Loads are equal, and follow the picks. */
static char *
check_reach (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint reached = 0;

  places_init (&places, 7, 13);
  for (guint i = 0; i < 10000; i++)
    tally_of (&places, pick (fixture, &places) % 7)->taken++;
  for (guint i = 0; i < 7; i++)
    reached += tally_of (&places, i)->taken > 0;
  return reached < 7 ? g_strdup_printf ("%u of 7 were picked", reached) : NULL;
}

/* ------------------------------------------------------------------- loads */

static gboolean
needs_load (const Plugin *plugin)
{
  return (plugin->ops.picker.flags & CENOTE_PICKER_NEEDS_LOAD) != 0;
}

/* Of five places one is burdened; a picker that asks for loads leaves it alone, but for a pick by
 * chance.  (One that is given keys may have to take it: here there is none.) */
static char *
judge_load (const Conformance *run, CenoteTally burden)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint burdened = 0;

  places_init (&places, 5, 19);
  *tally_of (&places, 3) = burden;
  for (guint i = 0; i < 1000; i++)
    burdened += pick (fixture, &places) == 3;
  return burdened >= 100 ? g_strdup_printf ("the burdened one of 5 was picked %u times in 1000", burdened) : NULL;
}

static char *
check_own_load (const Conformance *run)
{
  return judge_load (run, (CenoteTally) { .taken = 1000000, .released = 999000 });
}

static char *
check_others_load (const Conformance *run)
{
  return judge_load (run, (CenoteTally) { .others = 2000 });
}

static char *
check_released_load (const Conformance *run)
{
  return judge_load (run, (CenoteTally) { .released = 1000, .others = 4000 });
}

/* ----------------------------------------------------------------- threads */

typedef struct ThreadRun {
  Fixture *fixture;
  guint64 seed;
  guint wrong;
} ThreadRun;

static gpointer
pick_on_thread (gpointer data)
{
  ThreadRun *thread = data;
  const CenotePickerOps *ops = &thread->fixture->plugin->ops.picker;
  Places places;

  places_init (&places, 5, thread->seed);
  for (guint i = 0; i < PICKS_OF_A_THREAD; i++) {
    guint index = pick (thread->fixture, &places);

    thread->wrong += index >= 5;
    tally_of (&places, index % 5)->taken++;
    ops->done (thread->fixture->state, index % 5, (int) (i % 20) - 1, i % 3 ? (gint64) i : -1);
    tally_of (&places, index % 5)->released++;
  }
  return NULL;
}

static char *
check_threads (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  ThreadRun threads[N_THREADS];
  GThread *handles[N_THREADS];
  guint wrong = 0;

  for (guint i = 0; i < N_THREADS; i++) {
    threads[i] = (ThreadRun) { fixture, i, 0 };
    handles[i] = g_thread_new ("conformance", pick_on_thread, &threads[i]);
  }
  for (guint i = 0; i < N_THREADS; i++) {
    g_thread_join (handles[i]);
    wrong += threads[i].wrong;
  }
  return wrong > 0 ? g_strdup_printf ("%u picks on %d threads were out of range", wrong, N_THREADS) : NULL;
}

/* Places that it never saw, and any status. */
static char *
check_done (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  const CenotePickerOps *ops = &fixture->plugin->ops.picker;
  Places places;
  guint index;

  places_init (&places, 3, 17);
  ops->done (fixture->state, G_MAXUINT32, 16, 0);
  ops->done (fixture->state, 1000, 99999, G_MAXINT64);
  ops->done (fixture->state, 0, -1, -1);
  index = pick (fixture, &places);
  return index >= 3 ? g_strdup_printf ("the pick after it is %u of 3", index) : NULL;
}

/* ------------------------------------------------------------------- calls */

static guint64
call_pick (Fixture *fixture)
{
  Places places;

  places_init (&places, 5, 23);
  return pick (fixture, &places);
}

static guint64
call_done (Fixture *fixture)
{
  fixture->plugin->ops.picker.done (fixture->state, 0, 0, 1000);
  return 0;
}

static const ConformanceCall calls[] = { { "pick", call_pick }, { "done", call_done } };

static const ConformanceCheck checks[] = {
  { .name = "picker-index", .promise = "the index is below n_places, of one place, of many, whatever the scratch word",
    .run = check_index },
  { .name = "picker-keys", .promise = "the index is below n_places with any key", .run = check_keys },
  { .name = "picker-change", .promise = "the index is below n_places while the pool changes", .run = check_change },
  { .name = "picker-avoid", .promise = "the place to avoid is avoided where there are others", .run = check_avoid },
  { .name = "picker-only", .promise = "the only place is picked even where it should be avoided", .run = check_only },
  { .name = "picker-reach", .promise = "every place is picked sooner or later", .run = check_reach },
  { .name = "picker-load-own", .promise = "what this thread holds counts",
    .run = check_own_load, .applies = needs_load },
  { .name = "picker-load-others", .promise = "what other threads hold counts", .run = check_others_load,
    .applies = needs_load },
  { .name = "picker-load-released", .promise = "a lease that was taken elsewhere and released here counts as released",
    .run = check_released_load, .applies = needs_load },
  { .name = "picker-threads", .promise = "pick and done work on many threads at once", .run = check_threads },
  { .name = "picker-done", .promise = "done takes places it never saw, and any status", .run = check_done },
};

const ConformancePart conformance_picker = { checks, G_N_ELEMENTS (checks), calls, G_N_ELEMENTS (calls) };
