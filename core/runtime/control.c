/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/base/hot.h"
#include "core/base/monitor.h"
#include "core/base/thread.h"

struct Control {
  gatomicrefcount refs;
  World *world;
  int wake_fd;               /* eventfd; -1 without threads */
  int clock_fd;              /* timerfd that is cancelled when the wall clock is set */
  GThread *thread;
  void (*stepped) (gpointer data);
  gpointer stepped_data;
  gint64 (*check) (gpointer data);
  gpointer check_data;

  _Atomic (ControlNote *) notes; /* newest first */
  Monitor monitor;           /* ended, against calls */
  gboolean ended;
  _Atomic gboolean stopping;

  GSequence *timers;         /* of ControlTimer, by due_us */
  GQueue deferred;           /* of ControlDeferred */
};

static _Thread_local const Control *here;

static gint
compare_timers (gconstpointer a, gconstpointer b, gpointer unused)
{
  const ControlTimer *x = a;
  const ControlTimer *y = b;

  (void) unused;
  return x->due_us < y->due_us ? -1 : x->due_us > y->due_us;
}

Control *
control_new (World *world)
{
  Control *control = g_new0 (Control, 1);

  g_atomic_ref_count_init (&control->refs);
  control->world = world;
  control->timers = g_sequence_new (NULL);
  g_queue_init (&control->deferred);
  monitor_init (&control->monitor);
  control->wake_fd = world->threaded ? eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
  control->clock_fd = world->threaded ? timerfd_create (CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC) : -1;
  return control;
}

Control *
control_ref (Control *control)
{
  g_atomic_ref_count_inc (&control->refs);
  return control;
}

void
control_unref (Control *control)
{
  if (control == NULL || !g_atomic_ref_count_dec (&control->refs))
    return;
  if (control->wake_fd >= 0)
    close (control->wake_fd);
  if (control->clock_fd >= 0)
    close (control->clock_fd);
  g_sequence_free (control->timers);
  g_queue_clear (&control->deferred);
  monitor_clear (&control->monitor);
  g_free (control);
}

HOT World *
control_world (Control *control)
{
  return control->world;
}

HOT gint64
control_now_us (Control *control)
{
  return control->world->now_us (control->world);
}

/* ------------------------------------------------------------- reaching it */

gboolean
control_is_here (Control *control)
{
  return !control->world->threaded || here == control;
}

HOT gboolean
control_on_any (void)
{
  return here != NULL;
}

void
control_wake (Control *control)
{
  guint64 one = 1;

  /* EAGAIN: the counter is full, so it is awake anyway. */
  if (control->wake_fd >= 0 && write (control->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
    g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "MESSAGE", "Cannot wake the control thread: %s", g_strerror (errno));
}

/* Who finds the list empty wakes; whoever comes before the list is taken rides along. */
void
control_note (Control *control, ControlNote *note)
{
  ControlNote *newest = atomic_load_explicit (&control->notes, memory_order_relaxed);

  do
    note->next = newest;
  while (!atomic_compare_exchange_weak_explicit (&control->notes, &newest, note, memory_order_release,
                                                 memory_order_relaxed));
  if (newest == NULL)
    control_wake (control);
}

typedef struct Call {
  ControlNote note;
  void (*func) (gpointer data);
  gpointer data;
  gboolean done;
  Monitor monitor;
} Call;

static void
handle_call (ControlNote *note)
{
  Call *call = (Call *) note;

  call->func (call->data);
  monitor_lock (&call->monitor);
  call->done = TRUE;
  monitor_broadcast (&call->monitor);
  monitor_unlock (&call->monitor);
}

static gboolean
note_unless_ended (Control *control, ControlNote *note)
{
  gboolean ended;

  monitor_lock (&control->monitor);
  ended = control->ended;
  if (!ended)
    control_note (control, note);
  monitor_unlock (&control->monitor);
  return !ended;
}

gboolean
control_call (Control *control, void (*func) (gpointer data), gpointer data)
{
  Call call = { .note = { .handle = handle_call }, .func = func, .data = data };
  gboolean taken;

  if (control_is_here (control)) {
    func (data);
    return TRUE;
  }
  monitor_init (&call.monitor);
  taken = note_unless_ended (control, &call.note);
  monitor_lock (&call.monitor);
  while (taken && !call.done)
    monitor_wait (&call.monitor);
  monitor_unlock (&call.monitor);
  monitor_clear (&call.monitor);
  return taken;
}

typedef struct Post {
  ControlNote note;
  void (*func) (gpointer data);
  gpointer data;
} Post;

static void
handle_post (ControlNote *note)
{
  Post *post = (Post *) note;

  post->func (post->data);
  g_free (post);
}

gboolean
control_post (Control *control, void (*func) (gpointer data), gpointer data)
{
  Post *post = g_new0 (Post, 1);

  post->note.handle = handle_post;
  post->func = func;
  post->data = data;
  if (note_unless_ended (control, &post->note))
    return TRUE;
  g_free (post);
  return FALSE;
}

/* ------------------------------------------------------- timers, deferred */

void
control_timer_set (Control *control, ControlTimer *timer, gint64 due_us)
{
  control_timer_unset (control, timer);
  timer->due_us = due_us;
  timer->at = g_sequence_insert_sorted (control->timers, timer, compare_timers, NULL);
}

void
control_timer_unset (Control *control, ControlTimer *timer)
{
  (void) control;
  if (timer->at == NULL)
    return;
  g_sequence_remove (timer->at);
  timer->at = NULL;
}

void
control_defer (Control *control, ControlDeferred *deferred)
{
  if (deferred->queued)
    return;
  deferred->queued = TRUE;
  g_queue_push_tail (&control->deferred, deferred);
}

void
control_undefer (Control *control, ControlDeferred *deferred)
{
  if (!deferred->queued)
    return;
  deferred->queued = FALSE;
  g_queue_remove (&control->deferred, deferred);
}

/* -------------------------------------------------------------- iteration */

static ControlNote *
take_notes_in_order (Control *control)
{
  ControlNote *note = atomic_exchange_explicit (&control->notes, NULL, memory_order_acquire);
  ControlNote *oldest = NULL;

  while (note != NULL) {
    ControlNote *next = note->next;

    note->next = oldest;
    oldest = note;
    note = next;
  }
  return oldest;
}

static void
run_notes (Control *control)
{
  ControlNote *note = take_notes_in_order (control);

  while (note != NULL) {
    ControlNote *next = note->next;

    note->handle (note);
    note = next;
  }
}

static ControlTimer *
first_timer (Control *control)
{
  GSequenceIter *first = g_sequence_get_begin_iter (control->timers);

  return g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
}

/* At most as many as were set when the iteration began: one that sets itself
 * again for now cannot keep it here. */
static void
run_timers (Control *control)
{
  gint64 now_us = control_now_us (control);
  gint n = g_sequence_get_length (control->timers);
  ControlTimer *timer;

  while (n-- > 0 && (timer = first_timer (control)) != NULL && timer->due_us <= now_us) {
    control_timer_unset (control, timer);
    timer->func (timer->data);
  }
}

static void
run_deferred (Control *control)
{
  guint n = g_queue_get_length (&control->deferred);

  while (n-- > 0) {
    ControlDeferred *deferred = g_queue_pop_head (&control->deferred);

    if (deferred == NULL)
      return;
    deferred->queued = FALSE;
    deferred->func (deferred->data);
  }
}

void
control_set_check (Control *control, gint64 (*check) (gpointer data), gpointer data)
{
  control->check = check;
  control->check_data = data;
}

gint64
control_run (Control *control)
{
  gint64 check_us = G_MAXINT64;
  ControlTimer *next;

  run_notes (control);
  run_timers (control);
  run_deferred (control);
  if (control->check != NULL)
    check_us = control->check (control->check_data);
  if (!g_queue_is_empty (&control->deferred) || atomic_load_explicit (&control->notes, memory_order_relaxed) != NULL)
    return control_now_us (control);
  next = first_timer (control);
  return next == NULL ? check_us : MIN (check_us, next->due_us);
}

/* ----------------------------------------------------------------- thread */

/* The kernel cancels this timer whenever the wall clock is set: that is all it is for. */
static void
arm_clock_fd (Control *control)
{
  const struct itimerspec far = { .it_value = { .tv_sec = (time_t) INT_MAX } };

  timerfd_settime (control->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, NULL);
}

static void
heed_clock_fd (Control *control)
{
  guint64 expirations;

  if (read (control->clock_fd, &expirations, sizeof expirations) < 0 && errno == ECANCELED && control->stepped != NULL)
    control->stepped (control->stepped_data);
  arm_clock_fd (control);
}

static void
wait_until (Control *control, gint64 due_us)
{
  struct pollfd fds[2] = { { .fd = control->wake_fd, .events = POLLIN }, { .fd = control->clock_fd, .events = POLLIN } };
  gint64 wait_us = MAX (0, due_us - control_now_us (control));
  struct timespec timeout = { .tv_sec = wait_us / G_USEC_PER_SEC, .tv_nsec = wait_us % G_USEC_PER_SEC * 1000 };
  guint64 count;

  if (ppoll (fds, 2, due_us == G_MAXINT64 ? NULL : &timeout, NULL) <= 0)
    return;
  if (fds[0].revents & POLLIN)
    (void) !read (control->wake_fd, &count, sizeof count);
  if (fds[1].revents & POLLIN)
    heed_clock_fd (control);
}

static gpointer
control_thread (gpointer data)
{
  Control *control = data;

  here = control;
  arm_clock_fd (control);
  while (!atomic_load (&control->stopping))
    wait_until (control, control_run (control));
  monitor_lock (&control->monitor);
  control->ended = TRUE;
  monitor_unlock (&control->monitor);
  run_notes (control);
  run_deferred (control);
  here = NULL;
  return NULL;
}

gboolean
control_start (Control *control, void (*stepped) (gpointer data), gpointer data, GError **error)
{
  control->stepped = stepped;
  control->stepped_data = data;
  if (control->world->threaded)
    control->thread = thread_start ("cenote-control", control_thread, control, error);
  return control->thread != NULL || !control->world->threaded;
}

void
control_stop (Control *control)
{
  if (control->thread == NULL) {
    control->ended = TRUE;
    return;
  }
  atomic_store (&control->stopping, TRUE);
  control_wake (control);
  g_thread_join (g_steal_pointer (&control->thread));
}
