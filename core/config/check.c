/* SPDX-License-Identifier: Apache-2.0 */
/* check: reads one group by one table. */
#include "check.h"

#include <string.h>

#include "config-entry.h"

/* Tables with more rows than this are left to the manual. */
#define KEYS_SHOWN_MAX 8

/* A relative path in a keyfile is one from the keyfile's directory; one that the
 * program has set is one from its own. */
static void
resolve_path (const Check *check, const ConfigEntry *entry, CenoteValue *value)
{
  const char *directory = config_get_directory (check->config);
  char *path;

  if (entry->layer != CONFIG_LAYER_KEYFILE || directory == NULL || g_path_is_absolute (value->text) ||
      g_str_equal (value->text, "-"))
    return;
  path = g_build_filename (directory, value->text, NULL);
  g_free ((char *) value->text);
  value->text = path;
}

static gboolean
parse_entry (const CenoteOption *row, const ConfigEntry *entry, CenoteValue *out_value, char **out_problem)
{
  if (row->type == CENOTE_OPTION_LIST && entry->items != NULL)
    return option_parse_list (row, (const char *const *) entry->items, out_value, out_problem);
  if (row->type != CENOTE_OPTION_LIST && entry->text != NULL)
    return option_parse (row, entry->text, out_value, out_problem);
  *out_problem = g_strdup (row->type == CENOTE_OPTION_LIST ? entry->items_problem : entry->text_problem);
  return FALSE;
}

void
check_add_value_problem (Check *check, const ConfigGroup *group, const ConfigEntry *entry, const char *problem)
{
  gboolean has_comment = entry->text != NULL && strstr (entry->text, " #") != NULL;

  if (problem != NULL)
    problems_add (check->problems, entry->line, config_entry_title (entry, group), config_entry_label (entry), "%s%s",
                  problem, has_comment ? "; a comment is a line of its own" : "");
}

static gboolean
read_entry (Check *check, const ConfigGroup *group, const CenoteOption *row, Setting *setting)
{
  const ConfigEntry *entry = group == NULL ? NULL : config_group_find (group, row->name);
  g_autofree char *problem = NULL;

  if (entry == NULL)
    return FALSE;
  if (!parse_entry (row, entry, &setting->value, &problem)) {
    check_add_value_problem (check, group, entry, problem);
    return FALSE;
  }
  setting->layer = entry->layer;
  setting->line = entry->line;
  setting->from_uri = config_entry_is_from_uri (entry)
                      || (config_is_uri (check->config) && entry->layer == CONFIG_LAYER_KEYFILE);
  if (row->type == CENOTE_OPTION_PATH)
    resolve_path (check, entry, &setting->value);
  if (row->flags & CENOTE_OPTION_DEPRECATED)
    problems_add (check->notes, entry->line, config_entry_title (entry, group), config_entry_label (entry),
                  "the key is deprecated (%s)", row->summary);
  return TRUE;
}

/* The defaults of tables are tested (or checked by the registry), so they parse. */
static void
read_default (const CenoteOption *row, const char *profile_text, Setting *setting)
{
  const char *text = profile_text != NULL ? profile_text : row->default_text;
  g_autofree char *problem = NULL;

  setting->layer = profile_text != NULL ? CONFIG_LAYER_PROFILE : CONFIG_LAYER_DEFAULT;
  if (text != NULL && !option_parse (row, text, &setting->value, &problem))
    g_critical ("the default of %s is wrong: %s", row->name, problem);
}

static void
check_required (Check *check, const ConfigGroup *group, const CenoteOption *row, const Place *missing)
{
  gboolean written = group != NULL && config_group_find (group, row->name) != NULL;

  if ((row->flags & CENOTE_OPTION_REQUIRED) == 0 || written)
    return;
  if (group != NULL && (group->name != NULL || missing == NULL))
    problems_add (check->problems, group->line, group->title, row->name, "missing (%s)", row->summary);
  else
    problems_add (check->problems, missing->line, missing->group, missing->key,
                  "the plugin needs %s (write it into a group for the plugin: %s)", row->name, row->summary);
}

void
check_read_settings (Check *check, const ConfigGroup *group, const OptionTable *table, CheckDefault get_default,
                     const Place *missing, Setting *settings)
{
  CenoteOption row;
  guint i;

  for (i = 0; i < table->n_rows; i++) {
    option_table_row (table, i, &row);
    if (read_entry (check, group, &row, &settings[i]))
      continue;
    check_required (check, group, &row, missing);
    read_default (&row, get_default == NULL ? NULL : get_default (group, i), &settings[i]);
  }
}

void
check_clear_settings (Setting *settings, guint n_settings)
{
  guint i;

  for (i = 0; i < n_settings; i++)
    option_value_clear (&settings[i].value);
}

/* ---------------------------------------------------------------- unknown keys */

/* (transfer full): "a pool takes …", or where to look. */
static char *
describe_keys (const char *const *names, const char *owner)
{
  guint n = g_strv_length ((char **) names);
  g_autofree char *known = NULL;

  if (n == 0)
    return g_strdup_printf ("%s takes none", owner);
  if (n > KEYS_SHOWN_MAX)
    return g_strdup_printf ("cenote.conf(5) lists those of %s", owner);
  known = g_strjoinv (", ", (char **) names);
  return g_strdup_printf ("%s takes %s", owner, known);
}

static void
tell_unknown_key (Check *check, const ConfigGroup *group, const ConfigEntry *entry, const char *const *names,
                  const char *owner)
{
  const char *nearest = option_nearest (entry->key, names);
  g_autofree char *takes = describe_keys (names, owner);

  problems_add (check->problems, entry->line, config_entry_title (entry, group), config_entry_label (entry),
                "unknown key (%s%s%s)", takes, nearest != NULL ? "; nearest: " : "", nearest != NULL ? nearest : "");
}

static char **
names_with (const OptionTable *table, const char *extra)
{
  char **names = option_table_names (table);
  guint n = table->n_rows;

  if (extra == NULL)
    return names;
  names = g_renew (char *, names, n + 2);
  names[n] = g_strdup (extra);
  names[n + 1] = NULL;
  return names;
}

void
check_keys (Check *check, const ConfigGroup *group, const OptionTable *table, const char *extra, const char *owner)
{
  g_auto (GStrv) names = names_with (table, extra);
  guint i;

  /* What would only be counted is not worked out. */
  for (i = 0; i < group->entries->len && problems_count (check->problems) < PROBLEMS_MAX; i++) {
    const ConfigEntry *entry = g_ptr_array_index (group->entries, i);

    if (entry->raw != NULL && !g_strv_contains ((const char *const *) names, entry->key))
      tell_unknown_key (check, group, entry, (const char *const *) names, owner);
  }
}

void
check_add_plugin_problem (Check *check, const Place *place, const GError *failure, const char *hint)
{
  problems_add (check->problems, place->line, place->group, place->key, "%s%s", failure->message,
                hint != NULL ? hint : "");
  check->plugin_problems++;
  if (check->plugin_failure == NULL)
    check->plugin_failure = g_error_copy (failure);
}
