/* SPDX-License-Identifier: Apache-2.0 */
/* config-entry: one key and its value, from the text behind the = to what the option tables read. */
#include "config-entry.h"

#include <string.h>

#include "escape.h"
#include "expand.h"
#include "settings.h"

/* JSON, which has its own use for backslashes, semicolons and braces. */
static gboolean
is_raw (const ConfigGroup *group, const char *key)
{
  gint row = strcmp (group->kind, "pool") == 0 ? option_table_find (&pool_options, key) : -1;

  return row >= 0 && (pool_options.rows[row].flags & OPTION_RAW) != 0;
}

static char *
read_scalar (const char *raw, char **out_problem)
{
  g_autofree char *text = escape_undo (raw, out_problem);

  return text == NULL ? NULL : expand_text (text, out_problem);
}

static char **
read_list (const char *raw, char **out_problem)
{
  g_auto (GStrv) items = escape_split (raw, out_problem);
  gsize i;

  for (i = 0; items != NULL && items[i] != NULL; i++) {
    char *expanded = expand_text (items[i], out_problem);

    if (expanded == NULL)
      return NULL;
    g_free (items[i]);
    items[i] = expanded;
  }
  return g_steal_pointer (&items);
}

static void
read_value (ConfigEntry *entry, const ConfigGroup *group, Problems *problems)
{
  entry->text = read_scalar (entry->raw, &entry->text_problem);
  entry->items = read_list (entry->raw, &entry->items_problem);
  if (entry->text != NULL || entry->items != NULL)
    return;
  problems_add (problems, entry->line, group->title, entry->key, "%s", entry->text_problem);
  g_clear_pointer (&entry->text_problem, g_free);
  g_clear_pointer (&entry->items_problem, g_free);
}

ConfigEntry *
config_entry_new (const ConfigGroup *group, const char *key, const char *value, guint line, ConfigLayer layer,
                  Problems *problems)
{
  ConfigEntry *entry = g_new0 (ConfigEntry, 1);

  entry->key = g_strdup (key);
  entry->raw = g_strstrip (g_strdup (value));
  entry->line = line;
  entry->layer = layer;
  if (!g_utf8_validate (entry->raw, -1, NULL)) /* only from a GKeyFile that the program has filled */
    problems_add (problems, line, group->title, key, "the value is not UTF-8");
  else if (is_raw (group, key))
    entry->text = g_strdup (entry->raw);
  else
    read_value (entry, group, problems);
  return entry;
}

ConfigEntry *
config_entry_new_literal (const char *key, const char *value, guint line, ConfigLayer layer)
{
  ConfigEntry *entry = g_new0 (ConfigEntry, 1);

  entry->key = g_strdup (key);
  entry->raw = g_strdup (value);
  entry->text = g_strdup (value);
  entry->items = escape_split (value, &entry->items_problem);
  entry->line = line;
  entry->layer = layer;
  return entry;
}

ConfigEntry *
config_entry_new_from_uri (const char *key, const char *value, const char *label, const char *title,
                           const ConfigEntry *uri)
{
  ConfigEntry *entry = config_entry_new_literal (key, value, uri->line, uri->layer);

  entry->label = g_strdup (label);
  entry->title = g_strdup (title);
  return entry;
}

gboolean
config_entry_is_from_uri (const ConfigEntry *entry)
{
  return entry->label != NULL;
}

const char *
config_entry_label (const ConfigEntry *entry)
{
  return entry->label != NULL ? entry->label : entry->key;
}

const char *
config_entry_title (const ConfigEntry *entry, const ConfigGroup *group)
{
  return entry->title != NULL ? entry->title : group->title;
}

char *
config_place_name (const char *label, guint line)
{
  if (line == 0)
    return g_strdup (label);
  if (line == PROBLEMS_PROGRAM)
    return g_strdup_printf ("%s set by the program", label);
  return g_strdup_printf ("%s on line %u", label, line);
}

ConfigEntry *
config_entry_new_lost (const char *key)
{
  ConfigEntry *entry = g_new0 (ConfigEntry, 1);

  entry->key = g_strdup (key);
  entry->layer = CONFIG_LAYER_KEYFILE;
  return entry;
}

gboolean
config_entry_is_lost (const ConfigEntry *entry)
{
  return entry->text == NULL && entry->items == NULL;
}

ConfigEntry *
config_entry_copy (const ConfigEntry *entry)
{
  ConfigEntry *copy = g_new0 (ConfigEntry, 1);

  copy->key = g_strdup (entry->key);
  copy->raw = g_strdup (entry->raw);
  copy->text = g_strdup (entry->text);
  copy->items = g_strdupv (entry->items);
  copy->text_problem = g_strdup (entry->text_problem);
  copy->items_problem = g_strdup (entry->items_problem);
  copy->line = entry->line;
  copy->layer = entry->layer;
  copy->label = g_strdup (entry->label);
  copy->title = g_strdup (entry->title);
  return copy;
}

void
config_entry_free (ConfigEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->key);
  g_free (entry->raw);
  g_free (entry->text);
  g_strfreev (entry->items);
  g_free (entry->text_problem);
  g_free (entry->items_problem);
  g_free (entry->label);
  g_free (entry->title);
  g_free (entry);
}
