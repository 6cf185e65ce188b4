/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench: ratios that a noisy machine cannot fake.
 *
 * Two ways of doing a thing are timed in turn, in one process, in short runs
 * whose order rotates; each round gives one ratio, and what is printed is the
 * median of at least 30 of them with the 10th and 90th percentile.  Beside it
 * stands the same for a way against itself (A/A): a bar holds where the median
 * is on its good side by more than the A/A median is off 1.
 *
 * A way that is done in this process alone has each runner on a CPU of its own, and a
 * run in which another process took that CPU is done again.  One that other processes
 * have their part in takes turns with them: there threads run where the system puts
 * them, every run counts, and more and longer ones make up for it.
 *
 * One thread at a time may use this.
 */
#ifndef CENOTE_BENCH_H
#define CENOTE_BENCH_H

#include <glib.h>

G_BEGIN_DECLS

/* Who does a way's work. */
typedef enum {
  BENCH_ALONE,               /* this process */
  BENCH_WITH_SERVER          /* others as well */
} BenchPlace;

/* Does the thing N times; called on N_THREADS threads at once. */
typedef struct BenchWay {
  const char *name;
  void (*run) (guint64 n, gpointer data);
  gpointer data;
  guint n_threads;
  BenchPlace place;
} BenchWay;

typedef enum { BENCH_NO_BAR, BENCH_AT_MOST, BENCH_AT_LEAST } BenchBar;

typedef struct BenchRatio {
  double median, p10, p90;
  double aa_median, aa_p10, aa_p90;
  double disturbed;          /* share of the runs in which another process took a CPU */
} BenchRatio;

/* Prints a line that heads the ratios to come. */
void bench_title (const char *title);

/* Time of WAY for one operation (of all threads together) by that of BASE. */
BenchRatio bench_time_ratio (const BenchWay *way, const BenchWay *base);
/* The inverse: operations a second. */
BenchRatio bench_rate_ratio (const BenchWay *way, const BenchWay *base);
/* Prints RATIO and whether it keeps to the bar. */
void bench_print (const char *what, const BenchRatio *ratio, BenchBar bar, double limit);

/* Prints nanoseconds for one operation: the median of some runs, to give the ratios a scale. */
void bench_print_time (const BenchWay *way);

/* Keeps the compiler from dropping a value. */
static inline void
bench_keep (gconstpointer value)
{
  __asm__ volatile ("" : : "r" (value) : "memory");
}

G_END_DECLS

#endif
