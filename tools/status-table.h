/* SPDX-License-Identifier: Apache-2.0 */
/* status-table: a pool and its channels as text for people. */
#ifndef CENOTE_TOOLS_STATUS_TABLE_H
#define CENOTE_TOOLS_STATUS_TABLE_H

#include <cenote/pool.h>

#include "terminal.h"

/* Appends a line for the pool and a table of its channels. */
void status_table_write (const CenotePoolStatus *status, const Terminal *terminal, GString *out);

Colour status_colour_of_channel (CenoteChannelState state);

#endif
