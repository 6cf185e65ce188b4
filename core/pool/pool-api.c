/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-api: a pool's memory, and what can be read from it and hung on it.
 */
#include <string.h>

#include "mock.h"
#include "pool.h"
#include "core/runtime/process.h"

/* ------------------------------------------------------------------- memory */

CenotePool *
cenote_pool_ref (CenotePool *pool)
{
  atomic_fetch_add_explicit (&pool->refs, 1, memory_order_relaxed);
  return pool;
}

static void
pool_free (CenotePool *pool)
{
  mock_unref (pool->mock);
  ccore_credentials_unref (pool->plain_credentials);
  g_ptr_array_unref (pool->channels);
  g_ptr_array_unref (pool->addresses);
  g_ptr_array_unref (pool->names);
  pool_view_clear (&pool->view);
  g_hash_table_unref (pool->address_names);
  g_hash_table_unref (pool->closed_names);
  g_queue_clear_full (&pool->closed, g_free);
  g_array_unref (pool->free_places);
  g_hash_table_unref (pool->waiter_ids);
  slot_table_unref (pool->table);
  calls_unref (pool->calls);
  bus_unref (pool->bus);
  callbacks_unref (pool->callbacks);
  pool_meters_clear (&pool->meters);
  control_unref (pool->control);
  pool_settings_unref (pool->settings);
  g_free (pool->last_error);
  monitor_clear (&pool->lock);
  g_aligned_free (pool);
}

void
cenote_pool_unref (CenotePool *pool)
{
  if (pool == NULL || process_is_forked_child () ||
      atomic_fetch_sub_explicit (&pool->refs, 1, memory_order_acq_rel) > 1)
    return;
  pool_free (pool);
}

const char *
cenote_pool_get_name (CenotePool *pool)
{
  g_return_val_if_fail (pool != NULL, NULL);
  return pool->settings->name;
}

gboolean
cenote_pool_get_plaintext_credentials (CenotePool *pool, const char **out_header, char **out_value)
{
  g_return_val_if_fail (pool != NULL && out_header != NULL && out_value != NULL, FALSE);
  if (pool->plain_credentials == NULL || ccore_credentials_header (pool->plain_credentials) == NULL ||
      process_is_forked_child ())
    return FALSE;
  *out_header = ccore_credentials_header (pool->plain_credentials);
  *out_value = ccore_credentials_dup_value (pool->plain_credentials);
  return TRUE;
}

const char *const *
cenote_pool_get_plaintext_metadata (CenotePool *pool)
{
  static const char *const none[] = { NULL };

  g_return_val_if_fail (pool != NULL, none);
  return pool->plain_credentials == NULL ? none : ccore_credentials_pairs (pool->plain_credentials);
}

/* ------------------------------------------------------------------- status */

typedef struct StatusCall {
  CenotePool *pool;
  CenotePoolStatus *status;
} StatusCall;

static void
status_here (gpointer data)
{
  StatusCall *call = data;

  call->status = pool_status_new (call->pool);
}

static CenotePoolStatus *
status_of_ended (CenotePool *pool)
{
  CenotePoolStatus *status = g_new0 (CenotePoolStatus, 1);

  status->struct_size = sizeof *status;
  status->name = g_strdup (pool->settings->name);
  status->state = CENOTE_POOL_STOPPED;
  status->last_error_age_ms = -1;
  status->channels = g_new0 (CenoteChannelStatus *, 1);
  return status;
}

CenotePoolStatus *
cenote_pool_get_status (CenotePool *pool)
{
  StatusCall call = { pool, NULL };

  if (process_is_forked_child () || !control_call (pool->control, status_here, &call))
    call.status = status_of_ended (pool);
  pool_status_add_durations (call.status, pool);
  return call.status;
}

/* ---------------------------------------------------------- observers, mock */

/* Of an older header, it may end before that member. */
static gboolean
wants_dials (const CenoteObserver *observer)
{
  gsize end = G_STRUCT_OFFSET (CenoteObserver, connect_requested) + sizeof observer->connect_requested;

  return observer->struct_size >= end && observer->connect_requested != NULL;
}

guint
cenote_pool_add_observer (CenotePool *pool, const CenoteObserver *observer, gpointer user_data, GDestroyNotify notify)
{
  guint id = 0;

  g_return_val_if_fail (observer != NULL, 0);
  if (process_is_forked_child ()) {
    if (notify != NULL)
      notify (user_data);
    return G_MAXUINT;
  }
  monitor_lock (&pool->lock);
  if (pool->observers != NULL)
    id = observers_add (pool->observers, observer, user_data, notify);
  if (id != 0 && wants_dials (observer))
    atomic_store (&pool->tells_dials, pool->dials);
  monitor_unlock (&pool->lock);
  if (id != 0)
    return id;
  callbacks_post (pool->callbacks, "observer's notify", NULL, user_data, notify);
  return G_MAXUINT;
}

void
cenote_pool_remove_observer (CenotePool *pool, guint id)
{
  if (process_is_forked_child ())
    return;
  monitor_lock (&pool->lock);
  if (pool->observers != NULL)
    observers_remove (pool->observers, id);
  monitor_unlock (&pool->lock);
}

static void
republish_here (gpointer data)
{
  pool_republish (data);
}

/* (transfer full) (nullable): what BOX takes the place of.  Where it is NULL the old
 * mock still answers those who have seen it named. */
static MockBox *
mock_put (CenotePool *pool, MockBox *box)
{
  MockBox *old = NULL;

  monitor_lock (&pool->lock);
  pool->mocked = box != NULL;
  if (box != NULL) {
    old = pool->mock;
    pool->mock = box;
  }
  monitor_unlock (&pool->lock);
  return old;
}

/* (transfer full) (nullable): the mock that no view names any more. */
static MockBox *
mock_take_unused (CenotePool *pool)
{
  MockBox *unused = NULL;

  monitor_lock (&pool->lock);
  if (!pool->mocked)
    unused = g_steal_pointer (&pool->mock);
  monitor_unlock (&pool->lock);
  return unused;
}

void
cenote_pool_set_mock (CenotePool *pool, CenoteMockFunc mock, gpointer user_data, GDestroyNotify notify)
{
  MockBox *old = mock_put (pool, mock == NULL ? NULL : mock_new (mock, user_data, notify));

  if (!process_is_forked_child ())
    control_call (pool->control, republish_here, pool);
  mock_unref (old);
  mock_unref (mock_take_unused (pool));
}
