/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include "core/pool/pool.h"
#include "core/runtime/pump.h"
#include "core/runtime/reload.h"
#include "peer-streams.h"

/* More iterations than that at one instant: something never rests. */
#define RESTLESS 100000

#define BUS_CAPACITY 4096

struct Sim {
  World world; /* first: a World is its Sim */
  gint64 now_us;
  guint64 luck;
  Control *control;
  Bus *bus;
  Callbacks *callbacks;
  Pump *pump;
  DialBudget budget;
  PoolSite site;
  CenoteRegistry *registry;
  Settings *settings;
  GPtrArray *pools; /* of CenotePool (reference) */
  guint n_over;
  Peers *peers;
  Names *names;
  GMainContext *context;
};

const CenotePlugin *static_caching (uint32_t host_abi);
const CenotePlugin *static_elastic (uint32_t host_abi);
const CenotePlugin *static_lazy (uint32_t host_abi);
const CenotePlugin *static_persistent (uint32_t host_abi);
const CenotePlugin *static_p2c (uint32_t host_abi);
const CenotePlugin *static_round_robin (uint32_t host_abi);
const CenotePlugin *static_constant (uint32_t host_abi);
const CenotePlugin *static_exponential (uint32_t host_abi);
const CenotePlugin *static_schedule (uint32_t host_abi);

/* ------------------------------------------------------------------- world */

static gint64
world_now (World *world)
{
  return ((Sim *) world)->now_us;
}

static gint64
world_wall (World *world)
{
  return G_GINT64_CONSTANT (1700000000000000) + ((Sim *) world)->now_us;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static guint64
world_luck (World *world)
{
  guint64 z = (((Sim *) world)->luck += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void
world_barrier (World *world)
{
  (void) world;
  atomic_thread_fence (memory_order_seq_cst);
}

/* ------------------------------------------------------ what pools tell it */

static void
pool_stirred (gpointer data)
{
  pump_stir (((Sim *) data)->pump);
}

static void
pool_is_over (gpointer data, CenotePool *pool)
{
  Sim *sim = data;

  sim->n_over += g_ptr_array_find (sim->pools, pool, NULL);
}

static gboolean
look_after_pools (gpointer data)
{
  Sim *sim = data;
  gboolean again = FALSE;
  guint i;

  for (i = 0; i < sim->pools->len; i++)
    again |= pool_tick (sim->pools->pdata[i]);
  return again;
}

static gint64
bus_now (gpointer data)
{
  return world_now (data);
}

static gint64
bus_wall (gpointer data)
{
  return world_wall (data);
}

static gint64
check_bus (gpointer data)
{
  return bus_check (data);
}

/* ------------------------------------------------------------------ making */

static void
make_site (Sim *sim)
{
  g_queue_init (&sim->budget.waiting);
  sim->site = (PoolSite){
    .control = sim->control,
    .streams = peer_stream_maker (sim->control),
    .resolver = names_resolver (sim->names),
    .bus = sim->bus,
    .callbacks = sim->callbacks,
    .budget = &sim->budget,
    .wanted = pool_stirred,
    .stirred = pool_stirred,
    .over = pool_is_over,
    .runtime = sim,
  };
}

void
sim_add_plugin (Sim *sim, const CenotePlugin *plugin)
{
  g_autoptr (GError) error = NULL;

  if (!cenote_registry_add_static (sim->registry, plugin, &error))
    g_error ("%s", error->message);
}

static void
add_plugins (Sim *sim)
{
  sim->registry = registry_new_with (NULL, NULL);
  sim_add_plugin (sim, static_caching (0));
  sim_add_plugin (sim, static_elastic (0));
  sim_add_plugin (sim, static_lazy (0));
  sim_add_plugin (sim, static_persistent (0));
  sim_add_plugin (sim, static_p2c (0));
  sim_add_plugin (sim, static_round_robin (0));
  sim_add_plugin (sim, static_constant (0));
  sim_add_plugin (sim, static_exponential (0));
  sim_add_plugin (sim, static_schedule (0));
  sim_add_plugin (sim, &peers_plugin);
}

Sim *
sim_new_empty (guint64 seed)
{
  Sim *sim = g_new0 (Sim, 1);

  sim->world = (World){
    .now_us = world_now,
    .wall_us = world_wall,
    .random = world_luck,
    .heavy_barrier = world_barrier,
  };
  sim->now_us = G_GINT64_CONSTANT (1000000000);
  sim->luck = seed;
  sim->control = control_new (&sim->world);
  sim->bus = bus_new (BUS_CAPACITY, bus_now, bus_wall, sim);
  control_set_check (sim->control, check_bus, sim->bus);
  sim->callbacks = callbacks_new ();
  sim->pump = pump_new (sim->control, NULL, look_after_pools, sim);
  sim->pools = g_ptr_array_new_with_free_func ((GDestroyNotify) cenote_pool_unref);
  sim->peers = peers_new ();
  sim->names = names_new (sim->control);
  sim->context = g_main_context_new ();
  make_site (sim);
  add_plugins (sim);
  return sim;
}

static gboolean
add_pool (Sim *sim, PoolSettings *settings, GError **error)
{
  CenotePool *pool = pool_new (settings, &sim->site, error);

  if (pool != NULL)
    g_ptr_array_add (sim->pools, pool);
  return pool != NULL;
}

gboolean
sim_open (Sim *sim, const char *keyfile, GError **error)
{
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile, -1, error);
  guint i;

  if (config == NULL)
    return FALSE;
  sim->settings = settings_new (config, sim->registry, NULL, error);
  if (sim->settings == NULL)
    return FALSE;
  sim->budget.max = (guint) sim->settings->options[PROCESS_MAX_CONCURRENT_DIALS].value.number;
  for (i = 0; i < sim->settings->pools->len; i++) {
    if (!add_pool (sim, sim->settings->pools->pdata[i], error))
      return FALSE;
  }
  return TRUE;
}

void
sim_start (Sim *sim)
{
  guint i;

  for (i = 0; i < sim->pools->len; i++)
    pool_start (sim->pools->pdata[i]);
  pump_stir (sim->pump);
}

gboolean
sim_reload (Sim *sim, const char *keyfile, GError **error)
{
  const ReloadSite site = { sim->pools, sim->settings, &sim->budget };
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile, -1, error);
  g_autoptr (Settings) settings = config == NULL ? NULL : settings_new (config, sim->registry, NULL, error);

  return settings != NULL && reload_pools (&site, settings, error);
}

Sim *
sim_new (const char *keyfile, guint64 seed, GError **error)
{
  Sim *sim = sim_new_empty (seed);

  if (sim_open (sim, keyfile, error))
    return sim;
  sim_free (sim);
  return NULL;
}

/* ----------------------------------------------------------------- running */

/* Every thread's turn, until none has anything to do at this instant. */
static gint64
iterate (Sim *sim)
{
  guint n_iterations = 0;
  gboolean busy;
  gint64 next_us;

  do {
    g_assert (n_iterations++ < RESTLESS);
    next_us = control_run (sim->control);
    bus_dispatch (sim->bus);
    busy = callbacks_dispatch (sim->callbacks) > 0;
    busy |= g_main_context_iteration (sim->context, FALSE);
    next_us = MIN (next_us, bus_next_poll (sim->bus));
  } while (busy || next_us <= sim->now_us);
  return next_us;
}

void
sim_run (Sim *sim, gint64 span_us)
{
  gint64 until_us = sim->now_us + span_us;
  gint64 next_us;

  while ((next_us = iterate (sim)) <= until_us)
    sim->now_us = MAX (sim->now_us, next_us);
  sim->now_us = MAX (sim->now_us, until_us);
}

void
sim_settle (Sim *sim)
{
  sim_run (sim, 0);
}

gint64
sim_next_us (Sim *sim)
{
  return iterate (sim);
}

/* ------------------------------------------------------------------ ending */

static gboolean
run_until_over (Sim *sim, gint64 span_us)
{
  gint64 until_us = sim->now_us + span_us;

  sim_settle (sim);
  while (sim->n_over < sim->pools->len && sim->now_us < until_us)
    sim_run (sim, MIN (10 * SIM_MS, until_us - sim->now_us));
  return sim->n_over >= sim->pools->len;
}

gboolean
sim_end (Sim *sim, gint64 drain_us)
{
  guint i;

  for (i = 0; i < sim->pools->len; i++)
    pool_begin_stop (sim->pools->pdata[i]);
  if (run_until_over (sim, drain_us))
    return TRUE;
  for (i = 0; i < sim->pools->len; i++)
    pool_orphan_all (sim->pools->pdata[i]);
  return run_until_over (sim, SIM_S);
}

static void
end_unstarted (Sim *sim)
{
  guint i;

  for (i = 0; i < sim->pools->len; i++) {
    CenotePool *pool = sim->pools->pdata[i];

    if (pool->phase != POOL_OVER)
      pool_set_phase (pool, POOL_OVER);
  }
}

void
sim_free (Sim *sim)
{
  if (sim == NULL)
    return;
  if (sim->settings != NULL && sim->pools->len == sim->settings->pools->len)
    g_assert (sim_end (sim, SIM_S));
  else
    end_unstarted (sim);
  sim_settle (sim);
  control_stop (sim->control);
  names_free (sim->names);
  pump_free (sim->pump);
  callbacks_stop (sim->callbacks);
  callbacks_free (sim->callbacks);
  bus_stop (sim->bus);
  g_ptr_array_unref (sim->pools);
  bus_free (sim->bus);
  control_unref (sim->control);
  settings_free (sim->settings);
  cenote_registry_unref (sim->registry);
  peers_free (sim->peers);
  g_main_context_unref (sim->context);
  g_free (sim);
}

/* ---------------------------------------------------------------- dialling */

typedef struct DialWaiter {
  Waiter waiter; /* first */
  SimDial *dial;
  char *address;
  char *target;
} DialWaiter;

static void
dial_done (Waiter *waiter, CenoteLease *lease, GError *error)
{
  DialWaiter *mine = (DialWaiter *) waiter;

  mine->dial->answered = TRUE;
  if (lease != NULL)
    mine->dial->lease = *lease;
  mine->dial->error = error == NULL ? NULL : g_error_copy (error);
  g_free (mine->address);
  g_free (mine->target);
  g_free (mine);
}

void
sim_dial (Sim *sim, const char *address, gint64 timeout_us, SimDial *dial)
{
  CenotePool *pool = sim->pools->pdata[0];
  DialWaiter *mine = g_new0 (DialWaiter, 1);
  g_autofree char *problem = NULL;

  mine->dial = dial;
  mine->address = g_strdup (address);
  mine->target = pool_settings_whole_target (pool->settings, address, &problem);
  mine->waiter = (Waiter){ .for_lease = TRUE, .dial = mine->address, .target = mine->target, .done = dial_done };
  pool_wait (pool, &mine->waiter, timeout_us);
  pool_touch (pool);
}

/* ----------------------------------------------------------------- looking */

Peers *
sim_peers (Sim *sim)
{
  return sim->peers;
}

Names *
sim_names (Sim *sim)
{
  return sim->names;
}

CenotePool *
sim_pool (Sim *sim, guint i)
{
  return sim->pools->pdata[i];
}

GMainContext *
sim_context (Sim *sim)
{
  return sim->context;
}

Control *
sim_control (Sim *sim)
{
  return sim->control;
}

const PoolSettings *
sim_pool_settings (Sim *sim, guint i)
{
  return sim->settings->pools->pdata[i];
}

gint64
sim_now (Sim *sim)
{
  return sim->now_us;
}

void
sim_pass (Sim *sim, gint64 span_us)
{
  sim->now_us += span_us;
}

guint64
sim_luck (Sim *sim)
{
  return world_luck (&sim->world);
}

guint
sim_n_over (Sim *sim)
{
  return sim->n_over;
}

void
sim_add_sink (Sim *sim, guint64 mask, void (*handle) (gpointer data, const CenoteEvent *event), gpointer data)
{
  const BusSinkFuncs funcs = { handle, NULL, NULL, NULL };
  guint i;

  bus_add_sink (sim->bus, "test", mask, NULL, &funcs, data);
  for (i = 0; i < sim->pools->len; i++)
    pool_republish (sim->pools->pdata[i]);
}

static guint
count_shown (const CenotePool *pool)
{
  guint n = 0;
  guint i;

  for (i = 0; i < pool->channels->len; i++) {
    const Channel *channel = pool->channels->pdata[i];

    n += channel->link != NULL && slot_is_shown (link_slot (channel->link));
  }
  return n;
}

SimCounts
sim_count (Sim *sim, guint i)
{
  CenotePool *pool = sim->pools->pdata[i];

  return (SimCounts){
    .shown = count_shown (pool),
    .links = pool->n_links,
    .addresses = pool->addresses->len,
    .in_flight = slot_table_in_flight (pool->table),
    .dialing = sim->budget.in_use,
    .paused = pool->paused,
    .parked = pool->parked,
    .over = pool->phase == POOL_OVER,
    .view_reads = pool->view.n_reads,
    .view_writes = pool->view.n_writes,
  };
}

guint64
sim_counter (Sim *sim, CounterId id)
{
  const CountSources sources = { sim->pools, sim->bus, sim->callbacks };

  return counts_read (&sources, id);
}

void
sim_read_metrics (Sim *sim, CenoteMetricFunc func, gpointer data)
{
  const CountSources sources = { sim->pools, sim->bus, sim->callbacks };

  metrics_read (&sources, func, data);
}

void
sim_want_samples (Sim *sim, guint i)
{
  pool_want_samples (sim->pools->pdata[i]);
}
