/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world: what the runtime does not decide itself and a simulation replaces:
 * time, luck, the memory barrier, and whether there are threads at all.
 *
 * Where `threaded` is FALSE nothing in the core starts a thread or waits: the
 * simulation calls control_run(), bus_dispatch() and callbacks_dispatch() itself.
 */
#ifndef CENOTE_CORE_WORLD_H
#define CENOTE_CORE_WORLD_H

#include <glib.h>

typedef struct World World;
struct World {
  gint64 (*now_us) (World *world);   /* monotonic */
  gint64 (*wall_us) (World *world);  /* since 1970 */
  guint64 (*random) (World *world);  /* any thread */
  void (*heavy_barrier) (World *world);
  gboolean asymmetric;               /* heavy_barrier orders every thread of the process */
  gboolean threaded;
  gint64 (*now_ns) (World *world);   /* nullable: now_us, finer, for what takes no microsecond */
};

/* The real one: CLOCK_MONOTONIC, getrandom(), membarrier().  Never freed. */
World *world_real (void);

static inline gint64
world_now_us (World *world)
{
  return world->now_us (world);
}

static inline gint64
world_now_ns (World *world)
{
  return world->now_ns == NULL ? world->now_us (world) * 1000 : world->now_ns (world);
}

#endif
