/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-pool: what a lease costs a program: get and release through the shared
 * library, on pools of five mock channels, one for each picker; without a sink,
 * and for the default picker with one that is told of one get in 1024.
 *
 * Below three calls that do nothing no lease can be: one to get it, one to release
 * it, and one to the picker, which is a plugin.  On machines where a call costs as
 * much as an atomic add the bar that is set in atomic adds cannot be kept.
 */
#include <cenote/cenote.h>
#include <stdio.h>
#include <stdlib.h>

#include "ways.h"

static const char keyfile[] =
  "[cenote]\n"
  "telemetry=\n"
  "[pool:round-robin]\n"
  "transport=mock\n"
  "target=mock://bench\n"
  "picker=round-robin\n"
  "size=5\n"
  "[pool:random]\n"
  "transport=mock\n"
  "target=mock://bench\n"
  "picker=random\n"
  "size=5\n"
  "[pool:p2c]\n"
  "transport=mock\n"
  "target=mock://bench\n"
  "picker=p2c\n"
  "size=5\n";

static void
get_and_release (guint64 n, gpointer data)
{
  CenotePool *pool = data;

  while (n-- > 0) {
    CenoteLease lease;

    if (!cenote_pool_get_channel (pool, &lease, NULL))
      g_error ("no channel");
    bench_keep (lease.channel);
    cenote_lease_release (&lease);
  }
}

static void
do_nothing (void)
{
}

/* Into the library twice, by its table of procedures, and once by a pointer as a plugin's. */
static void
call_thrice (guint64 n, gpointer data)
{
  void (*volatile const pick) (void) = do_nothing;

  (void) data;
  while (n-- > 0) {
    cenote_lease_release (NULL);
    pick ();
    cenote_lease_release (NULL);
  }
}

static void
compare_with_calls (const BenchWay *lease)
{
  const BenchWay calls = { .name = "three calls that do nothing", .run = call_thrice, .n_threads = 1 };
  const BenchRatio ratio = bench_time_ratio (lease, &calls);

  bench_print ("get+release / three calls that do nothing, 1 thread", &ratio, BENCH_NO_BAR, 0);
  bench_print_time (&calls);
}

static void
forget_event (const CenoteEvent *event, gpointer data)
{
  (void) event;
  (void) data;
}

static gboolean
compare (CenoteRuntime *runtime, const char *picker, const char *how, gboolean with_bars, GError **error)
{
  g_autoptr (CenotePool) pool = cenote_runtime_get_pool (runtime, picker, error);
  g_autofree char *title = g_strdup_printf ("pool, %s%s", picker, how);
  BenchWay lease = { .name = "get+release", .run = get_and_release, .data = pool, .n_threads = 1 };

  if (pool == NULL || !cenote_pool_await_ready (pool, 10000, error))
    return FALSE;
  bench_compare_lease (title, &lease, with_bars);
  compare_with_calls (&lease);
  return TRUE;
}

static gboolean
run (GError **error)
{
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile, -1, error);
  g_autoptr (CenoteRuntime) runtime = config == NULL ? NULL : cenote_runtime_new (config, error);

  if (runtime == NULL || !compare (runtime, "round-robin", "", TRUE, error) ||
      !compare (runtime, "random", "", TRUE, error) || !compare (runtime, "p2c", "", TRUE, error))
    return FALSE;
  cenote_runtime_add_sink (runtime, CENOTE_EVENT_MASK_ALL, forget_event, NULL, NULL);
  if (!compare (runtime, "p2c", ", with a sink", FALSE, error))
    return FALSE;
  cenote_runtime_stop (runtime);
  return TRUE;
}

int
main (void)
{
  g_autoptr (GError) error = NULL;

  if (run (&error))
    return EXIT_SUCCESS;
  fprintf (stderr, "bench-pool: %s\n", error->message);
  return EXIT_FAILURE;
}
