/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyfile: the keyfile that a command works on, with --set laid over it, and the
 * registry that its plugins come from, with --plugin-path searched first.
 */
#ifndef CENOTE_TOOLS_KEYFILE_H
#define CENOTE_TOOLS_KEYFILE_H

#include <cenote/config.h>
#include <cenote/registry.h>

typedef struct Keyfile {
  char **settings;           /* --set, in their order; NULL: none */
  char **directories;        /* --plugin-path */
  CenoteConfig *config;      /* NULL before keyfile_open() */
  CenoteRegistry *registry;
} Keyfile;

/* Option tables for command_parse(), which fill KEYFILE.  (transfer full): g_free(). */
GOptionEntry *keyfile_options (Keyfile *keyfile);
/* --plugin-path alone, for commands that read no keyfile. */
GOptionEntry *keyfile_plugin_path_options (Keyfile *keyfile);

/* Makes the registry. */
gboolean keyfile_open_registry (Keyfile *keyfile, GError **error);
/* Makes the config: of the file PATH, or where DATA is not NULL of that text. */
gboolean keyfile_open_config (Keyfile *keyfile, const char *path, const char *data, GError **error);
/* Both; an error then tells all that is wrong, form and values.  PATH is "(data)" in errors of DATA. */
gboolean keyfile_open (Keyfile *keyfile, const char *path, const char *data, GError **error);
void keyfile_clear (Keyfile *keyfile);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Keyfile, keyfile_clear)

#endif
