/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-slots: what a lease costs at the slots, with and without the asymmetric
 * barrier: five of them, and the round-robin picker from its own .so, found in
 * CENOTE_PLUGIN_PATH.  (bench-pool goes through the public functions.)
 */
#include <dlfcn.h>
#include <stdio.h>

#include "core/slots/slots.h"
#include "core/base/world-barrier.h"
#include "ways.h"

#define N_SLOTS 5

static void
get_and_release (guint64 n, gpointer data)
{
  SlotTable *table = data;
  const LeaseWish any = { 0 };

  while (n-- > 0) {
    CenoteLease lease;

    if (lease_get (table, &any, FALSE, &lease) != LEASE_GOT)
      g_error ("no channel");
    bench_keep (lease.channel);
    lease_release (&lease, -1);
  }
}

/* ------------------------------------------------------------------- table */

static guint64
random_number (gpointer data)
{
  (void) data;
  return (guint64) g_random_int () << 32 | g_random_int ();
}

static void
do_nothing (gpointer data)
{
  (void) data;
}

static void
forget_channel (grpc_channel *channel, gpointer data)
{
  (void) channel;
  (void) data;
}

static const CenotePickerOps *
load_picker (void)
{
  const char *directory = g_getenv ("CENOTE_PLUGIN_PATH");
  g_autofree char *path = g_build_filename (directory == NULL ? "." : directory, "picker-round-robin.so", NULL);
  void *file = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  const CenotePlugin *(*query) (uint32_t) = NULL;

  if (file != NULL)
    *(void **) &query = dlsym (file, "cenote_plugin_query");
  if (query == NULL)
    g_error ("%s (is CENOTE_PLUGIN_PATH set?)", dlerror ());
  return query (CENOTE_ABI_MAJOR << 16 | CENOTE_ABI_MINOR)->ops;
}

static SlotTable *
table_new (gboolean asymmetric)
{
  SlotWorld world = { asymmetric, asymmetric ? barrier_heavy : barrier_own, random_number, NULL, NULL };
  SlotTable *table = slot_table_new (&world, do_nothing, NULL);
  SlotPicker picker = { .pick = load_picker ()->pick };
  SlotPlace places[N_SLOTS];
  guint i;

  for (i = 0; i < N_SLOTS; i++) {
    Slot *slot = slot_open (table, GUINT_TO_POINTER (i + 1), forget_channel, NULL);

    slot_show (slot);
    places[i] = (SlotPlace) { slot, i + 1, i, 1, NULL, 0 };
  }
  slot_table_publish (table, places, N_SLOTS, &picker, 0, 0);
  return table;
}

int
main (void)
{
  BenchWay lease = { .name = "get+release", .run = get_and_release, .data = NULL, .n_threads = 1 };

  if (barrier_available ()) {
    lease.data = table_new (TRUE);
    bench_compare_lease ("slots", &lease, TRUE);
  } else {
    puts ("This kernel has no membarrier: leases use sequentially consistent steps.");
  }
  lease.data = table_new (FALSE);
  bench_compare_lease ("slots without the asymmetric barrier", &lease, FALSE);
  return 0;
}
