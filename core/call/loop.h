/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: hands what is finished to a GMainContext, many at a wake.
 *
 * One Loop a context, while anything is on its way there: so long it holds the context,
 * and no longer, so that one which ends with a batch in it drops that.  What is pushed
 * while a batch waits for its dispatch joins it.  Any thread.
 */
#ifndef CENOTE_CORE_CALL_LOOP_H
#define CENOTE_CORE_CALL_LOOP_H

#include <glib.h>

typedef struct Loop Loop;

/* Embedded, first. */
typedef struct LoopItem LoopItem;
struct LoopItem {
  LoopItem *next;
  /* On the context's thread; RUN FALSE: the context has ended, only free. */
  void (*dispatch) (LoopItem *item, gboolean run);
};

/* For one loop_push().  CONTEXT nullable: the caller's thread-default one. */
Loop *loop_get (GMainContext *context);
/* LOOP: transfer full. */
void loop_push (Loop *loop, LoopItem *item);

#endif
