/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: the one thread that owns all control state, and how to reach it.
 *
 * It waits in ppoll() alone, on its eventfd, on a timerfd that the kernel fires
 * when the wall clock steps, and for its own monotonic timers; never inside
 * C-core.  An iteration (control_run) handles, in this order: notes in the order
 * of their coming, timers that are due in the order of their times, then the
 * deferred work, once each.
 *
 * Without threads (simulation) the caller's thread owns the control state and
 * calls control_run() itself.
 *
 * Counted, so that a late waker finds memory; ends once, by control_stop().
 */
#ifndef CENOTE_CORE_CONTROL_H
#define CENOTE_CORE_CONTROL_H

#include <glib.h>
#include <stdatomic.h>

#include "core/base/world.h"

typedef struct Control Control;

/* Embedded in what has something to tell the control thread. */
typedef struct ControlNote ControlNote;
struct ControlNote {
  void (*handle) (ControlNote *note);
  ControlNote *next;
};

/* Embedded; zeroed is unset.  FUNC runs once for each control_timer_set(). */
typedef struct ControlTimer {
  void (*func) (gpointer data);
  gpointer data;
  gint64 due_us;
  GSequenceIter *at;         /* NULL: not set */
} ControlTimer;

/* Embedded; zeroed is unset.  FUNC runs at the end of the iteration. */
typedef struct ControlDeferred ControlDeferred;
struct ControlDeferred {
  void (*func) (gpointer data);
  gpointer data;
  gboolean queued;
};

Control *control_new (World *world);
Control *control_ref (Control *control);
void control_unref (Control *control);
World *control_world (Control *control);

/* Starts the thread (threaded worlds).  STEPPED (nullable) runs on it when the wall clock was set.
 * FALSE: the system gives no thread. */
gboolean control_start (Control *control, void (*stepped) (gpointer data), gpointer data, GError **error);
/* Handles what has come, ends the thread and joins it; from now on control_call()
 * answers FALSE.  Not from the control thread itself. */
void control_stop (Control *control);

/* Before the thread runs.  CHECK is called at the end of each iteration, and the
 * next one begins no later than the time it returns (G_MAXINT64: whenever). */
void control_set_check (Control *control, gint64 (*check) (gpointer data), gpointer data);

/* One iteration; returns when the next one is due: at once where a note has come
 * meanwhile, at the next timer's time, or G_MAXINT64. */
gint64 control_run (Control *control);

/* Any thread, lock-free: NOTE is handled once on the control thread.  NOTE must
 * not be pending already, and CONTROL must not have ended. */
void control_note (Control *control, ControlNote *note);
/* Any thread, lock-free: an iteration begins soon. */
void control_wake (Control *control);
/* Any thread: runs FUNC on the control thread and waits for its end; at once
 * where this is the control thread.  FALSE: ended, FUNC was not called. */
gboolean control_call (Control *control, void (*func) (gpointer data), gpointer data);
/* Any thread: the same without waiting; FALSE: ended. */
gboolean control_post (Control *control, void (*func) (gpointer data), gpointer data);

/* Whether this thread owns the control state. */
gboolean control_is_here (Control *control);
/* Whether this is the control thread of any runtime. */
gboolean control_on_any (void);

/* The following on the control thread only. */
gint64 control_now_us (Control *control);
void control_timer_set (Control *control, ControlTimer *timer, gint64 due_us);
void control_timer_unset (Control *control, ControlTimer *timer);
void control_defer (Control *control, ControlDeferred *deferred);
/* Takes it out again where it is queued. */
void control_undefer (Control *control, ControlDeferred *deferred);

#endif
