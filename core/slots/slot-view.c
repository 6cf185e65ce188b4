/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-view: what is in rotation: views published, parked and reclaimed.
 *
 * A view is swapped in whole.  The one that it replaces is retired with a list of
 * the threads that were inside a get (or telling a picker) when the barrier had
 * passed: whoever enters later loads a newer view.  It is freed once each of them
 * has left, at the latest by a later call; nothing waits for it.
 *
 * Thread: control, except where slots.h says any.  No lock.
 */
#include "slot-table.h"

static _Atomic guint64 next_serial = 1;

SlotView slot_view_stopped = { .flags = VIEW_STOPPED | VIEW_EMPTY };

/* ------------------------------------------------------------------- views */

SlotView *
slot_view_new (guint n_places, guint32 flags)
{
  SlotView *view = g_malloc0 (sizeof (SlotView) + n_places * sizeof (SlotRef));

  view->serial = atomic_fetch_add_explicit (&next_serial, 1, memory_order_relaxed);
  atomic_init (&view->flags, n_places == 0 ? flags | VIEW_EMPTY : flags);
  view->n_places = n_places;
  view->sample_mask = 1;
  view->places = g_new0 (CenotePlace, n_places);
  return view;
}

void
slot_view_free (SlotView *view)
{
  if (view == &slot_view_stopped)
    return;
  slot_addresses_free (view->addresses);
  g_free (view->places);
  g_free (view);
}

static void
view_put (SlotView *view, guint i, const SlotPlace *place)
{
  Slot *slot = place->slot;

  view->refs[i] = (SlotRef) { slot, slot->block, slot->index * sizeof (Tally) };
  view->places[i] = (CenotePlace) {
    .channel_id = place->channel_id,
    .number = place->number,
    .weight = place->weight,
    .tally_block = slot->block,
    .tally_offset = view->refs[i].offset,
    .ready_since_us = place->ready_since_us,
  };
  atomic_store_explicit (&slot->number, place->number, memory_order_relaxed);
  atomic_store_explicit (&slot->channel_id, place->channel_id, memory_order_relaxed);
}

/* ----------------------------------------------------------------- retiring */

/* An epoch that was odd when a view was swapped out. */
typedef struct Straggler {
  const _Atomic guint64 *epoch;
  guint64 seen;
} Straggler;

struct RetiredView {
  SlotView *view;
  RetiredView *next;
  guint n_stragglers;
  Straggler stragglers[];
};

static void
note_if_inside (RetiredView *retired, const _Atomic guint64 *epoch)
{
  guint64 seen = atomic_load_explicit (epoch, memory_order_seq_cst);

  if (seen & 1)
    retired->stragglers[retired->n_stragglers++] = (Straggler) { epoch, seen };
}

/* Rows that are pushed after NEWEST was loaded belong to threads that enter after the barrier. */
static void
view_retire (SlotTable *table, SlotView *view)
{
  const Row *newest = table_rows (table);
  RetiredView *retired = g_malloc (sizeof (RetiredView) + 2 * rows_count (newest) * sizeof (Straggler));
  const Row *row;

  retired->view = view;
  retired->n_stragglers = 0;
  for (row = newest; row != NULL; row = row->next) {
    note_if_inside (retired, &row->epoch);
    note_if_inside (retired, &row->telling);
  }
  retired->next = table->retired;
  table->retired = retired;
}

/* acquire: what a thread did inside comes before what we do now that it has left. */
static gboolean
retired_is_quiet (RetiredView *retired)
{
  while (retired->n_stragglers > 0) {
    const Straggler *last = &retired->stragglers[retired->n_stragglers - 1];

    if (atomic_load_explicit (last->epoch, memory_order_acquire) == last->seen)
      return FALSE;
    retired->n_stragglers--;
  }
  return TRUE;
}

static void
retired_free (RetiredView *retired)
{
  slot_view_free (retired->view);
  g_free (retired);
}

gboolean
slot_table_reclaim (SlotTable *table)
{
  RetiredView **link = &table->retired;

  while (*link != NULL) {
    RetiredView *retired = *link;

    if (retired_is_quiet (retired)) {
      *link = retired->next;
      retired_free (retired);
    } else {
      link = &retired->next;
    }
  }
  return table->retired != NULL;
}

void
slot_view_free_retired (SlotTable *table)
{
  while (table->retired != NULL) {
    RetiredView *retired = table->retired;

    table->retired = retired->next;
    retired_free (retired);
  }
}

/* ---------------------------------------------------------------- publishing */

/* An odd epoch keeps its lowest bit under a mask of 1: none is timed.  Of the other
 * bits, which count gets, a power of two looks at as many as it has; any other rate
 * has every get look closer. */
static void
view_set_sampling (SlotView *view, guint32 rate)
{
  view->sample_rate = rate;
  if (rate == 0)
    view->sample_mask = 1;
  else
    view->sample_mask = (rate & (rate - 1)) == 0 ? (guint64) (rate - 1) << 1 : 0;
}

static guint32
flags_to_heed (const SlotTable *table, guint32 flags, const SlotPicker *picker)
{
  return (flags & ~VIEW_SAMPLED) | ((picker->flags & CENOTE_PICKER_NEEDS_LATENCY) != 0 ? VIEW_TIMES : 0) |
         (table->tracked ? VIEW_TRACKED : 0);
}

static gboolean
picker_is_told (const SlotPicker *picker)
{
  return (picker->flags & (CENOTE_PICKER_NEEDS_OUTCOME | CENOTE_PICKER_NEEDS_LATENCY)) != 0;
}

/* Who has a lease of a view sees what was stored before it. */
void
slot_table_publish (SlotTable *table, const SlotPlace *places, guint n_places, const SlotPicker *picker, guint32 flags,
                    guint32 sample_rate)
{
  SlotView *view = slot_view_new (n_places, flags_to_heed (table, flags, picker));
  SlotView *old;
  guint i;

  view->picker = *picker;
  view_set_sampling (view, (flags & VIEW_SAMPLED) != 0 ? MAX (1, sample_rate) : 0);
  for (i = 0; i < n_places; i++)
    view_put (view, i, &places[i]);
  view->addresses = slot_addresses_new (places, n_places);
  slot_view_publish_loads (table, view);
  if (picker_is_told (picker))
    atomic_store_explicit (&table->tells, TRUE, memory_order_relaxed);
  old = atomic_exchange_explicit (&table->view, view, memory_order_seq_cst);
  heavy_barrier (table);
  view_retire (table, old);
  slot_table_reclaim (table);
}

/* ------------------------------------------------------------------- parking */

static gboolean
anybody_inside (const SlotTable *table)
{
  const Row *row;

  for (row = table_rows (table); row != NULL; row = row->next) {
    if (atomic_load_explicit (&row->epoch, memory_order_seq_cst) & 1)
      return TRUE;
  }
  return FALSE;
}

/* A get makes its epoch odd, then looks at the flag; here the flag, the barrier,
 * then the epochs: one of the two sides sees the other. */
gboolean
slot_table_park (SlotTable *table, guint64 uses_seen)
{
  SlotView *view = atomic_load_explicit (&table->view, memory_order_relaxed);

  atomic_fetch_or_explicit (&view->flags, VIEW_PARKED, memory_order_seq_cst);
  heavy_barrier (table);
  if (!anybody_inside (table) && slot_table_uses (table) == uses_seen)
    return TRUE;
  slot_table_unpark (table);
  return FALSE;
}

void
slot_table_unpark (SlotTable *table)
{
  SlotView *view = atomic_load_explicit (&table->view, memory_order_relaxed);

  atomic_fetch_and_explicit (&view->flags, ~VIEW_PARKED, memory_order_relaxed);
}
