/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-use: from a name in the keyfile to a plugin with its values. */
#include "plugin-use.h"

#include <string.h>

PluginUse *
plugin_use_ref (PluginUse *use)
{
  g_atomic_ref_count_inc (&use->refs);
  return use;
}

void
plugin_use_unref (PluginUse *use)
{
  if (use == NULL || !g_atomic_ref_count_dec (&use->refs))
    return;
  check_clear_settings (use->settings, use->n_settings);
  g_free (use->settings);
  g_free (use->values);
  if (use->plugin != NULL)
    plugin_unref (use->plugin);
  g_clear_error (&use->failure);
  g_free (use->instance);
  g_free (use);
}

CenoteOptions
plugin_use_options (const PluginUse *use)
{
  return (CenoteOptions) {
    .struct_size = sizeof (CenoteOptions),
    .n_values = use->n_settings,
    .value_size = sizeof (CenoteValue),
    .values = use->values,
    .instance = use->instance,
  };
}

static void
add_groups (const Check *check, CenotePluginKind kind, GStrvBuilder *names)
{
  const GPtrArray *groups = config_get_groups (check->config);
  guint i;

  for (i = 0; i < groups->len; i++) {
    const ConfigGroup *group = g_ptr_array_index (groups, i);

    if (strcmp (group->kind, cenote_plugin_kind_to_string (kind)) == 0)
      g_strv_builder_add (names, group->name);
  }
}

/* (transfer full) (nullable): which plugin, or group where WITH_GROUPS, NAME most likely meant. */
static char *
find_nearest (const Check *check, CenotePluginKind kind, const char *name, gboolean with_groups)
{
  g_auto (GStrv) plugins = cenote_registry_list (check->registry, kind);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;

  if (with_groups)
    add_groups (check, kind, builder);
  g_strv_builder_addv (builder, (const char **) plugins);
  names = g_strv_builder_end (builder);
  return g_strdup (option_nearest (name, (const char *const *) names));
}

/* In place of the registry's words for a plugin that is not there: a group could have been
 * meant as well, and where the nearest name is known the directories only distract. */
static GError *
explain_absence (const Check *check, CenotePluginKind kind, const char *name, gboolean in_group, const GError *error)
{
  const char *word = cenote_plugin_kind_to_string (kind);
  g_autofree char *nearest = find_nearest (check, kind, name, !in_group);
  g_autofree char *group = in_group ? g_strdup ("") : g_strdup_printf ("no group [%s:%s] and ", word, name);

  if (nearest == NULL)
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND, "%s%s", group, error->message);
  return g_error_new (CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND, "%sno %s plugin '%s' (nearest: %s)", group, word, name,
                      nearest);
}

static void
load (Check *check, PluginUse *use, const char *plugin_name, gboolean in_group)
{
  g_autoptr (GError) error = NULL;

  use->plugin = registry_get (check->registry, use->kind, plugin_name, &error);
  if (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND) || !plugin_name_check (plugin_name, NULL))
    use->failure = explain_absence (check, use->kind, plugin_name, in_group, error);
  else
    use->failure = g_steal_pointer (&error);
}

static void
read_options (Check *check, PluginUse *use, const ConfigGroup *group, const Place *from)
{
  const OptionTable *table = &use->plugin->options;
  g_autofree char *owner =
    g_strdup_printf ("%s plugin %s", cenote_plugin_kind_to_string (use->kind), use->plugin->name);
  guint i;

  use->n_settings = table->n_rows;
  use->settings = g_new0 (Setting, table->n_rows);
  use->values = g_new0 (CenoteValue, table->n_rows);
  check_read_settings (check, group, table, NULL, from, use->settings);
  for (i = 0; i < table->n_rows; i++)
    use->values[i] = use->settings[i].value;
  if (group != NULL)
    check_keys (check, group, table, "plugin", owner);
}

/* INSTANCE: what the use is called; NAME: the plugin where GROUP (nullable) does not say. */
static PluginUse *
use_new (Check *check, CenotePluginKind kind, const char *instance, const char *name, const ConfigGroup *group,
         const Place *from)
{
  const ConfigEntry *entry = group == NULL ? NULL : config_group_find (group, "plugin");
  PluginUse *use = g_new0 (PluginUse, 1);

  g_atomic_ref_count_init (&use->refs);
  use->kind = kind;
  use->instance = g_strdup (instance);
  use->line = group == NULL ? 0 : group->line;
  load (check, use, entry != NULL && entry->text != NULL ? entry->text : name, group != NULL && group->name != NULL);
  if (use->plugin != NULL)
    read_options (check, use, group, from);
  return use;
}

PluginUse *
plugin_use_get (Check *check, CenotePluginKind kind, const char *name, const Place *from)
{
  const ConfigGroup *group = config_find_group (check->config, cenote_plugin_kind_to_string (kind), name);
  g_autofree char *id = g_strconcat (cenote_plugin_kind_to_string (kind), ":", name, NULL);
  PluginUse *use = g_hash_table_lookup (check->uses, id);

  if (use == NULL) {
    use = use_new (check, kind, name, name, group, from);
    g_hash_table_insert (check->uses, g_steal_pointer (&id), use);
  }
  return plugin_use_ref (use);
}

static void
add_entries (GPtrArray *entries, const ConfigGroup *group)
{
  guint i;

  for (i = 0; i < group->entries->len; i++)
    g_ptr_array_add (entries, g_ptr_array_index (group->entries, i));
}

PluginUse *
plugin_use_get_own (Check *check, CenotePluginKind kind, const char *name, const ConfigGroup *own, const char *pool,
                    const Place *from)
{
  const ConfigGroup *base = config_find_group (check->config, cenote_plugin_kind_to_string (kind), name);
  g_autoptr (GPtrArray) entries = g_ptr_array_new (); /* borrowed; the first of a key counts */
  g_autofree char *instance = g_strconcat (pool, "/", name, NULL);
  ConfigGroup both = base != NULL ? *base : *own;

  add_entries (entries, own);
  if (base != NULL) {
    add_entries (entries, base);
    g_hash_table_add (check->overlaid, g_strdup (base->title));
  }
  both.entries = entries;
  return use_new (check, kind, instance, name, &both, from);
}

void
plugin_use_tell_failure (Check *check, const PluginUse *use, const Place *from, const char *hint)
{
  const ConfigGroup *group = config_find_group (check->config, cenote_plugin_kind_to_string (use->kind), use->instance);
  const ConfigEntry *entry = group == NULL ? NULL : config_group_find (group, "plugin");
  Place own;

  if (group == NULL) {
    check_add_plugin_problem (check, from, use->failure, hint);
  } else if (entry != NULL && entry->text == NULL) {
    check_add_value_problem (check, group, entry, entry->text_problem);
  } else {
    own = (Place) { entry != NULL ? entry->line : group->line, group->title, "plugin" };
    check_add_plugin_problem (check, &own, use->failure, NULL);
  }
}
