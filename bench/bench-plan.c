/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-plan: what one plan costs the control thread in a pool of many channels:
 * `persistent` in the simulation, where nothing else takes time.  One channel has
 * changed, or one was used, or all were; beside it the part that is the pool's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/pool/pool.h"
#include "tests/sim/sim.h"

#define N_ROUNDS 101

typedef struct PlanBench {
  Sim *sim;
  CenotePool *pool;
  guint round;
} PlanBench;

static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 one = *(const gint64 *) a, other = *(const gint64 *) b;

  return (one > other) - (one < other);
}

/* The median of what MEASURED took after each BEFORE, in microseconds. */
static double
time_us (PlanBench *bench, void (*before) (PlanBench *bench), void (*measured) (CenotePool *pool))
{
  gint64 times[N_ROUNDS];

  for (bench->round = 0; bench->round < N_ROUNDS; bench->round++) {
    gint64 began_ns;

    before (bench);
    began_ns = now_ns ();
    measured (bench->pool);
    times[bench->round] = now_ns () - began_ns;
  }
  qsort (times, N_ROUNDS, sizeof times[0], compare_times);
  return (double) times[N_ROUNDS / 2] / 1000.0;
}

static void
touch_one (PlanBench *bench)
{
  const GPtrArray *channels = bench->pool->channels;

  pool_view_touch (bench->pool, channels->pdata[bench->round * 97 % channels->len]);
}

static void
use (PlanBench *bench, guint n)
{
  while (n-- > 0) {
    CenoteLease lease;

    if (!cenote_pool_get_channel (bench->pool, &lease, NULL))
      g_error ("no channel");
    cenote_lease_release (&lease);
  }
}

static void
use_one (PlanBench *bench)
{
  use (bench, 1);
}

static void
use_all (PlanBench *bench)
{
  use (bench, bench->pool->channels->len);
}

static void
plan (CenotePool *pool)
{
  pool_plan (pool);
}

static void
report (PlanBench *bench, const char *what, void (*before) (PlanBench *bench))
{
  double look_us = time_us (bench, before, pool_view_look);
  double plan_us = time_us (bench, before, plan);

  printf ("  %-28s look %8.1f us    plan, with persistent %8.1f us\n", what, look_us, plan_us);
}

static gboolean
run (guint n, GError **error)
{
  g_autofree char *keyfile = g_strdup_printf ("[cenote]\ntelemetry=\nmax-concurrent-dials=10000\n"
                                              "[pool:p]\ntransport=peers\ntarget=sim:a\npicker=round-robin\n"
                                              "size=%u\nmax-concurrent-dials=10000\n",
                                              n);
  Sim *sim = sim_new (keyfile, 1, error);
  PlanBench bench = { .sim = sim };

  if (sim == NULL)
    return FALSE;
  bench.pool = sim_pool (sim, 0);
  sim_start (sim);
  sim_run (sim, 5 * SIM_S);
  printf ("a plan of %u channels, %u ready (a quick tick is 1000 us)\n", bench.pool->channels->len,
          bench.pool->n_ready);
  report (&bench, "one changed", touch_one);
  report (&bench, "one used", use_one);
  report (&bench, "all used", use_all);
  sim_free (sim);
  return TRUE;
}

int
main (void)
{
  static const guint sizes[] = { 100, 1000, 10000 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GError) error = NULL;

    if (!run (sizes[i], &error)) {
      fprintf (stderr, "bench-plan: %s\n", error->message);
      return EXIT_FAILURE;
    }
  }
  return EXIT_SUCCESS;
}
