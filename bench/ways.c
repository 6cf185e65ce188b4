/* SPDX-License-Identifier: Apache-2.0 */
/* ways: owns the shared word and the pool under a mutex. */
#include "ways.h"

#include <stdatomic.h>

#define N_CHANNELS 5

static atomic_long shared_word;

static void
add_shared (guint64 n, gpointer data)
{
  (void) data;
  while (n-- > 0)
    atomic_fetch_add (&shared_word, 1);
}

static struct {
  GMutex lock;
  guint next;
  gint64 in_flight[N_CHANNELS];
} simple_pool;

static guint
get_simply (void)
{
  guint i;

  g_mutex_lock (&simple_pool.lock);
  i = simple_pool.next++ % N_CHANNELS;
  simple_pool.in_flight[i]++;
  g_mutex_unlock (&simple_pool.lock);
  return i;
}

static void
release_simply (guint i)
{
  g_mutex_lock (&simple_pool.lock);
  simple_pool.in_flight[i]--;
  g_mutex_unlock (&simple_pool.lock);
}

static void
get_and_release_simply (guint64 n, gpointer data)
{
  (void) data;
  while (n-- > 0) {
    guint i = get_simply ();

    bench_keep (&simple_pool.in_flight[i]);
    release_simply (i);
  }
}

static void
compare (BenchWay lease, BenchWay base, guint n_threads, BenchBar bar)
{
  g_autofree char *what =
    g_strdup_printf ("%s / %s, %u thread%s", lease.name, base.name, n_threads, n_threads == 1 ? "" : "s");
  BenchRatio ratio;

  lease.n_threads = base.n_threads = n_threads;
  ratio = bench_time_ratio (&lease, &base);
  bench_print (what, &ratio, bar, 2.0);
}

static void
compare_scaling (BenchWay lease, BenchBar bar)
{
  BenchWay single = lease, both = lease;
  BenchRatio ratio;

  single.n_threads = 1;
  both.n_threads = 2;
  ratio = bench_rate_ratio (&both, &single);
  bench_print ("rate of 2 threads / rate of 1", &ratio, bar, 1.8);
}

void
bench_compare_lease (const char *title, const BenchWay *lease, gboolean with_bars)
{
  BenchWay add = { .name = "shared atomic add", .run = add_shared, .data = NULL, .n_threads = 1 };
  BenchWay simple = { .name = "mutex round robin", .run = get_and_release_simply, .data = NULL, .n_threads = 1 };

  bench_title (title);
  compare (*lease, add, 1, with_bars ? BENCH_AT_MOST : BENCH_NO_BAR);
  compare (*lease, simple, 1, BENCH_NO_BAR);
  compare (*lease, add, 2, BENCH_NO_BAR);
  compare (*lease, simple, 2, BENCH_NO_BAR);
  compare_scaling (*lease, with_bars ? BENCH_AT_LEAST : BENCH_NO_BAR);
  bench_print_time (&add);
  bench_print_time (&simple);
  bench_print_time (lease);
}
