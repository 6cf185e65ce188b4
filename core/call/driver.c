/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <stdatomic.h>

#include "core/base/hot.h"
#include "core/base/monitor.h"
#include "core/base/thread.h"

/* How long a loop may be about something else while it has the turn, or is offered it.  The thread
 * wakes as often to see whether it is. */
#define PATIENCE_US (40 * 1000)

/* Whoever is BUSY with the turn is alone in all that is the turn's. */
typedef enum {
  TURN_THREAD,               /* the driver's thread drives where there is something to drive */
  TURN_THREAD_BUSY,
  TURN_OFFERED,              /* a loop has been woken and is to take it */
  TURN_LOOP,                 /* a loop drives, and will not sleep without giving it back */
  TURN_LOOP_BUSY,
  TURN_ENDED
} Turn;

/* What is atomic changes without the lock where a loop takes its turn again and again, and
 * where a call begins meanwhile.  Who begins the only one counts it first and then looks whose
 * turn it is, who gives the turn to the thread does that first and then looks at the count: so
 * one of them wakes the thread, which does not rest while one is under way but where it watches a loop. */
struct Driver {
  _Atomic guint refs;
  GThread *thread;
  RpcQueue *queue;
  _Atomic Turn turn;         /* from and to the thread's under the lock alone */
  _Atomic guint n_under_way; /* attempts */
  _Atomic guint n_later;     /* in `later` */
  _Atomic guint beats;       /* turns that loops have used; written by whoever has it */
  _Atomic gboolean declined; /* a loop went to sleep since the thread has news: the news may be what had woken it */
  _Atomic gboolean ending;
  Monitor monitor;           /* what follows; wakes the thread, and the end */
  gboolean shunned;          /* a loop did not come for the turn: it is not offered again before one asks for it */
  GQueue later;              /* of DriverTask, in the order in which they are due */
};

/* -------------------------------------------------------------------- later */

static void
put_later_locked (Driver *driver, DriverTask *task, gint64 due_us)
{
  GList *before = driver->later.tail;

  while (before != NULL && ((DriverTask *) before->data)->due_us > due_us)
    before = before->prev;
  task->due_us = due_us;
  task->link = (GList) { .data = task };
  if (before == NULL)
    g_queue_push_head_link (&driver->later, &task->link);
  else
    g_queue_insert_after_link (&driver->later, before, &task->link);
  atomic_fetch_add (&driver->n_later, 1);
}

static gint64
next_due_us (const Driver *driver)
{
  return driver->later.head == NULL ? G_MAXINT64 : ((DriverTask *) driver->later.head->data)->due_us;
}

static DriverTask *
take_due (Driver *driver, gint64 now_us)
{
  DriverTask *task = NULL;

  monitor_lock (&driver->monitor);
  if (next_due_us (driver) <= now_us) {
    task = g_queue_pop_head_link (&driver->later)->data;
    atomic_fetch_sub (&driver->n_later, 1);
  }
  monitor_unlock (&driver->monitor);
  return task;
}

/* --------------------------------------------------------------- the turn's */

/* Whether a call is over. */
static gboolean
advance (Driver *driver, DriverTask *task)
{
  Progress progress = task->advance (task);

  if (progress != PROGRESS_NONE)
    atomic_fetch_sub (&driver->n_under_way, 1);
  return progress == PROGRESS_CALL_OVER;
}

static gboolean
do_what_is_due (Driver *driver)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean ended = FALSE;
  DriverTask *task;

  while ((task = take_due (driver, now_us)) != NULL) {
    if (task->refused)
      ended |= advance (driver, task);
    else
      task->due (task);
  }
  return ended;
}

/* -------------------------------------------------------------------- loops */

/* With nothing under way the thread may rest, where it watches nobody's turn. */
static gboolean
take_idle_turn (Driver *driver)
{
  Turn turn;
  gboolean taken;

  monitor_lock (&driver->monitor);
  driver->shunned = FALSE;   /* whoever asks is there */
  turn = atomic_load (&driver->turn);
  taken = (turn == TURN_THREAD || turn == TURN_OFFERED) && atomic_load (&driver->n_under_way) > 0 &&
          !atomic_load (&driver->ending);
  if (taken)
    atomic_store (&driver->turn, TURN_LOOP_BUSY);
  monitor_unlock (&driver->monitor);
  return taken;
}

static gboolean
take_turn (Driver *driver)
{
  Turn turn = TURN_LOOP;

  return atomic_compare_exchange_strong (&driver->turn, &turn, TURN_LOOP_BUSY) || take_idle_turn (driver);
}

static void
rest_in_turn (Driver *driver)
{
  atomic_store_explicit (&driver->beats, atomic_load_explicit (&driver->beats, memory_order_relaxed) + 1, memory_order_relaxed);
  atomic_store (&driver->turn, TURN_LOOP);
  if (!atomic_load (&driver->ending))
    return;
  monitor_lock (&driver->monitor);
  monitor_broadcast (&driver->monitor);
  monitor_unlock (&driver->monitor);
}

HOT gboolean
driver_poll (Driver *driver, guint *out_under_way)
{
  DriverTask *task;

  *out_under_way = 0;
  if (!take_turn (driver))
    return FALSE;
  task = rpc_queue_next (driver->queue, 0);
  if (task != NULL)
    advance (driver, task);
  if (atomic_load_explicit (&driver->n_later, memory_order_relaxed) > 0)
    do_what_is_due (driver);
  *out_under_way = atomic_load_explicit (&driver->n_under_way, memory_order_relaxed);
  rest_in_turn (driver);
  return task != NULL;
}

/* Another loop that shares the driver may be busy with its turn. */
static gboolean
give_back_locked (Driver *driver)
{
  Turn loops = TURN_LOOP, offered = TURN_OFFERED;

  return atomic_compare_exchange_strong (&driver->turn, &loops, TURN_THREAD) ||
         atomic_compare_exchange_strong (&driver->turn, &offered, TURN_THREAD);
}

void
driver_leave (Driver *driver)
{
  monitor_lock (&driver->monitor);
  if (!give_back_locked (driver))
    atomic_store (&driver->declined, TRUE);
  else if (atomic_load (&driver->n_under_way) > 0 || driver->later.head != NULL)
    monitor_broadcast (&driver->monitor);
  monitor_unlock (&driver->monitor);
}

/* --------------------------------------------------------------- the thread */

/* Only to who will come. */
static gboolean
may_offer_locked (const Driver *driver)
{
  return !driver->shunned && !atomic_load (&driver->declined);
}

/* Blocks until something ends, or is due; and offers the turn once a call has ended. */
static void
use_turn_locked (Driver *driver)
{
  gint64 until_us = next_due_us (driver);
  gboolean ended = FALSE;
  DriverTask *task;

  atomic_store (&driver->turn, TURN_THREAD_BUSY);
  monitor_unlock (&driver->monitor);
  task = rpc_queue_next (driver->queue, until_us);
  atomic_store (&driver->declined, FALSE);
  if (task != NULL)
    ended = advance (driver, task);
  if (until_us != G_MAXINT64)
    ended |= do_what_is_due (driver);
  monitor_lock (&driver->monitor);
  atomic_store (&driver->turn, ended && may_offer_locked (driver) ? TURN_OFFERED : TURN_THREAD);
}

/* Only what is due later can be to be done while no attempt is under way. */
static void
rest_locked (Driver *driver)
{
  if (driver->later.head == NULL)
    monitor_wait (&driver->monitor);
  else if (!monitor_wait_until (&driver->monitor, next_due_us (driver)))
    use_turn_locked (driver);
}

/* Takes the turn back from a loop that has not used it for too long. */
static void
watch_loop_locked (Driver *driver)
{
  guint beats = atomic_load (&driver->beats);

  if (monitor_wait_until (&driver->monitor, g_get_monotonic_time () + PATIENCE_US))
    return;
  if (atomic_load (&driver->beats) == beats && give_back_locked (driver))
    driver->shunned = TRUE;
}

static gpointer
run (gpointer data)
{
  Driver *driver = data;

  monitor_lock (&driver->monitor);
  while (!atomic_load (&driver->ending)) {
    if (atomic_load (&driver->turn) != TURN_THREAD)
      watch_loop_locked (driver);
    else if (atomic_load (&driver->n_under_way) > 0)
      use_turn_locked (driver);
    else
      rest_locked (driver);
  }
  monitor_unlock (&driver->monitor);
  return NULL;
}

/* -------------------------------------------------------------------- lives */

Driver *
driver_new (GError **error)
{
  Driver *driver = g_new0 (Driver, 1);

  atomic_init (&driver->refs, 1);
  monitor_init (&driver->monitor);
  g_queue_init (&driver->later);
  driver->thread = thread_start ("cenote-calls", run, driver, error);
  if (driver->thread == NULL) {
    driver_unref (driver);
    return NULL;
  }
  driver->queue = rpc_next_queue_new ();
  return driver;
}

Driver *
driver_ref (Driver *driver)
{
  atomic_fetch_add_explicit (&driver->refs, 1, memory_order_relaxed);
  return driver;
}

void
driver_unref (Driver *driver)
{
  if (driver == NULL || atomic_fetch_sub_explicit (&driver->refs, 1, memory_order_acq_rel) > 1)
    return;
  monitor_clear (&driver->monitor);
  g_free (driver);
}

static gboolean
end_turn_locked (Driver *driver)
{
  Turn turn = atomic_load (&driver->turn);

  return turn != TURN_LOOP_BUSY && turn != TURN_THREAD_BUSY &&
         atomic_compare_exchange_strong (&driver->turn, &turn, TURN_ENDED);
}

void
driver_end (Driver *driver)
{
  atomic_store (&driver->ending, TRUE);
  monitor_lock (&driver->monitor);
  monitor_broadcast (&driver->monitor);
  monitor_unlock (&driver->monitor);
  g_thread_join (driver->thread);
  monitor_lock (&driver->monitor);
  while (!end_turn_locked (driver))
    monitor_wait (&driver->monitor);
  monitor_unlock (&driver->monitor);
  rpc_queue_free (driver->queue);
}

RpcQueue *
driver_queue (Driver *driver)
{
  return driver->queue;
}

/* ----------------------------------------------------------------- any thread */

/* Where the thread is to drive and rests, it is woken, to do so or to see that a loop does; a loop that
 * has the turn looks again before it sleeps.  TRUE: the turn is offered. */
static gboolean
see_to_turn (Driver *driver, gboolean has_loop)
{
  gboolean offers;

  if (atomic_load (&driver->turn) != TURN_THREAD)
    return FALSE;
  monitor_lock (&driver->monitor);
  offers = has_loop && !driver->shunned && atomic_load (&driver->turn) == TURN_THREAD;
  if (offers)
    atomic_store (&driver->turn, TURN_OFFERED);
  monitor_broadcast (&driver->monitor);
  monitor_unlock (&driver->monitor);
  return offers;
}

static void
wait_until (Driver *driver, DriverTask *task, gint64 due_us)
{
  monitor_lock (&driver->monitor);
  put_later_locked (driver, task, due_us);
  monitor_unlock (&driver->monitor);
  see_to_turn (driver, FALSE);
}

HOT gboolean
driver_expect (Driver *driver, gboolean has_loop)
{
  return atomic_fetch_add (&driver->n_under_way, 1) == 0 && see_to_turn (driver, has_loop);
}

/* What gRPC refuses is ended by whoever has the turn, as any other. */
HOT void
driver_start (Driver *driver, DriverTask *task)
{
  if (rpc_start_unary (task->rpc, task))
    return;
  task->refused = TRUE;
  wait_until (driver, task, 0);
}

void
driver_pause (Driver *driver, DriverTask *task, gint64 due_us)
{
  wait_until (driver, task, due_us);
}
