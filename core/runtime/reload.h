/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload: gives the pools of a runtime the settings of a new config: all of them, or none.
 *
 * Pools are neither added nor taken away (a new one is opened by a runtime of its own); what of
 * a pool can change is said in config/reload.h.  Control thread.
 */
#ifndef CENOTE_CORE_RUNTIME_RELOAD_H
#define CENOTE_CORE_RUNTIME_RELOAD_H

#include "core/config/settings.h"
#include "core/pool/address.h"

G_BEGIN_DECLS

/* Borrowed. */
typedef struct ReloadSite {
  const GPtrArray *pools;    /* of CenotePool */
  const Settings *settings;  /* the first ones: of the sinks that run, and of pools by these names */
  DialBudget *budget;
} ReloadSite;

/* FALSE, with CENOTE_ERROR_CONFIG and every fault, a line each: nothing has changed. */
gboolean reload_pools (const ReloadSite *site, const Settings *now, GError **error);

G_END_DECLS

#endif
