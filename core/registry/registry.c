/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry: where plugins are looked for, which file is taken, what is kept.
 *
 * Owns the list of directories and the plugins that have been taken; the lock
 * guards both and is not held while a file is read or a plugin's code runs.  Two
 * threads that load the same plugin at once both read it; the first one's copy
 * is kept.  A plugin that was refused is looked at again the next time.
 */
#include "registry.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buildinfo.h"
#include "plugin-load.h"
#include "trust.h"

struct CenoteRegistry {
  gatomicrefcount refs;
  GMutex lock;
  GPtrArray *directories;    /* added, then of CENOTE_PLUGIN_PATH, then the built-in one; each once */
  guint n_added;
  GHashTable *plugins;       /* "kind/name" → Plugin */
};

/* ------------------------------------------------------------ directories */

/* Absolute and without slashes at its end, but not otherwise changed. */
static char *
absolute_path (const char *path)
{
  g_autofree char *current = g_get_current_dir ();
  char *absolute = g_path_is_absolute (path) ? g_strdup (path) : g_build_filename (current, path, NULL);

  for (gsize length = strlen (absolute); length > 1 && absolute[length - 1] == '/'; length--)
    absolute[length - 1] = '\0';
  return absolute;
}

static gboolean
has_directory (const CenoteRegistry *registry, const char *path)
{
  return g_ptr_array_find_with_equal_func (registry->directories, path, g_str_equal, NULL);
}

static void
append_directory (CenoteRegistry *registry, const char *path)
{
  g_autofree char *absolute = absolute_path (path);

  if (!has_directory (registry, absolute))
    g_ptr_array_add (registry->directories, g_steal_pointer (&absolute));
}

/* (transfer full): a copy, so that files are looked at without the lock. */
static char **
copy_directories (CenoteRegistry *registry)
{
  char **copy;

  g_mutex_lock (&registry->lock);
  copy = g_new0 (char *, registry->directories->len + 1);
  for (guint i = 0; i < registry->directories->len; i++)
    copy[i] = g_strdup (registry->directories->pdata[i]);
  g_mutex_unlock (&registry->lock);
  return copy;
}

gboolean
cenote_registry_add_directory (CenoteRegistry *registry, const char *path, GError **error)
{
  g_autofree char *absolute = NULL;
  int fd;

  g_return_val_if_fail (registry != NULL, FALSE);
  g_return_val_if_fail (path != NULL, FALSE);

  absolute = absolute_path (path);
  fd = trust_open_directory (absolute, error);
  if (fd < 0) {
    g_prefix_error (error, "plugin directory: ");
    return FALSE;
  }
  close (fd);
  g_mutex_lock (&registry->lock);
  if (!has_directory (registry, absolute))
    g_ptr_array_insert (registry->directories, (gint) registry->n_added++, g_steal_pointer (&absolute));
  g_mutex_unlock (&registry->lock);
  return TRUE;
}

/* --------------------------------------------------------------- registry */

CenoteRegistry *
registry_new_with (const char *plugin_path, const char *built_in)
{
  CenoteRegistry *registry = g_new0 (CenoteRegistry, 1);
  g_auto (GStrv) directories = g_strsplit (plugin_path ? plugin_path : "", ":", -1);

  g_atomic_ref_count_init (&registry->refs);
  g_mutex_init (&registry->lock);
  registry->directories = g_ptr_array_new_with_free_func (g_free);
  registry->plugins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) plugin_unref);
  for (char **at = directories; *at; at++) {
    if (**at)
      append_directory (registry, *at);
  }
  if (built_in)
    append_directory (registry, built_in);
  return registry;
}

/* Whoever runs a program with raised privileges does not choose its code. */
CenoteRegistry *
cenote_registry_new (void)
{
  return registry_new_with (secure_getenv ("CENOTE_PLUGIN_PATH"), PLUGINDIR);
}

CenoteRegistry *
cenote_registry_ref (CenoteRegistry *registry)
{
  g_return_val_if_fail (registry != NULL, NULL);

  g_atomic_ref_count_inc (&registry->refs);
  return registry;
}

void
cenote_registry_unref (CenoteRegistry *registry)
{
  if (!registry || !g_atomic_ref_count_dec (&registry->refs))
    return;
  g_hash_table_unref (registry->plugins);
  g_ptr_array_unref (registry->directories);
  g_mutex_clear (&registry->lock);
  g_free (registry);
}

/* ------------------------------------------------------------------- kept */

static char *
plugin_key (CenotePluginKind kind, const char *name)
{
  return g_strdup_printf ("%s/%s", cenote_plugin_kind_to_string (kind), name);
}

/* (transfer full) (nullable) */
static Plugin *
find_kept (CenoteRegistry *registry, CenotePluginKind kind, const char *name)
{
  g_autofree char *key = plugin_key (kind, name);
  Plugin *plugin;

  g_mutex_lock (&registry->lock);
  plugin = g_hash_table_lookup (registry->plugins, key);
  if (plugin)
    plugin_ref (plugin);
  g_mutex_unlock (&registry->lock);
  return plugin;
}

/* Keeps PLUGIN unless one of its kind and name is kept already.
 * Returns: (transfer full): the one that is kept. */
static Plugin *
keep (CenoteRegistry *registry, Plugin *plugin)
{
  char *key = plugin_key (plugin->kind, plugin->name);
  Plugin *kept;

  g_mutex_lock (&registry->lock);
  kept = g_hash_table_lookup (registry->plugins, key);
  if (kept) {
    plugin_ref (kept);
    g_free (key);
  } else {
    kept = plugin_ref (plugin);
    g_hash_table_insert (registry->plugins, key, plugin_ref (plugin));
  }
  g_mutex_unlock (&registry->lock);
  return kept;
}

/* ------------------------------------------------------------------ files */

/* (transfer full): every file of that kind and name, in the directories' order. */
static char **
find_files (const char *const *directories, CenotePluginKind kind, const char *name)
{
  g_autofree char *file = plugin_file_name (kind, name);
  GPtrArray *paths = g_ptr_array_new ();

  for (guint i = 0; directories[i]; i++) {
    g_autofree char *path = g_build_filename (directories[i], file, NULL);

    if (access (path, F_OK) == 0)
      g_ptr_array_add (paths, g_steal_pointer (&path));
  }
  g_ptr_array_add (paths, NULL);
  return (char **) g_ptr_array_free (paths, FALSE);
}

/* ---------------------------------------------------------------- finding */

static void
set_not_found (CenoteRegistry *registry, CenotePluginKind kind, const char *name, const char *const *directories,
               GError **error)
{
  g_auto (GStrv) names = cenote_registry_list (registry, kind);
  const char *nearest = option_nearest (name, (const char *const *) names);
  g_autofree char *hint = nearest ? g_strdup_printf (" (nearest: %s)", nearest) : g_strdup ("");
  g_autofree char *file = plugin_file_name (kind, name);
  g_autofree char *where = g_strjoinv (", ", (char **) directories);

  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND, "no %s plugin '%s'%s: there is no %s in %s",
               cenote_plugin_kind_to_string (kind), name, hint, file,
               *where ? where : "any directory, as none is searched");
}

/* The first file is taken, or refused: a later one never stands in for it. */
static Plugin *
find_and_load (CenoteRegistry *registry, CenotePluginKind kind, const char *name, GError **error)
{
  g_auto (GStrv) directories = copy_directories (registry);
  g_auto (GStrv) paths = find_files ((const char *const *) directories, kind, name);
  g_autoptr (Plugin) plugin = NULL;

  if (!paths[0]) {
    set_not_found (registry, kind, name, (const char *const *) directories, error);
    return NULL;
  }
  plugin = plugin_load (paths[0], kind, name, error);
  if (!plugin) {
    g_prefix_error (error, "%s plugin '%s' is refused: ", cenote_plugin_kind_to_string (kind), name);
    return NULL;
  }
  g_strfreev (plugin->shadowed);
  plugin->shadowed = g_strdupv (paths + 1);
  return keep (registry, plugin);
}

Plugin *
registry_get (CenoteRegistry *registry, CenotePluginKind kind, const char *name, GError **error)
{
  Plugin *plugin;

  if (!plugin_name_check (name, error)) {
    g_prefix_error (error, "%s plugin: ", cenote_plugin_kind_to_string (kind));
    return NULL;
  }
  plugin = find_kept (registry, kind, name);
  return plugin ? plugin : find_and_load (registry, kind, name, error);
}

gboolean
cenote_registry_load (CenoteRegistry *registry, CenotePluginKind kind, const char *name, GError **error)
{
  g_autoptr (Plugin) plugin = NULL;

  g_return_val_if_fail (registry != NULL, FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  plugin = registry_get (registry, kind, name, error);
  return plugin != NULL;
}

gboolean
cenote_registry_add_static (CenoteRegistry *registry, const CenotePlugin *descriptor, GError **error)
{
  g_auto (GStrv) directories = NULL;
  g_autoptr (Plugin) plugin = NULL;
  g_autoptr (Plugin) kept = NULL;

  g_return_val_if_fail (registry != NULL, FALSE);
  g_return_val_if_fail (descriptor != NULL, FALSE);

  plugin = plugin_new (descriptor, 0, NULL, error);
  if (!plugin) {
    g_prefix_error (error, "static plugin is refused: ");
    return FALSE;
  }
  directories = copy_directories (registry);
  g_strfreev (plugin->shadowed);
  plugin->shadowed = find_files ((const char *const *) directories, plugin->kind, plugin->name);
  kept = keep (registry, plugin);
  if (kept == plugin)
    return TRUE;
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "static plugin is refused: %s/%s is there already, from %s",
               cenote_plugin_kind_to_string (plugin->kind), plugin->name,
               kept->path ? kept->path : "a static descriptor");
  return FALSE;
}

/* ---------------------------------------------------------------- listing */

/* Marks in NAMES (name → whether it can be had) what DIRECTORY has; the first file of a name decides. */
static void
list_directory (GHashTable *names, const char *directory, CenotePluginKind kind)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *file;

  while (dir && (file = g_dir_read_name (dir))) {
    g_autofree char *name = plugin_name_of_file (file, kind);
    g_autofree char *path = g_build_filename (directory, file, NULL);

    if (name && !g_hash_table_contains (names, name)) {
      gboolean can_be_had = plugin_load_check (path, kind, name, NULL);

      g_hash_table_insert (names, g_steal_pointer (&name), GINT_TO_POINTER (can_be_had));
    }
  }
}

static void
list_kept (CenoteRegistry *registry, GHashTable *names, CenotePluginKind kind)
{
  GHashTableIter iter;
  gpointer plugin;

  g_mutex_lock (&registry->lock);
  g_hash_table_iter_init (&iter, registry->plugins);
  while (g_hash_table_iter_next (&iter, NULL, &plugin)) {
    if (((Plugin *) plugin)->kind == kind)
      g_hash_table_insert (names, g_strdup (((Plugin *) plugin)->name), GINT_TO_POINTER (TRUE));
  }
  g_mutex_unlock (&registry->lock);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char **
cenote_registry_list (CenoteRegistry *registry, CenotePluginKind kind)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) directories = NULL;
  GPtrArray *list = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name, can_be_had;

  g_return_val_if_fail (registry != NULL, NULL);

  directories = copy_directories (registry);
  list_kept (registry, names, kind);
  for (guint i = 0; directories[i]; i++)
    list_directory (names, directories[i], kind);
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, &can_be_had)) {
    if (GPOINTER_TO_INT (can_be_had))
      g_ptr_array_add (list, g_strdup (name));
  }
  g_ptr_array_sort (list, compare_names);
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (list, FALSE);
}

char *
cenote_registry_describe_json (CenoteRegistry *registry, CenotePluginKind kind, const char *name, GError **error)
{
  g_autoptr (Plugin) plugin = NULL;

  g_return_val_if_fail (registry != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  plugin = registry_get (registry, kind, name, error);
  return plugin ? plugin_describe_json (plugin) : NULL;
}
