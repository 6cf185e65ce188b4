/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bell: one thread sleeps, any thread wakes it.
 *
 * Ringing costs one atomic exchange while the sleeper is awake, and one system
 * call when it is asleep; it never blocks.  No ring is lost: work that was made
 * visible before bell_ring() is seen by the sleeper's next look at HAS_WORK.
 */
#ifndef CENOTE_CORE_BELL_H
#define CENOTE_CORE_BELL_H

#include <glib.h>

G_BEGIN_DECLS

/* Zeroed: awake. */
typedef struct Bell {
  guint32 asleep;            /* atomic; what the kernel compares */
} Bell;

/* Any thread, also a signal handler. */
void bell_ring (Bell *bell);
/* One thread at a time: sleeps until the next ring, and for TIMEOUT_US at most
 * (G_MAXINT64: without end), unless HAS_WORK, asked after the sleep was announced, says TRUE. */
void bell_wait (Bell *bell, gboolean (*has_work) (gpointer data), gpointer data, gint64 timeout_us);
/* Whether someone sleeps, or did a moment ago; any thread. */
gboolean bell_is_asleep (const Bell *bell);

G_END_DECLS

#endif
