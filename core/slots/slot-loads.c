/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-loads: what pickers are told of loads.
 *
 * A thread's own steps are in its own tallies at once.  Beside them the control
 * thread writes, once a tick, what all others hold: so a pick adds three words of
 * a line that only its thread writes between two ticks, and never reads a line
 * that another caller's thread writes.  What it writes is the sum less exactly
 * that row's part of it, so nothing is counted twice, whatever happens between.
 *
 * Thread: control, except row_learn_loads().  No lock.
 */
#include "slot-table.h"

/* So many tallies are looked at in a tick, at least those of one place: a few
 * hundred microseconds where each is in another thread's cache. */
#define TALLIES_A_TICK 8192

/* Notes in OUT_OWN what each row has taken less released, and sums it up. */
static gint64
add_up (const Slot *slot, const Row *newest, gint64 *out_own)
{
  gint64 sum = -atomic_load_explicit (&slot->remote_released, memory_order_relaxed);
  const Row *row;

  for (row = newest; row != NULL; row = row->next) {
    const Tally *tally = &row->tallies[slot->block][slot->index];
    gint64 released = atomic_load_explicit (&tally->released, memory_order_relaxed);

    *out_own = atomic_load_explicit (&tally->taken, memory_order_relaxed) - released;
    sum += *out_own++;
  }
  return sum;
}

static void
tell_rows (Slot *slot, Row *newest, gint64 burden, const gint64 *own)
{
  Row *row;

  atomic_store_explicit (&slot->told, burden, memory_order_relaxed);
  for (row = newest; row != NULL; row = row->next) {
    Tally *tally = row_tally (row, slot);
    gint64 others = burden - 2 * *own++;

    if (atomic_load_explicit (&tally->others, memory_order_relaxed) != others)
      atomic_store_explicit (&tally->others, others, memory_order_relaxed);
  }
}

/* As <cenote/plugin.h> says. */
static gint64
penalty_of (const CenotePlace *place, gint64 mean, gint64 now_us)
{
  gint64 left_us = CLAMP (place->ready_since_us + CENOTE_WARM_UP_US - now_us, 0, CENOTE_WARM_UP_US);

  return ((mean + 1) * left_us + CENOTE_WARM_UP_US - 1) / CENOTE_WARM_UP_US;
}

static void
set_penalty (CenotePlace *place, gint64 penalty)
{
  if (__atomic_load_n (&place->penalty, __ATOMIC_RELAXED) != penalty)
    __atomic_store_n (&place->penalty, penalty, __ATOMIC_RELAXED);
}

static void
publish_load (SlotTable *table, const SlotView *view, guint i, Row *newest, gint64 now_us)
{
  Slot *slot = view->refs[i].slot;
  gint64 load = add_up (slot, newest, table->own_loads);
  gint64 penalty;

  table->load += load - slot->load;
  slot->load = load;
  penalty = penalty_of (&view->places[i], MAX (0, table->load) / view->n_places, now_us);
  set_penalty (&view->places[i], penalty);
  tell_rows (slot, newest, 2 * (load + penalty) + (penalty > 0), table->own_loads);
}

static gboolean
needs_loads (const SlotView *view)
{
  return view->n_places > 0 && (view->picker.flags & CENOTE_PICKER_NEEDS_LOAD) != 0;
}

/* The rows from which loads are summed; with room for what each of them holds. */
static Row *
rows_to_sum (SlotTable *table, guint *out_n)
{
  Row *newest = table_rows (table);

  *out_n = rows_count (newest);
  if (*out_n > table->n_own_loads) {
    table->own_loads = g_renew (gint64, table->own_loads, *out_n);
    table->n_own_loads = *out_n;
  }
  return newest;
}

void
slot_table_publish_loads (SlotTable *table)
{
  const SlotView *view = atomic_load_explicit (&table->view, memory_order_relaxed);
  gint64 now_us;
  Row *newest;
  guint n, n_rows;

  if (!needs_loads (view))
    return;
  newest = rows_to_sum (table, &n_rows);
  now_us = table->world.now_us (table->world.data);
  for (n = CLAMP (TALLIES_A_TICK / MAX (1, n_rows), 1, view->n_places); n > 0; n--) {
    publish_load (table, view, table->next_load, newest, now_us);
    table->next_load = (table->next_load + 1) % view->n_places;
  }
}

/* The sums first, so that each penalty rests on the mean of all. */
void
slot_view_publish_loads (SlotTable *table, const SlotView *view)
{
  gint64 now_us;
  Row *newest;
  guint i, n_rows;

  table->next_load = 0;
  table->load = 0;
  if (!needs_loads (view))
    return;
  newest = rows_to_sum (table, &n_rows);
  now_us = table->world.now_us (table->world.data);
  for (i = 0; i < view->n_places; i++)
    table->load += view->refs[i].slot->load = add_up (view->refs[i].slot, newest, table->own_loads);
  for (i = 0; i < view->n_places; i++)
    publish_load (table, view, i, newest, now_us);
}

/* A row that counts nothing yet: the others are all. */
void
row_learn_loads (Row *row)
{
  const SlotTable *table = row->table;
  guint n = atomic_load_explicit (&table->n_slots, memory_order_relaxed);
  guint i;

  for (i = 0; i < n; i++) {
    const Slot *slot = slot_table_nth (table, i);

    atomic_store_explicit (&row_tally (row, slot)->others, atomic_load_explicit (&slot->told, memory_order_relaxed),
                           memory_order_relaxed);
  }
}
