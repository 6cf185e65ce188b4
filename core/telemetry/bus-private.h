/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus-private: the bus's own memory, shared by the three files that are the bus:
 * bus.c (who emits, who is told), delivery.c (one thread's way through the queue)
 * and bus-threads.c (which thread goes it).
 *
 * Lock: the monitor guards sinks, deliveries and statistics; no sink, destroy or
 * log writer is called under it.  Emitting touches only the queue, the drops, the
 * bell and the atomic words.
 */
#ifndef CENOTE_CORE_BUS_PRIVATE_H
#define CENOTE_CORE_BUS_PRIVATE_H

#include "bell.h"
#include "bus.h"
#include "event-queue.h"
#include "core/base/monitor.h"
#include "sinks.h"

/* One thread's way through the queue.  Exactly one is current: only it takes events
 * out.  It learns that it was replaced when a sink's call returns, and then ends. */
typedef struct Delivery Delivery;
struct Delivery {
  Bus *bus;                  /* a reference, while it has a thread */
  GThread *thread;
  gboolean replaced;
  gboolean ended;            /* its thread touches nothing any more, unless left_behind */
  gboolean left_behind;      /* replaced, and nobody joins it: it frees itself */

  Sink *calling;             /* the sink whose call runs */
  gint64 call_began_us;

  /* Its thread's alone, and the successor's once it is replaced. */
  gboolean has_event;        /* cell and position are of an event that some sinks have yet to see */
  guint64 position;
  EventCell cell;
  CenoteEvent loss;          /* what a sink is being told */
  guint untold;              /* events since it last told losses */
  gint64 round_us;           /* who was due then is polled */
  CenotePollReason why;
  guint n_events;            /* that it took out, for bus_dispatch() */
};

struct Bus {
  guint refs;                /* atomic */
  EventQueue *queue;
  Drops *drops;
  Bell bell;
  guint64 wanted;            /* atomic: kinds that some sink wants */
  gboolean attention;        /* atomic: something other than an event is to be seen to */
  gboolean stopping;         /* atomic */
  BusClock now_us;
  BusClock wall_us;
  gpointer clock_data;
  gint64 patience_us;

  Monitor monitor;
  Sinks *sinks;
  Delivery *current;         /* without a thread until bus_start() */
  GPtrArray *aside;          /* of replaced Delivery */
  gboolean stopped;
  gboolean give_up;          /* what still waits is lost: the stop took too long */
  guint64 delivered;
  guint64 slow_calls;
  guint64 set_aside;
};

static inline gint64
bus_now (const Bus *bus)
{
  return bus->now_us (bus->clock_data);
}

/* Has the telemetry thread look again, at more than the queue. */
void bus_call_attention (Bus *bus);
/* Warns "telemetry sink SINK …". */
void bus_log (const char *sink, const char *format, ...) G_GNUC_PRINTF (2, 3);

Delivery *delivery_new (Bus *bus);
/* Takes out and hands on all that waits, tells losses, flushes.  FALSE: replaced. */
gboolean delivery_run (Delivery *delivery);

/* Waits for the telemetry threads as bus_stop() says; no delivery is left then. */
void bus_end_deliveries (Bus *bus);

#endif
