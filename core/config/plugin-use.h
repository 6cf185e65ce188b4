/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-use: from a name in the keyfile to a plugin with its values.
 *
 * NAME is a group [KIND:NAME], whose `plugin` key names the plugin (NAME by
 * default), or where there is no such group the plugin NAME with its defaults.
 * One PluginUse for each instance, whoever names it, so that its problems are told once.
 */
#ifndef CENOTE_CORE_PLUGIN_USE_H
#define CENOTE_CORE_PLUGIN_USE_H

#include "check.h"

G_BEGIN_DECLS

/* (transfer full): the use of NAME; its plugin is NULL and its failure set where it cannot be had.
 * FROM: where the name is written. */
PluginUse *plugin_use_get (Check *check, CenotePluginKind kind, const char *name, const Place *from);

/* (transfer full): the same for one pool, whose OWN options lie over the group's, or the plugin's;
 * the instance is then called POOL/NAME, which no group can be. */
PluginUse *plugin_use_get_own (Check *check, CenotePluginKind kind, const char *name, const ConfigGroup *own,
                               const char *pool, const Place *from);

/* Tells that USE failed as a problem: at its own group where it has one, else at FROM with HINT (nullable). */
void plugin_use_tell_failure (Check *check, const PluginUse *use, const Place *from, const char *hint);

G_END_DECLS

#endif
