/* SPDX-License-Identifier: Apache-2.0 */
#include "slot-probe.h"

#include "core/slots/slot-table.h"

guint
slot_probe_entries (SlotTable *table)
{
  const ThreadRows *mine = thread_rows;

  if (table->id >= mine->n || mine->cache[table->id].serial != table->serial)
    return 0;
  return mine->cache[table->id].row->n_entries;
}

guint
slot_probe_rows (SlotTable *table)
{
  return rows_count (table_rows (table));
}

gboolean
slot_probe_is_quick (SlotTable *table)
{
  return rows_recent (table)->serial == table->serial;
}
