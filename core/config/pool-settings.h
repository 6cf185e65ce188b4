/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-settings: one [pool:NAME] group, checked whole: its values, its plugins and
 * its targets; what keys mean together is pool-rules.
 */
#ifndef CENOTE_CORE_POOL_SETTINGS_H
#define CENOTE_CORE_POOL_SETTINGS_H

#include "check.h"

G_BEGIN_DECLS

/* (transfer full): PROCESS_SINKS: for a pool that names none.  What is wrong goes to CHECK;
 * the settings are whole only where nothing was. */
PoolSettings *pool_settings_new (Check *check, const ConfigGroup *group, const GPtrArray *process_sinks);

/* (transfer full): the uses of NAMES, an option's list; those that cannot be had are told as
 * problems, or where FAILURE is not NULL left there (the first of them). */
GPtrArray *pool_settings_read_sinks (Check *check, const Setting *names, const Place *place, GError **failure);

G_END_DECLS

#endif
