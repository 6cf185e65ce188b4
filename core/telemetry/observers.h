/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observers: a pool's CenoteObservers, told through `callbacks`.
 *
 * Whoever observes when something happens is told of it, in the order of
 * happening.  After observers_remove() no new callback begins; the notify comes
 * once, on the callback thread, after the last.
 *
 * Lock: one mutex guards the list; no callback runs under it.
 */
#ifndef CENOTE_CORE_OBSERVERS_H
#define CENOTE_CORE_OBSERVERS_H

#include <cenote/pool.h>

#include "callbacks.h"

G_BEGIN_DECLS

typedef struct Observers Observers;

/* How POOL is kept while a notice of it waits: cenote_pool_ref() and _unref(), or a test's own. */
typedef struct ObservedPoolFuncs {
  CenotePool *(*ref) (CenotePool *pool);
  void (*unref) (CenotePool *pool);
} ObservedPoolFuncs;

/* POOL is handed to the callbacks; CALLBACKS is borrowed and lives longer than the
 * object (not than its notices). */
Observers *observers_new (CenotePool *pool, const ObservedPoolFuncs *funcs, Callbacks *callbacks);
/* Drops all observers: what was posted is still told, then their notifies run. */
void observers_free (Observers *observers);
/* Any thread.  OBSERVER may be of an older header: what it has not is NULL. */
guint observers_add (Observers *observers, const CenoteObserver *observer, gpointer user_data, GDestroyNotify notify);
/* Any thread.  An unknown id is ignored. */
void observers_remove (Observers *observers, guint id);

void observers_connected (Observers *observers, guint64 id, const char *address);
void observers_disconnected (Observers *observers, guint64 id, const char *address);
void observers_connection_failed (Observers *observers, guint64 id, const char *address, const GError *error);
void observers_connect_requested (Observers *observers, const char *address);
void observers_cache_missed (Observers *observers, const char *address);
void observers_connection_count (Observers *observers, guint count);

G_END_DECLS

#endif
