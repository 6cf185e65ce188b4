/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows: one row for each thread and table, found without a lock.
 *
 * A thread keeps a cache from table id to row; what it says holds while its
 * serial is the table's.  A row is never freed or unlinked: when its thread ends
 * it is left for another thread to adopt, and its counters go on from where they are.
 *
 * Lock: table->lock (rows of one table), within the tables' lock at a thread's end.
 */
#include <string.h>

#include "core/base/hot.h"
#include "slot-table.h"

/* What a thread has that has no row yet, and one that is past its last one. */
static ThreadRows none_yet;
static ThreadRows ended;

_Thread_local ThreadRows *thread_rows = &none_yet;
_Thread_local RowCache recent_rows[N_RECENT_ROWS];

/* A thread that was cancelled in a wake or a destroy left its epochs odd, and its
 * heir would take odd for even. */
static void
make_even (_Atomic guint64 *epoch)
{
  guint64 now = atomic_load_explicit (epoch, memory_order_relaxed);

  if (now & 1)
    atomic_store_explicit (epoch, now + 1, memory_order_release);
}

static void
set_owner_locked (Row *row, gconstpointer mark)
{
  atomic_store_explicit (&row->owner, mark, memory_order_relaxed);
  atomic_store_explicit (&row->quick_owner, row->asymmetric ? mark : NULL, memory_order_relaxed);
}

static void
abandon_row (Row *row)
{
  make_even (&row->epoch);
  make_even (&row->telling);
  pthread_mutex_lock (&row->table->lock);
  set_owner_locked (row, NULL);
  pthread_mutex_unlock (&row->table->lock);
}

/* A thread ends: its rows may be adopted.  Tables are type-stable, so a row of a
 * table that has begun a new life is told by the serial and left alone.  In a
 * forked child a lock may be held by a thread that is not there. */
static void
abandon_rows (gpointer data)
{
  ThreadRows *mine = data;
  guint i;

  thread_rows = &ended;
  memset (recent_rows, 0, sizeof recent_rows);
  if (slots_forked)
    return;
  slot_tables_lock ();
  for (i = 0; i < mine->n; i++) {
    Row *row = mine->cache[i].row;

    if (row != NULL && row->table->serial == mine->cache[i].serial)
      abandon_row (row);
  }
  slot_tables_unlock ();
  g_free (mine);
}

static GPrivate thread_rows_key = G_PRIVATE_INIT (abandon_rows);

static Tally *
tallies_new (guint block)
{
  return g_aligned_alloc0 (block_size (block), sizeof (Tally), CACHE_LINE);
}

static Row *
row_new_locked (SlotTable *table)
{
  Row *row = g_aligned_alloc0 (1, sizeof (Row), CACHE_LINE);
  guint i;

  row->table = table;
  for (i = 0; i < table->n_blocks; i++)
    row->tallies[i] = tallies_new (i);
  row_learn_loads (row);
  row->next = atomic_load_explicit (&table->rows, memory_order_relaxed);
  atomic_store_explicit (&table->rows, row, memory_order_seq_cst);
  return row;
}

static Row *
row_find_abandoned_locked (SlotTable *table)
{
  Row *row;

  for (row = table_rows (table); row != NULL; row = row->next) {
    if (atomic_load_explicit (&row->owner, memory_order_relaxed) == NULL)
      return row;
  }
  return NULL;
}

static Row *
row_take_locked (SlotTable *table)
{
  Row *row = row_find_abandoned_locked (table);

  if (row == NULL)
    row = row_new_locked (table);
  row->asymmetric = table->asymmetric;
  set_owner_locked (row, rows_mark ());
  return row;
}

static void
row_begin (Row *row, const SlotTable *table)
{
  row->seen = 0;
  row->avoid = 0;
  row->full = row->in_turn = FALSE;
  row->origin = NULL;
  row->scratch = table->world.random (table->world.data);
  row->luck = table->world.random (table->world.data) | 1;
  row->pick = (CenotePickView) {
    .struct_size = sizeof row->pick,
    .place_size = sizeof (CenotePlace),
    .avoid = CENOTE_PICK_NONE,
    .luck = &row->luck,
    .scratch = &row->scratch,
    .tallies = (const CenoteTally *const *) row->tallies,
  };
}

static ThreadRows *
cache_grow (guint32 id)
{
  ThreadRows *mine = thread_rows;
  guint n = mine->n;
  guint wanted = MAX (8u, (id + 1) * 2);

  mine = g_realloc (n == 0 ? NULL : mine, sizeof (ThreadRows) + wanted * sizeof (RowCache));
  memset (mine->cache + n, 0, (wanted - n) * sizeof (RowCache));
  mine->n = wanted;
  thread_rows = mine;
  g_private_set (&thread_rows_key, mine);
  return mine;
}

static Row *
claim (SlotTable *table)
{
  ThreadRows *mine = table->id < thread_rows->n ? thread_rows : cache_grow (table->id);
  Row *row;

  pthread_mutex_lock (&table->lock);
  row = row_take_locked (table);
  pthread_mutex_unlock (&table->lock);
  row_begin (row, table);
  row_ask_others (row);
  mine->cache[table->id] = (RowCache) { table->serial, row };
  return row;
}

Row *
rows_mine (SlotTable *table)
{
  const ThreadRows *mine = thread_rows;
  Row *row;

  if (G_LIKELY (table->id < mine->n && mine->cache[table->id].serial == table->serial))
    row = mine->cache[table->id].row;
  else
    row = claim (table);
  if (G_LIKELY (row->asymmetric))
    *rows_recent (table) = (RowCache) { table->serial, row };
  return row;
}

HOT Row *
rows_for_release (SlotTable *table)
{
  return G_LIKELY (thread_rows != &ended) ? rows_mine (table) : NULL;
}

guint
rows_count (const Row *newest)
{
  const Row *row;
  guint n = 0;

  for (row = newest; row != NULL; row = row->next)
    n++;
  return n;
}

void
rows_grow_locked (SlotTable *table)
{
  Row *row;

  for (row = table_rows (table); row != NULL; row = row->next)
    row->tallies[table->n_blocks] = tallies_new (table->n_blocks);
  table->n_blocks++;
}

void
rows_disown_locked (SlotTable *table)
{
  Row *row;

  for (row = table_rows (table); row != NULL; row = row->next)
    set_owner_locked (row, NULL);
}
