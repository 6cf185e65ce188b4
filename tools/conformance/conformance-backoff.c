/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-backoff: delays are never negative, never without end, and follow from luck alone. */
#include "conformance.h"

/* Whoever waits longer than this between attempts has given up. */
#define LONGEST_US (G_GINT64_CONSTANT (7) * 24 * 3600 * G_USEC_PER_SEC)
/* What a clock takes on top of itself. */
#define OVERFLOW_US (G_MAXINT64 / 4)

enum { N_COMPARED = 50 };

typedef struct Delays {
  gint64 us[N_COMPARED];
} Delays;

static gint64
next (Fixture *fixture)
{
  return fixture->plugin->ops.backoff.next (fixture->state);
}

static void
reset (Fixture *fixture)
{
  fixture->plugin->ops.backoff.reset (fixture->state);
}

/* ------------------------------------------------------------------- range */

/* (transfer full) (nullable): the first of N delays that is not between 0 and MOST_US. */
static char *
judge_range (Fixture *fixture, guint n, gint64 most_us)
{
  for (guint i = 0; i < n; i++) {
    gint64 delay_us = next (fixture);

    if (delay_us < 0 || delay_us > most_us)
      return g_strdup_printf ("delay %u is %" G_GINT64_FORMAT " us, expected 0 to %" G_GINT64_FORMAT, i + 1, delay_us,
                              most_us);
  }
  return NULL;
}

/* The least luck, the most, and any. */
static char *
judge_lucks (const Conformance *run, const char *setting, guint n, gint64 most_us)
{
  static const guint64 lucks[] = { 0, G_MAXUINT64 };
  char *problem = NULL;

  for (guint i = 0; i <= G_N_ELEMENTS (lucks) && !problem; i++) {
    g_autoptr (Fixture) fixture = conformance_create_with (run, setting, NULL);

    if (!fixture)
      return NULL;
    if (i < G_N_ELEMENTS (lucks))
      fixture_fix_luck (fixture, lucks[i]);
    problem = judge_range (fixture, n, most_us);
  }
  return problem;
}

static char *
check_range (const Conformance *run)
{
  return judge_lucks (run, NULL, 10000, LONGEST_US);
}

/* What is out of range by the defaults already is the check's before. */
static char *
judge_extreme (const Conformance *run, const char *setting)
{
  g_autofree char *usual = judge_lucks (run, NULL, 1000, OVERFLOW_US);
  g_autofree char *problem = usual ? NULL : judge_lucks (run, setting, 1000, OVERFLOW_US);

  return problem ? g_strdup_printf ("with %.60s: %s", setting, problem) : NULL;
}

static char *
check_extremes (const Conformance *run)
{
  return conformance_each_extreme (run, judge_extreme);
}

/* -------------------------------------------------------------------- luck */

static void
take_delays (Fixture *fixture, guint64 seed, Delays *out_delays)
{
  fixture_seed_luck (fixture, seed);
  for (guint i = 0; i < N_COMPARED; i++)
    out_delays->us[i] = next (fixture);
}

static guint
count_unlike (const Delays *a, const Delays *b)
{
  guint n = 0;

  for (guint i = 0; i < N_COMPARED; i++)
    n += a->us[i] != b->us[i];
  return n;
}

static void
take_alone (const Conformance *run, Delays *out_delays)
{
  g_autoptr (Fixture) fixture = conformance_create (run);

  take_delays (fixture, 1, out_delays);
}

/* How many delays are unlike in two states that have the same luck and are alone. */
static guint
count_own_luck (const Conformance *run, Delays *out_delays)
{
  Delays again;

  take_alone (run, out_delays);
  take_alone (run, &again);
  return count_unlike (out_delays, &again);
}

static char *
check_luck (const Conformance *run)
{
  Delays alone;
  guint unlike = count_own_luck (run, &alone);

  return unlike > 0 ? g_strdup_printf ("%u of %d delays are unlike", unlike, N_COMPARED) : NULL;
}

static char *
check_reset (const Conformance *run)
{
  g_autoptr (Fixture) fixture = NULL;
  Delays first, again;
  guint unlike;

  if (count_own_luck (run, &first) > 0)
    return NULL;
  fixture = conformance_create (run);
  take_delays (fixture, 1, &first);
  reset (fixture);
  take_delays (fixture, 1, &again);
  unlike = count_unlike (&first, &again);
  return unlike > 0 ? g_strdup_printf ("%u of %d delays after reset are unlike the first", unlike, N_COMPARED) : NULL;
}

/* Two states, used in turn, do not know of each other. */
static char *
check_independence (const Conformance *run)
{
  g_autoptr (Fixture) one = NULL;
  g_autoptr (Fixture) other = NULL;
  Delays alone, mixed;
  guint unlike;

  if (count_own_luck (run, &alone) > 0)
    return NULL;
  one = conformance_create (run);
  other = conformance_create (run);
  fixture_seed_luck (one, 1);
  for (guint i = 0; i < N_COMPARED; i++) {
    mixed.us[i] = next (one);
    (void) next (other);
  }
  unlike = count_unlike (&alone, &mixed);
  return unlike > 0 ? g_strdup_printf ("%u of %d delays are others while another state is used", unlike, N_COMPARED)
                    : NULL;
}

/* ------------------------------------------------------------------- calls */

static guint64
call_next (Fixture *fixture)
{
  reset (fixture);
  fixture_seed_luck (fixture, 1);
  return (guint64) next (fixture);
}

static const ConformanceCall calls[] = { { "reset, then next", call_next } };

static const ConformanceCheck checks[] = {
  { .name = "backoff-range", .promise = "delays are 0 or more, and less than a week", .run = check_range },
  { .name = "backoff-extremes", .promise = "no option makes a delay negative or overflow", .run = check_extremes },
  { .name = "backoff-luck", .promise = "the same luck gives the same delays", .run = check_luck },
  { .name = "backoff-reset", .promise = "reset begins anew", .run = check_reset },
  { .name = "backoff-independence", .promise = "states share nothing", .run = check_independence },
};

const ConformancePart conformance_backoff = { checks, G_N_ELEMENTS (checks), calls, G_N_ELEMENTS (calls) };
