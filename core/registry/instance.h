/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance: one state of a plugin, made with the values that a keyfile gives it.
 *
 * Counted (any thread); the last reference destroys the state.  Its host table
 * lives as long.
 */
#ifndef CENOTE_CORE_INSTANCE_H
#define CENOTE_CORE_INSTANCE_H

#include "host.h"
#include "core/config/settings.h"

typedef struct Instance {
  gatomicrefcount refs;
  Plugin *plugin;
  CenoteHost *host;
  gpointer state;
} Instance;

/* Control.  Calls the plugin's create; POOL (nullable) names whom it serves.
 * NULL: CENOTE_ERROR_PLUGIN with the plugin's own reason. */
Instance *instance_new (const PluginUse *use, const char *pool, const HostServices *services, GError **error);
Instance *instance_ref (Instance *instance);
void instance_unref (Instance *instance);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Instance, instance_unref)

#endif
