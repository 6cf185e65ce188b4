/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload: what a new config changes about a pool that runs.
 *
 * The rows of pool_options with CENOTE_OPTION_RELOADABLE can change in place; any other
 * difference is a problem, told with the line of the new keyfile.  Compared is what is in
 * effect, not how it is written.  Pure.
 */
#ifndef CENOTE_CORE_RELOAD_H
#define CENOTE_CORE_RELOAD_H

#include "problems.h"
#include "settings.h"

G_BEGIN_DECLS

/* What is to be done besides taking the value over, because somebody keeps a copy of it. */
typedef enum {
  RELOAD_SIZE = 1 << 0,      /* the expected size */
  RELOAD_LIMITS = 1 << 1,    /* what channels, addresses, probes and ejection go by */
  RELOAD_AGES = 1 << 2,      /* when each connection is too old */
  RELOAD_PLAN = 1 << 3,      /* what the connector is shown */
  RELOAD_VIEW = 1 << 4,      /* what callers see */
  RELOAD_STATUS = 1 << 5,    /* when the status is told */
  RELOAD_CHANNELS = 1 << 6   /* what channels are made with: those that stand are to be replaced */
} ReloadEffect;

typedef struct ReloadChange {
  guint n;                   /* keys that differ */
  guint effects;             /* ReloadEffect */
} ReloadChange;

/* Whether both are the same plugin, instance and values. */
gboolean reload_same_plugin (const PluginUse *a, const PluginUse *b);
/* PROBLEMS gets what cannot change. */
ReloadChange reload_compare (const PoolSettings *old, const PoolSettings *now, Problems *problems);
/* POOL gets NOW's values of the reloadable rows (copied).  Nobody else may be reading them. */
void reload_take (PoolSettings *pool, const PoolSettings *now);

G_END_DECLS

#endif
