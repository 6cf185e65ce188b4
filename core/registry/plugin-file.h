/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-file: mechanism: opens a plugin's file, reads its ELF note before any of
 * its code runs, loads it and asks for its descriptor.  Knows no policy.
 */
#ifndef CENOTE_CORE_PLUGIN_FILE_H
#define CENOTE_CORE_PLUGIN_FILE_H

#include <cenote/error.h>
#include <cenote/plugin.h>

typedef struct PluginNote {
  guint abi_major;
  guint abi_minor;
  guint32 kind;
  char name[CENOTE_PLUGIN_NAME_MAX];
} PluginNote;

/* Reads the note of the regular file PATH.  Trusts nothing in it.
 * FALSE: CENOTE_ERROR_PLUGIN naming PATH and what was found instead (not ELF, other
 * class or machine, truncated, no note, a note of another owner or size). */
gboolean plugin_file_read_note (const char *path, PluginNote *out_note, GError **error);

/* dlopen (RTLD_NOW | RTLD_LOCAL), then cenote_plugin_query().  What is loaded stays loaded.
 * NULL: CENOTE_ERROR_PLUGIN with the linker's text, or that it has no such symbol or returned NULL. */
const CenotePlugin *plugin_file_load (const char *path, GError **error);

#endif
