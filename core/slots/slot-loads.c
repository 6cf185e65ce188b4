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
 * A thread that comes new reads what all others hold, where that is not much to read:
 * else threads that live for a few calls would, between two ticks, all take the channel
 * that was the least loaded one at the first.
 *
 * Thread: control, except row_learn_loads() and row_ask_others().  No lock.
 */
#include "slot-table.h"

/* So many tallies are looked at in a tick, at least those of one place: a few
 * hundred microseconds where each is in another thread's cache. */
#define TALLIES_A_TICK 8192
/* So many a new thread looks at: some ten microseconds, of the eighty or so that it takes to start. */
#define TALLIES_AT_FIRST 1024

static gint64
held_by (const Row *row, const Slot *slot)
{
  const Tally *tally = &row->tallies[slot->block][slot->index];
  gint64 released = atomic_load_explicit (&tally->released, memory_order_relaxed);

  return atomic_load_explicit (&tally->taken, memory_order_relaxed) - released;
}

/* Notes in OUT_OWN what each row has taken less released, and sums it up. */
static gint64
add_up (const Slot *slot, const Row *newest, gint64 *out_own)
{
  gint64 sum = -atomic_load_explicit (&slot->remote_released, memory_order_relaxed);
  const Row *row;

  for (row = newest; row != NULL; row = row->next) {
    *out_own = held_by (row, slot);
    sum += *out_own++;
  }
  return sum;
}

static void
tell_rows (const Slot *slot, Row *newest, gint64 burden, const gint64 *own)
{
  Row *row;

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

static gint64
last_load (const Slot *slot)
{
  return atomic_load_explicit (&slot->load, memory_order_relaxed);
}

static void
note_load (SlotTable *table, Slot *slot, gint64 load)
{
  table->load += load - last_load (slot);
  atomic_store_explicit (&slot->load, load, memory_order_relaxed);
}

static void
publish_load (SlotTable *table, const SlotView *view, guint i, Row *newest, gint64 now_us)
{
  Slot *slot = view->refs[i].slot;
  gint64 load = add_up (slot, newest, table->own_loads);
  gint64 penalty, handicap;

  note_load (table, slot, load);
  penalty = penalty_of (&view->places[i], MAX (0, table->load) / view->n_places, now_us);
  handicap = 2 * penalty + (penalty > 0);
  set_penalty (&view->places[i], penalty);
  atomic_store_explicit (&slot->handicap, handicap, memory_order_relaxed);
  tell_rows (slot, newest, 2 * load + handicap, table->own_loads);
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
  for (i = 0; i < view->n_places; i++) {
    Slot *slot = view->refs[i].slot;

    table->load += last_load (slot);
    note_load (table, slot, add_up (slot, newest, table->own_loads));
  }
  for (i = 0; i < view->n_places; i++)
    publish_load (table, view, i, newest, now_us);
}

/* What others hold of SLOT: HELD, and what is held against it besides. */
static void
learn (Row *row, const Slot *slot, gint64 held)
{
  gint64 handicap = atomic_load_explicit (&slot->handicap, memory_order_relaxed);

  atomic_store_explicit (&row_tally (row, slot)->others, 2 * held + handicap, memory_order_relaxed);
}

/* A row that counts nothing yet: the others are all. */
void
row_learn_loads (Row *row)
{
  const SlotTable *table = row->table;
  guint n = atomic_load_explicit (&table->n_slots, memory_order_relaxed);
  guint i;

  for (i = 0; i < n; i++)
    learn (row, slot_table_nth (table, i), last_load (slot_table_nth (table, i)));
}

static gint64
held_by_others (const Row *row, const Slot *slot, const Row *newest)
{
  gint64 sum = -atomic_load_explicit (&slot->remote_released, memory_order_relaxed);
  const Row *other;

  for (other = newest; other != NULL; other = other->next)
    sum += other == row ? 0 : held_by (other, slot);
  return sum;
}

/* The control side may tell the row the same meanwhile, as it was a moment ago. */
static void
ask_others (Row *row, const SlotView *view)
{
  const Row *newest = table_rows (row->table);
  guint i;

  if (!needs_loads (view) || view->n_places > TALLIES_AT_FIRST / rows_count (newest))
    return;
  for (i = 0; i < view->n_places; i++) {
    const Slot *slot = view->refs[i].slot;

    learn (row, slot, held_by_others (row, slot, newest));
  }
}

/* With an odd epoch, as a get, but none that counts. */
void
row_ask_others (Row *row)
{
  guint64 epoch = atomic_load_explicit (&row->epoch, memory_order_relaxed);

  hot_store_epoch (&row->epoch, epoch + 1, row->asymmetric);
  ask_others (row, atomic_load_explicit (&row->table->view, memory_order_seq_cst));
  atomic_store_explicit (&row->epoch, epoch, memory_order_release);
}
