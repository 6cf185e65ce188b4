/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-backoff: delays are never negative, never without end, and follow from luck alone. */
#include "conformance.h"

/* Whoever waits longer than this between attempts has given up. */
#define LONGEST_US (G_GINT64_CONSTANT (7) * 24 * 3600 * G_USEC_PER_SEC)

enum { N_COMPARED = 50 };

static gint64
next (Fixture *fixture)
{
  return fixture->plugin->ops.backoff.next (fixture->state);
}

static void
take_delays (Fixture *fixture, guint64 seed, gint64 *out_delays)
{
  fixture_seed_luck (fixture, seed);
  for (guint i = 0; i < N_COMPARED; i++)
    out_delays[i] = next (fixture);
}

static guint
count_unlike (const gint64 *a, const gint64 *b)
{
  guint n = 0;

  for (guint i = 0; i < N_COMPARED; i++)
    n += a[i] != b[i];
  return n;
}

static void
check_range (Conformance *run, const char *check, Fixture *fixture)
{
  gint64 wrong = 0;
  guint at = 0;

  for (guint i = 0; i < 10000 && at == 0; i++) {
    gint64 delay_us = next (fixture);

    if (delay_us < 0 || delay_us > LONGEST_US) {
      wrong = delay_us;
      at = i + 1;
    }
  }
  conformance_expect (run, check, at == 0, "delay %u is %" G_GINT64_FORMAT " us, expected 0 to %" G_GINT64_FORMAT, at,
                      wrong, LONGEST_US);
}

static void
check_ranges (Conformance *run)
{
  static const struct { const char *check; guint64 luck; } fixed[] = {
    { "backoff: 10000 delays are in range with the least luck", 0 },
    { "backoff: 10000 delays are in range with the most luck", G_MAXUINT64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (fixed); i++) {
    g_autoptr (Fixture) fixture = conformance_create (run);

    fixture_fix_luck (fixture, fixed[i].luck);
    check_range (run, fixed[i].check, fixture);
  }
}

static void
check_repeats (Conformance *run)
{
  g_autoptr (Fixture) one = conformance_create (run);
  g_autoptr (Fixture) other = conformance_create (run);
  gint64 first[N_COMPARED], second[N_COMPARED], again[N_COMPARED];
  guint unlike;

  take_delays (one, 1, first);
  take_delays (other, 1, second);
  unlike = count_unlike (first, second);
  conformance_expect (run, "backoff: the same luck gives the same delays, in every state", unlike == 0,
                      "%u of %d delays are unlike", unlike, N_COMPARED);
  one->plugin->ops.backoff.reset (one->state);
  take_delays (one, 1, again);
  unlike = count_unlike (first, again);
  conformance_expect (run, "backoff: reset begins anew", unlike == 0, "%u of %d delays are unlike the first", unlike,
                      N_COMPARED);
}

/* Two states, used in turn, do not know of each other. */
static void
check_independence (Conformance *run)
{
  g_autoptr (Fixture) one = conformance_create (run);
  g_autoptr (Fixture) other = conformance_create (run);
  guint unlike = 0;

  for (guint i = 0; i < N_COMPARED; i++) {
    gint64 first, second;

    fixture_seed_luck (one, i);
    fixture_seed_luck (other, i);
    first = next (one);
    second = next (other);
    unlike += first != second;
  }
  conformance_expect (run, "backoff: states do not share anything", unlike == 0, "%u of %d delays are unlike", unlike,
                      N_COMPARED);
}

void
conformance_backoff (Conformance *run)
{
  check_ranges (run);
  check_repeats (run);
  check_independence (run);
}
