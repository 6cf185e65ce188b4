/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: owns the sources, what waits to be dispatched by them, and the drivers.
 *
 * Locks: loops->lock for the table, the drivers, and users that come first or go last;
 * loop->lock for what other threads push.  The second may be taken within the first.
 */
#include "loop.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/hot.h"

/* Callbacks at a time, before other sources of the context have their turn. */
#define MAX_RUN 64
/* Looks that find nothing, before the loop sleeps: to go to sleep and to be woken costs as much.  Others may have
 * the processor between them, but not for longer in all than what GLib's poll is exact to. */
#define MAX_IDLE_LOOKS 8
#define MAX_IDLE_US 1000

#define MAX_DRIVERS 8

struct Loops {
  _Atomic guint refs;
  pthread_mutex_t lock;
  GHashTable *by_context;    /* GMainContext → Loop */
  Driver *drivers[MAX_DRIVERS];
  guint n_users[MAX_DRIVERS]; /* loops that have it */
  guint n_drivers;
};

struct Loop {
  Loops *loops;              /* (reference) */
  gconstpointer key;         /* the context, in the table */
  GMainContext *context;     /* (reference) while it has users */
  gboolean retired;          /* no more in the table; under loops->lock */
  _Atomic guint users;       /* pushes to come */
  _Atomic (Driver *) driver; /* (reference) NULL: none was needed yet */
  guint driver_number;
  LoopItem *mine;            /* the context's thread: to be dispatched, in order */
  LoopItem **mine_last;
  guint depth;               /* of dispatches within each other, by loops that callbacks run */
  pthread_mutex_t lock;      /* pushed; and `ready` is set under it, where others than the context's thread do */
  _Atomic (LoopItem *) pushed;
  LoopItem **pushed_last;
  _Atomic gboolean invited;  /* to look at its driver; set under the lock */
  _Atomic gboolean ready;    /* the source is to be dispatched */
};

typedef struct LoopSource {
  GSource source;            /* first */
  Loop *loop;                /* owned */
} LoopSource;

/* What this thread dispatches. */
static _Thread_local Loop *current;

/* -------------------------------------------------------------------- items */

static void
push_mine (Loop *loop, LoopItem *item)
{
  item->next = NULL;
  *loop->mine_last = item;
  loop->mine_last = &item->next;
}

/* Whether it is for the pusher to wake the context. */
static gboolean
push_from_afar (Loop *loop, LoopItem *item)
{
  gboolean was_ready;

  item->next = NULL;
  pthread_mutex_lock (&loop->lock);
  if (loop->pushed == NULL)
    atomic_store_explicit (&loop->pushed, item, memory_order_relaxed);
  else
    *loop->pushed_last = item;
  loop->pushed_last = &item->next;
  was_ready = atomic_exchange (&loop->ready, TRUE);
  pthread_mutex_unlock (&loop->lock);
  return !was_ready;
}

/* What comes just now is found when the loop is about to sleep. */
static void
fetch_pushed (Loop *loop)
{
  if (atomic_load_explicit (&loop->pushed, memory_order_relaxed) == NULL)
    return;
  pthread_mutex_lock (&loop->lock);
  *loop->mine_last = loop->pushed;
  loop->mine_last = loop->pushed_last;
  atomic_store_explicit (&loop->pushed, NULL, memory_order_relaxed);
  pthread_mutex_unlock (&loop->lock);
}

/* One at a time, so that a loop which a callback runs finds the rest. */
static LoopItem *
pop (Loop *loop)
{
  LoopItem *item = loop->mine;

  if (item == NULL)
    return NULL;
  loop->mine = item->next;
  if (loop->mine == NULL)
    loop->mine_last = &loop->mine;
  return item;
}

/* FALSE: there is something after all. */
static gboolean
set_idle (Loop *loop)
{
  gboolean idle;

  pthread_mutex_lock (&loop->lock);
  idle = loop->mine == NULL && loop->pushed == NULL && !atomic_load (&loop->invited);
  atomic_store (&loop->ready, !idle);
  pthread_mutex_unlock (&loop->lock);
  return idle;
}

/* -------------------------------------------------------------------- users */

static gboolean
add_user_to_others (Loop *loop)
{
  guint users = atomic_load_explicit (&loop->users, memory_order_relaxed);

  while (users > 0) {
    if (atomic_compare_exchange_weak_explicit (&loop->users, &users, users + 1, memory_order_relaxed, memory_order_relaxed))
      return TRUE;
  }
  return FALSE;
}

static gboolean
leave_to_others (Loop *loop)
{
  guint users = atomic_load_explicit (&loop->users, memory_order_relaxed);

  while (users > 1) {
    if (atomic_compare_exchange_weak_explicit (&loop->users, &users, users - 1, memory_order_acq_rel, memory_order_relaxed))
      return TRUE;
  }
  return FALSE;
}

/* The last one lets the context go, which may end it and LOOP, here.  The source is to look once
 * more, in case it has seen the last item already. */
static void
leave (Loop *loop)
{
  Loops *loops = loop->loops;
  GMainContext *context = NULL;

  if (leave_to_others (loop))
    return;
  pthread_mutex_lock (&loops->lock);
  if (atomic_fetch_sub (&loop->users, 1) == 1) {
    context = g_steal_pointer (&loop->context);
    if (current != loop && !atomic_exchange (&loop->ready, TRUE))
      g_main_context_wakeup (context);
  }
  pthread_mutex_unlock (&loops->lock);
  if (context != NULL)
    g_main_context_unref (context);
}

/* ----------------------------------------------------------------- dispatch */

static gboolean
prepare (GSource *source, gint *timeout)
{
  *timeout = -1;
  return atomic_load (&((LoopSource *) source)->loop->ready);
}

static gboolean
check (GSource *source)
{
  return atomic_load (&((LoopSource *) source)->loop->ready);
}

/* A loop that the callback runs is to dispatch the source. */
static guint
run_items (Loop *loop, guint max)
{
  guint n = 0;
  LoopItem *item;

  fetch_pushed (loop);
  while (n < max && (item = pop (loop)) != NULL) {
    atomic_store_explicit (&loop->ready, TRUE, memory_order_relaxed);
    item->dispatch (item, TRUE);
    n++;
  }
  return n;
}

/* Looks that have found nothing. */
typedef struct Idleness {
  guint n_looks;
  gint64 until_us;           /* no more of them then */
} Idleness;

/* FALSE: enough of it.  Between two looks whoever else wants the processor has it: that is mostly the
 * server, or another loop, without which there would be nothing to find. */
static gboolean
idle (Idleness *idleness, guint n_under_way)
{
  gint64 now_us = g_get_monotonic_time ();

  if (idleness->n_looks++ == 0)
    idleness->until_us = now_us + MAX_IDLE_US;
  if (idleness->n_looks >= MIN (n_under_way, MAX_IDLE_LOOKS) || now_us >= idleness->until_us)
    return FALSE;
  g_thread_yield ();
  return TRUE;
}

/* One step at a time: a call that is begun where another has just ended finds its memory warm.
 * The more is under way, the likelier it is that something comes at once. */
static gboolean
look_again (Loop *loop, Idleness *idleness)
{
  guint n_under_way;

  if (loop->driver == NULL)
    return FALSE;
  if (!driver_poll (loop->driver, &n_under_way))
    return n_under_way > 0 && idle (idleness, n_under_way);
  idleness->n_looks = 0;
  return TRUE;
}

/* Whether there is more to do, after other sources. */
static gboolean
work (Loop *loop)
{
  Idleness idleness = { .n_looks = 0 };
  guint n = 0;

  atomic_store (&loop->invited, FALSE);
  do {
    n += run_items (loop, MAX_RUN - n);
    if (n == MAX_RUN)
      return TRUE;
  } while (look_again (loop, &idleness) || loop->mine != NULL);
  if (loop->driver != NULL)
    driver_leave (loop->driver);
  return !set_idle (loop);
}

/* FALSE: it is used again. */
static gboolean
retire (Loop *loop)
{
  pthread_mutex_lock (&loop->loops->lock);
  loop->retired = atomic_load (&loop->users) == 0 && loop->pushed == NULL;
  if (loop->retired)
    g_hash_table_remove (loop->loops->by_context, loop->key);
  pthread_mutex_unlock (&loop->loops->lock);
  return loop->retired;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  Loop *loop = ((LoopSource *) source)->loop;
  Loop *outer = current;
  gboolean more;

  (void) callback;
  (void) data;
  current = loop;
  loop->depth++;
  more = work (loop);
  loop->depth--;
  current = outer;
  if (more)
    atomic_store (&loop->ready, TRUE);
  return more || loop->depth > 0 || !retire (loop) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* -------------------------------------------------------------------- lives */

static void
forget (Loop *loop)
{
  Loops *loops = loop->loops;

  pthread_mutex_lock (&loops->lock);
  if (!loop->retired)
    g_hash_table_remove (loops->by_context, loop->key);
  if (loop->driver != NULL)
    loops->n_users[loop->driver_number]--;
  pthread_mutex_unlock (&loops->lock);
}

/* It is over, or its context has ended: then what has come is given up. */
static void
finalize (GSource *source)
{
  Loop *loop = ((LoopSource *) source)->loop;
  LoopItem *item;

  forget (loop);
  fetch_pushed (loop);
  while ((item = pop (loop)) != NULL)
    item->dispatch (item, FALSE);
  driver_unref (loop->driver);
  loops_unref (loop->loops);
  pthread_mutex_destroy (&loop->lock);
  g_free (loop);
}

static GSourceFuncs source_funcs = { .prepare = prepare, .check = check, .dispatch = dispatch, .finalize = finalize };

static Loop *
loop_new (Loops *loops, GMainContext *context)
{
  GSource *source = g_source_new (&source_funcs, sizeof (LoopSource));
  Loop *loop = g_new0 (Loop, 1);

  atomic_fetch_add_explicit (&loops->refs, 1, memory_order_relaxed);
  loop->loops = loops;
  loop->key = context;
  loop->mine_last = &loop->mine;
  pthread_mutex_init (&loop->lock, NULL);
  ((LoopSource *) source)->loop = loop;
  g_source_set_name (source, "Cenote calls");
  g_source_set_can_recurse (source, TRUE);
  g_source_attach (source, context);
  g_source_unref (source);
  return loop;
}

static Loop *
find_locked (Loops *loops, GMainContext *context)
{
  Loop *loop = g_hash_table_lookup (loops->by_context, context);

  if (loop == NULL) {
    loop = loop_new (loops, context);
    g_hash_table_insert (loops->by_context, context, loop);
  }
  return loop;
}

static GMainContext *
context_of_caller (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  return context != NULL ? context : g_main_context_default ();
}

HOT Loop *
loop_get (Loops *loops, GMainContext *context)
{
  GMainContext *mine = context == NULL ? context_of_caller () : context;
  Loop *loop;

  if (current != NULL && current->key == mine && current->loops == loops && add_user_to_others (current))
    return current;
  pthread_mutex_lock (&loops->lock);
  loop = find_locked (loops, mine);
  if (atomic_fetch_add (&loop->users, 1) == 0)
    loop->context = g_main_context_ref (mine);
  pthread_mutex_unlock (&loops->lock);
  return loop;
}

void
loop_invite (Loop *loop)
{
  gboolean was_ready;

  pthread_mutex_lock (&loop->lock);
  atomic_store (&loop->invited, TRUE);
  was_ready = atomic_exchange (&loop->ready, TRUE);
  pthread_mutex_unlock (&loop->lock);
  if (!was_ready)
    g_main_context_wakeup (loop->context);
}

HOT void
loop_push (Loop *loop, LoopItem *item)
{
  if (current == loop)
    push_mine (loop, item);
  else if (push_from_afar (loop, item))
    g_main_context_wakeup (loop->context);
  leave (loop);
}

/* ------------------------------------------------------------------ drivers */

/* The one that fewest loops have; n_drivers: there is none yet. */
static guint
find_free_locked (const Loops *loops)
{
  guint i, best = 0;

  for (i = 1; i < loops->n_drivers; i++) {
    if (loops->n_users[i] < loops->n_users[best])
      best = i;
  }
  return best;
}

/* More at once than there are processors would only wait for each other. */
static guint
choose_locked (Loops *loops, GError **error)
{
  guint best = find_free_locked (loops);
  gboolean none = loops->n_drivers == 0;
  Driver *driver;

  if (!none && (loops->n_users[best] == 0 || loops->n_drivers == MIN (MAX_DRIVERS, g_get_num_processors ())))
    return best;
  driver = driver_new (none ? error : NULL);
  if (driver == NULL)
    return best;
  loops->drivers[loops->n_drivers] = driver;
  return loops->n_drivers++;
}

HOT Driver *
loop_driver (Loop *loop, GError **error)
{
  Loops *loops = loop->loops;
  Driver *driver = atomic_load_explicit (&loop->driver, memory_order_acquire);
  guint i;

  if (driver != NULL)
    return driver;
  pthread_mutex_lock (&loops->lock);
  i = choose_locked (loops, error);
  if (loop->driver == NULL && i < loops->n_drivers) {
    loops->n_users[i]++;
    loop->driver_number = i;
    atomic_store_explicit (&loop->driver, driver_ref (loops->drivers[i]), memory_order_release);
  }
  driver = loop->driver;
  pthread_mutex_unlock (&loops->lock);
  return driver;
}

Driver *
loops_driver (Loops *loops, GError **error)
{
  Driver *driver;
  guint i;

  pthread_mutex_lock (&loops->lock);
  i = choose_locked (loops, error);
  driver = i < loops->n_drivers ? loops->drivers[i] : NULL;
  pthread_mutex_unlock (&loops->lock);
  return driver;
}

Loops *
loops_new (void)
{
  Loops *loops = g_new0 (Loops, 1);

  atomic_init (&loops->refs, 1);
  pthread_mutex_init (&loops->lock, NULL);
  loops->by_context = g_hash_table_new (NULL, NULL);
  return loops;
}

void
loops_unref (Loops *loops)
{
  guint i;

  if (atomic_fetch_sub_explicit (&loops->refs, 1, memory_order_acq_rel) > 1)
    return;
  for (i = 0; i < loops->n_drivers; i++)
    driver_unref (loops->drivers[i]);
  g_hash_table_unref (loops->by_context);
  pthread_mutex_destroy (&loops->lock);
  g_free (loops);
}

void
loops_end (Loops *loops)
{
  guint i;

  for (i = 0; i < loops->n_drivers; i++)
    driver_end (loops->drivers[i]);
}
