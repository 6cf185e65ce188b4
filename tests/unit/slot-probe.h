/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-probe: what tests look at behind slots.h.
 */
#ifndef CENOTE_TESTS_SLOT_PROBE_H
#define CENOTE_TESTS_SLOT_PROBE_H

#include "core/slots/slots.h"

G_BEGIN_DECLS

/* Lease entries that this thread's row of TABLE has (0: it has no row of it). */
guint slot_probe_entries (SlotTable *table);
/* Rows that TABLE has ever had. */
guint slot_probe_rows (SlotTable *table);
/* Whether this thread's next plain get on TABLE is a quick one. */
gboolean slot_probe_is_quick (SlotTable *table);

G_END_DECLS

#endif
