/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event-queue: a bounded queue of events; many threads put in, one takes out.
 *
 * Putting in never waits, allocates nothing and takes no lock: what finds no room
 * is refused.  Events of one thread come out in their order.  Every event that
 * went in has a position: 0, 1, 2, …
 */
#ifndef CENOTE_CORE_EVENT_QUEUE_H
#define CENOTE_CORE_EVENT_QUEUE_H

#include "event.h"

G_BEGIN_DECLS

typedef struct EventQueue EventQueue;

/* CAPACITY is rounded up to a power of two, at least 2. */
EventQueue *event_queue_new (guint capacity);
void event_queue_free (EventQueue *queue);
guint event_queue_get_capacity (const EventQueue *queue);

/* Any thread.  FALSE: full. */
gboolean event_queue_push (EventQueue *queue, const CenoteEvent *event, guint64 only);
/* The position that the next event gets; any thread. */
guint64 event_queue_get_tail (const EventQueue *queue);

/* One thread at a time.  FALSE: nothing to take (or the next one is not yet whole). */
gboolean event_queue_pop (EventQueue *queue, EventCell *out_cell, guint64 *out_position);
/* Whether a pop would fail; the thread that pops. */
gboolean event_queue_is_empty (const EventQueue *queue);

G_END_DECLS

#endif
