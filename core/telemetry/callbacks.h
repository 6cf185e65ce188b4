/* SPDX-License-Identifier: Apache-2.0 */
/*
 * callbacks: one thread that runs users' callbacks in order and drops none.
 *
 * The control thread posts closures; the callback thread runs them.  A callback
 * may call anything.  One that takes over its budget (1 s) is named in the log.
 * Without the thread (simulation) callbacks_dispatch() does its work.
 */
#ifndef CENOTE_CORE_CALLBACKS_H
#define CENOTE_CORE_CALLBACKS_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct Callbacks Callbacks;

Callbacks *callbacks_new (void);
/* A callback that takes longer than BUDGET_US is named in the log, and a stop that sees
 * one callback run for PATIENCE_US leaves it behind: 1 s and 10 s unless told otherwise
 * here, before anything else. */
void callbacks_set_limits (Callbacks *callbacks, gint64 budget_us, gint64 patience_us);
/* FALSE: the system gives no thread; the object is as before. */
gboolean callbacks_start (Callbacks *callbacks);
/* Runs what waits, then ends the thread.  A callback that holds it for longer than the
 * patience is named in the log and left behind: the thread still runs what waits
 * and ends then.  Called on the callback thread itself it only asks for the end.  Idempotent. */
void callbacks_stop (Callbacks *callbacks);
/* Any thread; stops first.  Its memory stays for those who have a reference. */
void callbacks_free (Callbacks *callbacks);
Callbacks *callbacks_ref (Callbacks *callbacks);
void callbacks_unref (Callbacks *callbacks);

/* Any thread, never blocks.  NAME (static) for the log.  FUNC (nullable).  DESTROY
 * (nullable) runs after FUNC, on the same thread, also when FUNC never ran: what is
 * posted after the end is destroyed at once, by whoever posts it. */
void callbacks_post (Callbacks *callbacks, const char *name, void (*func) (gpointer data), gpointer data,
                     GDestroyNotify destroy);
/* Runs what waits, on this thread; returns how many. */
guint callbacks_dispatch (Callbacks *callbacks);
/* Waits until everything posted before has run; on the callback thread it returns at once. */
void callbacks_flush (Callbacks *callbacks);
/* How many callbacks took longer than the budget. */
guint64 callbacks_get_slow (Callbacks *callbacks);
/* TRUE on the callback thread of any Callbacks. */
gboolean callbacks_on_thread (void);

G_END_DECLS

#endif
