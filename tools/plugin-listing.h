/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-listing: every plugin that a registry can find, described or refused.
 *
 * Each plugin describes itself in a child process of its own: one that exits,
 * crashes or hangs when it is loaded is listed as refused, and the others as
 * always.  The caller has no other thread.
 */
#ifndef CENOTE_TOOLS_PLUGIN_LISTING_H
#define CENOTE_TOOLS_PLUGIN_LISTING_H

#include <cenote/registry.h>

typedef struct PluginListed {
  CenotePluginKind kind;
  char *name;
  char *json;                /* its description; NULL where refused */
  char *refusal;             /* why; NULL where described */
} PluginListed;

/* (transfer full): of PluginListed, by kind and name.  KIND 0: all kinds.
 * DIRECTORIES (nullable): those added to REGISTRY, where files may lie that it passes over. */
GPtrArray *plugin_listing_new (CenoteRegistry *registry, const char *const *directories, guint kind);

#endif
