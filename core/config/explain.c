/* SPDX-License-Identifier: Apache-2.0 */
/* explain: every effective value and where it comes from. */
#include "explain.h"

#include <string.h>

#include "core/base/json.h"

/* The column that the sources stand in, where the values leave room. */
#define SOURCE_COLUMN 50

static const char *
name_of_layer (ConfigLayer layer)
{
  switch (layer) {
  case CONFIG_LAYER_DEFAULT:
    return "default";
  case CONFIG_LAYER_PROFILE:
    return "profile";
  case CONFIG_LAYER_KEYFILE:
    return "keyfile";
  case CONFIG_LAYER_PROGRAM:
    break;
  }
  return "program";
}

/* -------------------------------------------------------------------- people */

typedef struct Page {
  GString *text;
  const Settings *settings;
  const PoolSettings *pool;  /* whose profile is meant; NULL for the process */
} Page;

static char *
describe_layer (const Page *page, const Setting *setting)
{
  if (setting->layer == CONFIG_LAYER_PROFILE && page->pool != NULL)
    return g_strdup_printf ("profile %s", pool_text (page->pool, POOL_PROFILE));
  if (setting->layer == CONFIG_LAYER_KEYFILE && setting->line != 0)
    return g_strdup_printf ("%s:%u", page->settings->file, setting->line);
  return g_strdup (setting->layer == CONFIG_LAYER_KEYFILE ? page->settings->file : name_of_layer (setting->layer));
}

/* A config that is a connection string is called so already. */
static char *
describe_source (const Page *page, const Setting *setting)
{
  g_autofree char *layer = describe_layer (page, setting);

  if (!setting->from_uri || (setting->layer == CONFIG_LAYER_KEYFILE && setting->line == 0))
    return g_steal_pointer (&layer);
  return g_strconcat (layer, " (uri)", NULL);
}

static void
write_line (Page *page, const char *key, const char *value, const char *source)
{
  glong width = g_utf8_strlen (key, -1) + 1 + g_utf8_strlen (value, -1);
  int blanks = (int) CLAMP (SOURCE_COLUMN - width, 2, SOURCE_COLUMN);

  g_string_append_printf (page->text, "%s=%s%*s%s\n", key, value, blanks, "", source);
}

static void
write_setting (Page *page, const CenoteOption *row, const Setting *setting)
{
  g_autofree char *value = option_format (row, &setting->value);
  g_autofree char *source = describe_source (page, setting);

  write_line (page, row->name, value, source);
}

static void
write_table (Page *page, const OptionTable *table, const Setting *settings)
{
  CenoteOption row;
  guint i;

  for (i = 0; i < table->n_rows; i++) {
    option_table_row (table, i, &row);
    write_setting (page, &row, &settings[i]);
  }
}

static void
write_plugin_file (Page *page, const Plugin *plugin)
{
  gsize i;

  g_string_append_printf (page->text, "# %s %s, %s\n", plugin->name, plugin->version,
                          plugin->path != NULL ? plugin->path : "built in");
  for (i = 0; plugin->shadowed != NULL && plugin->shadowed[i] != NULL; i++)
    g_string_append_printf (page->text, "# shadows %s\n", plugin->shadowed[i]);
}

static void
write_use (Page *page, const PluginUse *use)
{
  g_string_append_printf (page->text, "\n[%s:%s]\n", cenote_plugin_kind_to_string (use->kind), use->instance);
  if (use->plugin == NULL) {
    g_string_append_printf (page->text, "# %s\n", use->failure->message);
    return;
  }
  write_plugin_file (page, use->plugin);
  g_string_append_printf (page->text, "plugin=%s\n", use->plugin->name);
  write_table (page, &use->plugin->options, use->settings);
}

static void
write_targets (Page *page, char **targets)
{
  gsize i;

  for (i = 0; targets[i] != NULL; i++)
    g_string_append_printf (page->text, "# dials %s\n", targets[i]);
}

/* (nullable): what the tracked path costs; NULL: the pool is not on it. */
static const char *
tracking_of (const PoolSettings *pool)
{
  gboolean watches = pool_number (pool, POOL_LEAK_THRESHOLD) != CENOTE_OFF;
  gboolean limits = pool_flag (pool, POOL_HARD_STREAM_LIMIT);

  if (watches)
    return "tracked path (leak-threshold): with each get a stack trace, and with get and release a lock that all threads "
           "share: ten microseconds or more in place of nanoseconds";
  return limits ? "tracked path (hard-stream-limit): each get and release writes counters that all threads share: some "
                  "twenty times what they cost without, and threads wait for each other's writes"
                : NULL;
}

static void
write_tracking (Page *page, const PoolSettings *pool)
{
  const char *tracking = tracking_of (pool);

  if (tracking != NULL)
    g_string_append_printf (page->text, "# %s\n", tracking);
}

static void
write_pool (Page *page, const PoolSettings *pool)
{
  page->pool = pool;
  g_string_append_printf (page->text, "\n[pool:%s]\n", pool->name);
  if (pool->failure != NULL)
    g_string_append_printf (page->text, "# cannot run: %s\n", pool->failure->message);
  write_targets (page, pool->targets);
  write_tracking (page, pool);
  write_table (page, &pool_options, pool->options);
  page->pool = NULL;
}

/* Each instance once, in the order of first use. */
static GPtrArray *
collect_uses (const Settings *settings)
{
  GPtrArray *uses = g_ptr_array_new ();
  guint i, j;

  for (i = 0; i < settings->sinks->len; i++)
    g_ptr_array_add (uses, g_ptr_array_index (settings->sinks, i));
  for (i = 0; i < settings->pools->len; i++) {
    const PoolSettings *pool = g_ptr_array_index (settings->pools, i);
    PluginUse *const own[] = { pool->transport, pool->connector, pool->picker, pool->backoff };

    for (j = 0; j < G_N_ELEMENTS (own); j++) {
      if (!g_ptr_array_find (uses, own[j], NULL))
        g_ptr_array_add (uses, own[j]);
    }
  }
  return uses;
}

static char *
explain_to_people (const Settings *settings)
{
  g_autoptr (GPtrArray) uses = collect_uses (settings);
  Page page = { g_string_new ("[cenote]\n"), settings, NULL };
  guint i;

  write_table (&page, &process_options, settings->options);
  for (i = 0; i < settings->pools->len; i++)
    write_pool (&page, g_ptr_array_index (settings->pools, i));
  for (i = 0; i < uses->len; i++)
    write_use (&page, g_ptr_array_index (uses, i));
  return g_string_free (page.text, FALSE);
}

/* ------------------------------------------------------------------- scripts */

static void
json_setting (GString *out, const CenoteOption *row, const Setting *setting)
{
  g_autofree char *value = setting->value.is_set ? option_format (row, &setting->value) : NULL;
  gboolean has_line = setting->line != 0 && setting->line != PROBLEMS_PROGRAM;

  json_begin_object (out);
  json_member_string (out, "key", row->name);
  json_member_string (out, "value", value);
  json_member_string (out, "source", setting->from_uri ? "uri" : name_of_layer (setting->layer));
  json_member_optional (out, "line", has_line ? (gint64) setting->line : -1);
  json_end_object (out);
}

static void
json_table (GString *out, const char *name, const OptionTable *table, const Setting *settings)
{
  CenoteOption row;
  guint i;

  json_name (out, name);
  json_begin_array (out);
  for (i = 0; i < table->n_rows; i++) {
    option_table_row (table, i, &row);
    json_setting (out, &row, &settings[i]);
  }
  json_end_array (out);
}

static void
json_plugin (GString *out, const PluginUse *use)
{
  const Plugin *plugin = use->plugin;

  json_member_string (out, "plugin", plugin->name);
  json_member_string (out, "version", plugin->version);
  json_member_string (out, "path", plugin->path);
  json_name (out, "shadowed");
  json_strv (out, (const char *const *) plugin->shadowed);
  json_table (out, "options", &plugin->options, use->settings);
}

static void
json_use (GString *out, const PluginUse *use)
{
  json_begin_object (out);
  json_member_string (out, "kind", cenote_plugin_kind_to_string (use->kind));
  json_member_string (out, "instance", use->instance);
  json_member_string (out, "failure", use->failure != NULL ? use->failure->message : NULL);
  if (use->plugin != NULL)
    json_plugin (out, use);
  json_end_object (out);
}

static void
json_uses (GString *out, const char *name, const GPtrArray *uses)
{
  guint i;

  json_name (out, name);
  json_begin_array (out);
  for (i = 0; i < uses->len; i++)
    json_use (out, g_ptr_array_index (uses, i));
  json_end_array (out);
}

static void
json_pool (GString *out, const PoolSettings *pool)
{
  g_autoptr (GPtrArray) uses = g_ptr_array_new ();
  guint i;

  g_ptr_array_add (uses, pool->transport);
  g_ptr_array_add (uses, pool->connector);
  g_ptr_array_add (uses, pool->picker);
  g_ptr_array_add (uses, pool->backoff);
  for (i = 0; i < pool->sinks->len; i++)
    g_ptr_array_add (uses, g_ptr_array_index (pool->sinks, i));
  json_begin_object (out);
  json_member_string (out, "name", pool->name);
  json_member_string (out, "failure", pool->failure != NULL ? pool->failure->message : NULL);
  json_name (out, "targets");
  json_strv (out, (const char *const *) pool->targets);
  json_member_string (out, "tracking", tracking_of (pool));
  json_table (out, "options", &pool_options, pool->options);
  json_uses (out, "plugins", uses);
  json_end_object (out);
}

static char *
explain_to_scripts (const Settings *settings)
{
  GString *out = g_string_new (NULL);
  guint i;

  json_begin_object (out);
  json_member_string (out, "file", settings->file);
  json_table (out, "process", &process_options, settings->options);
  json_uses (out, "sinks", settings->process_sinks);
  json_name (out, "pools");
  json_begin_array (out);
  for (i = 0; i < settings->pools->len; i++)
    json_pool (out, g_ptr_array_index (settings->pools, i));
  json_end_array (out);
  json_end_object (out);
  return g_string_free (out, FALSE);
}

char *
explain_settings (const Settings *settings, gboolean json)
{
  return json ? explain_to_scripts (settings) : explain_to_people (settings);
}
