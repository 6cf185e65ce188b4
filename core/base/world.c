/* SPDX-License-Identifier: Apache-2.0 */
/* world: the real one.  Stateless but for whether the kernel has membarrier(). */
#include "world.h"

#include <sys/random.h>
#include <time.h>

#include "hot.h"
#include "world-barrier.h"

static HOT gint64
real_now_ns (World *world)
{
  struct timespec now;

  (void) world;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

/* As g_get_monotonic_time(), by one library less. */
static HOT gint64
real_now_us (World *world)
{
  return real_now_ns (world) / 1000;
}

static gint64
real_wall_us (World *world)
{
  (void) world;
  return g_get_real_time ();
}

static guint64
real_random (World *world)
{
  guint64 bits;

  (void) world;
  if (getrandom (&bits, sizeof bits, 0) == (ssize_t) sizeof bits)
    return bits;
  return (guint64) g_random_int () << 32 | g_random_int ();
}

static void
real_heavy_barrier (World *world)
{
  barrier_heavy (world);
}

World *
world_real (void)
{
  static World real = {
    .now_us = real_now_us,
    .wall_us = real_wall_us,
    .random = real_random,
    .heavy_barrier = real_heavy_barrier,
    .threaded = TRUE,
    .now_ns = real_now_ns,
  };
  static gsize once;

  if (g_once_init_enter (&once)) {
    real.asymmetric = barrier_available ();
    g_once_init_leave (&once, 1);
  }
  return &real;
}
