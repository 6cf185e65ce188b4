/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world-barrier: the memory barrier that one thread raises for all.
 *
 * Linux's membarrier (PRIVATE_EXPEDITED): every running thread of the process
 * passes a full barrier between the call and its return.  It costs its caller some
 * microseconds and the others nothing, which is what the slots are built on.
 *
 * Any thread; never in a signal handler.  No lock.
 */
#ifndef CENOTE_CORE_WORLD_BARRIER_H
#define CENOTE_CORE_WORLD_BARRIER_H

#include <glib.h>

G_BEGIN_DECLS

/* Whether this kernel has it; the first call registers the process. */
gboolean barrier_available (void);
/* The barrier, where it is available.  (SlotWorld.heavy; DATA is not looked at.) */
void barrier_heavy (gpointer data);
/* The caller's own full barrier: what stands in, with SlotWorld.asymmetric FALSE, where it is not. */
void barrier_own (gpointer data);

G_END_DECLS

#endif
