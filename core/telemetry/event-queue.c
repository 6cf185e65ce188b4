/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event-queue: owns a ring of cells, by the algorithm of Dmitry Vyukov's bounded
 * MPMC queue (1024cores.net), with one consumer.
 *
 * A cell's turn says whose it is: in lap L of the ring it is 2L while the cell
 * waits for its producer and 2L + 1 while it waits for the consumer.  A producer
 * owns a cell from the moment that it moved the tail past it; it publishes by
 * setting the turn (release), which the consumer reads (acquire), and the other
 * way round.  Laps start with 0, so a zeroed ring is an empty one and memory that
 * is never used is never touched.
 */
#include "event-queue.h"

#include <stdatomic.h>

typedef struct Cell {
  _Atomic guint64 turn;
  EventCell content;
} Cell;

struct EventQueue {
  guint64 mask;              /* capacity - 1 */
  guint lap_shift;
  Cell *cells;
  guint64 head;              /* the consumer's */
  _Alignas (64) _Atomic guint64 tail;
};

EventQueue *
event_queue_new (guint capacity)
{
  EventQueue *queue = g_aligned_alloc0 (1, sizeof (EventQueue), 64);

  queue->lap_shift = g_bit_storage (MAX (capacity, 2) - 1);
  queue->mask = (G_GUINT64_CONSTANT (1) << queue->lap_shift) - 1;
  queue->cells = g_new0 (Cell, queue->mask + 1);
  return queue;
}

void
event_queue_free (EventQueue *queue)
{
  if (queue == NULL)
    return;
  g_free (queue->cells);
  g_aligned_free (queue);
}

guint
event_queue_get_capacity (const EventQueue *queue)
{
  return (guint) queue->mask + 1;
}

/* The cell that the caller may fill, and the turn that publishes it; NULL: full. */
static Cell *
claim (EventQueue *queue, guint64 *out_turn)
{
  guint64 position = atomic_load_explicit (&queue->tail, memory_order_relaxed);

  for (;;) {
    Cell *cell = &queue->cells[position & queue->mask];
    guint64 mine = (position >> queue->lap_shift) * 2;
    guint64 turn = atomic_load_explicit (&cell->turn, memory_order_acquire);

    if (turn < mine)
      return NULL;
    *out_turn = mine + 1;
    if (turn > mine)
      position = atomic_load_explicit (&queue->tail, memory_order_relaxed);
    else if (atomic_compare_exchange_weak_explicit (&queue->tail, &position, position + 1, memory_order_relaxed,
                                                    memory_order_relaxed))
      return cell;
  }
}

gboolean
event_queue_push (EventQueue *queue, const CenoteEvent *event, guint64 only)
{
  guint64 turn;
  Cell *cell = claim (queue, &turn);

  if (cell == NULL)
    return FALSE;
  event_pack (&cell->content, event, only);
  atomic_store_explicit (&cell->turn, turn, memory_order_release);
  return TRUE;
}

guint64
event_queue_get_tail (const EventQueue *queue)
{
  return atomic_load_explicit (&queue->tail, memory_order_relaxed);
}

gboolean
event_queue_is_empty (const EventQueue *queue)
{
  const Cell *cell = &queue->cells[queue->head & queue->mask];

  return atomic_load_explicit (&cell->turn, memory_order_acquire) != (queue->head >> queue->lap_shift) * 2 + 1;
}

gboolean
event_queue_pop (EventQueue *queue, EventCell *out_cell, guint64 *out_position)
{
  Cell *cell = &queue->cells[queue->head & queue->mask];

  if (event_queue_is_empty (queue))
    return FALSE;
  event_pack (out_cell, &cell->content.event, cell->content.only);
  *out_position = queue->head;
  atomic_store_explicit (&cell->turn, (queue->head >> queue->lap_shift) * 2 + 2, memory_order_release);
  queue->head++;
  return TRUE;
}
