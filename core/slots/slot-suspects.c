/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-suspects: slots whose calls fail in a row, found by those who make the calls.
 *
 * Only outcomes that speak against a slot write here, and the first that does not
 * after some that did.  Who makes a streak long enough hides the slot, if there is
 * room, puts it on the table's list and tells the control side, which decides.
 *
 * A slot is on the list once, however often it is suspected, and stays a suspect
 * until the control side clears it, also over the end of a life: so nobody shows it
 * in between, and the list never has it twice.
 */
#include "slot-table.h"

#define LATE_ONE (G_GUINT64_CONSTANT (1) << 32)

/* ----------------------------------------------------------------- counting */

static guint
blamed_of (guint64 streak)
{
  return (guint32) streak;
}

static guint
late_of (guint64 streak)
{
  return (guint) (streak >> 32);
}

static gint64
now_us (const SlotTable *table)
{
  return table->world.now_us (table->world.data);
}

static gboolean
is_too_late (const Slot *slot, guint64 streak)
{
  const SlotTable *table = slot->table;
  const SlotSuspicion *rules = &table->suspicion;

  return rules->late != 0 && late_of (streak) >= rules->late
         && now_us (table) - atomic_load_explicit (&slot->streak_since_us, memory_order_relaxed) >= rules->late_us;
}

/* The first of a streak says when it began; one that overtakes it finds an older time, and is a little early. */
gboolean
slot_note_blame (Slot *slot, int status, LeaseVerdict verdict)
{
  const SlotTable *table = slot->table;
  guint64 step = verdict == LEASE_LATE ? LATE_ONE + 1 : 1;
  guint64 streak;

  atomic_fetch_add_explicit (&slot->blamed, 1, memory_order_relaxed);
  if (table->suspicion.suspect == NULL)
    return FALSE;
  atomic_store_explicit (&slot->blamed_status, status, memory_order_relaxed);
  streak = atomic_fetch_add_explicit (&slot->streak, step, memory_order_relaxed) + step;
  if (table->suspicion.late != 0 && blamed_of (streak) == 1)
    atomic_store_explicit (&slot->streak_since_us, now_us (table), memory_order_relaxed);
  return (table->suspicion.blamed != 0 && blamed_of (streak) == table->suspicion.blamed) || is_too_late (slot, streak);
}

void
slot_forget_streak (Slot *slot)
{
  atomic_store_explicit (&slot->streak, 0, memory_order_relaxed);
}

/* --------------------------------------------------------------- suspecting */

static gboolean
take_room (SlotTable *table)
{
  int room = atomic_load_explicit (&table->room, memory_order_relaxed);

  while (room > 0) {
    if (atomic_compare_exchange_weak_explicit (&table->room, &room, room - 1, memory_order_relaxed, memory_order_relaxed))
      return TRUE;
  }
  return FALSE;
}

/* One that was hidden by somebody else meanwhile takes no room. */
static gboolean
hide (Slot *slot)
{
  if (!take_room (slot->table))
    return FALSE;
  if (slot_hide (slot))
    return TRUE;
  atomic_fetch_add_explicit (&slot->table->room, 1, memory_order_relaxed);
  return FALSE;
}

/* release: who takes the list sees what we know of the slot. */
static void
push (SlotTable *table, Slot *slot)
{
  Slot *newest = atomic_load_explicit (&table->suspects, memory_order_relaxed);

  do
    slot->next_suspect = newest;
  while (!atomic_compare_exchange_weak_explicit (&table->suspects, &newest, slot, memory_order_release,
                                                 memory_order_relaxed));
}

/* A suspect before it is hidden: whoever finds it hidden does not show it. */
void
slot_suspect (Slot *slot)
{
  SlotTable *table = slot->table;

  if (atomic_exchange_explicit (&slot->suspect, TRUE, memory_order_seq_cst))
    return;
  slot->took_room = hide (slot);
  push (table, slot);
  table->suspicion.suspect (table->wake_data);
}

/* ------------------------------------------------------------------ control */

void
slot_table_set_suspicion (SlotTable *table, const SlotSuspicion *suspicion)
{
  table->suspicion = *suspicion;
}

void
slot_table_set_room (SlotTable *table, guint room)
{
  int more = (int) room - table->known_room;

  if (more != 0)
    atomic_fetch_add_explicit (&table->room, more, memory_order_relaxed);
  table->known_room = (int) room;
}

Slot *
slot_table_next_suspect (SlotTable *table)
{
  Slot *slot;

  if (table->suspects_taken == NULL)
    table->suspects_taken = atomic_exchange_explicit (&table->suspects, NULL, memory_order_acquire);
  slot = table->suspects_taken;
  if (slot == NULL)
    return NULL;
  table->suspects_taken = slot->next_suspect;
  table->known_room -= slot->took_room;
  return slot;
}

void
slot_clear_suspicion (Slot *slot)
{
  slot_forget_streak (slot);
  atomic_store_explicit (&slot->suspect, FALSE, memory_order_seq_cst);
}

gboolean
slot_is_suspect (const Slot *slot)
{
  return atomic_load_explicit (&slot->suspect, memory_order_seq_cst);
}

gint64
slot_blamed (const Slot *slot)
{
  return atomic_load_explicit (&slot->blamed, memory_order_relaxed)
         - atomic_load_explicit (&slot->blamed_before, memory_order_relaxed);
}

guint
slot_blamed_in_a_row (const Slot *slot)
{
  return blamed_of (atomic_load_explicit (&slot->streak, memory_order_relaxed));
}

int
slot_blamed_status (const Slot *slot)
{
  return atomic_load_explicit (&slot->blamed_status, memory_order_relaxed);
}

guint64
slot_channel_id (const Slot *slot)
{
  return atomic_load_explicit (&slot->channel_id, memory_order_relaxed);
}
