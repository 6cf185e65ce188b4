/* SPDX-License-Identifier: Apache-2.0 */
/* keyfile: the keyfile that a command works on, and where its plugins come from.  See keyfile.h. */
#include "keyfile.h"

#include <string.h>

GOptionEntry *
keyfile_plugin_path_options (Keyfile *keyfile)
{
  const GOptionEntry entries[] = {
    { "plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &keyfile->directories,
      "Search DIR for plugins first; may be repeated", "DIR" },
    G_OPTION_ENTRY_NULL
  };

  return g_memdup2 (entries, sizeof entries);
}

GOptionEntry *
keyfile_options (Keyfile *keyfile)
{
  const GOptionEntry entries[] = {
    { "set", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &keyfile->settings,
      "Lay a value over the keyfile's; may be repeated", "GROUP/KEY=VALUE" },
    { "plugin-path", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &keyfile->directories,
      "Search DIR for plugins first; may be repeated", "DIR" },
    G_OPTION_ENTRY_NULL
  };

  return g_memdup2 (entries, sizeof entries);
}

gboolean
keyfile_open_registry (Keyfile *keyfile, GError **error)
{
  keyfile->registry = cenote_registry_new ();
  for (char **directory = keyfile->directories; directory != NULL && *directory != NULL; directory++)
    if (!cenote_registry_add_directory (keyfile->registry, *directory, error))
      return FALSE;
  return TRUE;
}

gboolean
keyfile_open_config (Keyfile *keyfile, const char *path, const char *data, GError **error)
{
  g_autoptr (CenoteConfig) config = NULL;

  config = data != NULL ? cenote_config_new_from_data (data, -1, error) : cenote_config_new_from_file (path, error);
  if (config != NULL && keyfile->settings != NULL)
    keyfile->config = cenote_config_new_with (config, (const char *const *) keyfile->settings, error);
  else
    keyfile->config = g_steal_pointer (&config);
  return keyfile->config != NULL;
}

gboolean
keyfile_open (Keyfile *keyfile, const char *path, const char *data, GError **error)
{
  g_autofree char *explained = NULL;

  if (!keyfile_open_registry (keyfile, error))
    return FALSE;
  if (data == NULL &&
      !cenote_config_check_file (path, (const char *const *) keyfile->settings, keyfile->registry, NULL, error))
    return FALSE;
  if (!keyfile_open_config (keyfile, path, data, error))
    return FALSE;
  explained = cenote_config_explain (keyfile->config, keyfile->registry, FALSE, error);
  return explained != NULL;
}

void
keyfile_clear (Keyfile *keyfile)
{
  g_clear_pointer (&keyfile->settings, g_strfreev);
  g_clear_pointer (&keyfile->directories, g_strfreev);
  g_clear_pointer (&keyfile->config, cenote_config_unref);
  g_clear_pointer (&keyfile->registry, cenote_registry_unref);
}
