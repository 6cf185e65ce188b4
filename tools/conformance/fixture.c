/* SPDX-License-Identifier: Apache-2.0 */
/* fixture: the fake services beneath a real CenoteHost. */
#include "fixture.h"

#include <string.h>

struct CenoteTimer {
  gint64 due_us;
  void (*func) (void *data);
  void *data;
};

/* --------------------------------------------------------------- services */

static gint64
now_us (gpointer data)
{
  return __atomic_load_n (&((Fixture *) data)->now_us, __ATOMIC_RELAXED);
}

void
fixture_set_now (Fixture *fixture, gint64 now_us)
{
  __atomic_store_n (&fixture->now_us, now_us, __ATOMIC_RELAXED);
}

guint64
fixture_random (guint64 *state)
{
  guint64 mixed = *state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  mixed = (mixed ^ mixed >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  mixed = (mixed ^ mixed >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return mixed ^ mixed >> 31;
}

static guint64
give_luck (gpointer data)
{
  Fixture *fixture = data;
  guint64 luck;

  g_mutex_lock (&fixture->lock);
  luck = fixture->luck_is_fixed ? fixture->luck : fixture_random (&fixture->luck);
  g_mutex_unlock (&fixture->lock);
  return luck;
}

static CenoteTimer *
timer_start (gpointer data, gint64 delay_us, void (*func) (void *func_data), void *func_data)
{
  Fixture *fixture = data;
  CenoteTimer *timer = g_new0 (CenoteTimer, 1);

  timer->due_us = fixture->now_us + delay_us;
  timer->func = func;
  timer->data = func_data;
  g_ptr_array_add (fixture->timers, timer);
  return timer;
}

static void
timer_stop (gpointer data, CenoteTimer *timer)
{
  g_assert (g_ptr_array_remove (((Fixture *) data)->timers, timer));
}

static void
emit (gpointer data, const CenoteEvent *event)
{
  Fixture *fixture = data;

  g_mutex_lock (&fixture->lock);
  fixture->events++;
  fixture->last_event = *event;
  g_mutex_unlock (&fixture->lock);
}

/* (nullable): the next timer due at UNTIL_US or before; the first of equals. */
static CenoteTimer *
next_timer (Fixture *fixture, gint64 until_us)
{
  CenoteTimer *first = NULL;

  for (guint i = 0; i < fixture->timers->len; i++) {
    CenoteTimer *timer = fixture->timers->pdata[i];

    if (timer->due_us <= until_us && (!first || timer->due_us < first->due_us))
      first = timer;
  }
  return first;
}

void
fixture_advance (Fixture *fixture, gint64 delay_us)
{
  gint64 until_us = fixture->now_us + delay_us;
  CenoteTimer *timer;

  while ((timer = next_timer (fixture, until_us))) {
    CenoteTimer due = *timer;

    fixture_set_now (fixture, due.due_us);
    g_ptr_array_remove (fixture->timers, timer);
    due.func (due.data);
  }
  fixture_set_now (fixture, until_us);
}

static void
renew (gpointer data, const char *why)
{
  Fixture *fixture = data;

  fixture->renewals++;
  g_free (fixture->why_renewed);
  fixture->why_renewed = g_strdup (why);
}

static struct grpc_call_credentials *
call_credentials (gpointer data)
{
  const Fixture *fixture = data;

  return fixture->call_credentials;
}

void
fixture_set_sources (Fixture *fixture, FixtureSources sources)
{
  g_mutex_lock (&fixture->lock);
  fixture->sources = sources;
  g_mutex_unlock (&fixture->lock);
}

static FixtureSources
sources_of (Fixture *fixture)
{
  FixtureSources sources;

  g_mutex_lock (&fixture->lock);
  sources = fixture->sources;
  g_mutex_unlock (&fixture->lock);
  return sources;
}

static void
read_metrics (gpointer data, CenoteMetricFunc func, void *func_data)
{
  FixtureSources sources = sources_of (data);

  if (sources.read_metrics)
    sources.read_metrics (sources.data, func, func_data);
}

static gboolean
call_async (gpointer data, const HostCall *call)
{
  FixtureSources sources = sources_of (data);

  return sources.call_async && sources.call_async (sources.data, call);
}

void
fixture_fix_luck (Fixture *fixture, guint64 luck)
{
  fixture->luck = luck;
  fixture->luck_is_fixed = TRUE;
}

void
fixture_seed_luck (Fixture *fixture, guint64 seed)
{
  fixture->luck = seed;
  fixture->luck_is_fixed = FALSE;
}

/* ---------------------------------------------------------------- options */

/* (nullable): the value that SETTINGS give NAME. */
static const char *
find_setting (const char *const *settings, const char *name)
{
  gsize length = strlen (name);

  for (guint i = 0; settings && settings[i]; i++) {
    if (strncmp (settings[i], name, length) == 0 && settings[i][length] == '=')
      return settings[i] + length + 1;
  }
  return NULL;
}

static gboolean
set_value (Fixture *fixture, guint i, const char *const *settings, GError **error)
{
  CenoteOption row;
  g_autofree char *problem = NULL;
  const char *text;

  option_table_row (&fixture->plugin->options, i, &row);
  text = find_setting (settings, row.name);
  if (!text)
    text = row.default_text;
  if (!text && !(row.flags & CENOTE_OPTION_REQUIRED))
    return TRUE;
  if (text && option_parse (&row, text, &fixture->values[i], &problem))
    return TRUE;
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG, "%s: %s", row.name, problem ? problem : "is required");
  return FALSE;
}

static void
free_timer (gpointer timer)
{
  g_free (timer);
}

Fixture *
fixture_new (Plugin *plugin, const char *const *settings, GError **error)
{
  g_autoptr (Fixture) fixture = g_new0 (Fixture, 1);
  const OptionTable *table = &plugin->options;
  const HostServices services = {
    .now_us = now_us, .random = give_luck, .timer_start = timer_start, .timer_stop = timer_stop, .emit = emit,
    .renew = renew, .call_credentials = call_credentials, .read_metrics = read_metrics, .call_async = call_async,
    .data = fixture
  };

  g_mutex_init (&fixture->lock);
  fixture->plugin = plugin_ref (plugin);
  fixture->now_us = G_USEC_PER_SEC;
  fixture->timers = g_ptr_array_new_with_free_func (free_timer);
  fixture->host = host_new (plugin, plugin->name, "a-pool", &services);
  fixture->values = g_new0 (CenoteValue, table->n_rows + 1);
  fixture->options = (CenoteOptions) { sizeof fixture->options, table->n_rows, sizeof (CenoteValue), 0, fixture->values,
                                       plugin->name };
  for (guint i = 0; i < table->n_rows; i++) {
    if (!set_value (fixture, i, settings, error))
      return NULL;
  }
  return g_steal_pointer (&fixture);
}

gboolean
fixture_create (Fixture *fixture, GError **error)
{
  fixture->state = host_create_state (fixture->host, &fixture->options, error);
  return fixture->state != NULL;
}

void
fixture_free (Fixture *fixture)
{
  if (!fixture)
    return;
  host_destroy_state (fixture->host, fixture->state);
  host_free (fixture->host);
  for (guint i = 0; i < fixture->plugin->options.n_rows; i++)
    option_value_clear (&fixture->values[i]);
  g_free (fixture->values);
  g_ptr_array_unref (fixture->timers);
  g_free (fixture->why_renewed);
  plugin_unref (fixture->plugin);
  g_mutex_clear (&fixture->lock);
  g_free (fixture);
}
