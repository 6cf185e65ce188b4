/* SPDX-License-Identifier: Apache-2.0 */
#include "call-thread.h"

#include <stdatomic.h>

#include "core/base/monitor.h"
#include "core/base/thread.h"

struct CallThread {
  GThread *thread;
  RpcQueue *queue;
  _Atomic guint n_attempts;  /* under way, or about to be */
  Monitor monitor;           /* wakes the thread where there are none */
  gboolean ending;           /* under the monitor */
  GQueue silent;             /* the thread's: of CallTask that have a message and no status, in order */
  GQueue waiting;            /* the thread's: of CallTask that are due later, in order */
};

/* -------------------------------------------------------------------- lists */

static void
take_out (CallTask *task)
{
  if (task->list == NULL)
    return;
  g_queue_unlink (task->list, &task->link);
  task->list = NULL;
}

/* Most are due after all the others: looks from the end. */
static void
put_in (GQueue *list, CallTask *task, gint64 due_us)
{
  GList *before = list->tail;

  while (before != NULL && ((CallTask *) before->data)->due_us > due_us)
    before = before->prev;
  task->due_us = due_us;
  task->link = (GList) { .data = task };
  task->list = list;
  if (before == NULL)
    g_queue_push_head_link (list, &task->link);
  else
    g_queue_insert_after_link (list, before, &task->link);
}

static CallTask *
first_due (GQueue *list, gint64 now_us)
{
  CallTask *task = list->head == NULL ? NULL : list->head->data;

  return task != NULL && task->due_us <= now_us ? task : NULL;
}

static gint64
next_due_us (const CallThread *thread)
{
  const CallTask *silent = thread->silent.head == NULL ? NULL : thread->silent.head->data;
  const CallTask *waiting = thread->waiting.head == NULL ? NULL : thread->waiting.head->data;
  gint64 due_us = silent == NULL ? G_MAXINT64 : silent->due_us;

  return waiting == NULL ? due_us : MIN (due_us, waiting->due_us);
}

static void
do_what_is_due (CallThread *thread)
{
  gint64 now_us = g_get_monotonic_time ();
  CallTask *task;

  while ((task = first_due (&thread->silent, now_us)) != NULL) {
    take_out (task);
    rpc_look_for_second_message (task->rpc);
  }
  while ((task = first_due (&thread->waiting, now_us)) != NULL) {
    take_out (task);
    task->due (task);
  }
}

/* --------------------------------------------------------------- the thread */

static void
advance (CallThread *thread, CallTask *task, RpcProgress progress)
{
  switch (progress) {
  case RPC_PROGRESS_NONE:
    break;
  case RPC_PROGRESS_MESSAGE:
    put_in (&thread->silent, task, g_get_monotonic_time () + RPC_STATUS_WAIT_US);
    break;
  case RPC_PROGRESS_OVER:
    take_out (task);
    task->over (task);
    atomic_fetch_sub (&thread->n_attempts, 1);
    break;
  }
}

/* Until the next one is due, or an attempt has come. */
static gboolean
rest (CallThread *thread)
{
  gint64 due_us = next_due_us (thread);
  gboolean goes_on = TRUE;

  monitor_lock (&thread->monitor);
  while (goes_on && !thread->ending && atomic_load (&thread->n_attempts) == 0) {
    if (due_us == G_MAXINT64)
      monitor_wait (&thread->monitor);
    else
      goes_on = monitor_wait_until (&thread->monitor, due_us);
  }
  goes_on = !thread->ending;
  monitor_unlock (&thread->monitor);
  return goes_on;
}

static void
drive (CallThread *thread)
{
  gint64 due_us = next_due_us (thread);
  gint64 timeout_us = due_us == G_MAXINT64 ? G_MAXINT64 : MAX (0, due_us - g_get_monotonic_time ());
  RpcProgress progress;
  gpointer task = rpc_queue_next (thread->queue, timeout_us, &progress);

  if (task != NULL)
    advance (thread, task, progress);
}

static gpointer
run (gpointer data)
{
  CallThread *thread = data;
  gboolean goes_on = TRUE;

  while (goes_on) {
    if (atomic_load (&thread->n_attempts) > 0)
      drive (thread);
    else
      goes_on = rest (thread);
    do_what_is_due (thread);
  }
  return NULL;
}

CallThread *
call_thread_new (GError **error)
{
  CallThread *thread = g_new0 (CallThread, 1);

  monitor_init (&thread->monitor);
  g_queue_init (&thread->silent);
  g_queue_init (&thread->waiting);
  thread->queue = rpc_next_queue_new ();
  thread->thread = thread_start ("cenote-calls", run, thread, error);
  if (thread->thread != NULL)
    return thread;
  call_thread_free (thread);
  return NULL;
}

void
call_thread_free (CallThread *thread)
{
  if (thread == NULL)
    return;
  monitor_lock (&thread->monitor);
  thread->ending = TRUE;
  monitor_broadcast (&thread->monitor);
  monitor_unlock (&thread->monitor);
  if (thread->thread != NULL)
    g_thread_join (thread->thread);
  rpc_queue_free (thread->queue);
  monitor_clear (&thread->monitor);
  g_free (thread);
}

RpcQueue *
call_thread_queue (CallThread *thread)
{
  return thread->queue;
}

void
call_thread_start (CallThread *thread, CallTask *task)
{
  if (atomic_fetch_add (&thread->n_attempts, 1) == 0) {
    monitor_lock (&thread->monitor);
    monitor_broadcast (&thread->monitor);
    monitor_unlock (&thread->monitor);
  }
  rpc_start_unary (task->rpc, task);
}

void
call_thread_later (CallThread *thread, CallTask *task, gint64 due_us)
{
  put_in (&thread->waiting, task, due_us);
}
