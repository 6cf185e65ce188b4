/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench: runs on threads that start together, percentiles, and the table.
 */
#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MAX_ROUNDS 601
#define MAX_TRIES 50
/* The standard error of a median, above which there are more rounds. */
#define ENOUGH 0.003

/* How ways of a BenchPlace are timed. */
typedef struct Manner {
  guint min_rounds;          /* ENOUGH or not */
  guint max_rounds;
  guint run_ms;              /* what a run is to take */
  guint64 n_first;           /* for how often that is, the first guess */
  gboolean pins;             /* each runner to a CPU, and runs that are not calm are done again */
} Manner;

static const Manner manners[] = {
  [BENCH_ALONE] = { .min_rounds = 41, .max_rounds = 41, .run_ms = 2, .n_first = 1000, .pins = TRUE },
  [BENCH_WITH_SERVER] = { .min_rounds = 201, .max_rounds = MAX_ROUNDS, .run_ms = 20, .n_first = 50, .pins = FALSE },
};

static guint n_disturbed;   /* runs that were never calm */

static const Manner *
manner_of (const BenchWay *way)
{
  return &manners[way->place];
}

/* ------------------------------------------------------------------- runs */

typedef struct Run {
  const BenchWay *way;
  guint64 n;                 /* for each thread */
  atomic_uint absent;        /* the last to come starts all */
} Run;

typedef struct Runner {
  Run *run;
  guint cpu;
  pthread_t thread;
  gint64 began_ns, ended_ns;
  long n_preempted;          /* times that another process took its CPU */
} Runner;

static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* One runner to a CPU, where there are enough. */
static void
pin (guint k)
{
  cpu_set_t allowed, mine;
  guint cpu, n = 0;

  if (sched_getaffinity (0, sizeof allowed, &allowed) != 0)
    return;
  k %= CPU_COUNT (&allowed);
  CPU_ZERO (&mine);
  for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET (cpu, &allowed) && n++ == k)
      CPU_SET (cpu, &mine);
  }
  pthread_setaffinity_np (pthread_self (), sizeof mine, &mine);
}

static long
count_preemptions (void)
{
  struct rusage usage;

  getrusage (RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

/* Does a tenth of it before the start, so that what a thread does only at first is not timed. */
static void *
runner_main (void *data)
{
  Runner *runner = data;
  Run *run = runner->run;

  if (manner_of (run->way)->pins)
    pin (runner->cpu);
  run->way->run (CLAMP (run->n / 10, 1, 1000), run->way->data);
  runner->n_preempted = count_preemptions ();
  atomic_fetch_sub (&run->absent, 1);
  while (atomic_load (&run->absent) > 0)
    sched_yield ();          /* they may share a CPU */
  runner->began_ns = now_ns ();
  run->way->run (run->n, run->way->data);
  runner->ended_ns = now_ns ();
  runner->n_preempted = count_preemptions () - runner->n_preempted;
  return NULL;
}

static void
start (Run *run, Runner *runners)
{
  guint i;

  for (i = 0; i < run->way->n_threads; i++) {
    runners[i] = (Runner) { .run = run, .cpu = i };
    if (pthread_create (&runners[i].thread, NULL, runner_main, &runners[i]) != 0)
      g_error ("no thread");
  }
}

/* Nanoseconds for one operation, all threads together; *OUT_CALM: no runner lost its CPU. */
static double
time_once (const BenchWay *way, guint64 n, gboolean *out_calm)
{
  g_autofree Runner *runners = g_new0 (Runner, way->n_threads);
  Run run = { .way = way, .n = n };
  gint64 began = G_MAXINT64, ended = 0;
  long n_preempted = 0;
  guint i;

  atomic_init (&run.absent, way->n_threads);
  start (&run, runners);
  for (i = 0; i < way->n_threads; i++) {
    pthread_join (runners[i].thread, NULL);
    began = MIN (began, runners[i].began_ns);
    ended = MAX (ended, runners[i].ended_ns);
    n_preempted += runners[i].n_preempted;
  }
  *out_calm = n_preempted == 0 || !manner_of (way)->pins;
  return (double) (ended - began) / ((double) n * way->n_threads);
}

/* The same, again where other processes came between, as long as there is hope. */
static double
time_way (const BenchWay *way, guint64 n)
{
  gboolean calm = FALSE;
  double ns = 0;
  guint i;

  for (i = 0; i < MAX_TRIES && !calm; i++)
    ns = time_once (way, n, &calm);
  if (!calm)
    n_disturbed++;
  return ns;
}

/* How often a run does it, to take about as long as it is to. */
static guint64
calibrate (const BenchWay *way)
{
  double run_ns = manner_of (way)->run_ms * 1e6;
  guint64 n = manner_of (way)->n_first;

  for (;;) {
    double ns = time_way (way, n) * (double) n * way->n_threads;

    if (ns > run_ns / 4)
      return MAX (1, (guint64) ((double) n * run_ns / ns));
    n *= 4;
  }
}

/* ------------------------------------------------------------- percentiles */

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
percentile (double *values, guint n, double share)
{
  qsort (values, n, sizeof *values, compare);
  return values[(guint) (share * (n - 1) + 0.5)];
}

/* One round: base, way and base once more, in an order that rotates. */
static void
time_round (guint round, const BenchWay *const ways[3], const guint64 n[3], double out_ns[3])
{
  guint k;

  for (k = 0; k < 3; k++) {
    guint w = (round + k) % 3;

    out_ns[w] = time_way (ways[w], n[w]);
  }
}

/* The median of N normal values has an error of 1.25 standard deviations by the root of N, and from their
 * p10 to their p90 it is 2.56 of these. */
static gboolean
is_exact (const double *values, guint n)
{
  double sorted[MAX_ROUNDS], error;

  memcpy (sorted, values, n * sizeof *values);
  error = 1.25 / 2.56 * (percentile (sorted, n, 0.9) - percentile (sorted, n, 0.1));
  return error * error <= ENOUGH * ENOUGH * n;
}

/* The ratios' spread says how many rounds there are, not what they are. */
static gboolean
is_enough (const Manner *manner, const double *ratios, const double *aa, guint n)
{
  if (n < manner->min_rounds)
    return FALSE;
  return n == manner->max_rounds || (is_exact (ratios, n) && is_exact (aa, n));
}

static BenchRatio
measure (const BenchWay *way, const BenchWay *base, gboolean inverse)
{
  const BenchWay *ways[3] = { base, way, base };
  guint64 n_base = calibrate (base);
  guint64 n[3] = { n_base, calibrate (way), n_base };
  double ratios[MAX_ROUNDS], aa[MAX_ROUNDS], ns[3];
  guint n_rounds = 0;

  n_disturbed = 0;
  while (!is_enough (manner_of (way), ratios, aa, n_rounds)) {
    time_round (n_rounds, ways, n, ns);
    ratios[n_rounds] = inverse ? ns[0] / ns[1] : ns[1] / ns[0];
    aa[n_rounds++] = ns[2] / ns[0];
  }
  return (BenchRatio) {
    .median = percentile (ratios, n_rounds, 0.5),
    .p10 = percentile (ratios, n_rounds, 0.1),
    .p90 = percentile (ratios, n_rounds, 0.9),
    .aa_median = percentile (aa, n_rounds, 0.5),
    .aa_p10 = percentile (aa, n_rounds, 0.1),
    .aa_p90 = percentile (aa, n_rounds, 0.9),
    .disturbed = (double) n_disturbed / (3 * n_rounds),
  };
}

BenchRatio
bench_time_ratio (const BenchWay *way, const BenchWay *base)
{
  return measure (way, base, FALSE);
}

BenchRatio
bench_rate_ratio (const BenchWay *way, const BenchWay *base)
{
  return measure (way, base, TRUE);
}

/* ------------------------------------------------------------------ output */

static const char *
verdict (const BenchRatio *ratio, BenchBar bar, double limit)
{
  double doubt = ABS (ratio->aa_median - 1);
  double good = bar == BENCH_AT_MOST ? limit - ratio->median : ratio->median - limit;

  return good > doubt ? "holds" : good < -doubt ? "MISSED" : "undecided";
}

void
bench_title (const char *title)
{
  printf ("\n%-52s %8s %8s %8s   %s\n", title, "median", "p10", "p90", "A/A (p10 to p90)");
}

void
bench_print (const char *what, const BenchRatio *ratio, BenchBar bar, double limit)
{
  printf ("  %-50s %8.3f %8.2f %8.2f   %.3f (%.2f to %.2f)", what, ratio->median, ratio->p10, ratio->p90,
          ratio->aa_median, ratio->aa_p10, ratio->aa_p90);
  if (bar != BENCH_NO_BAR)
    printf ("   at %s %g: %s", bar == BENCH_AT_MOST ? "most" : "least", limit, verdict (ratio, bar, limit));
  if (ratio->disturbed > 0.1)
    printf ("   (machine busy: %.0f %% of the runs disturbed)", 100 * ratio->disturbed);
  printf ("\n");
  fflush (stdout);
}

void
bench_print_time (const BenchWay *way)
{
  guint64 n = calibrate (way);
  double ns[9];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (ns); i++)
    ns[i] = time_way (way, n);
  printf ("  %-50s %8.2f ns\n", way->name, percentile (ns, G_N_ELEMENTS (ns), 0.5));
  fflush (stdout);
}
