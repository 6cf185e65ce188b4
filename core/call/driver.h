/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver: drives asynchronous calls: a completion queue, and whose turn it is to poll it.
 *
 * Who has the turn polls, ends attempts, and does what is due.  A loop that is awake has
 * it, so that a call ends on the thread that calls back, with no wake between.  Before
 * the loop sleeps it gives the turn to the driver's thread, which blocks in C-core, and
 * offers it again once a call has ended.  Where nothing is under way, it is offered as the
 * next call begins, so that of many begun at once the thread does not end the first ones
 * while the loop's begins the others.  A loop that does not come for it is no longer
 * waited for until it does.
 *
 * The thread blocks in C-core only while an attempt is under way: a thread that does so
 * costs callers with queues of their own up to a quarter of their rate (FACTS 11).
 *
 * Counted: a loop may hold it for a moment after driver_end().
 */
#ifndef CENOTE_CORE_CALL_DRIVER_H
#define CENOTE_CORE_CALL_DRIVER_H

#include "core/grpc/rpc.h"

typedef struct Driver Driver;

/* What has come of a task after a step of its attempt. */
typedef enum {
  PROGRESS_NONE,
  PROGRESS_ATTEMPT_OVER,     /* there may be another one by now */
  PROGRESS_CALL_OVER         /* the task is gone */
} Progress;

/* Embedded in an asynchronous call; zeroed is idle. */
typedef struct DriverTask DriverTask;
struct DriverTask {
  Rpc *rpc;
  /* By whoever has the turn: a step has ended, or a pause is over. */
  Progress (*advance) (DriverTask *task);
  void (*due) (DriverTask *task);
  gboolean refused;          /* by gRPC: no step will ever end */
  gint64 due_us;             /* where it waits */
  GList link;
};

/* NULL: the system gives no thread. */
Driver *driver_new (GError **error);
Driver *driver_ref (Driver *driver);
void driver_unref (Driver *driver);
/* Nothing is under way, and nothing waits: ends the thread and the queue. */
void driver_end (Driver *driver);
/* What attempts that are given to driver_start() must be made on. */
RpcQueue *driver_queue (Driver *driver);

/* Any thread.  One attempt more is under way, for driver_start().  TRUE: the turn is offered, and the loop that
 * the call is for is to be woken.  HAS_LOOP FALSE: there is none. */
gboolean driver_expect (Driver *driver, gboolean has_loop);
/* After that.  Begins task->rpc. */
void driver_start (Driver *driver, DriverTask *task);
/* Who has the turn: calls task->due at DUE_US of the monotonic clock. */
void driver_pause (Driver *driver, DriverTask *task, gint64 due_us);

/* A loop's thread.  Takes the turn where nobody is at it, and drives by one step, without blocking.
 * FALSE: nothing has happened.  *OUT_UNDER_WAY: attempts, 0 where somebody else drives. */
gboolean driver_poll (Driver *driver, guint *out_under_way);
/* The loop is about to sleep. */
void driver_leave (Driver *driver);

#endif
