/* SPDX-License-Identifier: Apache-2.0 */
/*
 * callbacks: owns the closures that wait, and the thread that runs them.
 *
 * What is posted runs exactly once and in the order of posting, unless it is
 * posted after the end.  The thread has a reference of its own, so one that is
 * left behind finishes in safety.
 *
 * Lock: the monitor guards everything; no callback or destroy runs under it.
 */
#include "callbacks.h"

#include "core/base/monitor.h"
#include "core/base/thread.h"

#define DEFAULT_BUDGET_US G_USEC_PER_SEC
#define DEFAULT_PATIENCE_US (10 * G_USEC_PER_SEC)

typedef struct Closure {
  const char *name;
  void (*func) (gpointer data);
  gpointer data;
  GDestroyNotify destroy;
} Closure;

struct Callbacks {
  guint refs;                /* atomic */
  gint64 budget_us;
  gint64 patience_us;

  Monitor monitor;
  GQueue waiting;            /* of Closure */
  guint64 posted;
  guint64 done;
  guint64 slow;
  const char *running;       /* the name of the callback that runs */
  GThread *thread;           /* until it is joined or left behind */
  gboolean started;
  gboolean stopping;
  gboolean ended;            /* nothing runs any more */
};

/* Whose callbacks this thread is running. */
static __thread Callbacks *dispatching;

gboolean
callbacks_on_thread (void)
{
  return dispatching != NULL;
}

/* -------------------------------------------------------------- lifetime */

Callbacks *
callbacks_new (void)
{
  Callbacks *callbacks = g_new0 (Callbacks, 1);

  callbacks->refs = 1;
  callbacks->budget_us = DEFAULT_BUDGET_US;
  callbacks->patience_us = DEFAULT_PATIENCE_US;
  monitor_init (&callbacks->monitor);
  g_queue_init (&callbacks->waiting);
  return callbacks;
}

void
callbacks_set_limits (Callbacks *callbacks, gint64 budget_us, gint64 patience_us)
{
  callbacks->budget_us = budget_us;
  callbacks->patience_us = patience_us;
}

Callbacks *
callbacks_ref (Callbacks *callbacks)
{
  (void) __atomic_add_fetch (&callbacks->refs, 1, __ATOMIC_RELAXED);
  return callbacks;
}

void
callbacks_unref (Callbacks *callbacks)
{
  if (__atomic_sub_fetch (&callbacks->refs, 1, __ATOMIC_ACQ_REL) != 0)
    return;
  monitor_clear (&callbacks->monitor);
  g_free (callbacks);
}

static void
closure_finish (Closure *closure)
{
  if (closure->destroy != NULL)
    closure->destroy (closure->data);
  g_free (closure);
}

/* ---------------------------------------------------------------- running */

/* With the lock held, and again on return. */
static void
run_locked (Callbacks *callbacks, Closure *closure)
{
  const char *name = closure->name;
  gint64 began_us, took_us;

  callbacks->running = name;
  monitor_unlock (&callbacks->monitor);

  began_us = g_get_monotonic_time ();
  if (closure->func != NULL)
    closure->func (closure->data);
  closure_finish (closure);
  took_us = g_get_monotonic_time () - began_us;
  if (took_us > callbacks->budget_us)
    g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_CALLBACK", name, "MESSAGE",
                      "callback %s took %" G_GINT64_FORMAT " ms", name, took_us / 1000);

  monitor_lock (&callbacks->monitor);
  callbacks->running = NULL;
  callbacks->slow += took_us > callbacks->budget_us;
  callbacks->done++;
  monitor_broadcast (&callbacks->monitor);
}

/* With the lock held: runs what waits, also what is posted meanwhile. */
static guint
run_all_locked (Callbacks *callbacks)
{
  Callbacks *outer = dispatching;
  Closure *closure;
  guint n = 0;

  dispatching = callbacks;
  for (; (closure = g_queue_pop_head (&callbacks->waiting)) != NULL; n++)
    run_locked (callbacks, closure);
  dispatching = outer;
  return n;
}

guint
callbacks_dispatch (Callbacks *callbacks)
{
  guint n;

  g_return_val_if_fail (!callbacks->started, 0);

  if (dispatching == callbacks)
    return 0;
  monitor_lock (&callbacks->monitor);
  n = run_all_locked (callbacks);
  monitor_unlock (&callbacks->monitor);
  return n;
}

static gpointer
callbacks_main (gpointer data)
{
  Callbacks *callbacks = data;

  monitor_lock (&callbacks->monitor);
  while (run_all_locked (callbacks) > 0 || !callbacks->stopping)
    if (g_queue_is_empty (&callbacks->waiting) && !callbacks->stopping)
      monitor_wait (&callbacks->monitor);
  callbacks->ended = TRUE;
  monitor_broadcast (&callbacks->monitor);
  monitor_unlock (&callbacks->monitor);
  callbacks_unref (callbacks);
  return NULL;
}

gboolean
callbacks_start (Callbacks *callbacks)
{
  monitor_lock (&callbacks->monitor);
  callbacks->thread = thread_start ("cenote-call", callbacks_main, callbacks_ref (callbacks), NULL);
  callbacks->started = callbacks->thread != NULL;
  monitor_unlock (&callbacks->monitor);
  if (!callbacks->started)
    callbacks_unref (callbacks);
  return callbacks->started;
}

/* ---------------------------------------------------------------- posting */

void
callbacks_post (Callbacks *callbacks, const char *name, void (*func) (gpointer data), gpointer data,
                GDestroyNotify destroy)
{
  Closure *closure = g_new (Closure, 1);
  gboolean taken;

  *closure = (Closure) { .name = name, .func = func, .data = data, .destroy = destroy };
  monitor_lock (&callbacks->monitor);
  taken = !callbacks->ended;
  if (taken) {
    g_queue_push_tail (&callbacks->waiting, closure);
    callbacks->posted++;
    monitor_broadcast (&callbacks->monitor);
  }
  monitor_unlock (&callbacks->monitor);
  if (!taken)
    closure_finish (closure);
}

void
callbacks_flush (Callbacks *callbacks)
{
  guint64 target;

  if (dispatching == callbacks)
    return;
  if (!callbacks->started) {
    callbacks_dispatch (callbacks);
    return;
  }
  monitor_lock (&callbacks->monitor);
  target = callbacks->posted;
  while (callbacks->done < target && !callbacks->ended)
    monitor_wait (&callbacks->monitor);
  monitor_unlock (&callbacks->monitor);
}

guint64
callbacks_get_slow (Callbacks *callbacks)
{
  guint64 slow;

  monitor_lock (&callbacks->monitor);
  slow = callbacks->slow;
  monitor_unlock (&callbacks->monitor);
  return slow;
}

/* --------------------------------------------------------------- stopping */

/* With the lock held: waits for the end while callbacks still come to theirs. */
static void
await_end_locked (Callbacks *callbacks)
{
  while (!callbacks->ended) {
    guint64 done = callbacks->done;
    gint64 deadline_us = g_get_monotonic_time () + callbacks->patience_us;

    while (!callbacks->ended && callbacks->done == done)
      if (!monitor_wait_until (&callbacks->monitor, deadline_us))
        return;
  }
}

/* On another thread than its own. */
static void
end_thread (Callbacks *callbacks)
{
  g_autofree char *stuck = NULL;
  GThread *thread;
  gboolean ended;

  monitor_lock (&callbacks->monitor);
  await_end_locked (callbacks);
  ended = callbacks->ended;
  stuck = g_strdup (callbacks->running);
  thread = g_steal_pointer (&callbacks->thread);
  monitor_unlock (&callbacks->monitor);

  if (thread == NULL)
    return;
  if (ended) {
    g_thread_join (thread);
    return;
  }
  g_thread_unref (thread);
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_CALLBACK", stuck, "MESSAGE",
                    "callback %s does not return: the callback thread is left behind",
                    stuck != NULL ? stuck : "(none)");
}

void
callbacks_stop (Callbacks *callbacks)
{
  monitor_lock (&callbacks->monitor);
  callbacks->stopping = TRUE;
  if (!callbacks->started && dispatching != callbacks) {
    (void) run_all_locked (callbacks);
    callbacks->ended = TRUE;
  }
  monitor_broadcast (&callbacks->monitor);
  monitor_unlock (&callbacks->monitor);

  if (callbacks->started && dispatching != callbacks)
    end_thread (callbacks);
}

void
callbacks_free (Callbacks *callbacks)
{
  GThread *own = NULL;

  if (callbacks == NULL)
    return;
  callbacks_stop (callbacks);
  monitor_lock (&callbacks->monitor);
  own = g_steal_pointer (&callbacks->thread);
  monitor_unlock (&callbacks->monitor);
  if (own != NULL)
    g_thread_unref (own);
  callbacks_unref (callbacks);
}
