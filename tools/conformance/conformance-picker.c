/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-picker: always an index that exists, on any number of threads. */
#include "conformance.h"

#include <string.h>

enum { MOST_PLACES = 64, N_THREADS = 4, PICKS_OF_A_THREAD = 20000 };

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
  memset (places, 0, sizeof *places);
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

static void
check_index (Conformance *run)
{
  static const guint64 words[] = { 0, 1, 63, 64, G_MAXUINT32, G_MAXINT64, G_MAXUINT64 };
  g_autoptr (Fixture) fixture = conformance_create (run);
  guint wrong = 0;

  for (guint n = 1; n <= MOST_PLACES; n++) {
    for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
      Places places;

      places_init (&places, n, i);
      places.scratch = words[i];
      for (guint attempt = 0; attempt < 2 * n; attempt++) {
        places.view.attempt = attempt;
        wrong += pick (fixture, &places) >= n;
      }
    }
  }
  conformance_expect (run, "picker: the index is below n_places, whatever the scratch word", wrong == 0,
                      "%u picks were out of range", wrong);
}

/* The pool changes under a thread whose word stays. */
static void
check_change (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint64 seed = 7;
  guint wrong = 0;

  places_init (&places, MOST_PLACES, seed);
  for (guint i = 0; i < 10000; i++) {
    places.view.n_places = 1 + (guint) (fixture_random (&seed) % MOST_PLACES);
    wrong += pick (fixture, &places) >= places.view.n_places;
  }
  conformance_expect (run, "picker: the index is below n_places while the pool changes", wrong == 0,
                      "%u picks were out of range", wrong);
}

static void
check_avoid (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint avoided = 0, alone;

  places_init (&places, 5, 11);
  places.view.avoid = 3;
  places.view.attempt = 1;
  for (guint i = 0; i < 1000; i++)
    avoided += pick (fixture, &places) == 3;
  conformance_expect (run, "picker: the place to avoid is avoided where there are others", avoided == 0,
                      "picked %u times in 1000", avoided);
  places_init (&places, 1, 11);
  places.view.avoid = 0;
  alone = pick (fixture, &places);
  conformance_expect (run, "picker: the only place is picked even where it should be avoided", alone == 0, "picked %u",
                      alone);
}

/* Without a key nobody is left out.  Loads are equal, and follow the picks. */
static void
check_reach (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint reached = 0;

  places_init (&places, 7, 13);
  for (guint i = 0; i < 10000; i++) {
    guint index = pick (fixture, &places);

    tally_of (&places, index % 7)->taken++;
  }
  for (guint i = 0; i < 7; i++)
    reached += tally_of (&places, i)->taken > 0;
  conformance_expect (run, "picker: every place is picked sooner or later", reached == 7, "%u of 7 were picked",
                      reached);
}

/* Of five places one is burdened; a picker that asks for loads leaves it alone, but for a pick by
 * chance.  (One that is given keys may have to take it: here there is none.) */
static void
check_one_load (Conformance *run, const char *check, CenoteTally burden)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Places places;
  guint burdened = 0;

  places_init (&places, 5, 19);
  *tally_of (&places, 3) = burden;
  for (guint i = 0; i < 1000; i++)
    burdened += pick (fixture, &places) == 3;
  conformance_expect (run, check, burdened < 100, "picked %u times in 1000", burdened);
}

static void
check_loads (Conformance *run)
{
  if ((run->plugin->ops.picker.flags & CENOTE_PICKER_NEEDS_LOAD) == 0)
    return;
  check_one_load (run, "picker: what this thread holds counts", (CenoteTally) { .taken = 1000000, .released = 999000 });
  check_one_load (run, "picker: what other threads hold counts", (CenoteTally) { .others = 2000 });
  check_one_load (run, "picker: a lease that was taken elsewhere and released here counts as released",
                  (CenoteTally) { .released = 1000, .others = 4000 });
}

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

static void
check_threads (Conformance *run)
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
  conformance_expect (run, "picker: pick and done work on many threads at once", wrong == 0,
                      "%u picks were out of range", wrong);
}

static void
check_done (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  const CenotePickerOps *ops = &fixture->plugin->ops.picker;
  Places places;

  places_init (&places, 3, 17);
  ops->done (fixture->state, G_MAXUINT32, 16, 0);
  ops->done (fixture->state, 1000, 99999, G_MAXINT64);
  ops->done (fixture->state, 0, -1, -1);
  conformance_expect (run, "picker: done takes places it never saw, and any status", pick (fixture, &places) < 3,
                      "the pick after it was out of range");
}

void
conformance_picker (Conformance *run)
{
  check_index (run);
  check_change (run);
  check_avoid (run);
  check_reach (run);
  check_loads (run);
  check_threads (run);
  check_done (run);
}
