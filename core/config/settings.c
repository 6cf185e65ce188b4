/* SPDX-License-Identifier: Apache-2.0 */
/* settings: the one checking pass: config × option tables → every effective value, or everything that is wrong. */
#include "settings.h"

#include <string.h>

#include "check.h"
#include "plugin-use.h"
#include "pool-settings.h"

void
settings_free (Settings *settings)
{
  if (settings == NULL)
    return;
  check_clear_settings (settings->options, N_PROCESS_OPTIONS);
  g_clear_pointer (&settings->pools, g_ptr_array_unref);
  g_clear_pointer (&settings->process_sinks, g_ptr_array_unref);
  g_clear_pointer (&settings->sinks, g_ptr_array_unref);
  g_free (settings->file);
  g_free (settings);
}

/* ------------------------------------------------------------------ process */

static Place
process_place (const Settings *settings, const ConfigGroup *group, ProcessOption option)
{
  return (Place) { settings->options[option].line, group != NULL ? group->title : NULL,
                   group != NULL ? process_options.rows[option].name : NULL };
}

/* (transfer full) */
static char *
resolve_directory (const Check *check, const Setting *setting, const char *path)
{
  const char *directory = config_get_directory (check->config);

  if (g_path_is_absolute (path) || directory == NULL || setting->layer != CONFIG_LAYER_KEYFILE)
    return g_strdup (path);
  return g_build_filename (directory, path, NULL);
}

static void
add_directories (Check *check, const Settings *settings, const ConfigGroup *group)
{
  const Setting *setting = &settings->options[PROCESS_PLUGIN_PATH];
  const Place place = process_place (settings, group, PROCESS_PLUGIN_PATH);
  const char *const *list = setting->value.list;
  gsize i;

  for (i = 0; list != NULL && list[i] != NULL; i++) {
    g_autofree char *path = resolve_directory (check, setting, list[i]);
    g_autoptr (GError) error = NULL;

    if (!cenote_registry_add_directory (check->registry, path, &error))
      problems_add (check->problems, place.line, place.group, place.key,
                    "%s (an existing directory that nobody else may write)", error->message);
  }
}

static void
read_process (Check *check, Settings *settings)
{
  const ConfigGroup *group = config_find_group (check->config, "cenote", NULL);
  Place place;

  check_read_settings (check, group, &process_options, NULL, NULL, settings->options);
  if (group != NULL)
    check_keys (check, group, &process_options, NULL, "[cenote]");
  add_directories (check, settings, group);
  place = process_place (settings, group, PROCESS_TELEMETRY);
  settings->process_sinks = pool_settings_read_sinks (check, &settings->options[PROCESS_TELEMETRY], &place, NULL);
}

/* -------------------------------------------------------------------- pools */

static void
read_pools (Check *check, Settings *settings)
{
  const GPtrArray *groups = config_get_groups (check->config);
  guint i;

  settings->pools = g_ptr_array_new_with_free_func ((GDestroyNotify) pool_settings_unref);
  for (i = 0; i < groups->len; i++) {
    const ConfigGroup *group = g_ptr_array_index (groups, i);

    if (strcmp (group->kind, "pool") == 0)
      g_ptr_array_add (settings->pools, pool_settings_new (check, group, settings->process_sinks));
  }
  if (settings->pools->len == 0 && !config_is_incomplete (check->config))
    problems_add (check->problems, 0, NULL, NULL, "there is no pool (a [pool:NAME] group with target=HOST:PORT)");
}

/* Groups that nothing names are checked as well: a fault does not wait until somebody does. */
static void
read_unused_groups (Check *check)
{
  const GPtrArray *groups = config_get_groups (check->config);
  guint i;

  for (i = 0; i < groups->len; i++) {
    const ConfigGroup *group = g_ptr_array_index (groups, i);
    const Place place = { group->line, group->title, NULL };
    CenotePluginKind kind;
    PluginUse *use;

    if (!plugin_kind_from_string (group->kind, &kind) || g_hash_table_contains (check->uses, group->title)
        || g_hash_table_contains (check->overlaid, group->title))
      continue;
    use = plugin_use_get (check, kind, group->name, &place);
    if (use->failure != NULL)
      plugin_use_tell_failure (check, use, &place, NULL);
    plugin_use_unref (use);
  }
}

static void
add_sinks (GPtrArray *all, const GPtrArray *sinks)
{
  guint i;

  for (i = 0; i < sinks->len; i++) {
    PluginUse *use = g_ptr_array_index (sinks, i);

    if (!g_ptr_array_find (all, use, NULL))
      g_ptr_array_add (all, plugin_use_ref (use));
  }
}

static void
collect_sinks (Settings *settings)
{
  guint i;

  settings->sinks = g_ptr_array_new_with_free_func ((GDestroyNotify) plugin_use_unref);
  add_sinks (settings->sinks, settings->process_sinks);
  for (i = 0; i < settings->pools->len; i++)
    add_sinks (settings->sinks, ((PoolSettings *) g_ptr_array_index (settings->pools, i))->sinks);
}

/* -------------------------------------------------------------------- whole */

static void
check_init (Check *check, const CenoteConfig *config, CenoteRegistry *registry)
{
  memset (check, 0, sizeof *check);
  check->config = config;
  check->registry = registry;
  check->problems = problems_new (config_get_file (config));
  check->notes = problems_new (config_get_file (config));
  check->uses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) plugin_use_unref);
  check->overlaid = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  problems_add_all (check->problems, config_get_problems (config));
}

static void
check_clear (Check *check)
{
  problems_free (check->problems);
  problems_free (check->notes);
  g_hash_table_unref (check->uses);
  g_hash_table_unref (check->overlaid);
  g_clear_error (&check->plugin_failure);
}

/* CONFIG's error, or the plugin's own code where plugins are all that is wrong. */
static gboolean
report (const Check *check, GError **error)
{
  guint n = problems_count (check->problems);
  GError *problem = NULL;

  if (problems_check (check->problems, &problem))
    return TRUE;
  if (n == check->plugin_problems)
    problem->code = check->plugin_failure->code;
  g_propagate_error (error, problem);
  return FALSE;
}

Settings *
settings_new (CenoteConfig *config, CenoteRegistry *registry, char ***out_notes, GError **error)
{
  Settings *settings = g_new0 (Settings, 1);
  Check check;

  check_init (&check, config, registry);
  settings->file = g_strdup (config_get_file (config));
  read_process (&check, settings);
  read_pools (&check, settings);
  read_unused_groups (&check);
  collect_sinks (settings);
  if (!report (&check, error))
    g_clear_pointer (&settings, settings_free);
  config_add_warnings (config, check.notes);
  if (out_notes != NULL)
    *out_notes = problems_to_strv (check.notes);
  check_clear (&check);
  return settings;
}
