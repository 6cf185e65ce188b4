/* SPDX-License-Identifier: Apache-2.0 */
/* monitor: owns nothing but the pair; every failure here is a programmer's error. */
#include "monitor.h"

#include <errno.h>
#include <time.h>

void
monitor_init (Monitor *monitor)
{
  pthread_condattr_t attributes;

  pthread_mutex_init (&monitor->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&monitor->changed, &attributes);
  pthread_condattr_destroy (&attributes);
}

void
monitor_clear (Monitor *monitor)
{
  pthread_cond_destroy (&monitor->changed);
  pthread_mutex_destroy (&monitor->lock);
}

void
monitor_broadcast (Monitor *monitor)
{
  pthread_cond_broadcast (&monitor->changed);
}

void
monitor_wait (Monitor *monitor)
{
  pthread_cond_wait (&monitor->changed, &monitor->lock);
}

gboolean
monitor_wait_until (Monitor *monitor, gint64 deadline_us)
{
  struct timespec deadline = { .tv_sec = (time_t) (deadline_us / G_USEC_PER_SEC),
                               .tv_nsec = (long) (deadline_us % G_USEC_PER_SEC) * 1000 };

  return pthread_cond_timedwait (&monitor->changed, &monitor->lock, &deadline) != ETIMEDOUT;
}
