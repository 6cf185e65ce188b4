/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-telemetry: what sinks cost those who call: the same calls over a pool without a sink, over
 * one with every sink that was built, and over one with a sink that never returns.
 *
 * The sinks are as a keyfile has them, except that otlp exports each second; nobody listens to statsd, and
 * the collector is the demo's server, which knows no such method.
 */
#include <cenote/registry.h>

#include "rig.h"
#include "tools/demo-server.h"

#define N_CHANNELS 5

typedef struct Setup {
  CenoteRuntime *runtime;
  CenotePool *pool;
  GBytes *message;
} Setup;

/* What each sink needs besides its defaults. */
static const struct { const char *name, *options; } sinks[] = {
  { "log", "" },
  { "jsonl", "path=/dev/null\nmetrics-interval=1s\n" },
  { "statsd", "interval=1s\n" },
  { "prometheus", "listen=127.0.0.1:0\n" },
  { "otlp", "pool=collector\ninterval=1s\n" }
};

static GLogWriterOutput
discard (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  (void) fields;
  (void) n_fields;
  (void) data;
  if (level & G_LOG_FLAG_FATAL)
    return g_log_writer_default (level, fields, n_fields, data);
  return G_LOG_WRITER_HANDLED;
}

/* ---------------------------------------------------------------- runtimes */

static gboolean
is_built (const char *sink)
{
  g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
  g_auto (GStrv) names = cenote_registry_list (registry, CENOTE_PLUGIN_TELEMETRY);

  return g_strv_contains ((const char *const *) names, sink);
}

/* The key telemetry and the groups of all sinks that were built. */
static void
add_all_sinks (GString *names, GString *groups)
{
  for (guint i = 0; i < G_N_ELEMENTS (sinks); i++)
    if (is_built (sinks[i].name)) {
      g_string_append_printf (names, "%s%s", names->len > 0 ? ";" : "", sinks[i].name);
      g_string_append_printf (groups, "[telemetry:%s]\n%s", sinks[i].name, sinks[i].options);
    }
}

static void
print_sinks (void)
{
  g_autoptr (GString) names = g_string_new (NULL), groups = g_string_new (NULL);

  add_all_sinks (names, groups);
  g_print ("  all: %s\n", names->str);
}

static char *
make_keyfile (guint port, gboolean with_sinks)
{
  g_autoptr (GString) names = g_string_new (NULL), groups = g_string_new (NULL);

  if (with_sinks) {
    add_all_sinks (names, groups);
    g_string_append_printf (groups, "[pool:collector]\nprofile=local\ntarget=ipv4:127.0.0.1:%u\n", port);
  }
  return g_strdup_printf ("[cenote]\ntelemetry=%s\n%s[pool:bench]\nprofile=local\nsize=%u\ntarget=ipv4:127.0.0.1:%u\n",
                          names->str, groups->str, N_CHANNELS, port);
}

static void
setup_init (Setup *setup, guint port, gboolean with_sinks)
{
  static const char message[] = "a small message";
  g_autofree char *text = make_keyfile (port, with_sinks);
  g_autoptr (GError) error = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (text, -1, &error);

  setup->runtime = config == NULL ? NULL : cenote_runtime_new (config, &error);
  setup->pool = setup->runtime == NULL ? NULL : cenote_runtime_get_pool (setup->runtime, "bench", &error);
  if (setup->pool == NULL || !cenote_pool_connect (setup->pool, 60000, &error))
    g_error ("%s", error->message);
  setup->message = g_bytes_new_static (message, sizeof message - 1);
}

static void
setup_clear (Setup *setup)
{
  g_bytes_unref (setup->message);
  cenote_pool_unref (setup->pool);
  cenote_runtime_unref (setup->runtime);
}

/* ---------------------------------------------- a sink that never returns */

typedef struct Gate {
  GMutex lock;
  GCond changed;
  gboolean entered, open;
} Gate;

static void
stay (const CenoteEvent *event, gpointer data)
{
  Gate *gate = data;

  (void) event;
  g_mutex_lock (&gate->lock);
  gate->entered = TRUE;
  g_cond_broadcast (&gate->changed);
  while (!gate->open)
    g_cond_wait (&gate->changed, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

static void
block_a_sink (Setup *setup, Gate *gate)
{
  cenote_runtime_add_sink (setup->runtime, CENOTE_EVENT_MASK_ALL, stay, gate, NULL);
  g_mutex_lock (&gate->lock);
  while (!gate->entered)
    g_cond_wait (&gate->changed, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

static void
open_gate (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->open = TRUE;
  g_cond_broadcast (&gate->changed);
  g_mutex_unlock (&gate->lock);
}

/* --------------------------------------------------------------- comparison */

static void
run_calls (guint64 n, gpointer data)
{
  Setup *setup = data;

  while (n-- > 0) {
    g_autoptr (GBytes) response = NULL;
    g_autoptr (GError) error = NULL;

    if (!cenote_call_unary (setup->pool, DEMO_ECHO_METHOD, setup->message, NULL, &response, &error))
      g_error ("%s", error->message);
  }
}

static void
compare (const char *what, Setup *with, Setup *without, guint n_threads)
{
  const BenchWay way = { "with sinks", run_calls, with, n_threads, BENCH_WITH_SERVER };
  const BenchWay base = { "without", run_calls, without, n_threads, BENCH_WITH_SERVER };
  const BenchRatio ratio = bench_rate_ratio (&way, &base);

  bench_print (what, &ratio, BENCH_AT_LEAST, 0.97);
}

int
main (void)
{
  guint port = 0;
  Child *server = rig_start_server (&port);
  Setup off, all, blocked;
  Gate gate = { 0 };

  g_log_set_writer_func (discard, NULL, NULL);
  bench_title ("Calls a second with sinks, by those without");
  print_sinks ();
  setup_init (&off, port, FALSE);
  setup_init (&all, port, TRUE);
  setup_init (&blocked, port, TRUE);
  block_a_sink (&blocked, &gate);
  compare ("all sinks, 1 thread", &all, &off, 1);
  compare ("all sinks, 2 threads", &all, &off, 2);
  compare ("and one that never returns, 1 thread", &blocked, &off, 1);
  compare ("and one that never returns, 2 threads", &blocked, &off, 2);
  open_gate (&gate);
  setup_clear (&blocked);
  setup_clear (&all);
  setup_clear (&off);
  child_free (server);
  return 0;
}
