/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-options: checks a plugin's option table and makes the core's own copy.
 *
 * The copy's rows have the core's size, whatever header the plugin was built
 * with; their strings stay the plugin's, which stays loaded.  Pure; any thread.
 */
#ifndef CENOTE_CORE_PLUGIN_OPTIONS_H
#define CENOTE_CORE_PLUGIN_OPTIONS_H

#include "core/config/option.h"

/* More rows than this are taken for a broken descriptor. */
#define PLUGIN_OPTIONS_MAX 256

/* Takes the table of DESCRIPTOR (already cut to the core's size) into OUT_TABLE, whose rows
 * are freed with g_free().  FALSE: CENOTE_ERROR_PLUGIN naming the row and what is wrong with it.
 *
 * A row whose type the core does not know is refused, except from a plugin of a newer minor:
 * then it loses its default and is left to be absent. */
gboolean plugin_options_take (const CenotePlugin *descriptor, OptionTable *out_table, GError **error);

#endif
