/* SPDX-License-Identifier: Apache-2.0 */
/* references: which [KIND:NAME] groups the process and the pools name. */
#include "references.h"

#include <string.h>

#include "escape.h"
#include "profile.h"
#include "settings.h"

/* The set of titles that are named. */
static void
add_name (GHashTable *titles, const char *kind, const char *name)
{
  g_hash_table_add (titles, g_strconcat (kind, ":", name, NULL));
}

static void
add_pool_names (GHashTable *titles, const ConfigGroup *pool)
{
  static const PoolOption kinds[] = { POOL_TRANSPORT, POOL_CONNECTOR, POOL_PICKER, POOL_BACKOFF };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (kinds); i++) {
    const ConfigEntry *entry;
    const char *name;
    CenoteOption row;

    option_table_row (&pool_options, kinds[i], &row);
    entry = config_group_find (pool, row.name);
    name = entry != NULL ? entry->text : profile_default (pool, kinds[i]);
    if (name == NULL && entry == NULL)
      name = row.default_text;
    if (name != NULL)
      add_name (titles, row.name, name);
  }
}

static void
add_sinks (GHashTable *titles, const char *const *names)
{
  gsize i;

  for (i = 0; names != NULL && names[i] != NULL; i++)
    add_name (titles, "telemetry", names[i]);
}

static void
add_process_names (GHashTable *titles, const CenoteConfig *config)
{
  const ConfigGroup *process = config_find_group (config, "cenote", NULL);
  const ConfigEntry *entry = process == NULL ? NULL : config_group_find (process, "telemetry");
  g_auto (GStrv) defaults = NULL;
  g_autofree char *problem = NULL;
  CenoteOption row;

  option_table_row (&process_options, PROCESS_TELEMETRY, &row);
  defaults = escape_split (row.default_text, &problem);
  add_sinks (titles, (const char *const *) (entry != NULL ? entry->items : defaults));
}

static GHashTable *
collect_names (const CenoteConfig *config)
{
  GHashTable *titles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const GPtrArray *groups = config_get_groups (config);
  guint i;

  add_process_names (titles, config);
  for (i = 0; i < groups->len; i++) {
    const ConfigGroup *group = g_ptr_array_index (groups, i);
    const ConfigEntry *sinks = config_group_find (group, "telemetry");

    if (strcmp (group->kind, "pool") != 0)
      continue;
    add_pool_names (titles, group);
    add_sinks (titles, (const char *const *) (sinks != NULL ? sinks->items : NULL));
  }
  return titles;
}

void
references_note_unused (const CenoteConfig *config, Problems *notes)
{
  g_autoptr (GHashTable) titles = collect_names (config);
  const GPtrArray *groups = config_get_groups (config);
  guint i;

  for (i = 0; i < groups->len; i++) {
    const ConfigGroup *group = g_ptr_array_index (groups, i);

    if (strcmp (group->kind, "pool") == 0 || strcmp (group->kind, "cenote") == 0
        || g_hash_table_contains (titles, group->title))
      continue;
    problems_add (notes, group->line, group->title, NULL, "the group is not used (name it in a pool: %s=%s)",
                  group->kind, group->name);
  }
}
