/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-load: one plugin from one file: whether the file may be trusted, whether its
 * note says what its name promises, what it links, and what it then describes.  Knows no directories
 * to search: that is the registry's.  No state, any thread.
 */
#ifndef CENOTE_CORE_PLUGIN_LOAD_H
#define CENOTE_CORE_PLUGIN_LOAD_H

#include "registry.h"

/* (transfer full): "<kind>-NAME.so". */
char *plugin_file_name (CenotePluginKind kind, const char *name);
/* (transfer full) (nullable): NAME of a file <kind>-NAME.so. */
char *plugin_name_of_file (const char *file, CenotePluginKind kind);
/* What PATH's last part promises.  FALSE: CENOTE_ERROR_PLUGIN. */
gboolean plugin_path_parse (const char *path, CenotePluginKind *out_kind, char **out_name, GError **error);

/* Looks at the owner and mode of PATH and of the directories above, compares its note with
 * KIND and NAME, and judges what it links.  Runs nothing of the file.
 * FALSE: CENOTE_ERROR_PLUGIN or _NOT_FOUND. */
gboolean plugin_load_check (const char *path, CenotePluginKind kind, const char *name, GError **error);
/* (transfer full): checks, loads, and takes its descriptor. */
Plugin *plugin_load (const char *path, CenotePluginKind kind, const char *name, GError **error);

#endif
