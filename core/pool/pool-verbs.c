/* SPDX-License-Identifier: Apache-2.0 */
/* pool-verbs: what a program may do to a pool: size it, connect, disconnect, pause, stop. */
#include "pool.h"
#include "core/runtime/process.h"

/* ------------------------------------------------------------------- sizing */

typedef enum { SIZE_TO, SIZE_UP, SIZE_DOWN } SizeVerb;

typedef struct Resize {
  CenotePool *pool;
  SizeVerb verb;
  gint64 n;
  gint64 begun_us;           /* when the caller asked */
  int size;                  /* the answer */
  GError *error;
} Resize;

static const char *
size_verb_name (SizeVerb verb)
{
  static const char *const names[] = { [SIZE_TO] = "resize", [SIZE_UP] = "scale_up", [SIZE_DOWN] = "scale_down" };

  return names[verb];
}

static gint64
size_after (const CenotePool *pool, const Resize *resize)
{
  switch (resize->verb) {
  case SIZE_TO:
    return resize->n;
  case SIZE_UP:
    return (gint64) pool->wanted + resize->n;
  case SIZE_DOWN:
    return (gint64) pool->wanted - resize->n;
  }
  g_return_val_if_reached (0);
}

static GError *
size_fault (CenotePool *pool, const Resize *resize, gint64 size)
{
  const char *name = pool->settings->name;
  const char *verb = size_verb_name (resize->verb);

  if (pool->phase >= POOL_STOPPING || pool->connector == NULL)
    return pool_miss_error (pool, LEASE_STOPPED);
  if ((pool->connector->plugin->ops.connector.flags & CENOTE_CONNECTOR_SIZES_ITSELF) != 0)
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_INVALID, "Pool %s cannot %s: its connector %s chooses its size", name, verb,
                        pool->connector->plugin->name);
  if (resize->n <= 0)
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_INVALID, "Pool %s cannot %s by or to %" G_GINT64_FORMAT ": 1 is the least",
                        name, verb, resize->n);
  if (size < 1)
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_LIMIT, "Pool %s cannot %s by %" G_GINT64_FORMAT ": it would empty the pool of %u",
                        name, verb, resize->n, pool->wanted);
  if (size > POOL_MAX_SIZE)
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_LIMIT,
                        "Pool %s cannot %s to %" G_GINT64_FORMAT " channels: the maximum is %d", name, verb, size, POOL_MAX_SIZE);
  return NULL;
}

static void
resize_here (gpointer data)
{
  Resize *resize = data;
  CenotePool *pool = resize->pool;
  gint64 size = size_after (pool, resize);
  guint old = pool->wanted;

  resize->error = size_fault (pool, resize, size);
  if (resize->error != NULL)
    return;
  pool_set_wanted (pool, (guint) size);
  pool_tell_scaling (pool, old, (guint) size, size_verb_name (resize->verb), resize->begun_us);
  resize->size = (int) size;
}

static int
do_resize (CenotePool *pool, SizeVerb verb, int n, GError **error)
{
  Resize resize = { .pool = pool, .verb = verb, .n = n, .begun_us = control_now_us (pool->control), .size = -1 };

  if (!process_check_fork (error) || !process_check_may_block (size_verb_name (verb), error))
    return -1;
  if (!control_call (pool->control, resize_here, &resize))
    resize.error = pool_miss_error (pool, LEASE_STOPPED);
  if (resize.error != NULL)
    g_propagate_error (error, resize.error);
  return resize.size;
}

int
cenote_pool_resize (CenotePool *pool, int n, GError **error)
{
  return do_resize (pool, SIZE_TO, n, error);
}

int
cenote_pool_scale_up (CenotePool *pool, int k, GError **error)
{
  return do_resize (pool, SIZE_UP, k, error);
}

int
cenote_pool_scale_down (CenotePool *pool, int k, GError **error)
{
  return do_resize (pool, SIZE_DOWN, k, error);
}

/* --------------------------------------------------------------- connection */

static void
call_here (CenotePool *pool, void (*func) (gpointer data))
{
  if (!process_is_forked_child ())
    control_call (pool->control, func, pool);
}

typedef struct ConnectCall {
  CenotePool *pool;
  GError *error;
} ConnectCall;

static void
connect_here (gpointer data)
{
  ConnectCall *call = data;
  CenotePool *pool = call->pool;
  guint i;

  if (pool->phase == POOL_RESTING && pool->settings->failure == NULL)
    pool_set_phase (pool, POOL_RUNNING);
  pool_view_ask (pool);
  for (i = 0; i < pool->addresses->len; i++)
    address_wake (pool->addresses->pdata[i]);
  pool_names_ask (pool);
  call->error = pool_hopeless (pool);
}

/* Where addresses come from dials, there is nothing to wait for. */
gboolean
cenote_pool_connect (CenotePool *pool, gint64 timeout_ms, GError **error)
{
  ConnectCall call = { pool, NULL };

  if (!process_check_fork (error))
    return FALSE;
  if (!control_call (pool->control, connect_here, &call))
    call.error = pool_miss_error (pool, LEASE_STOPPED);
  if (call.error != NULL) {
    g_propagate_error (error, call.error);
    return FALSE;
  }
  if (pool->dials)
    return TRUE;
  return cenote_pool_await_ready (pool, timeout_ms, error);
}

static void
disconnect_here (gpointer data)
{
  CenotePool *pool = data;
  g_autoptr (GError) error = NULL;

  if (pool->phase != POOL_RUNNING)
    return;
  pool_set_phase (pool, POOL_RESTING);
  pool_drain_all (pool, "the pool was disconnected");
  error = pool_hopeless (pool);
  pool_fail_waiters (pool, error);
}

void
cenote_pool_disconnect (CenotePool *pool)
{
  call_here (pool, disconnect_here);
}

/* The plan comes before the dials, which are for channels that it makes. */
static void
reconnect_here (gpointer data)
{
  CenotePool *pool = data;
  guint i;

  if (pool->phase != POOL_RUNNING)
    return;
  pool->verb = CENOTE_VERB_ROTATE;
  pool_renew (pool, STALE_RECONNECT, "the program asked for it");
  for (i = 0; i < pool->addresses->len; i++)
    address_wake (pool->addresses->pdata[i]);
  pool_names_ask (pool);
}

void
cenote_pool_reconnect (CenotePool *pool)
{
  call_here (pool, reconnect_here);
}

static void
pause_here (gpointer data)
{
  pool_set_paused (data, TRUE);
}

static void
resume_here (gpointer data)
{
  pool_set_paused (data, FALSE);
}

void
cenote_pool_pause (CenotePool *pool)
{
  call_here (pool, pause_here);
}

void
cenote_pool_resume (CenotePool *pool)
{
  call_here (pool, resume_here);
}

static void
stop_here (gpointer data)
{
  pool_begin_stop (data);
}

void
cenote_pool_stop (CenotePool *pool)
{
  call_here (pool, stop_here);
}
