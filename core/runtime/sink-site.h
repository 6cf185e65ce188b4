/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink-site: what a runtime gives one telemetry sink of the keyfile: its plugin's state,
 * and behind the host table the numbers, the status and the calls of the pools it serves.
 *
 * Holds references to all that it reads, so a sink that is left behind by a stop, in a call
 * that does not return, still reads safely; and each call that the sink has begun holds
 * the site, so none ends after the sink's destroy.
 *
 * Immutable once made; any thread.
 */
#ifndef CENOTE_CORE_SINK_SITE_H
#define CENOTE_CORE_SINK_SITE_H

#include "core/base/world.h"
#include "core/registry/instance.h"
#include "counts.h"

G_BEGIN_DECLS

typedef struct SinkSite SinkSite;

/* Control.  SOURCES (borrowed; what it points to is referenced): of the whole runtime.  The sink serves those of the pools
 * that name it.  NULL: its create failed. */
SinkSite *sink_site_new (const PluginUse *use, const CountSources *sources, World *world, GError **error);
SinkSite *sink_site_ref (SinkSite *site);
/* The last one destroys the sink. */
void sink_site_unref (SinkSite *site);

/* (transfer none) */
Instance *sink_site_instance (SinkSite *site);
/* (transfer container): the names of the pools that it serves, NULL-terminated. */
GPtrArray *sink_site_pool_names (const SinkSite *site);

G_END_DECLS

#endif
