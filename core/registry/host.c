/* SPDX-License-Identifier: Apache-2.0 */
/* host: the table's functions, each of which finds its Host behind the table. */
#include "host.h"

#include <cenote/telemetry.h>
#include <string.h>

typedef struct Host {
  CenoteHost table;          /* first: a CenoteHost is a Host */
  Plugin *plugin;            /* (reference) */
  char *plugin_id;           /* "backoff/exponential" */
  char *instance;
  char *pool;                /* (nullable) */
  HostServices services;
  gint told_about_timers;    /* atomic: the warning was given */
} Host;

static const Host *
host_of (const CenoteHost *host)
{
  return (const Host *) (const void *) host;
}

/* -------------------------------------------------------------------- log */

/* GLib's errors abort, and criticals may be told to: a plugin's error is a warning
 * to GLib, and keeps its own priority for the journal. */
static GLogLevelFlags
glib_level (uint32_t level)
{
  switch (level) {
  case CENOTE_LOG_INFO:
    return G_LOG_LEVEL_INFO;
  case CENOTE_LOG_DEBUG:
    return G_LOG_LEVEL_DEBUG;
  case CENOTE_LOG_ERROR:
  case CENOTE_LOG_WARNING:
    break;
  }
  return G_LOG_LEVEL_WARNING;
}

static const char *
priority (uint32_t level)
{
  switch (level) {
  case CENOTE_LOG_ERROR:
    return "3";
  case CENOTE_LOG_INFO:
    return "6";
  case CENOTE_LOG_DEBUG:
    return "7";
  case CENOTE_LOG_WARNING:
    break;
  }
  return "4";
}

static void
host_log (const CenoteHost *table, uint32_t level, const char *text)
{
  const Host *host = host_of (table);
  g_autofree char *valid = g_utf8_make_valid (text ? text : "(no text)", -1);
  g_autofree char *message = host->pool ? g_strdup_printf ("pool %s: %s: %s", host->pool, host->plugin_id, valid)
                                        : g_strdup_printf ("%s: %s", host->plugin_id, valid);
  const GLogField fields[] = {
    { "MESSAGE", message, -1 },
    { "PRIORITY", priority (level), -1 },
    { "GLIB_DOMAIN", "Cenote", -1 },
    { "CENOTE_PLUGIN", host->plugin_id, -1 },
    { "CENOTE_INSTANCE", host->instance, -1 },
    { "CENOTE_POOL", host->pool, -1 },
  };

  g_log_structured_array (glib_level (level), fields, G_N_ELEMENTS (fields) - (host->pool ? 0 : 1));
}

/* ----------------------------------------------------------- clock, luck */

static int64_t
host_now_us (const CenoteHost *table)
{
  const Host *host = host_of (table);

  return host->services.now_us (host->services.data);
}

static uint64_t
host_random (const CenoteHost *table)
{
  const Host *host = host_of (table);

  return host->services.random (host->services.data);
}

/* ------------------------------------------------------------------ timers */

static void
tell_about_timers (const Host *host)
{
  if (g_atomic_int_compare_and_exchange ((gint *) &host->told_about_timers, 0, 1))
    host_log (&host->table, CENOTE_LOG_WARNING, "asked for a timer, which only a transport can have");
}

static CenoteTimer *
host_timer_start (const CenoteHost *table, int64_t delay_us, void (*func) (void *data), void *data)
{
  const Host *host = host_of (table);

  if (host->plugin->kind != CENOTE_PLUGIN_TRANSPORT) {
    tell_about_timers (host);
    return NULL;
  }
  if (!host->services.timer_start || !func)
    return NULL;
  return host->services.timer_start (host->services.data, MAX (delay_us, 0), func, data);
}

static void
host_timer_stop (const CenoteHost *table, CenoteTimer *timer)
{
  const Host *host = host_of (table);

  if (timer && host->services.timer_stop)
    host->services.timer_stop (host->services.data, timer);
}

/* ------------------------------------------------------------------ events */

/* The plugin's event may be shorter than ours: what it does not have, whole, stays "none". */
static void
host_emit (const CenoteHost *table, const CenoteEvent *event)
{
  const Host *host = host_of (table);
  CenoteEvent known = CENOTE_EVENT_INIT (0);
  gsize size;

  if (!host->services.emit || !event || event->struct_size < sizeof event->struct_size + sizeof event->kind ||
      event->kind >= CENOTE_N_EVENTS)
    return;
  size = MIN (event->struct_size, sizeof known);
  memcpy (&known, event, size - size % sizeof known.time_us);
  known.struct_size = sizeof known;
  known.pool = host->pool;
  if (known.time_us < 0)
    known.time_us = host_now_us (table);
  host->services.emit (host->services.data, &known);
}

/* ---------------------------------------------------------------- the pool */

static void
host_renew (const CenoteHost *table, const char *why)
{
  const Host *host = host_of (table);

  if (host->plugin->kind == CENOTE_PLUGIN_TRANSPORT && host->services.renew)
    host->services.renew (host->services.data, why ? why : "its transport asked for it");
}

static struct grpc_call_credentials *
host_call_credentials (const CenoteHost *table)
{
  const Host *host = host_of (table);

  if (host->plugin->kind != CENOTE_PLUGIN_TRANSPORT || !host->services.call_credentials)
    return NULL;
  return host->services.call_credentials (host->services.data);
}

/* --------------------------------------------------------------- for sinks */

static void
host_read_metrics (const CenoteHost *table, CenoteMetricFunc func, void *data)
{
  const Host *host = host_of (table);

  if (host->plugin->kind == CENOTE_PLUGIN_TELEMETRY && host->services.read_metrics && func)
    host->services.read_metrics (host->services.data, func, data);
}

static char *
host_status_json (const CenoteHost *table)
{
  const Host *host = host_of (table);

  if (host->plugin->kind != CENOTE_PLUGIN_TELEMETRY || !host->services.status_json)
    return NULL;
  return host->services.status_json (host->services.data);
}

static void
host_free_memory (const CenoteHost *table, void *memory)
{
  (void) table;
  g_free (memory);
}

static bool
host_call_async (const CenoteHost *table, const char *pool, const char *method, const void *request, size_t size,
                 int64_t timeout_us, CenoteCallDone done, void *data)
{
  const Host *host = host_of (table);
  const HostCall call = { pool, method, request, size, timeout_us, done, data };

  if (host->plugin->kind != CENOTE_PLUGIN_TELEMETRY || !host->services.call_async || !pool || !method || !done)
    return false;
  return host->services.call_async (host->services.data, &call);
}

/* ------------------------------------------------------------------ faults */

static void
host_fail (const CenoteHost *table, CenoteFault *fault, const char *text)
{
  (void) table;
  if (!fault)
    return;
  g_free (fault->text);
  fault->text = text ? g_utf8_make_valid (text, -1) : NULL;
}

void
fault_clear (CenoteFault *fault)
{
  g_clear_pointer (&fault->text, g_free);
}

GError *
fault_take (CenoteFault *fault, const CenoteHost *table, const char *operation)
{
  const Host *host = host_of (table);
  gboolean is_named = !g_str_equal (host->instance, host->plugin->name);
  g_autofree char *instance = is_named ? g_strdup_printf (" (%s)", host->instance) : g_strdup ("");
  g_autofree char *text = g_steal_pointer (&fault->text);

  return g_error_new (CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s%s: %s: %s", host->plugin_id, instance, operation,
                      text && *text ? text : "failed without saying why");
}

/* -------------------------------------------------------------------- host */

CenoteHost *
host_new (Plugin *plugin, const char *instance, const char *pool, const HostServices *services)
{
  Host *host = g_new0 (Host, 1);

  host->table = (CenoteHost) {
    .struct_size = sizeof host->table,
    .abi_minor = CENOTE_ABI_MINOR,
    .log = host_log,
    .now_us = host_now_us,
    .random = host_random,
    .fail = host_fail,
    .timer_start = host_timer_start,
    .timer_stop = host_timer_stop,
    .emit = host_emit,
    .renew = host_renew,
    .call_credentials = host_call_credentials,
    .read_metrics = host_read_metrics,
    .status_json = host_status_json,
    .free_memory = host_free_memory,
    .call_async = host_call_async,
  };
  host->plugin = plugin_ref (plugin);
  host->plugin_id = g_strdup_printf ("%s/%s", cenote_plugin_kind_to_string (plugin->kind), plugin->name);
  host->instance = g_strdup (instance ? instance : plugin->name);
  host->pool = g_strdup (pool);
  host->services = *services;
  return &host->table;
}

void
host_free (CenoteHost *table)
{
  Host *host = (Host *) table;

  if (!host)
    return;
  plugin_unref (host->plugin);
  g_free (host->plugin_id);
  g_free (host->instance);
  g_free (host->pool);
  g_free (host);
}

/* ------------------------------------------------------------------ states */

typedef void *(*CreateFunc) (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault);
typedef void (*DestroyFunc) (void *state);

static CreateFunc
create_slot (const Plugin *plugin)
{
  switch (plugin->kind) {
  case CENOTE_PLUGIN_BACKOFF:
    return plugin->ops.backoff.create;
  case CENOTE_PLUGIN_CONNECTOR:
    return plugin->ops.connector.create;
  case CENOTE_PLUGIN_PICKER:
    return plugin->ops.picker.create;
  case CENOTE_PLUGIN_TRANSPORT:
    return plugin->ops.transport.create;
  case CENOTE_PLUGIN_TELEMETRY:
    return plugin->ops.telemetry.create;
  }
  g_return_val_if_reached (NULL);
}

static DestroyFunc
destroy_slot (const Plugin *plugin)
{
  switch (plugin->kind) {
  case CENOTE_PLUGIN_BACKOFF:
    return plugin->ops.backoff.destroy;
  case CENOTE_PLUGIN_CONNECTOR:
    return plugin->ops.connector.destroy;
  case CENOTE_PLUGIN_PICKER:
    return plugin->ops.picker.destroy;
  case CENOTE_PLUGIN_TRANSPORT:
    return plugin->ops.transport.destroy;
  case CENOTE_PLUGIN_TELEMETRY:
    return plugin->ops.telemetry.destroy;
  }
  g_return_val_if_reached (NULL);
}

gpointer
host_create_state (CenoteHost *host, const CenoteOptions *options, GError **error)
{
  CenoteFault fault = FAULT_INIT;
  gpointer state = create_slot (host_of (host)->plugin) (host, options, &fault);

  if (!state)
    g_propagate_error (error, fault_take (&fault, host, "create"));
  fault_clear (&fault);
  return state;
}

void
host_destroy_state (CenoteHost *host, gpointer state)
{
  if (state)
    destroy_slot (host_of (host)->plugin) (state);
}
