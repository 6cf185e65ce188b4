/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri-keys: what a pool's connection string means to the pool.
 *
 * Its keys become entries of the pool's group, in the layer and with the line of the key `uri`;
 * transport.KEY and its like become groups of the pool's own, which lie over the
 * group or the plugin that the pool names.  The scheme sets what nobody writes.  Pure.
 */
#ifndef CENOTE_CORE_URI_KEYS_H
#define CENOTE_CORE_URI_KEYS_H

#include "config.h"

G_BEGIN_DECLS

/* POOL: a group of CONFIG's, which gets its `uri` member and entries in front of its own;
 * nothing where it has no connection string that can be read.  What is wrong goes to PROBLEMS. */
void uri_keys_apply (const CenoteConfig *config, ConfigGroup *pool, Problems *problems);

G_END_DECLS

#endif
