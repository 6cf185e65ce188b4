/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-file: mechanism: reads the ELF note of a plugin's file before any of its
 * code runs, loads it and asks for its descriptor.  Knows no policy.
 */
#ifndef CENOTE_CORE_PLUGIN_FILE_H
#define CENOTE_CORE_PLUGIN_FILE_H

#include <cenote/error.h>
#include <cenote/plugin.h>

#include "plugin-elf.h"

typedef struct PluginNote {
  guint abi_major;
  guint abi_minor;
  guint32 kind;
  char name[CENOTE_PLUGIN_NAME_MAX];
} PluginNote;

/* Trusts nothing in FILE.  FALSE: CENOTE_ERROR_PLUGIN naming it and what was found
 * instead (no shared object, no note, a note of another owner or size). */
gboolean plugin_file_read_note (const ElfFile *file, PluginNote *out_note, GError **error);

/* dlopen (RTLD_NOW | RTLD_LOCAL) of the file FD, which PATH led to, then cenote_plugin_query().
 * What is loaded stays loaded.  NULL: CENOTE_ERROR_PLUGIN with the linker's text, that the
 * file was replaced meanwhile, or that it has no such symbol or returned NULL. */
const CenotePlugin *plugin_file_load (int fd, const char *path, GError **error);

#endif
