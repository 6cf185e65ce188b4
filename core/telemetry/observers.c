/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observers: owns the list of observers; a notice is one thing that happened,
 * with the observers that there were.
 *
 * An observer is counted: by the list, and by each notice.  The list's reference
 * is dropped by a closure that is posted behind the notices, so the notify comes
 * after the last callback and on the callback thread (once that has ended, on the
 * thread that removes).
 */
#include "observers.h"

#include <string.h>

#include "core/base/monitor.h"

typedef struct Observer {
  guint refs;                /* atomic */
  gboolean removed;          /* atomic */
  guint id;
  CenoteObserver funcs;
  gpointer user_data;
  GDestroyNotify notify;
} Observer;

struct Observers {
  CenotePool *pool;
  ObservedPoolFuncs pool_funcs;
  Callbacks *callbacks;
  Monitor monitor;
  GPtrArray *list;           /* of Observer, in the order of adding */
  guint last_id;
};

typedef enum {
  NOTICE_CONNECTED,
  NOTICE_DISCONNECTED,
  NOTICE_CONNECTION_FAILED,
  NOTICE_CONNECT_REQUESTED,
  NOTICE_CACHE_MISSED,
  NOTICE_CONNECTION_COUNT
} NoticeKind;

static const char *const notice_names[] = {
  [NOTICE_CONNECTED] = "connected",
  [NOTICE_DISCONNECTED] = "disconnected",
  [NOTICE_CONNECTION_FAILED] = "connection_failed",
  [NOTICE_CONNECT_REQUESTED] = "connect_requested",
  [NOTICE_CACHE_MISSED] = "cache_missed",
  [NOTICE_CONNECTION_COUNT] = "connection_count"
};

typedef struct Notice {
  NoticeKind kind;
  CenotePool *pool;          /* a reference */
  void (*pool_unref) (CenotePool *pool);
  GPtrArray *observers;      /* of Observer, a reference each */
  guint64 id;
  char *address;
  GError *error;
  guint count;
} Notice;

/* ----------------------------------------------------------- one observer */

static gpointer
observer_ref (gconstpointer source, gpointer unused)
{
  Observer *observer = (Observer *) source;

  (void) unused;
  (void) __atomic_add_fetch (&observer->refs, 1, __ATOMIC_RELAXED);
  return observer;
}

static void
observer_unref (gpointer data)
{
  Observer *observer = data;

  if (__atomic_sub_fetch (&observer->refs, 1, __ATOMIC_ACQ_REL) != 0)
    return;
  if (observer->notify != NULL)
    observer->notify (observer->user_data);
  g_free (observer);
}

static void
observer_call (const Observer *observer, const Notice *notice)
{
  const CenoteObserver *funcs = &observer->funcs;

  switch (notice->kind) {
  case NOTICE_CONNECTED:
    if (funcs->connected != NULL)
      funcs->connected (notice->pool, notice->id, notice->address, observer->user_data);
    break;
  case NOTICE_DISCONNECTED:
    if (funcs->disconnected != NULL)
      funcs->disconnected (notice->pool, notice->id, notice->address, observer->user_data);
    break;
  case NOTICE_CONNECTION_FAILED:
    if (funcs->connection_failed != NULL)
      funcs->connection_failed (notice->pool, notice->id, notice->address, notice->error, observer->user_data);
    break;
  case NOTICE_CONNECT_REQUESTED:
    if (funcs->connect_requested != NULL)
      funcs->connect_requested (notice->pool, notice->address, observer->user_data);
    break;
  case NOTICE_CACHE_MISSED:
    if (funcs->cache_missed != NULL)
      funcs->cache_missed (notice->pool, notice->address, observer->user_data);
    break;
  case NOTICE_CONNECTION_COUNT:
    if (funcs->connection_count != NULL)
      funcs->connection_count (notice->pool, notice->count, observer->user_data);
    break;
  }
}

/* ------------------------------------------------------------- one notice */

static void
notice_run (gpointer data)
{
  const Notice *notice = data;

  for (guint i = 0; i < notice->observers->len; i++) {
    const Observer *observer = g_ptr_array_index (notice->observers, i);

    if (!__atomic_load_n (&observer->removed, __ATOMIC_ACQUIRE))
      observer_call (observer, notice);
  }
}

static void
notice_free (gpointer data)
{
  Notice *notice = data;

  g_ptr_array_unref (notice->observers);
  notice->pool_unref (notice->pool);
  g_clear_error (&notice->error);
  g_free (notice->address);
  g_free (notice);
}

/* (transfer full) (nullable): who observes now; NULL: nobody. */
static GPtrArray *
present_observers (Observers *observers)
{
  GPtrArray *present = NULL;

  monitor_lock (&observers->monitor);
  if (observers->list->len > 0) {
    present = g_ptr_array_copy (observers->list, (GCopyFunc) observer_ref, NULL);
    g_ptr_array_set_free_func (present, observer_unref);
  }
  monitor_unlock (&observers->monitor);
  return present;
}

/* Fills the rest of a notice from WHAT and posts it. */
static void
post (Observers *observers, const Notice *what)
{
  GPtrArray *present = present_observers (observers);
  Notice *notice;

  if (present == NULL)
    return;
  notice = g_new (Notice, 1);
  *notice = *what;
  notice->observers = present;
  notice->pool = observers->pool_funcs.ref (observers->pool);
  notice->pool_unref = observers->pool_funcs.unref;
  notice->address = g_strdup (what->address);
  notice->error = what->error != NULL ? g_error_copy (what->error) : NULL;
  callbacks_post (observers->callbacks, notice_names[what->kind], notice_run, notice, notice_free);
}

/* --------------------------------------------------------------- the list */

Observers *
observers_new (CenotePool *pool, const ObservedPoolFuncs *funcs, Callbacks *callbacks)
{
  Observers *observers = g_new0 (Observers, 1);

  observers->pool = pool;
  observers->pool_funcs = *funcs;
  observers->callbacks = callbacks;
  monitor_init (&observers->monitor);
  observers->list = g_ptr_array_new ();
  return observers;
}

static void
post_drop (Observers *observers, Observer *observer)
{
  callbacks_post (observers->callbacks, "observer's notify", NULL, observer, observer_unref);
}

void
observers_free (Observers *observers)
{
  if (observers == NULL)
    return;
  for (guint i = 0; i < observers->list->len; i++)
    post_drop (observers, g_ptr_array_index (observers->list, i));
  g_ptr_array_unref (observers->list);
  monitor_clear (&observers->monitor);
  g_free (observers);
}

guint
observers_add (Observers *observers, const CenoteObserver *observer, gpointer user_data, GDestroyNotify notify)
{
  Observer *added;
  guint id;

  g_return_val_if_fail (observer->struct_size >= sizeof observer->struct_size, 0);

  added = g_new0 (Observer, 1);
  added->refs = 1;
  memcpy (&added->funcs, observer, MIN (observer->struct_size, sizeof added->funcs));
  added->user_data = user_data;
  added->notify = notify;

  monitor_lock (&observers->monitor);
  if (++observers->last_id == 0)
    observers->last_id = 1;
  id = added->id = observers->last_id;
  g_ptr_array_add (observers->list, added);
  monitor_unlock (&observers->monitor);
  return id;
}

/* With the lock held: (transfer full) (nullable). */
static Observer *
steal_locked (Observers *observers, guint id)
{
  for (guint i = 0; i < observers->list->len; i++)
    if (((const Observer *) g_ptr_array_index (observers->list, i))->id == id)
      return g_ptr_array_steal_index (observers->list, i);
  return NULL;
}

void
observers_remove (Observers *observers, guint id)
{
  Observer *observer;

  monitor_lock (&observers->monitor);
  observer = steal_locked (observers, id);
  monitor_unlock (&observers->monitor);
  if (observer == NULL)
    return;
  __atomic_store_n (&observer->removed, TRUE, __ATOMIC_RELEASE);
  post_drop (observers, observer);
}

/* -------------------------------------------------------------- happenings */

void
observers_connected (Observers *observers, guint64 id, const char *address)
{
  post (observers, &(Notice) { .kind = NOTICE_CONNECTED, .id = id, .address = (char *) address });
}

void
observers_disconnected (Observers *observers, guint64 id, const char *address)
{
  post (observers, &(Notice) { .kind = NOTICE_DISCONNECTED, .id = id, .address = (char *) address });
}

void
observers_connection_failed (Observers *observers, guint64 id, const char *address, const GError *error)
{
  post (observers, &(Notice) { .kind = NOTICE_CONNECTION_FAILED,
                               .id = id,
                               .address = (char *) address,
                               .error = (GError *) error });
}

void
observers_connect_requested (Observers *observers, const char *address)
{
  post (observers, &(Notice) { .kind = NOTICE_CONNECT_REQUESTED, .address = (char *) address });
}

void
observers_cache_missed (Observers *observers, const char *address)
{
  post (observers, &(Notice) { .kind = NOTICE_CACHE_MISSED, .address = (char *) address });
}

void
observers_connection_count (Observers *observers, guint count)
{
  post (observers, &(Notice) { .kind = NOTICE_CONNECTION_COUNT, .count = count });
}
