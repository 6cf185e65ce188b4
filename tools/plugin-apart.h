/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-apart: what a plugin says of itself, asked in a child process, which the
 * plugin may end, crash or hang.
 */
#ifndef CENOTE_TOOLS_PLUGIN_APART_H
#define CENOTE_TOOLS_PLUGIN_APART_H

#include <cenote/registry.h>

/* Who is asked: the plugin that a keyfile would get, or where FILE is not NULL that file, wherever it lies. */
typedef struct PluginApart {
  CenoteRegistry *registry;
  CenotePluginKind kind;
  const char *name;
  const char *file;
} PluginApart;

/* (transfer full) (nullable): the JSON object of cenote_registry_describe_json(); waits 10 s for it at the
 * longest.  NULL: why it is refused, or how the process ended that loaded it. */
char *plugin_apart_describe (const PluginApart *apart, GError **error);

#endif
