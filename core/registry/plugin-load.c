/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-load: a file, what its name promises, what its note says, and what it then is.  See plugin-load.h. */
#include "plugin-load.h"

#include <string.h>

#include "plugin-file.h"
#include "trust.h"

/* ------------------------------------------------------------------- name */

char *
plugin_file_name (CenotePluginKind kind, const char *name)
{
  return g_strdup_printf ("%s-%s.so", cenote_plugin_kind_to_string (kind), name);
}

char *
plugin_name_of_file (const char *file, CenotePluginKind kind)
{
  const char *kind_name = cenote_plugin_kind_to_string (kind);
  gsize prefix = strlen (kind_name) + 1;
  gsize length = strlen (file);
  g_autofree char *name = NULL;

  if (length <= prefix + 3 || !g_str_has_prefix (file, kind_name) || file[prefix - 1] != '-' ||
      !g_str_has_suffix (file, ".so"))
    return NULL;
  name = g_strndup (file + prefix, length - prefix - 3);
  return plugin_name_check (name, NULL) ? g_steal_pointer (&name) : NULL;
}

gboolean
plugin_path_parse (const char *path, CenotePluginKind *out_kind, char **out_name, GError **error)
{
  g_autofree char *file = g_path_get_basename (path);

  for (CenotePluginKind kind = CENOTE_PLUGIN_BACKOFF; kind <= CENOTE_PLUGIN_TELEMETRY; kind++) {
    *out_name = plugin_name_of_file (file, kind);
    *out_kind = kind;
    if (*out_name)
      return TRUE;
  }
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN,
               "%s: no plugin's file name, expected <kind>-<name>.so (backoff, connector, picker, transport or "
               "telemetry; a name of [a-z][a-z0-9-]*, at most %d bytes)", path, CENOTE_PLUGIN_NAME_MAX - 1);
  return FALSE;
}

/* ------------------------------------------------------------------- file */

gboolean
plugin_load_check (const char *path, CenotePluginKind kind, const char *name, GError **error)
{
  PluginNote note;

  if (!plugin_trust_check (path, error) || !plugin_file_read_note (path, &note, error))
    return FALSE;
  if (note.abi_major != CENOTE_ABI_MAJOR)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s: its note says ABI major %u, expected %u", path,
                 note.abi_major, CENOTE_ABI_MAJOR);
  else if (note.kind != kind)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s: its note says kind %s (%u), expected %s (%u)", path,
                 cenote_plugin_kind_to_string (note.kind), note.kind, cenote_plugin_kind_to_string (kind), kind);
  else if (!plugin_name_check (note.name, error))
    g_prefix_error (error, "%s: the name in its note: ", path);
  else if (!g_str_equal (note.name, name))
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s: its note says name %s, expected %s", path, note.name,
                 name);
  else
    return TRUE;
  return FALSE;
}

Plugin *
plugin_load (const char *path, CenotePluginKind kind, const char *name, GError **error)
{
  const CenotePlugin *descriptor;
  Plugin *plugin;

  if (!plugin_load_check (path, kind, name, error))
    return NULL;
  descriptor = plugin_file_load (path, error);
  if (!descriptor)
    return NULL;
  plugin = plugin_new (descriptor, kind, name, error);
  if (plugin)
    plugin->path = g_strdup (path);
  else
    g_prefix_error (error, "%s: ", path);
  return plugin;
}
