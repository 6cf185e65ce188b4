/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drops: owns one row of counters for each pool that is counted apart, one for
 * events of no pool and one for the rest.
 *
 * Rows are only ever added, each whole before it is published (release), and live
 * as long as the object, so whoever counts walks them without a lock.
 */
#include "drops.h"

#include <stdatomic.h>

typedef struct Row Row;
struct Row {
  char *pool;                /* NULL: of no pool, or of the rest */
  Row *_Atomic next;
  _Atomic guint64 counts[CENOTE_N_EVENTS];
};

struct Drops {
  Row *none;
  Row *rest;
  Row *_Atomic named;
  _Atomic guint64 total;
};

Drops *
drops_new (void)
{
  Drops *drops = g_new0 (Drops, 1);

  drops->none = g_new0 (Row, 1);
  drops->rest = g_new0 (Row, 1);
  return drops;
}

static void
row_free (Row *row)
{
  g_free (row->pool);
  g_free (row);
}

void
drops_free (Drops *drops)
{
  Row *next;

  if (drops == NULL)
    return;
  for (Row *row = atomic_load (&drops->named); row != NULL; row = next) {
    next = atomic_load (&row->next);
    row_free (row);
  }
  row_free (drops->none);
  row_free (drops->rest);
  g_free (drops);
}

static Row *
first_row (const Drops *drops)
{
  return atomic_load_explicit (&drops->named, memory_order_acquire);
}

static Row *
next_row (const Row *row)
{
  return atomic_load_explicit (&row->next, memory_order_acquire);
}

static Row *
find_row (const Drops *drops, const char *pool)
{
  if (pool == NULL)
    return drops->none;
  for (Row *row = first_row (drops); row != NULL; row = next_row (row))
    if (g_str_equal (row->pool, pool))
      return row;
  return drops->rest;
}

void
drops_add_pool (Drops *drops, const char *pool)
{
  Row *row;

  if (find_row (drops, pool) != drops->rest)
    return;
  row = g_new0 (Row, 1);
  row->pool = g_strdup (pool);
  atomic_init (&row->next, first_row (drops));
  atomic_store_explicit (&drops->named, row, memory_order_release);
}

void
drops_count (Drops *drops, const char *pool, CenoteEventKind kind)
{
  atomic_fetch_add_explicit (&find_row (drops, pool)->counts[kind], 1, memory_order_relaxed);
  atomic_fetch_add_explicit (&drops->total, 1, memory_order_release);
}

guint64
drops_total (const Drops *drops)
{
  return atomic_load_explicit (&drops->total, memory_order_acquire);
}

static guint64
row_sum (const Row *row, guint64 mask)
{
  guint64 sum = 0;

  for (guint kind = 0; kind < CENOTE_N_EVENTS; kind++)
    if (mask & CENOTE_EVENT_BIT (kind))
      sum += atomic_load_explicit (&row->counts[kind], memory_order_relaxed);
  return sum;
}

guint64
drops_sum (const Drops *drops, guint64 mask, const char *const *pools)
{
  guint64 sum = row_sum (drops->none, mask);

  if (pools == NULL)
    sum += row_sum (drops->rest, mask);
  for (const Row *row = first_row (drops); row != NULL; row = next_row (row))
    if (pools == NULL || g_strv_contains (pools, row->pool))
      sum += row_sum (row, mask);
  return sum;
}
