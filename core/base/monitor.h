/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor: a mutex and the one condition that goes with it, on the monotonic clock.
 *
 * The POSIX ones and not GLib's, because ThreadSanitizer knows them: GLib's are
 * futexes inside a library that is not instrumented, so what they order is
 * invisible to it.
 */
#ifndef CENOTE_CORE_MONITOR_H
#define CENOTE_CORE_MONITOR_H

#include <glib.h>
#include <pthread.h>

G_BEGIN_DECLS

typedef struct Monitor {
  pthread_mutex_t lock;
  pthread_cond_t changed;
} Monitor;

void monitor_init (Monitor *monitor);
void monitor_clear (Monitor *monitor);

static inline void
monitor_lock (Monitor *monitor)
{
  pthread_mutex_lock (&monitor->lock);
}

static inline void
monitor_unlock (Monitor *monitor)
{
  pthread_mutex_unlock (&monitor->lock);
}

/* Wakes everyone who waits. */
void monitor_broadcast (Monitor *monitor);
/* With the lock held; may return without a reason. */
void monitor_wait (Monitor *monitor);
/* The same; FALSE: it is DEADLINE_US (g_get_monotonic_time()) or later. */
gboolean monitor_wait_until (Monitor *monitor, gint64 deadline_us);

G_END_DECLS

#endif
