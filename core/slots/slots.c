/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots: a slot's life, from a channel that moves in to one that is destroyed.
 *
 *   FREE -open-> HIDDEN <-show/hide-> READY -close-> CLOSING -try_free-> FREE
 *                   |________close______________________| |
 *                             READY <-reopen--------------|
 *                 FREE <-the last of its leases- ORPHAN <-orphan
 *
 * Thread: control, except where slots.h says any.  Lock: table->lock for the free list.
 */
#include "slot-table.h"

static _Atomic guint64 next_orphan = 1;

/* -------------------------------------------------------------------- sums */

static gint64
sum_released (const Slot *slot)
{
  gint64 sum = atomic_load_explicit (&slot->remote_released, memory_order_seq_cst);
  const Row *row;

  for (row = table_rows (slot->table); row != NULL; row = row->next)
    sum += atomic_load_explicit (&row->tallies[slot->block][slot->index].released, memory_order_seq_cst);
  return sum;
}

static gint64
sum_taken (const Slot *slot)
{
  gint64 sum = 0;
  const Row *row;

  for (row = table_rows (slot->table); row != NULL; row = row->next)
    sum += atomic_load_explicit (&row->tallies[slot->block][slot->index].taken, memory_order_seq_cst);
  return sum;
}

/* Releases first: each release that is seen shows the take before it, so the
 * difference is never negative; it is too large by gets that are about to take
 * their step back. */
gint64
slot_in_flight (const Slot *slot)
{
  gint64 released = sum_released (slot);

  return sum_taken (slot) - released;
}

void
slot_count (const Slot *slot, gint64 *out_calls, gint64 *out_in_flight)
{
  gint64 released = sum_released (slot);
  gint64 taken = sum_taken (slot);

  *out_calls = MAX (0, taken - atomic_load_explicit (&slot->taken_before, memory_order_relaxed));
  *out_in_flight = taken - released;
}

gint64
slot_calls (const Slot *slot)
{
  return MAX (0, sum_taken (slot) - atomic_load_explicit (&slot->taken_before, memory_order_relaxed));
}

gint64
slot_failures (const Slot *slot)
{
  return atomic_load_explicit (&slot->failures, memory_order_relaxed)
         - atomic_load_explicit (&slot->failures_before, memory_order_relaxed);
}

gboolean
slot_is_proved (const Slot *slot)
{
  return atomic_load_explicit (&slot->unproved, memory_order_relaxed) <= 0;
}

grpc_channel *
slot_channel (const Slot *slot)
{
  return slot->channel;
}

/* ----------------------------------------------------------------- opening */

static void
push_free_locked (SlotTable *table, Slot *slot)
{
  slot->next_free = table->free_slots;
  table->free_slots = slot;
}

/* Rows first: who sees the larger n_slots finds every row with the new block. */
static void
add_block_locked (SlotTable *table)
{
  guint block = table->n_blocks;
  guint n = block_size (block);
  Slot *slots;
  guint i;

  g_assert (block < N_BLOCKS);
  slots = g_aligned_alloc0 (n, sizeof (Slot), CACHE_LINE);
  rows_grow_locked (table);
  for (i = n; i-- > 0;) {
    slots[i].table = table;
    slots[i].block = block;
    slots[i].index = i;
    push_free_locked (table, &slots[i]);
  }
  table->slots[block] = slots;
  atomic_fetch_add_explicit (&table->n_slots, n, memory_order_release);
}

static Slot *
pop_free (SlotTable *table)
{
  Slot *slot;

  pthread_mutex_lock (&table->lock);
  if (table->free_slots == NULL)
    add_block_locked (table);
  slot = table->free_slots;
  table->free_slots = slot->next_free;
  pthread_mutex_unlock (&table->lock);
  return slot;
}

Slot *
slot_open (SlotTable *table, grpc_channel *channel, SlotDestroy destroy, gpointer destroy_data)
{
  Slot *slot = pop_free (table);

  slot_table_ref (table);
  slot->channel = channel;
  slot->destroy = destroy;
  slot->destroy_data = destroy_data;
  slot->give_up = NULL;
  atomic_store_explicit (&slot->taken_before, sum_taken (slot), memory_order_relaxed);
  atomic_store_explicit (&slot->failures_before, atomic_load_explicit (&slot->failures, memory_order_relaxed),
                         memory_order_relaxed);
  atomic_store_explicit (&slot->blamed_before, atomic_load_explicit (&slot->blamed, memory_order_relaxed),
                         memory_order_relaxed);
  slot_forget_streak (slot);
  atomic_store_explicit (&slot->unproved, 1, memory_order_relaxed);
  atomic_store_explicit (&slot->state, SLOT_HIDDEN, memory_order_release);
  return slot;
}

void
slot_allow_owner (Slot *slot, SlotDestroy give_up)
{
  slot->give_up = give_up;
}

/* Whoever holds a lease now was on an older connection: as many may end well, and one more, before it
 * is certain that one of the new connection's has. */
void
slot_begin_connection (Slot *slot)
{
  atomic_store_explicit (&slot->unproved, slot_in_flight (slot) + 1, memory_order_relaxed);
}

/* -------------------------------------------------------- showing and hiding */

/* A get that has looked at this slot before it was shown, and at another after
 * that one was hidden, would miss both: it sees that the count has moved, and
 * looks again. */
void
slot_show (Slot *slot)
{
  atomic_store_explicit (&slot->state, SLOT_READY, memory_order_seq_cst);
  atomic_fetch_add_explicit (&slot->table->shows, 1, memory_order_seq_cst);
}

gboolean
slot_hide (Slot *slot)
{
  guint32 ready = SLOT_READY;

  return atomic_compare_exchange_strong_explicit (&slot->state, &ready, SLOT_HIDDEN, memory_order_seq_cst,
                                                  memory_order_seq_cst);
}

gboolean
slot_is_shown (const Slot *slot)
{
  return atomic_load_explicit (&slot->state, memory_order_seq_cst) == SLOT_READY;
}

/* ----------------------------------------------------------------- closing */

/* After the barrier each get has either loaded CLOSING, or its step forward is
 * seen by every sum from now on: the takes that count are all there. */
void
slot_close (Slot *slot)
{
  atomic_store_explicit (&slot->state, SLOT_CLOSING, memory_order_seq_cst);
  heavy_barrier (slot->table);
}

void
slot_reopen (Slot *slot)
{
  slot_show (slot);
}

/* For the slot's last user, to whom it belongs alone. */
static void
give_back (Slot *slot)
{
  SlotTable *table = slot->table;
  grpc_channel *channel = slot->channel;
  SlotDestroy destroy = slot->destroy;
  SlotDestroy give_up = slot->give_up;
  gpointer destroy_data = slot->destroy_data;
  Attachment *attachments = slot_take_attachments (slot);

  atomic_store_explicit (&slot->state, SLOT_FREE, memory_order_release);
  pthread_mutex_lock (&table->lock);
  push_free_locked (table, slot);
  pthread_mutex_unlock (&table->lock);
  if (attachments_end (attachments))
    give_up (channel, destroy_data);
  else
    destroy (channel, destroy_data);
  slot_table_unref (table);
}

gboolean
slot_try_free (Slot *slot)
{
  g_return_val_if_fail (atomic_load_explicit (&slot->state, memory_order_relaxed) == SLOT_CLOSING, FALSE);

  if (slot_in_flight (slot) != 0)
    return FALSE;
  give_back (slot);
  return TRUE;
}

/* ----------------------------------------------------------------- orphans */

/* Whoever finds the sum at zero and wins the exchange destroys.  Each release, and
 * each get that took its step back, stores its step, passes the fence, and sums; so
 * does slot_orphan().  The last to pass sees all steps: somebody finds zero.  The
 * orphan's number was loaded before the sum, so one who was late wins nothing
 * where the slot has begun another life. */
void
slot_release_orphan (Slot *slot)
{
  guint64 orphan;

  atomic_thread_fence (memory_order_seq_cst);
  orphan = atomic_load_explicit (&slot->orphan, memory_order_seq_cst);
  if (orphan == 0 || slot_in_flight (slot) != 0)
    return;
  if (atomic_compare_exchange_strong_explicit (&slot->orphan, &orphan, 0, memory_order_seq_cst, memory_order_seq_cst))
    give_back (slot);
}

/* The number comes after the barrier: till then a sum might miss a take, and
 * nobody may act on it. */
void
slot_orphan (Slot *slot)
{
  atomic_store_explicit (&slot->state, SLOT_ORPHAN, memory_order_seq_cst);
  heavy_barrier (slot->table);
  atomic_store_explicit (&slot->orphan, atomic_fetch_add_explicit (&next_orphan, 1, memory_order_relaxed),
                         memory_order_seq_cst);
  slot_release_orphan (slot);
}
