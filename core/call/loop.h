/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: where asynchronous calls of a runtime end: a GMainContext with a source of ours,
 * whose thread drives them while it is awake.
 *
 * There is one Loop a context while anything is on its way there.  So long it holds the
 * context, and no longer: what has come and was not dispatched goes with the context.
 * Loops share a few drivers.  Any thread.
 */
#ifndef CENOTE_CORE_CALL_LOOP_H
#define CENOTE_CORE_CALL_LOOP_H

#include <glib.h>

#include "driver.h"

/* The loops of a runtime, and their drivers. */
typedef struct Loops Loops;
typedef struct Loop Loop;

Loops *loops_new (void);
/* Loops that are not over hold it. */
void loops_unref (Loops *loops);
/* Nothing is under way: ends the drivers. */
void loops_end (Loops *loops);

/* Embedded, first. */
typedef struct LoopItem LoopItem;
struct LoopItem {
  LoopItem *next;
  /* On the context's thread; RUN FALSE: the context has ended, only free. */
  void (*dispatch) (LoopItem *item, gboolean run);
};

/* For one loop_push().  CONTEXT nullable: the caller's thread-default one. */
Loop *loop_get (Loops *loops, GMainContext *context);
/* (transfer none): what drives its calls.  NULL: the system gives no thread. */
Driver *loop_driver (Loop *loop, GError **error);
/* The same, for calls that no loop waits for: its thread drives them. */
Driver *loops_driver (Loops *loops, GError **error);
/* Has it look at its driver soon; before a loop_push() that is to come. */
void loop_invite (Loop *loop);
/* LOOP: transfer full. */
void loop_push (Loop *loop, LoopItem *item);

#endif
