/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-load: a file, what its name promises, what its note says, and what it then is.  See plugin-load.h. */
#include "plugin-load.h"

#include <string.h>
#include <unistd.h>

#include "plugin-file.h"
#include "plugin-links.h"
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

static gboolean
check_note (const PluginNote *note, const char *path, CenotePluginKind kind, const char *name, GError **error)
{
  if (note->abi_major != CENOTE_ABI_MAJOR)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s: its note says ABI major %u, expected %u", path,
                 note->abi_major, CENOTE_ABI_MAJOR);
  else if (note->kind != kind)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s: its note says kind %s (%u), expected %s (%u)", path,
                 cenote_plugin_kind_to_string (note->kind), note->kind, cenote_plugin_kind_to_string (kind), kind);
  else if (!plugin_name_check (note->name, error))
    g_prefix_error (error, "%s: the name in its note: ", path);
  else if (!g_str_equal (note->name, name))
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s: its note says name %s, expected %s", path, note->name,
                 name);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_file (int fd, const char *path, CenotePluginKind kind, const char *name, GError **error)
{
  ElfFile file;
  PluginNote note;
  gboolean is_good;

  if (!elf_file_init (&file, fd, path, error))
    return FALSE;
  is_good = plugin_file_read_note (&file, &note, error) && check_note (&note, path, kind, name, error) &&
            plugin_links_check (&file, error);
  elf_file_clear (&file);
  return is_good;
}

/* A descriptor of the file, of which nothing has run, or -1. */
static int
open_checked (const char *path, CenotePluginKind kind, const char *name, GError **error)
{
  int fd = trust_open_file (path, error);

  if (fd < 0 || check_file (fd, path, kind, name, error))
    return fd;
  close (fd);
  return -1;
}

gboolean
plugin_load_check (const char *path, CenotePluginKind kind, const char *name, GError **error)
{
  int fd = open_checked (path, kind, name, error);

  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

static Plugin *
take_descriptor (const CenotePlugin *descriptor, const char *path, CenotePluginKind kind, const char *name,
                 GError **error)
{
  Plugin *plugin = plugin_new (descriptor, kind, name, error);

  if (plugin)
    plugin->path = g_strdup (path);
  else
    g_prefix_error (error, "%s: ", path);
  return plugin;
}

Plugin *
plugin_load (const char *path, CenotePluginKind kind, const char *name, GError **error)
{
  int fd = open_checked (path, kind, name, error);
  const CenotePlugin *descriptor;

  if (fd < 0)
    return NULL;
  descriptor = plugin_file_load (fd, path, error);
  close (fd);
  return descriptor ? take_descriptor (descriptor, path, kind, name, error) : NULL;
}
