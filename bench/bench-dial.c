/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-dial: what a lease by address costs a program: dial and release through
 * the shared library, of mock channels that are connected; with one address, and
 * with a thousand, each in its turn.
 */
#include <cenote/cenote.h>
#include <stdio.h>
#include <stdlib.h>

#include "ways.h"

#define MAX_ADDRESSES 1000

static const char keyfile[] =
  "[cenote]\n"
  "telemetry=\n"
  "[pool:bench]\n"
  "transport=mock\n"
  "connector=caching\n";

typedef struct Cache {
  CenotePool *pool;
  guint n;
  char *addresses[MAX_ADDRESSES];
} Cache;

static void
dial_and_release (guint64 n, gpointer data)
{
  const Cache *cache = data;

  while (n-- > 0) {
    CenoteLease lease;

    if (!cenote_pool_dial (cache->pool, cache->addresses[n % cache->n], 0, &lease, NULL))
      g_error ("no channel");
    bench_keep (lease.channel);
    cenote_lease_release (&lease);
  }
}

/* Connects N addresses. */
static gboolean
fill (Cache *cache, guint n, GError **error)
{
  for (; cache->n < n; cache->n++) {
    CenoteLease lease;

    cache->addresses[cache->n] = g_strdup_printf ("mock://server-%u.example.com:50051", cache->n);
    if (!cenote_pool_dial (cache->pool, cache->addresses[cache->n], 10000, &lease, error))
      return FALSE;
    cenote_lease_release (&lease);
  }
  return TRUE;
}

static gboolean
run (GError **error)
{
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile, -1, error);
  g_autoptr (CenoteRuntime) runtime = config == NULL ? NULL : cenote_runtime_new (config, error);
  g_autoptr (CenotePool) pool = runtime == NULL ? NULL : cenote_runtime_get_pool (runtime, NULL, error);
  Cache cache = { .pool = pool };
  BenchWay dial = { .name = "dial+release", .run = dial_and_release, .data = &cache, .n_threads = 1 };
  guint i;

  if (pool == NULL || !fill (&cache, 1, error))
    return FALSE;
  bench_compare_lease ("dial of one cached address, through the library", &dial, FALSE);
  if (!fill (&cache, MAX_ADDRESSES, error))
    return FALSE;
  bench_compare_lease ("dial of a thousand cached addresses in turn", &dial, FALSE);
  cenote_runtime_stop (runtime);
  for (i = 0; i < cache.n; i++)
    g_free (cache.addresses[i]);
  return TRUE;
}

int
main (void)
{
  g_autoptr (GError) error = NULL;

  if (run (&error))
    return EXIT_SUCCESS;
  fprintf (stderr, "bench-dial: %s\n", error->message);
  return EXIT_FAILURE;
}
