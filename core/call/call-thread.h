/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call-thread: the thread that drives asynchronous calls, one a runtime, started with
 * the first of them.
 *
 * It blocks in C-core only while an attempt is under way: a thread that does so costs
 * callers with queues of their own up to a quarter of their rate (FACTS 11).
 */
#ifndef CENOTE_CORE_CALL_CALL_THREAD_H
#define CENOTE_CORE_CALL_CALL_THREAD_H

#include "core/grpc/rpc.h"

typedef struct CallThread CallThread;

/* Embedded in an asynchronous call; zeroed is idle. */
typedef struct CallTask CallTask;
struct CallTask {
  Rpc *rpc;
  /* On the thread: the attempt is over, or what was to be done later is due. */
  void (*over) (CallTask *task);
  void (*due) (CallTask *task);
  gint64 due_us;             /* where it waits */
  GList link;                /* in one of the thread's lists */
  GQueue *list;              /* which; NULL: none */
};

/* NULL: the system gives no thread. */
CallThread *call_thread_new (GError **error);
/* Nothing is under way, and nothing waits. */
void call_thread_free (CallThread *thread);
/* What attempts that are given to call_thread_start() must be made on. */
RpcQueue *call_thread_queue (CallThread *thread);

/* Any thread.  Begins task->rpc. */
void call_thread_start (CallThread *thread, CallTask *task);
/* On the thread itself: calls task->due at DUE_US of the monotonic clock. */
void call_thread_later (CallThread *thread, CallTask *task, gint64 due_us);

#endif
