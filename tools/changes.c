/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes: wakes a waiting thread when something changes in the pools it follows.
 *
 * The counter is shared with the observers and counted, because a callback may
 * still run when changes_free() has removed it.  Lock: the counter's own.
 */
#include "changes.h"

#include "core/base/monitor.h"

typedef struct Counter {
  Monitor monitor;
  guint64 count;
} Counter;

typedef struct Following {
  CenotePool *pool;          /* (reference) */
  guint observer;
} Following;

struct Changes {
  Counter *counter;          /* (atomic reference) */
  GArray *followed;          /* of Following */
};

static void
counter_clear (gpointer data)
{
  Counter *counter = data;

  monitor_clear (&counter->monitor);
}

static void
counter_unref (gpointer counter)
{
  g_atomic_rc_box_release_full (counter, counter_clear);
}

static void
counter_push (Counter *counter)
{
  monitor_lock (&counter->monitor);
  counter->count++;
  monitor_broadcast (&counter->monitor);
  monitor_unlock (&counter->monitor);
}

static void
on_channel (CenotePool *pool, guint64 id, const char *address, gpointer counter)
{
  (void) pool, (void) id, (void) address;
  counter_push (counter);
}

static void
on_failure (CenotePool *pool, guint64 id, const char *address, const GError *error, gpointer counter)
{
  (void) pool, (void) id, (void) address, (void) error;
  counter_push (counter);
}

static void
on_address (CenotePool *pool, const char *address, gpointer counter)
{
  (void) pool, (void) address;
  counter_push (counter);
}

static void
on_count (CenotePool *pool, guint count, gpointer counter)
{
  (void) pool, (void) count;
  counter_push (counter);
}

Changes *
changes_new (void)
{
  Changes *changes = g_new0 (Changes, 1);

  changes->counter = g_atomic_rc_box_new0 (Counter);
  monitor_init (&changes->counter->monitor);
  changes->followed = g_array_new (FALSE, FALSE, sizeof (Following));
  return changes;
}

void
changes_free (Changes *changes)
{
  if (changes == NULL)
    return;
  for (guint i = 0; i < changes->followed->len; i++) {
    Following *following = &g_array_index (changes->followed, Following, i);

    cenote_pool_remove_observer (following->pool, following->observer);
    cenote_pool_unref (following->pool);
  }
  g_array_unref (changes->followed);
  counter_unref (changes->counter);
  g_free (changes);
}

void
changes_follow (Changes *changes, CenotePool *pool)
{
  CenoteObserver observer = CENOTE_OBSERVER_INIT;
  Following following = { .pool = cenote_pool_ref (pool) };

  observer.connected = on_channel;
  observer.disconnected = on_channel;
  observer.connection_failed = on_failure;
  observer.connect_requested = on_address;
  observer.cache_missed = on_address;
  observer.connection_count = on_count;
  following.observer =
    cenote_pool_add_observer (pool, &observer, g_atomic_rc_box_acquire (changes->counter), counter_unref);
  g_array_append_val (changes->followed, following);
}

void
changes_push (Changes *changes)
{
  counter_push (changes->counter);
}

guint64
changes_count (Changes *changes)
{
  guint64 count;

  monitor_lock (&changes->counter->monitor);
  count = changes->counter->count;
  monitor_unlock (&changes->counter->monitor);
  return count;
}

gboolean
changes_wait (Changes *changes, guint64 seen, gint64 until_us)
{
  Counter *counter = changes->counter;
  gboolean moved = TRUE;

  monitor_lock (&counter->monitor);
  while (moved && counter->count == seen)
    moved = monitor_wait_until (&counter->monitor, until_us);
  moved = counter->count != seen;
  monitor_unlock (&counter->monitor);
  return moved;
}
