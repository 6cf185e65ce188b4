/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <stdatomic.h>

#include "core/base/monitor.h"

/* What one source dispatches. */
typedef struct Batch {
  _Atomic (Loop *) loop;     /* (reference); atomic for sanitizers, which do not see what GLib orders */
  LoopItem *first;
  LoopItem **last;
} Batch;

struct Loop {
  gatomicrefcount refs;      /* of users, and of the batch that waits */
  GMainContext *context;     /* (reference) while it has users */
  guint users;               /* pushes to come; under loops_mutex */
  Monitor monitor;           /* batch, and what is in it */
  Batch *batch;              /* attached and not yet dispatched; NULL: none */
};

static pthread_mutex_t loops_mutex = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *loops; /* GMainContext → Loop that has users */

static Loop *
loop_new (GMainContext *context)
{
  Loop *loop = g_new0 (Loop, 1);

  g_atomic_ref_count_init (&loop->refs);
  loop->context = g_main_context_ref (context);
  monitor_init (&loop->monitor);
  return loop;
}

static void
loop_unref (Loop *loop)
{
  if (!g_atomic_ref_count_dec (&loop->refs))
    return;
  monitor_clear (&loop->monitor);
  g_free (loop);
}

static Loop *
find_locked (GMainContext *context)
{
  Loop *loop;

  if (loops == NULL)
    loops = g_hash_table_new (NULL, NULL);
  loop = g_hash_table_lookup (loops, context);
  if (loop == NULL) {
    loop = loop_new (context);
    g_hash_table_insert (loops, context, loop);
  }
  return loop;
}

Loop *
loop_get (GMainContext *context)
{
  g_autoptr (GMainContext) mine = context == NULL ? g_main_context_ref_thread_default () : g_main_context_ref (context);
  Loop *loop;

  pthread_mutex_lock (&loops_mutex);
  loop = find_locked (mine);
  loop->users++;
  pthread_mutex_unlock (&loops_mutex);
  return loop;
}

/* The last one lets the context go, which may end it, here. */
static void
loop_leave (Loop *loop)
{
  GMainContext *context = NULL;

  pthread_mutex_lock (&loops_mutex);
  if (--loop->users == 0) {
    context = g_steal_pointer (&loop->context);
    g_hash_table_remove (loops, context);
    if (g_hash_table_size (loops) == 0)
      g_clear_pointer (&loops, g_hash_table_unref);
  }
  pthread_mutex_unlock (&loops_mutex);
  if (context == NULL)
    return;
  g_main_context_unref (context);
  loop_unref (loop);
}

/* ----------------------------------------------------------------- batches */

static LoopItem *
batch_close (Batch *batch)
{
  Loop *loop = atomic_load_explicit (&batch->loop, memory_order_acquire);
  LoopItem *first;

  monitor_lock (&loop->monitor);
  if (loop->batch == batch)
    loop->batch = NULL;
  first = g_steal_pointer (&batch->first);
  monitor_unlock (&loop->monitor);
  return first;
}

static void
batch_run (Batch *batch, gboolean run)
{
  LoopItem *item = batch_close (batch);

  while (item != NULL) {
    LoopItem *next = item->next;

    item->dispatch (item, run);
    item = next;
  }
}

static gboolean
batch_dispatch (gpointer data)
{
  batch_run (data, TRUE);
  return G_SOURCE_REMOVE;
}

static void
batch_free (gpointer data)
{
  Batch *batch = data;

  batch_run (batch, FALSE);
  loop_unref (atomic_load_explicit (&batch->loop, memory_order_acquire));
  g_free (batch);
}

static Batch *
batch_new (Loop *loop)
{
  Batch *batch = g_new0 (Batch, 1);

  g_atomic_ref_count_inc (&loop->refs);
  atomic_store_explicit (&batch->loop, loop, memory_order_release);
  batch->last = &batch->first;
  return batch;
}

static void
batch_attach (Batch *batch)
{
  GSource *source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, batch_dispatch, batch, batch_free);
  g_source_attach (source, atomic_load_explicit (&batch->loop, memory_order_relaxed)->context);
  g_source_unref (source);
}

void
loop_push (Loop *loop, LoopItem *item)
{
  Batch *fresh = NULL;

  item->next = NULL;
  monitor_lock (&loop->monitor);
  if (loop->batch == NULL)
    loop->batch = fresh = batch_new (loop);
  *loop->batch->last = item;
  loop->batch->last = &item->next;
  monitor_unlock (&loop->monitor);
  if (fresh != NULL)
    batch_attach (fresh);
  loop_leave (loop);
}
