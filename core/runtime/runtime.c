/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime: the pools of one config, and the threads that keep them: puts the
 * parts together, starts them in order, and takes them down in the other order.
 *
 * Lock: the monitor guards `stage` and `n_over`; everything else is set before the
 * control thread starts and stays.
 */
#include <cenote/runtime.h>
#include <string.h>

#include "core/call/watchdog.h"
#include "core/base/monitor.h"
#include "core/pool/pool.h"
#include "counts.h"
#include "process.h"
#include "pump.h"
#include "reload.h"
#include "sink-site.h"
#include "core/base/thread.h"

#define BUS_CAPACITY 4096
/* What orphaned channels' last notes may take. */
#define ORPHAN_US (5 * G_USEC_PER_SEC)

typedef enum { STAGE_NEW, STAGE_RUNNING, STAGE_STOPPING, STAGE_STOPPED } Stage;

struct CenoteRuntime {
  gatomicrefcount refs;
  World *world;
  Control *control;
  Ccore *ccore;
  Bus *bus;
  Callbacks *callbacks;
  Pump *pump;
  Calls *calls;
  Resolver *resolver;        /* NULL: names are C-core's affair */
  Watchdog watchdog;
  CenoteRegistry *registry;
  Settings *settings;
  DialBudget budget;
  PoolSite site;
  GPtrArray *pools;          /* of CenotePool, in the keyfile's order */
  gint64 drain_us;           /* how long its stop may wait, by what the settings said when it began */
  gboolean orphaned;         /* a channel outlives the runtime */

  Monitor monitor;
  Stage stage;
  guint n_over;
};

/* ------------------------------------------------------ what pools tell it */

static void
pool_wanted (gpointer data)
{
  CenoteRuntime *runtime = data;

  pump_wake (runtime->pump);
}

static void
pool_stirred (gpointer data)
{
  CenoteRuntime *runtime = data;

  pump_stir (runtime->pump);
}

static void
pool_is_over (gpointer data, CenotePool *pool)
{
  CenoteRuntime *runtime = data;

  if (!g_ptr_array_find (runtime->pools, pool, NULL))
    return;
  monitor_lock (&runtime->monitor);
  runtime->n_over++;
  monitor_broadcast (&runtime->monitor);
  monitor_unlock (&runtime->monitor);
}

static gboolean
look_after_pools (gpointer data)
{
  CenoteRuntime *runtime = data;
  gboolean again = FALSE;
  guint i;

  for (i = 0; i < runtime->pools->len; i++)
    again |= pool_tick (runtime->pools->pdata[i]);
  return again;
}

/* The poller's thread. */
static void
stand_in (gpointer data)
{
  CenoteRuntime *runtime = data;

  watchdog_stand_in (&runtime->watchdog);
}

static void
each_nudge (gpointer data)
{
  CenoteRuntime *runtime = data;
  guint i;

  for (i = 0; i < runtime->pools->len; i++)
    pool_clock_stepped (runtime->pools->pdata[i]);
}

static void
clock_stepped (gpointer data)
{
  CenoteRuntime *runtime = data;

  g_log_structured ("Cenote", G_LOG_LEVEL_INFO, "MESSAGE", "%s", "The wall clock was set: waking what waits on it");
  pump_clock_stepped (runtime->pump, each_nudge);
  watchdog_clock_stepped (&runtime->watchdog);
}

/* -------------------------------------------------------------------- sinks */

static gint64
bus_now_us (gpointer data)
{
  return world_now_us (data);
}

static gint64
bus_wall_us (gpointer data)
{
  World *world = data;

  return world->wall_us (world);
}

static void
sink_handle (gpointer data, const CenoteEvent *event)
{
  const Instance *instance = sink_site_instance (data);

  instance->plugin->ops.telemetry.handle (instance->state, event);
}

static void
sink_flush (gpointer data)
{
  const Instance *instance = sink_site_instance (data);

  instance->plugin->ops.telemetry.flush (instance->state);
}

static gint64
sink_poll (gpointer data, gint64 now_us, CenotePollReason why)
{
  const Instance *instance = sink_site_instance (data);

  return instance->plugin->ops.telemetry.poll (instance->state, now_us, why);
}

static CountSources
count_sources (const CenoteRuntime *runtime)
{
  return (CountSources) { runtime->pools, runtime->bus, runtime->callbacks };
}

/* The kinds of events that it wants. */
static guint64
sink_interest (Instance *instance)
{
  const CenoteTelemetryOps *ops = &instance->plugin->ops.telemetry;
  gint64 began_us = instance_begin (instance);
  guint64 interest = ops->interest (instance->state);

  instance_end (instance, "interest", began_us);
  return ops->mask & interest;
}

static gboolean
add_sink (CenoteRuntime *runtime, const PluginUse *use, GError **error)
{
  static const BusSinkFuncs funcs = { sink_handle, sink_flush, (GDestroyNotify) sink_site_unref, sink_poll };
  const CountSources sources = count_sources (runtime);
  SinkSite *site = sink_site_new (use, &sources, runtime->world, error);
  g_autoptr (GPtrArray) pools = NULL;

  if (site == NULL)
    return FALSE;
  pools = sink_site_pool_names (site);
  bus_add_sink (runtime->bus, use->instance, sink_interest (sink_site_instance (site)),
                (const char *const *) pools->pdata, &funcs, site);
  return TRUE;
}

static gboolean
add_sinks (CenoteRuntime *runtime, GError **error)
{
  guint i;

  for (i = 0; i < runtime->settings->sinks->len; i++) {
    if (!add_sink (runtime, runtime->settings->sinks->pdata[i], error))
      return FALSE;
  }
  return TRUE;
}

/* -------------------------------------------------------------------- pools */

/* A pool that is not critical fails alone: it is there, and answers with why. */
static gboolean
add_pool (CenoteRuntime *runtime, PoolSettings *settings, GError **error)
{
  g_autoptr (GError) why = NULL;
  CenotePool *pool = pool_new (settings, &runtime->site, &why);

  if (pool == NULL && !pool_flag (settings, POOL_CRITICAL)) {
    settings->failure = g_steal_pointer (&why);
    pool = pool_new (settings, &runtime->site, &why);
  }
  if (pool == NULL) {
    g_propagate_prefixed_error (error, g_steal_pointer (&why), "Pool %s: ", settings->name);
    return FALSE;
  }
  g_ptr_array_add (runtime->pools, pool);
  return TRUE;
}

static gboolean
add_pools (CenoteRuntime *runtime, GError **error)
{
  guint i;

  for (i = 0; i < runtime->settings->pools->len; i++) {
    if (!add_pool (runtime, runtime->settings->pools->pdata[i], error))
      return FALSE;
  }
  return TRUE;
}

static CenotePool *
find_pool (CenoteRuntime *runtime, const char *name)
{
  guint i;

  for (i = 0; i < runtime->pools->len; i++) {
    CenotePool *pool = runtime->pools->pdata[i];

    if (strcmp (cenote_pool_get_name (pool), name) == 0)
      return pool;
  }
  return NULL;
}

/* ------------------------------------------------------------------- making */

static gint64
check_bus (gpointer data)
{
  return bus_check (data);
}

static CenoteRuntime *
runtime_alloc (Settings *settings, CenoteRegistry *registry)
{
  CenoteRuntime *runtime = g_new0 (CenoteRuntime, 1);

  g_atomic_ref_count_init (&runtime->refs);
  monitor_init (&runtime->monitor);
  runtime->world = world_real ();
  runtime->settings = settings;
  runtime->registry = cenote_registry_ref (registry);
  runtime->control = control_new (runtime->world);
  runtime->ccore = ccore_new ();
  runtime->bus = bus_new (BUS_CAPACITY, bus_now_us, bus_wall_us, runtime->world);
  control_set_check (runtime->control, check_bus, runtime->bus);
  runtime->callbacks = callbacks_new ();
  runtime->calls = calls_new ();
  runtime->resolver = resolver_ares_new (runtime->control);
  watchdog_init (&runtime->watchdog, runtime->control, runtime->calls);
  watchdog_begin (&runtime->watchdog);
  runtime->pump = pump_new (runtime->control, runtime->ccore, look_after_pools, runtime);
  runtime->pools = g_ptr_array_new_with_free_func ((GDestroyNotify) cenote_pool_unref);
  runtime->budget.max = (guint) settings->options[PROCESS_MAX_CONCURRENT_DIALS].value.number;
  g_queue_init (&runtime->budget.waiting);
  runtime->site = (PoolSite) {
    .control = runtime->control,
    .ccore = runtime->ccore,
    .streams = ccore_stream_maker (runtime->ccore, runtime->control),
    .resolver = runtime->resolver,
    .bus = runtime->bus,
    .callbacks = runtime->callbacks,
    .calls = runtime->calls,
    .budget = &runtime->budget,
    .wanted = pool_wanted,
    .stirred = pool_stirred,
    .over = pool_is_over,
    .runtime = runtime,
  };
  return runtime;
}

static void
runtime_free (CenoteRuntime *runtime)
{
  g_ptr_array_unref (runtime->pools);
  callbacks_free (runtime->callbacks);
  bus_free (runtime->bus);
  calls_unref (runtime->calls);
  resolver_ares_free (runtime->resolver);
  control_unref (runtime->control);
  settings_free (runtime->settings);
  cenote_registry_unref (runtime->registry);
  monitor_clear (&runtime->monitor);
  g_free (runtime);
}

static void
start_pools (gpointer data)
{
  CenoteRuntime *runtime = data;
  guint i;

  for (i = 0; i < runtime->pools->len; i++)
    pool_start (runtime->pools->pdata[i]);
  pump_stir (runtime->pump);
}

static gboolean
start (CenoteRuntime *runtime, GError **error)
{
  if (!bus_start (runtime->bus) || !callbacks_start (runtime->callbacks) || !pump_start (runtime->pump, stand_in, NULL) ||
      !control_start (runtime->control, clock_stepped, runtime, NULL)) {
    g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_LIMIT, "The system gives no more threads (RLIMIT_NPROC, memory)");
    return FALSE;
  }
  runtime->stage = STAGE_RUNNING;
  control_call (runtime->control, start_pools, runtime);
  return TRUE;
}

/* Pools that are to fail fast: each has until its connect-timeout, from the start. */
static gboolean
await_fail_fast (CenoteRuntime *runtime, GError **error)
{
  gint64 begun_us = world_now_us (runtime->world);
  guint i;

  for (i = 0; i < runtime->pools->len; i++) {
    CenotePool *pool = runtime->pools->pdata[i];
    gint64 left_us = begun_us + pool_number (pool->settings, POOL_CONNECT_TIMEOUT) - world_now_us (runtime->world);
    g_autoptr (GError) late = NULL;

    if (pool_number (pool->settings, POOL_INITIALIZATION) != INITIALIZATION_FAIL_FAST || pool->settings->failure != NULL)
      continue;
    if (cenote_pool_await_ready (pool, MAX (0, left_us) / 1000, &late))
      continue;
    g_propagate_error (error, pool_miss_error (pool, LEASE_NONE));
    return FALSE;
  }
  return TRUE;
}

static void
log_notes (char **notes)
{
  for (; notes != NULL && *notes != NULL; notes++)
    g_log_structured ("Cenote", G_LOG_LEVEL_MESSAGE, "MESSAGE", "%s", *notes);
}

CenoteRuntime *
cenote_runtime_new_full (CenoteConfig *config, CenoteRegistry *registry, GError **error)
{
  g_autoptr (CenoteRegistry) own = registry == NULL ? cenote_registry_new () : cenote_registry_ref (registry);
  g_auto (GStrv) notes = NULL;
  CenoteRuntime *runtime;
  Settings *settings;

  if (!process_check_fork (error) || !process_check_may_block ("cenote_runtime_new()", error))
    return NULL;
  process_watch_fork ();
  settings = settings_new (config, own, &notes, error);
  if (settings == NULL)
    return NULL;
  log_notes (notes);
  runtime = runtime_alloc (settings, own);
  if (!add_pools (runtime, error) || !add_sinks (runtime, error)) {
    cenote_runtime_unref (runtime);
    return NULL;
  }
  if (!start (runtime, error) || !await_fail_fast (runtime, error)) {
    cenote_runtime_unref (runtime);
    return NULL;
  }
  return runtime;
}

CenoteRuntime *
cenote_runtime_new (CenoteConfig *config, GError **error)
{
  return cenote_runtime_new_full (config, NULL, error);
}

/* ----------------------------------------------------------------- stopping */

static gint64
longest_drain_us (const CenoteRuntime *runtime)
{
  gint64 longest_us = 0;
  guint i;

  for (i = 0; i < runtime->pools->len; i++) {
    const CenotePool *pool = runtime->pools->pdata[i];

    longest_us = MAX (longest_us, pool_number (pool->settings, POOL_DRAIN_TIMEOUT));
  }
  return longest_us;
}

static void
begin_stop (gpointer data)
{
  CenoteRuntime *runtime = data;
  guint i;

  runtime->drain_us = longest_drain_us (runtime);
  for (i = 0; i < runtime->pools->len; i++)
    pool_begin_stop (runtime->pools->pdata[i]);
}

static void
orphan_all (gpointer data)
{
  CenoteRuntime *runtime = data;
  guint i;

  for (i = 0; i < runtime->pools->len; i++)
    pool_orphan_all (runtime->pools->pdata[i]);
}

static gboolean
wait_until_over (CenoteRuntime *runtime, gint64 timeout_us)
{
  gint64 until_us = g_get_monotonic_time () + timeout_us;
  gboolean over = TRUE;

  monitor_lock (&runtime->monitor);
  while (over && runtime->n_over < runtime->pools->len)
    over = monitor_wait_until (&runtime->monitor, until_us);
  over = runtime->n_over >= runtime->pools->len;
  monitor_unlock (&runtime->monitor);
  return over;
}

static void
stop_pools (CenoteRuntime *runtime)
{
  control_call (runtime->control, begin_stop, runtime);
  if (wait_until_over (runtime, runtime->drain_us))
    return;
  runtime->orphaned = TRUE;
  calls_cancel_all (runtime->calls, "the runtime was stopped, and drain-timeout is over");
  control_call (runtime->control, orphan_all, runtime);
  if (!wait_until_over (runtime, ORPHAN_US))
    g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "MESSAGE", "%s", "A pool did not come to its end: C-core keeps a watch");
}

static void
take_down (CenoteRuntime *runtime)
{
  calls_close (runtime->calls);
  calls_cancel_all (runtime->calls, "the runtime was stopped");
  calls_end (runtime->calls);
  resolver_ares_stop (runtime->resolver);
  control_stop (runtime->control);
  g_clear_pointer (&runtime->pump, pump_free);
  callbacks_stop (runtime->callbacks);
  bus_stop (runtime->bus);
  ccore_free (g_steal_pointer (&runtime->ccore), !runtime->orphaned);
}

/* Never started: pools have no channel, and nobody else knows of them. */
static void
stop_unstarted (CenoteRuntime *runtime)
{
  guint i;

  for (i = 0; i < runtime->pools->len; i++)
    pool_set_phase (runtime->pools->pdata[i], POOL_OVER);
}

static void
stop_fully (CenoteRuntime *runtime, Stage stage)
{
  if (stage == STAGE_NEW) {
    stop_unstarted (runtime);
  } else {
    bus_poll_last (runtime->bus);
    stop_pools (runtime);
  }
  take_down (runtime);
  monitor_lock (&runtime->monitor);
  runtime->stage = STAGE_STOPPED;
  monitor_broadcast (&runtime->monitor);
  monitor_unlock (&runtime->monitor);
}

static gpointer
stop_thread (gpointer data)
{
  CenoteRuntime *runtime = data;

  stop_fully (runtime, STAGE_RUNNING);
  cenote_runtime_unref (runtime);
  return NULL;
}

/* None of Cenote's own threads can wait for its own end. */
static void
stop_elsewhere (CenoteRuntime *runtime)
{
  GThread *thread = thread_start ("cenote-stop", stop_thread, cenote_runtime_ref (runtime), NULL);

  if (thread != NULL) {
    g_thread_unref (thread);
    return;
  }
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "MESSAGE", "%s",
                    "The system gives no thread to stop a runtime with: its pools drain, its threads stay");
  control_post (runtime->control, begin_stop, runtime);
}

static gboolean
on_own_thread (void)
{
  return control_on_any () || bus_on_telemetry_thread () || callbacks_on_thread ();
}

void
cenote_runtime_stop (CenoteRuntime *runtime)
{
  gboolean own = on_own_thread ();
  Stage stage;

  g_return_if_fail (runtime != NULL);
  if (process_is_forked_child ())
    return;
  monitor_lock (&runtime->monitor);
  stage = runtime->stage;
  if (stage < STAGE_STOPPING)
    runtime->stage = STAGE_STOPPING;
  while (stage == STAGE_STOPPING && !own && runtime->stage != STAGE_STOPPED)
    monitor_wait (&runtime->monitor);
  monitor_unlock (&runtime->monitor);
  if (stage >= STAGE_STOPPING)
    return;
  if (own)
    stop_elsewhere (runtime);
  else
    stop_fully (runtime, stage);
}

CenoteRuntime *
cenote_runtime_ref (CenoteRuntime *runtime)
{
  g_atomic_ref_count_inc (&runtime->refs);
  return runtime;
}

/* On one of Cenote's own threads the stop only begins: its thread has a
 * reference, so the runtime is freed there. */
void
cenote_runtime_unref (CenoteRuntime *runtime)
{
  if (runtime == NULL || process_is_forked_child () || !g_atomic_ref_count_dec (&runtime->refs))
    return;
  g_atomic_ref_count_init (&runtime->refs);
  cenote_runtime_stop (runtime);
  if (g_atomic_ref_count_dec (&runtime->refs))
    runtime_free (runtime);
}

/* ---------------------------------------------------------------- reloading */

typedef struct Reload {
  CenoteRuntime *runtime;
  const Settings *settings;  /* NULL: they are wrong, and `error` says how */
  GError *error;
} Reload;

static void
reload_here (gpointer data)
{
  Reload *reload = data;
  CenoteRuntime *runtime = reload->runtime;
  const ReloadSite site = { runtime->pools, runtime->settings, &runtime->budget };
  guint i;

  if (reload->settings != NULL && reload_pools (&site, reload->settings, &reload->error))
    return;
  for (i = 0; i < runtime->pools->len; i++)
    pool_tell_reload (runtime->pools->pdata[i], reload->error->message);
}

gboolean
cenote_runtime_reload (CenoteRuntime *runtime, CenoteConfig *config, GError **error)
{
  Reload reload = { .runtime = runtime };
  g_autoptr (Settings) settings = NULL;
  g_auto (GStrv) notes = NULL;

  g_return_val_if_fail (runtime != NULL && config != NULL, FALSE);
  if (!process_check_fork (error) || !process_check_may_block ("cenote_runtime_reload()", error))
    return FALSE;
  reload.settings = settings = settings_new (config, runtime->registry, &notes, &reload.error);
  log_notes (notes);
  if (!control_call (runtime->control, reload_here, &reload) && reload.error == NULL)
    reload.error = g_error_new_literal (CENOTE_ERROR, CENOTE_ERROR_STOPPED, "The runtime was stopped");
  if (reload.error == NULL)
    return TRUE;
  g_propagate_error (error, reload.error);
  return FALSE;
}

/* ------------------------------------------------------------------ reading */

CenotePool *
cenote_runtime_get_pool (CenoteRuntime *runtime, const char *name, GError **error)
{
  g_auto (GStrv) names = NULL;
  g_autofree char *list = NULL;
  CenotePool *pool;

  g_return_val_if_fail (runtime != NULL, NULL);
  if (!process_check_fork (error))
    return NULL;
  if (name == NULL && runtime->pools->len == 1)
    return cenote_pool_ref (runtime->pools->pdata[0]);
  pool = name == NULL ? NULL : find_pool (runtime, name);
  if (pool != NULL)
    return cenote_pool_ref (pool);
  names = cenote_runtime_list_pools (runtime);
  list = g_strjoinv (", ", names);
  if (name == NULL)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND, "There are %u pools: name one of %s", runtime->pools->len, list);
  else
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND, "There is no pool '%s' (there is %s)", name, list);
  return NULL;
}

char **
cenote_runtime_list_pools (CenoteRuntime *runtime)
{
  char **names;
  guint i;

  g_return_val_if_fail (runtime != NULL, NULL);
  names = g_new0 (char *, runtime->pools->len + 1);
  for (i = 0; i < runtime->pools->len; i++)
    names[i] = g_strdup (cenote_pool_get_name (runtime->pools->pdata[i]));
  return names;
}

char *
cenote_runtime_status_to_json (CenoteRuntime *runtime)
{
  g_return_val_if_fail (runtime != NULL, NULL);
  return pools_status_to_json (runtime->pools);
}

guint64
runtime_count (CenoteRuntime *runtime, CounterId id)
{
  const CountSources sources = count_sources (runtime);

  return counts_read (&sources, id);
}

/* -------------------------------------------------------- sinks in a program */

typedef struct ProgramSink {
  void (*func) (const CenoteEvent *event, gpointer user_data);
  gpointer user_data;
  GDestroyNotify notify;
} ProgramSink;

static void
program_sink_handle (gpointer data, const CenoteEvent *event)
{
  const ProgramSink *sink = data;

  sink->func (event, sink->user_data);
}

static void
program_sink_free (gpointer data)
{
  ProgramSink *sink = data;

  if (sink->notify != NULL)
    sink->notify (sink->user_data);
  g_free (sink);
}

static void
republish_all (gpointer data)
{
  CenoteRuntime *runtime = data;
  guint i;

  for (i = 0; i < runtime->pools->len; i++)
    pool_republish (runtime->pools->pdata[i]);
}

/* They were opened before anyone could listen. */
static void
tell_pools (CenoteRuntime *runtime, guint sink)
{
  guint i;

  for (i = 0; i < runtime->pools->len; i++)
    pool_tell_init (runtime->pools->pdata[i], sink);
}

/* Views say whether gets are sampled, and that depends on who listens. */
guint
cenote_runtime_add_sink (CenoteRuntime *runtime, guint64 mask, void (*func) (const CenoteEvent *event, gpointer user_data),
                         gpointer user_data, GDestroyNotify notify)
{
  static const BusSinkFuncs funcs = { program_sink_handle, NULL, program_sink_free, NULL };
  ProgramSink *sink;
  guint id;

  g_return_val_if_fail (runtime != NULL && func != NULL, 0);
  sink = g_new0 (ProgramSink, 1);
  sink->func = func;
  sink->user_data = user_data;
  sink->notify = notify;
  id = bus_add_sink (runtime->bus, "program", mask, NULL, &funcs, sink);
  tell_pools (runtime, id);
  control_post (runtime->control, republish_all, runtime);
  return id;
}

void
cenote_runtime_remove_sink (CenoteRuntime *runtime, guint id)
{
  g_return_if_fail (runtime != NULL);
  bus_remove_sink (runtime->bus, id);
  control_post (runtime->control, republish_all, runtime);
}
