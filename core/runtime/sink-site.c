/* SPDX-License-Identifier: Apache-2.0 */
#include "sink-site.h"

#include <grpc/status.h>
#include <string.h>

#include "core/base/json.h"
#include "core/call/async.h"
#include "core/pool/pool.h"
#include "metrics.h"
#include "process.h"

struct SinkSite {
  gatomicrefcount refs;
  World *world;
  GPtrArray *all;            /* of CenotePool (references), in the keyfile's order */
  GPtrArray *pools;          /* those of them that the sink serves */
  Bus *bus;                  /* (reference) */
  Callbacks *callbacks;      /* (reference) */
  Instance *instance;
};

/* ----------------------------------------------------------------- services */

static gint64
now_us (gpointer data)
{
  const SinkSite *site = data;

  return world_now_us (site->world);
}

static guint64
random_bits (gpointer data)
{
  const SinkSite *site = data;

  return site->world->random (site->world);
}

static void
read_metrics (gpointer data, CenoteMetricFunc func, void *func_data)
{
  const SinkSite *site = data;
  const CountSources sources = { site->pools, site->bus, site->callbacks };

  for (guint i = 0; i < site->pools->len; i++)
    pool_want_samples (site->pools->pdata[i]);
  metrics_read (&sources, func, func_data);
}

/* A pool that is over says so, without the control thread. */
static char *
status_json (gpointer data)
{
  const SinkSite *site = data;

  if (control_on_any () || bus_on_telemetry_thread () || callbacks_on_thread () || process_is_forked_child ())
    return NULL;
  return pools_status_to_json (site->pools);
}

/* -------------------------------------------------------------------- calls */

/* One of the sink's, until its end was told. */
typedef struct SinkCall {
  SinkSite *site;            /* (reference) */
  CenoteCallDone done;       /* NULL: told */
  void *data;
} SinkCall;

static void
tell_done (SinkCall *call, int status, const char *message, const void *response, gsize size)
{
  CenoteCallDone done = g_steal_pointer (&call->done);

  done (call->data, status, message, response, size);
}

/* What a call of no channel is to a sink that knows gRPC's statuses alone. */
static int
status_of (const GError *error)
{
  if (error->domain == CENOTE_STATUS)
    return error->code;
  if (error->domain != CENOTE_ERROR)
    return GRPC_STATUS_UNKNOWN;
  switch ((CenoteError) error->code) {
  case CENOTE_ERROR_TIMEOUT:
    return GRPC_STATUS_DEADLINE_EXCEEDED;
  case CENOTE_ERROR_LIMIT:
    return GRPC_STATUS_RESOURCE_EXHAUSTED;
  case CENOTE_ERROR_INVALID:
    return GRPC_STATUS_INVALID_ARGUMENT;
  case CENOTE_ERROR_NOT_CONNECTED:
  case CENOTE_ERROR_STOPPED:
    return GRPC_STATUS_UNAVAILABLE;
  case CENOTE_ERROR_CONFIG:
  case CENOTE_ERROR_PLUGIN:
  case CENOTE_ERROR_NOT_FOUND:
  case CENOTE_ERROR_CALL:
    break;
  }
  return GRPC_STATUS_UNKNOWN;
}

static void
call_ended (CenotePool *pool, GBytes *reply, const GError *error, gpointer data)
{
  gsize size = 0;
  const void *bytes = reply == NULL ? NULL : g_bytes_get_data (reply, &size);

  (void) pool;
  if (error != NULL)
    tell_done (data, status_of (error), error->message, NULL, 0);
  else
    tell_done (data, GRPC_STATUS_OK, NULL, bytes, size);
}

static void
call_free (gpointer data)
{
  SinkCall *call = data;

  if (call->done != NULL)
    tell_done (call, GRPC_STATUS_UNAVAILABLE, "the runtime was stopped", NULL, 0);
  sink_site_unref (call->site);
  g_free (call);
}

static CenotePool *
find_pool (const SinkSite *site, const char *name)
{
  for (guint i = 0; i < site->all->len; i++) {
    if (strcmp (cenote_pool_get_name (site->all->pdata[i]), name) == 0)
      return site->all->pdata[i];
  }
  return NULL;
}

/* From the sink's destroy, when the site has no reference left, none may. */
static gboolean
may_call (const CenotePool *pool)
{
  return pool != NULL && pool->calls != NULL && !process_is_forked_child () && !calls_are_closed (pool->calls);
}

static gboolean
call_async (gpointer data, const HostCall *what)
{
  SinkSite *site = data;
  CenotePool *pool = find_pool (site, what->pool);
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  g_autoptr (GBytes) request = NULL;
  SinkCall *call;

  if (!may_call (pool))
    return FALSE;
  options.timeout_ms = what->timeout_us / 1000 + (what->timeout_us % 1000 > 0);
  request = g_bytes_new (what->request, what->size);
  call = g_new (SinkCall, 1);
  *call = (SinkCall) { sink_site_ref (site), what->done, what->data };
  if (call_unary_without_loop (pool, what->method, request, &options, call_ended, call, call_free))
    return TRUE;
  sink_site_unref (call->site);
  g_free (call);
  return FALSE;
}

/* -------------------------------------------------------------------- lives */

static gboolean
serves (const PluginUse *sink, const PoolSettings *pool)
{
  for (guint i = 0; i < pool->sinks->len; i++) {
    const PluginUse *use = pool->sinks->pdata[i];

    if (strcmp (use->instance, sink->instance) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
hold_pools (SinkSite *site, const PluginUse *use, const GPtrArray *pools)
{
  site->all = g_ptr_array_new_with_free_func ((GDestroyNotify) cenote_pool_unref);
  site->pools = g_ptr_array_new ();
  for (guint i = 0; i < pools->len; i++) {
    CenotePool *pool = pools->pdata[i];

    g_ptr_array_add (site->all, cenote_pool_ref (pool));
    if (serves (use, pool->settings))
      g_ptr_array_add (site->pools, pool);
  }
}

SinkSite *
sink_site_new (const PluginUse *use, const CountSources *sources, World *world, GError **error)
{
  SinkSite *site = g_new0 (SinkSite, 1);
  const HostServices services = {
    .now_us = now_us,
    .random = random_bits,
    .read_metrics = read_metrics,
    .status_json = status_json,
    .call_async = call_async,
    .data = site,
  };

  g_atomic_ref_count_init (&site->refs);
  site->world = world;
  site->bus = bus_ref (sources->bus);
  site->callbacks = callbacks_ref (sources->callbacks);
  hold_pools (site, use, sources->pools);
  site->instance = instance_new (use, NULL, &services, error);
  if (site->instance == NULL)
    g_clear_pointer (&site, sink_site_unref);
  return site;
}

SinkSite *
sink_site_ref (SinkSite *site)
{
  g_atomic_ref_count_inc (&site->refs);
  return site;
}

void
sink_site_unref (SinkSite *site)
{
  if (!g_atomic_ref_count_dec (&site->refs))
    return;
  instance_unref (site->instance);
  g_ptr_array_unref (site->pools);
  g_ptr_array_unref (site->all);
  callbacks_unref (site->callbacks);
  bus_unref (site->bus);
  g_free (site);
}

Instance *
sink_site_instance (SinkSite *site)
{
  return site->instance;
}

GPtrArray *
sink_site_pool_names (const SinkSite *site)
{
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < site->pools->len; i++)
    g_ptr_array_add (names, (gpointer) cenote_pool_get_name (site->pools->pdata[i]));
  g_ptr_array_add (names, NULL);
  return names;
}
