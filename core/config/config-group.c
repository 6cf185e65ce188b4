/* SPDX-License-Identifier: Apache-2.0 */
/* config-group: one [KIND:NAME] group with its entries. */
#include <string.h>

#include "config-entry.h"
#include "config.h"

static void
entry_free (gpointer data)
{
  config_entry_free (data);
}

static ConfigGroup *
group_new (const char *title, guint line)
{
  ConfigGroup *group = g_new0 (ConfigGroup, 1);

  group->title = g_strdup (title);
  group->line = line;
  group->entries = g_ptr_array_new_with_free_func (entry_free);
  return group;
}

ConfigGroup *
config_group_new (const char *title, guint line)
{
  ConfigGroup *group = group_new (title, line);
  const char *colon = strchr (title, ':');

  group->kind = colon != NULL ? g_strndup (title, (gsize) (colon - title)) : g_strdup (title);
  group->name = colon != NULL ? g_strdup (colon + 1) : NULL;
  return group;
}

ConfigGroup *
config_group_new_own (const char *title, const char *kind, guint line)
{
  ConfigGroup *group = group_new (title, line);

  group->kind = g_strdup (kind);
  return group;
}

ConfigUri *
config_uri_new (const char *user_password)
{
  ConfigUri *uri = g_new0 (ConfigUri, 1);

  uri->user_password = g_strdup (user_password);
  uri->own_groups = g_ptr_array_new_with_free_func ((GDestroyNotify) config_group_free);
  return uri;
}

static void
uri_free (ConfigUri *uri)
{
  if (uri == NULL)
    return;
  g_ptr_array_unref (uri->own_groups);
  g_free (uri->user_password);
  g_free (uri);
}

void
config_group_free (ConfigGroup *group)
{
  if (group == NULL)
    return;
  uri_free (group->uri);
  g_free (group->title);
  g_free (group->kind);
  g_free (group->name);
  g_ptr_array_unref (group->entries);
  g_free (group);
}

const ConfigEntry *
config_group_find (const ConfigGroup *group, const char *key)
{
  guint i;

  for (i = 0; i < group->entries->len; i++) {
    const ConfigEntry *entry = g_ptr_array_index (group->entries, i);

    if (strcmp (entry->key, key) == 0)
      return entry;
  }
  return NULL;
}

const ConfigGroup *
config_group_find_own (const ConfigGroup *pool, const char *kind)
{
  guint i;

  for (i = 0; pool->uri != NULL && i < pool->uri->own_groups->len; i++) {
    const ConfigGroup *group = g_ptr_array_index (pool->uri->own_groups, i);

    if (strcmp (group->kind, kind) == 0)
      return group;
  }
  return NULL;
}

gboolean
config_group_has_bad_uri (const ConfigGroup *pool)
{
  return pool->uri == NULL && config_group_find (pool, "uri") != NULL;
}
