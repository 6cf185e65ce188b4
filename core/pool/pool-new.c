/* SPDX-License-Identifier: Apache-2.0 */
/* pool-new: makes a pool: its table, the host services of its plugins, their states, its addresses. */
#include "pool.h"

static gint64
now_us (const CenotePool *pool)
{
  return control_now_us (pool->control);
}

/* ------------------------------------------------------------ host services */

typedef struct HostTimer {
  ControlTimer timer;        /* first */
  CenotePool *pool;          /* NULL: it will not run any more */
  void (*func) (void *data);
  void *data;
} HostTimer;

static gint64
service_now_us (gpointer data)
{
  const CenotePool *pool = data;

  return now_us (pool);
}

static guint64
service_random (gpointer data)
{
  const CenotePool *pool = data;
  World *world = control_world (pool->control);

  return world->random (world);
}

static void
host_timer_is_due (gpointer data)
{
  HostTimer *timer = data;
  void (*func) (void *data) = timer->func;
  void *func_data = timer->data;

  g_queue_remove (&timer->pool->timers, timer);
  g_free (timer);
  func (func_data);
}

static CenoteTimer *
service_timer_start (gpointer data, gint64 delay_us, void (*func) (void *func_data), void *func_data)
{
  CenotePool *pool = data;
  HostTimer *timer;

  if (pool->timers_ended)
    return NULL;
  timer = g_new0 (HostTimer, 1);
  timer->timer = (ControlTimer) { .func = host_timer_is_due, .data = timer };
  timer->pool = pool;
  timer->func = func;
  timer->data = func_data;
  g_queue_push_tail (&pool->timers, timer);
  control_timer_set (pool->control, &timer->timer, now_us (pool) + delay_us);
  return (CenoteTimer *) timer;
}

static void
service_timer_stop (gpointer data, CenoteTimer *opaque)
{
  HostTimer *timer = (HostTimer *) opaque;

  (void) data;
  if (timer->pool != NULL) {
    g_queue_remove (&timer->pool->timers, timer);
    control_timer_unset (timer->pool->control, &timer->timer);
  }
  g_free (timer);
}

void
pool_end_timers (CenotePool *pool)
{
  HostTimer *timer;

  pool->timers_ended = TRUE;
  while ((timer = g_queue_pop_head (&pool->timers)) != NULL) {
    control_timer_unset (pool->control, &timer->timer);
    timer->pool = NULL;
  }
}

static void
service_emit (gpointer data, const CenoteEvent *event)
{
  CenotePool *pool = data;

  bus_emit (pool->bus, event);
}

static void
service_renew (gpointer data, const char *why)
{
  pool_renew (data, STALE_CERTIFICATE, why);
}

static struct grpc_call_credentials *
service_call_credentials (gpointer data)
{
  const CenotePool *pool = data;

  return pool->credentials == NULL ? NULL : ccore_credentials_get (call_credentials_get (pool->credentials));
}

/* ------------------------------------------------------------------- making */

CcoreArgs *
pool_args_new (const PoolSettings *settings, gint64 keepalive_us, const char *authority)
{
  const CcoreArgsInput input = {
    .connect_timeout_us = pool_number (settings, POOL_CONNECT_TIMEOUT),
    .max_message_bytes = pool_number (settings, POOL_MAX_MESSAGE_SIZE),
    .max_metadata_bytes = pool_number (settings, POOL_MAX_METADATA_SIZE),
    .keepalive_time_us = keepalive_us,
    .keepalive_timeout_us = pool_number (settings, POOL_KEEPALIVE_TIMEOUT),
    .keepalive_permit_without_calls = pool_flag (settings, POOL_KEEPALIVE_PERMIT_WITHOUT_CALLS),
    .http_proxy = pool_flag (settings, POOL_HTTP_PROXY),
    .authority = authority,
    .service_config = pool_text (settings, POOL_SERVICE_CONFIG),
    .extra = settings->options[POOL_CHANNEL_ARGS].value.list,
  };

  return ccore_args_new (&input);
}

static void
world_heavy (gpointer data)
{
  World *world = data;

  world->heavy_barrier (world);
}

static guint64
world_random (gpointer data)
{
  World *world = data;

  return world->random (world);
}

static gint64
world_now (gpointer data)
{
  return world_now_us (data);
}

static SlotTable *
make_table (CenotePool *pool)
{
  World *world = control_world (pool->control);
  const SlotWorld slot_world = {
    .asymmetric = world->asymmetric,
    .heavy = world_heavy,
    .random = world_random,
    .now_us = world_now,
    .data = world,
  };

  SlotTable *table = slot_table_new (&slot_world, pool_wanted_by_caller, pool);

  slot_table_set_otherwise (table, pool_get_after);
  slot_table_set_used (table, pool_lease_was_used);
  return table;
}

static void
make_services (CenotePool *pool)
{
  pool->services = (HostServices) {
    .now_us = service_now_us,
    .random = service_random,
    .timer_start = service_timer_start,
    .timer_stop = service_timer_stop,
    .emit = service_emit,
    .renew = service_renew,
    .call_credentials = service_call_credentials,
    .data = pool,
  };
}

static gboolean
make_plugins (CenotePool *pool, GError **error)
{
  const char *name = pool->settings->name;

  pool->transport = instance_new (pool->settings->transport, name, &pool->services, error);
  if (pool->transport == NULL)
    return FALSE;
  /* Its last channel, and so its own end, may come when everybody else has let go of the pool. */
  instance_keep (pool->transport, cenote_pool_ref (pool), (GDestroyNotify) cenote_pool_unref);
  pool->connector = instance_new (pool->settings->connector, name, &pool->services, error);
  if (pool->connector == NULL)
    return FALSE;
  pool->picker = instance_new (pool->settings->picker, name, &pool->services, error);
  if (pool->picker == NULL)
    return FALSE;
  pool->links = (LinkSite) {
    .control = pool->control,
    .ccore = pool->site->ccore,
    .table = pool->table,
    .transport = pool->transport,
    .channel_args = ccore_args_get (pool->args),
    .channel_args_for = pool_channel_args_for,
    .event = pool_link_event,
    .n_links = &pool->n_links,
    .lingering = &pool->lingering,
    .xds = &pool->xds_links,
  };
  return TRUE;
}

/* Channels of a secure transport carry these themselves; without one calls do: credentials where that is allowed. */
static gboolean
channels_prove (const PoolSettings *settings)
{
  return (settings->transport->plugin->ops.transport.flags & CENOTE_TRANSPORT_SECURE) != 0;
}

static gboolean
make_credentials (CenotePool *pool, GError **error)
{
  const PoolSettings *settings = pool->settings;

  const char *const *metadata = settings->options[POOL_METADATA].value.list;

  if (settings->credentials.kind == CREDENTIALS_NONE && metadata == NULL)
    return TRUE;
  pool->credentials = call_credentials_new (pool->control, &settings->credentials, metadata, settings->name, error);
  if (pool->credentials == NULL)
    return FALSE;
  if (!channels_prove (settings))
    pool->plain_credentials = pool->streams.credentials = ccore_credentials_ref (call_credentials_get (pool->credentials));
  return TRUE;
}

Address *
pool_add_address (CenotePool *pool, const char *name, const char *target, GError **error)
{
  Instance *backoff = instance_new (pool->settings->backoff, pool->settings->name, &pool->services, error);
  Address *address;

  if (backoff == NULL)
    return NULL;
  address = address_new (&pool->address_site, pool->next_address_id++, name, target, backoff);
  pool_view_add_address (pool, address);
  return address;
}

static gboolean
add_addresses (CenotePool *pool, GError **error)
{
  char **target;

  for (target = pool->settings->targets; target != NULL && *target != NULL; target++) {
    if (pool_names_follows (pool, *target) ? !pool_names_add (pool, *target, error)
                                           : pool_add_address (pool, *target, *target, error) == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
connector_dials (const PoolSettings *settings)
{
  return settings->connector != NULL && settings->connector->plugin != NULL &&
         (settings->connector->plugin->ops.connector.flags & CENOTE_CONNECTOR_DIALS) != 0;
}

static CenotePool *
pool_alloc (const PoolSettings *settings, const PoolSite *site)
{
  CenotePool *pool = g_aligned_alloc0 (1, sizeof (CenotePool), CACHE_LINE);

  atomic_init (&pool->refs, 1);
  monitor_init (&pool->lock);
  pool->settings = pool_settings_ref ((PoolSettings *) settings);
  pool->site = site;
  pool->streams = site->streams;
  pool->control = control_ref (site->control);
  pool->bus = bus_ref (site->bus);
  pool->callbacks = callbacks_ref (site->callbacks);
  pool_meters_init (&pool->meters);
  pool->table = make_table (pool);
  pool_track_leases (pool);
  pool->dials = connector_dials (settings);
  pool->last_error_us = -1;
  pool->phase = POOL_RESTING;
  pool->wanted = pool->shown_expected = (guint) pool_number (settings, POOL_SIZE);
  pool->channels = g_ptr_array_new ();
  pool->addresses = g_ptr_array_new_with_free_func ((GDestroyNotify) address_free);
  pool->names = g_ptr_array_new_with_free_func (pool_name_free);
  pool_view_init (&pool->view);
  pool->address_names = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&pool->closed);
  pool->closed_names = g_hash_table_new (g_str_hash, g_str_equal);
  pool->verb_address = CENOTE_NO_ADDRESS;
  pool->next_channel_id = 1;
  pool->free_places = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_queue_init (&pool->timers);
  pool_init_timers (pool);
  g_queue_init (&pool->waiters);
  g_queue_init (&pool->lingering);
  g_queue_init (&pool->xds_links);
  pool->waiter_ids = g_hash_table_new (NULL, NULL);
  return pool;
}

CenotePool *
pool_new (const PoolSettings *settings, const PoolSite *site, GError **error)
{
  static const ObservedPoolFuncs funcs = { cenote_pool_ref, cenote_pool_unref };
  CenotePool *pool = pool_alloc (settings, site);

  pool->observers = observers_new (pool, &funcs, site->callbacks);
  pool->calls = site->calls == NULL ? NULL : calls_ref (site->calls);
  retry_budget_init (&pool->retry_budget);
  make_services (pool);
  pool_wire_events (pool);
  pool_wire_probes (pool);
  pool_wire_ejection (pool);
  if (settings->failure == NULL) {
    pool->args = pool_args_new (settings, pool_number (settings, POOL_KEEPALIVE_TIME), NULL);
    if (!make_credentials (pool, error) || !make_plugins (pool, error) || !add_addresses (pool, error)) {
      pool_set_phase (pool, POOL_OVER);
      cenote_pool_unref (pool);
      return NULL;
    }
  }
  pool_heed_settings (pool);
  return pool;
}
