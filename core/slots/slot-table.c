/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-table: tables' lives, what is counted over a whole table, and fork.
 *
 * A table lives while its pool or one of its slots does.  Then it rests, with its
 * rows, slots and lease entries, until another pool begins a new life with it: a
 * thread that is late by one load, or releases a lease for the second time, finds
 * memory of the right type.
 *
 * Lock: tables_mutex for the lists of tables and their serials; table->lock within it.
 */
#include "slot-table.h"

static pthread_mutex_t tables_mutex = PTHREAD_MUTEX_INITIALIZER;
static SlotTable *tables;       /* alive */
static SlotTable *spare_tables; /* between two lives */
static guint32 n_tables;        /* ever made: ids */
static guint64 next_serial = 1;
gboolean slots_forked;

void
slot_tables_lock (void)
{
  pthread_mutex_lock (&tables_mutex);
}

void
slot_tables_unlock (void)
{
  pthread_mutex_unlock (&tables_mutex);
}

/* ------------------------------------------------------------------- lives */

static SlotTable *
take_spare_locked (void)
{
  SlotTable *table = spare_tables;

  if (table != NULL) {
    spare_tables = table->next;
    return table;
  }
  table = g_aligned_alloc0 (1, sizeof (SlotTable), CACHE_LINE);
  table->id = n_tables++;
  table->seat = table->id % N_RECENT_ROWS * sizeof (RowCache);
  pthread_mutex_init (&table->lock, NULL);
  pthread_mutex_init (&table->watch_lock, NULL);
  g_queue_init (&table->watched);
  return table;
}

static guint64
sum_uses (const SlotTable *table)
{
  const Row *row;
  guint64 sum = 0;

  for (row = table_rows (table); row != NULL; row = row->next)
    sum += atomic_load_explicit (&row->epoch, memory_order_seq_cst) / 2;
  return sum;
}

static guint64
sum_misses (const SlotTable *table)
{
  const Row *row;
  guint64 sum = 0;

  for (row = table_rows (table); row != NULL; row = row->next)
    sum += atomic_load_explicit (&row->misses, memory_order_relaxed);
  return sum;
}

/* A spare one may have suspects from its last life. */
static void
forget_suspects (SlotTable *table)
{
  Slot *slot;

  while ((slot = slot_table_next_suspect (table)) != NULL)
    slot_clear_suspicion (slot);
  table->suspicion = (SlotSuspicion) { 0 };
  atomic_store_explicit (&table->room, 0, memory_order_relaxed);
  table->known_room = 0;
}

SlotTable *
slot_table_new (const SlotWorld *world, void (*wake) (gpointer data), gpointer wake_data)
{
  SlotTable *table;

  slot_tables_lock ();
  table = take_spare_locked ();
  table->serial = next_serial++;
  table->asymmetric = world->asymmetric;
  table->world = *world;
  table->wake = wake;
  table->wake_data = wake_data;
  table->otherwise = NULL;
  forget_suspects (table);
  table->tracked = FALSE;
  atomic_store_explicit (&table->tells, FALSE, memory_order_relaxed);
  table->tracking = (SlotTracking) { 0 };
  atomic_store_explicit (&table->n_waiting, 0, memory_order_relaxed);
  table->uses_before = sum_uses (table);
  table->misses_before = sum_misses (table);
  atomic_init (&table->refs, 1);
  atomic_store_explicit (&table->view, slot_view_new (0, 0), memory_order_release);
  table->next = tables;
  tables = table;
  slot_tables_unlock ();
  return table;
}

void
slot_table_set_used (SlotTable *table, void (*used) (gpointer data, gint64 since_ns))
{
  table->used = used;
}

void
slot_table_set_otherwise (SlotTable *table, LeaseOtherwise otherwise)
{
  table->otherwise = otherwise;
}

SlotTable *
slot_table_ref (SlotTable *table)
{
  atomic_fetch_add_explicit (&table->refs, 1, memory_order_relaxed);
  return table;
}

static void
unlink_locked (SlotTable *table)
{
  SlotTable **link = &tables;

  while (*link != table)
    link = &(*link)->next;
  *link = table->next;
}

/* The new serial makes every thread's cache forget its row, so a row's thread may
 * be alive and yet the row free. */
static void
end_life_locked (SlotTable *table)
{
  unlink_locked (table);
  table->serial = 0;
  pthread_mutex_lock (&table->lock);
  rows_disown_locked (table);
  pthread_mutex_unlock (&table->lock);
  table->next = spare_tables;
  spare_tables = table;
}

/* No thread is in a get (it would hold the pool) or has a lease (its slot would
 * hold the table), and a release touches only its slot after the count that let
 * the slot go. */
void
slot_table_unref (SlotTable *table)
{
  if (atomic_fetch_sub_explicit (&table->refs, 1, memory_order_acq_rel) > 1)
    return;
  slot_view_free (atomic_exchange_explicit (&table->view, &slot_view_stopped, memory_order_acq_rel));
  slot_view_free_retired (table);
  slot_tables_lock ();
  end_life_locked (table);
  slot_tables_unlock ();
}

/* ------------------------------------------------------------------ counts */

guint64
slot_table_uses (const SlotTable *table)
{
  return sum_uses (table) - table->uses_before;
}

guint64
slot_table_misses (const SlotTable *table)
{
  return sum_misses (table) - table->misses_before;
}

const Slot *
slot_table_nth (const SlotTable *table, guint i)
{
  guint block = i < FIRST_BLOCK ? 0 : g_bit_storage (i / FIRST_BLOCK);

  return &table->slots[block][block == 0 ? i : i - block_size (block)];
}

gint64
slot_table_in_flight (const SlotTable *table)
{
  guint n = atomic_load_explicit (&table->n_slots, memory_order_acquire);
  gint64 sum = 0;
  guint i;

  for (i = 0; i < n; i++)
    sum += slot_in_flight (slot_table_nth (table, i));
  return sum;
}

gboolean
slot_table_has_ready (const SlotTable *table)
{
  guint n = atomic_load_explicit (&table->n_slots, memory_order_acquire);
  guint i;

  for (i = 0; i < n; i++) {
    if (slot_is_shown (slot_table_nth (table, i)))
      return TRUE;
  }
  return FALSE;
}

/* -------------------------------------------------------------------- fork */

void
slots_before_fork (void)
{
  slot_tables_lock ();
}

void
slots_after_fork_in_parent (void)
{
  slot_tables_unlock ();
}

/* The child has this thread alone.  What it inherits is left as it is: nobody
 * supervises it, and to destroy a channel would disturb the parent.  A get finds
 * a stopped view; a release finds that its row is not its own, and looks closer. */
void
slots_after_fork_in_child (void)
{
  SlotTable *table;

  slots_forked = TRUE;
  for (table = tables; table != NULL; table = table->next) {
    atomic_store_explicit (&table->view, &slot_view_stopped, memory_order_release);
    rows_disown_locked (table);
  }
  slot_tables_unlock ();
}
