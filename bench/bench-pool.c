/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-pool: what a lease costs a program: get and release through the shared
 * library, on pools of five mock channels, round-robin; without a sink, and with
 * one that is told of one get in 1024.
 */
#include <cenote/cenote.h>
#include <stdio.h>
#include <stdlib.h>

#include "ways.h"

static const char keyfile[] =
  "[cenote]\n"
  "telemetry=\n"
  "[pool:bench]\n"
  "transport=mock\n"
  "target=mock://bench\n"
  "picker=round-robin\n"
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
forget_event (const CenoteEvent *event, gpointer data)
{
  (void) event;
  (void) data;
}

static gboolean
run (GError **error)
{
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile, -1, error);
  g_autoptr (CenoteRuntime) runtime = config == NULL ? NULL : cenote_runtime_new (config, error);
  g_autoptr (CenotePool) pool = runtime == NULL ? NULL : cenote_runtime_get_pool (runtime, NULL, error);
  BenchWay lease = { "get+release", get_and_release, pool, 1 };

  if (pool == NULL || !cenote_pool_await_ready (pool, 10000, error))
    return FALSE;
  bench_compare_lease ("pool, through the library", &lease, TRUE);
  cenote_runtime_add_sink (runtime, CENOTE_EVENT_MASK_ALL, forget_event, NULL, NULL);
  bench_compare_lease ("pool with a sink", &lease, FALSE);
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
