/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery: one thread's way through the queue: takes an event out, claims the
 * next sink that is to have it, calls, gives the sink back, and so on.
 *
 * Thread: the current telemetry thread, or whoever dispatches.  All that it keeps
 * between two calls of sinks stands in the Delivery and in the sinks, so that a
 * successor can go on at any call.  One that was replaced, or left behind by a
 * stop, touches neither sinks nor clock again.
 */
#include "core/base/hot.h"
#include "bus-private.h"

#define REPORT_INTERVAL_US (60 * G_GINT64_CONSTANT (1000000))
#define REST_FACTOR 10
#define MAX_REST_US (60 * G_GINT64_CONSTANT (1000000))

/* How many deliveries run on this thread, one inside the other. */
static __thread guint depth;

Delivery *
delivery_new (Bus *bus)
{
  Delivery *delivery = g_new0 (Delivery, 1);

  delivery->bus = bus;
  return delivery;
}

HOT gboolean
bus_on_telemetry_thread (void)
{
  return depth > 0;
}

/* ----------------------------------------------------------------- claims */

/* While the bus stops, nobody rests. */
static gint64
resting_time (const Bus *bus, gint64 now_us)
{
  return __atomic_load_n (&bus->stopping, __ATOMIC_ACQUIRE) ? G_MAXINT64 : now_us;
}

/* The four that follow, with the lock held: see sinks.h. */
static Sink *
next_for_event (Delivery *self, gint64 now_us)
{
  Bus *bus = self->bus;
  Sink *sink = sinks_claim_for_event (bus->sinks, &self->cell, self->position, now_us, bus->give_up);

  if (sink != NULL)
    bus->delivered++;
  return sink;
}

static Sink *
next_for_loss (Delivery *self, gint64 now_us)
{
  const CenoteEvent none = CENOTE_EVENT_INIT (CENOTE_EVENT_TELEMETRY_DROPPED);
  Bus *bus = self->bus;
  guint64 count = 0;
  Sink *sink = sinks_claim_for_loss (bus->sinks, resting_time (bus, now_us), &count);

  self->loss = none;
  self->loss.time_us = now_us;
  self->loss.wall_us = bus->wall_us (bus->clock_data);
  self->loss.count = (gint64) count;
  return sink;
}

static Sink *
next_for_flush (Delivery *self, gint64 now_us)
{
  return sinks_claim_for_flush (self->bus->sinks, resting_time (self->bus, now_us));
}

/* Each at most once in a round.  In the bus's own stop there are none. */
static Sink *
next_for_poll (Delivery *self, gint64 now_us)
{
  (void) now_us;
  if (__atomic_load_n (&self->bus->stopping, __ATOMIC_ACQUIRE))
    return NULL;
  return sinks_claim_for_poll (self->bus->sinks, self->round_us, &self->why);
}

/* The sink that NEXT finds, whose call begins now; NULL: none, or this delivery was replaced. */
static Sink *
begin_call (Delivery *self, Sink *(*next) (Delivery *self, gint64 now_us))
{
  Bus *bus = self->bus;
  Sink *sink = NULL;

  monitor_lock (&bus->monitor);
  if (!self->replaced) {
    self->call_began_us = bus_now (bus);
    sink = self->calling = next (self, self->call_began_us);
  }
  monitor_unlock (&bus->monitor);
  return sink;
}

/* With the lock held: what it means for SINK that its call took TOOK_US.  Returns whether to tell the log. */
static gboolean
judge_call_locked (const Delivery *self, Sink *sink, gint64 took_us)
{
  gint64 now_us = self->call_began_us + took_us;

  if (self->replaced)
    sink->rest_until_us = now_us + MIN (took_us * REST_FACTOR, MAX_REST_US);
  if (took_us <= BUS_CALL_BUDGET_US)
    return FALSE;
  self->bus->slow_calls++;
  sink->slow_calls++;
  if (now_us < sink->next_report_us)
    return FALSE;
  sink->next_report_us = now_us + REPORT_INTERVAL_US;
  return TRUE;
}

/* Gives SINK back.  FALSE: this delivery was replaced meanwhile. */
static gboolean
end_call (Delivery *self, Sink *sink)
{
  Bus *bus = self->bus;
  g_autofree char *slow = NULL;
  gboolean replaced, last;
  gint64 took_us = 0;

  monitor_lock (&bus->monitor);
  if (!self->left_behind) {
    took_us = bus_now (bus) - self->call_began_us;
    if (judge_call_locked (self, sink, took_us))
      slow = g_strdup (sink->name);
  }
  replaced = self->replaced;
  self->calling = NULL;
  sink_release (sink);
  last = sink_drop (sink);
  monitor_broadcast (&bus->monitor);
  monitor_unlock (&bus->monitor);

  if (slow != NULL)
    bus_log (slow, "took %" G_GINT64_FORMAT " ms for one call", took_us / 1000);
  if (last)
    sink_finish (sink);
  if (replaced)
    bus_call_attention (bus);
  return !replaced;
}

/* ------------------------------------------------------------- delivering */

/* This and all that follow: FALSE: replaced. */
static gboolean
deliver_event (Delivery *self)
{
  Sink *sink;

  while ((sink = begin_call (self, next_for_event)) != NULL) {
    sink->funcs.handle (sink->data, &self->cell.event);
    if (!end_call (self, sink))
      return FALSE;
  }
  self->has_event = FALSE;
  self->n_events++;
  self->untold++;
  return TRUE;
}

static void
tell_loss (const Delivery *self, const Sink *sink)
{
  if (sink_wants_losses (sink))
    sink->funcs.handle (sink->data, &self->loss);
  else
    bus_log (sink->name, "did not get %" G_GINT64_FORMAT " events", self->loss.count);
}

static gboolean
tell_losses (Delivery *self)
{
  Sink *sink;

  self->untold = 0;
  while ((sink = begin_call (self, next_for_loss)) != NULL) {
    tell_loss (self, sink);
    if (!end_call (self, sink))
      return FALSE;
  }
  return TRUE;
}

static gboolean
flush_sinks (Delivery *self)
{
  Sink *sink;

  while ((sink = begin_call (self, next_for_flush)) != NULL) {
    if (sink->funcs.flush != NULL)
      sink->funcs.flush (sink->data);
    if (!end_call (self, sink))
      return FALSE;
  }
  return TRUE;
}

static void
note_poll (const Delivery *self, Sink *sink, gint64 again_us)
{
  monitor_lock (&self->bus->monitor);
  sink_note_poll (sink, self->call_began_us, self->why, again_us);
  monitor_unlock (&self->bus->monitor);
}

static gboolean
poll_sinks (Delivery *self)
{
  Sink *sink;

  self->round_us = bus_now (self->bus);
  while ((sink = begin_call (self, next_for_poll)) != NULL) {
    note_poll (self, sink, sink->funcs.poll (sink->data, self->call_began_us, self->why));
    if (!end_call (self, sink))
      return FALSE;
  }
  return TRUE;
}

/* Losses are told, and sinks polled, when nothing waits, and under load once a queueful. */
static gboolean
deliver_all (Delivery *self)
{
  Bus *bus = self->bus;

  (void) __atomic_exchange_n (&bus->attention, FALSE, __ATOMIC_ACQ_REL);
  for (;;) {
    if (self->has_event && !deliver_event (self))
      return FALSE;
    if (self->untold >= event_queue_get_capacity (bus->queue) && !(tell_losses (self) && poll_sinks (self)))
      return FALSE;
    if (!event_queue_pop (bus->queue, &self->cell, &self->position))
      break;
    self->has_event = TRUE;
  }
  return tell_losses (self) && flush_sinks (self) && poll_sinks (self);
}

gboolean
delivery_run (Delivery *self)
{
  gboolean goes_on;

  depth++;
  goes_on = deliver_all (self);
  depth--;
  return goes_on;
}

guint
bus_dispatch (Bus *bus)
{
  Delivery *delivery = bus->current;

  g_return_val_if_fail (delivery == NULL || delivery->thread == NULL, 0);

  if (delivery == NULL || delivery->calling != NULL)
    return 0;
  delivery->n_events = 0;
  (void) delivery_run (delivery);
  return delivery->n_events;
}
