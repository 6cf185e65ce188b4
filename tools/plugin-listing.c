/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-listing: every plugin that a registry can find, described or refused.
 *
 * A registry lists what it would take.  What it would not take is found here, by
 * the files' names alone; whether and why it is refused, the registry says.
 */
#include "plugin-listing.h"

#include <stdlib.h>
#include <string.h>

#include "buildinfo.h"
#include "plugin-apart.h"

static void
listed_free (gpointer data)
{
  PluginListed *listed = data;

  g_free (listed->name);
  g_free (listed->json);
  g_free (listed->refusal);
  g_free (listed);
}

/* ------------------------------------------------------------- describing */

static void
plugin_describe (CenoteRegistry *registry, PluginListed *listed)
{
  const PluginApart apart = { .registry = registry, .kind = listed->kind, .name = listed->name };
  g_autoptr (GError) error = NULL;

  listed->json = plugin_apart_describe (&apart, &error);
  if (listed->json == NULL)
    listed->refusal = g_strdup (error->message);
}

/* ---------------------------------------------------------------- finding */

/* (transfer full) (nullable): NAME of a file called KIND-NAME.so. */
static char *
name_of_file (const char *file, CenotePluginKind kind)
{
  g_autofree char *prefix = g_strdup_printf ("%s-", cenote_plugin_kind_to_string (kind));
  gsize length = strlen (file), around = strlen (prefix) + strlen (".so");

  if (length <= around || !g_str_has_prefix (file, prefix) || !g_str_has_suffix (file, ".so"))
    return NULL;
  return g_strndup (file + strlen (prefix), length - around);
}

static void
collect_directory (const char *directory, CenotePluginKind kind, GHashTable *names)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *file;

  while (dir != NULL && (file = g_dir_read_name (dir)) != NULL) {
    char *name = name_of_file (file, kind);

    if (name != NULL)
      g_hash_table_add (names, name);
  }
}

/* What the registry lists, and what lies beside it. */
static GHashTable *
collect_names (CenoteRegistry *registry, const char *const *directories, CenotePluginKind kind)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) listed = cenote_registry_list (registry, kind);
  const char *variable = secure_getenv ("CENOTE_PLUGIN_PATH");
  g_auto (GStrv) path = g_strsplit (variable != NULL ? variable : "", G_SEARCHPATH_SEPARATOR_S, -1);

  for (guint i = 0; listed[i] != NULL; i++)
    g_hash_table_add (names, g_strdup (listed[i]));
  for (guint i = 0; directories != NULL && directories[i] != NULL; i++)
    collect_directory (directories[i], kind, names);
  for (guint i = 0; path[i] != NULL; i++)
    collect_directory (path[i], kind, names);
  collect_directory (PLUGINDIR, kind, names);
  return names;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
list_kind (CenoteRegistry *registry, const char *const *directories, CenotePluginKind kind, GPtrArray *listing)
{
  g_autoptr (GHashTable) names = collect_names (registry, directories, kind);
  g_autoptr (GList) sorted = g_list_sort (g_hash_table_get_keys (names), compare_names);

  for (const GList *at = sorted; at != NULL; at = at->next) {
    PluginListed *listed = g_new0 (PluginListed, 1);

    listed->kind = kind;
    listed->name = g_strdup (at->data);
    plugin_describe (registry, listed);
    g_ptr_array_add (listing, listed);
  }
}

GPtrArray *
plugin_listing_new (CenoteRegistry *registry, const char *const *directories, guint kind)
{
  GPtrArray *listing = g_ptr_array_new_with_free_func (listed_free);

  for (guint k = CENOTE_PLUGIN_BACKOFF; k <= CENOTE_PLUGIN_TELEMETRY; k++)
    if (kind == 0 || kind == k)
      list_kind (registry, directories, (CenotePluginKind) k, listing);
  return listing;
}
