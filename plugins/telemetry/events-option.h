/* SPDX-License-Identifier: Apache-2.0 */
/* events-option: the option `events` of sinks that write events down: which kinds they want.  Pure. */
#ifndef CENOTE_PLUGINS_EVENTS_OPTION_H
#define CENOTE_PLUGINS_EVENTS_OPTION_H

#include <cenote/plugin.h>
#include <glib.h>

/* What the option's row says after "Names of the events that are …, ". */
#define EVENTS_OPTION_SUMMARY "or all; without it all but channel.get, pool.get_channel, connector.dial and pool.status"

/* The mask of VALUE, a list of names.  FALSE: FAULT says which name is no event's. */
gboolean events_option_read (const CenoteHost *host, const CenoteValue *value, CenoteFault *fault, guint64 *out_events);

#endif
