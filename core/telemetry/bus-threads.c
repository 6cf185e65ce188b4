/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus-threads: which thread delivers: starts it, puts another in its place when a
 * sink blocks it, and ends them all.
 */
#include "bus-private.h"
#include "core/base/thread.h"

static gboolean
has_work (gpointer data)
{
  const Bus *bus = data;

  return __atomic_load_n (&bus->attention, __ATOMIC_ACQUIRE) || !event_queue_is_empty (bus->queue);
}

/* Whether the next run is the last.  A stop awaits blocked sinks as long as it has
 * patience, so that they too can be told their losses. */
static gboolean
may_end (Bus *bus)
{
  gboolean blocked = FALSE;

  if (!__atomic_load_n (&bus->stopping, __ATOMIC_ACQUIRE))
    return FALSE;
  monitor_lock (&bus->monitor);
  for (guint i = 0; i < bus->aside->len; i++)
    blocked = blocked || ((const Delivery *) g_ptr_array_index (bus->aside, i))->calling != NULL;
  blocked = blocked && !bus->give_up;
  monitor_unlock (&bus->monitor);
  return !blocked;
}

/* Until the next poll; G_MAXINT64: none is due. */
static gint64
time_to_sleep (Bus *bus)
{
  gint64 next_us = bus_next_poll (bus);

  if (next_us == G_MAXINT64)
    return G_MAXINT64;
  return MAX (next_us, 0) <= bus_now (bus) ? 0 : next_us - bus_now (bus);
}

static void
deliver_until_stopped (Delivery *self)
{
  Bus *bus = self->bus;
  gboolean last;

  do {
    last = may_end (bus);
    if (!delivery_run (self))
      return;
    if (!last)
      bell_wait (&bus->bell, has_work, bus, time_to_sleep (bus));
  } while (!last);
}

static gpointer
delivery_main (gpointer data)
{
  Delivery *self = data;
  Bus *bus = self->bus;
  gboolean left_behind;

  deliver_until_stopped (self);

  monitor_lock (&bus->monitor);
  self->ended = TRUE;
  left_behind = self->left_behind;
  monitor_broadcast (&bus->monitor);
  monitor_unlock (&bus->monitor);

  if (left_behind)
    g_free (self);
  bus_unref (bus);
  return NULL;
}

/* With the lock held.  FALSE, with the delivery as before, where there is no thread to be had. */
static gboolean
delivery_start_locked (Delivery *delivery)
{
  bus_ref (delivery->bus);
  delivery->thread = thread_start ("cenote-sinks", delivery_main, delivery, NULL);
  if (delivery->thread == NULL)
    bus_unref (delivery->bus);
  return delivery->thread != NULL;
}

gboolean
bus_start (Bus *bus)
{
  gboolean started;

  monitor_lock (&bus->monitor);
  started = delivery_start_locked (bus->current);
  monitor_unlock (&bus->monitor);
  return started;
}

/* With the lock held, and the current delivery in a sink's call: a new one goes on with its event. */
static gboolean
replace_current_locked (Bus *bus)
{
  Delivery *old = bus->current, *successor = delivery_new (bus);

  successor->has_event = old->has_event;
  successor->position = old->position;
  if (old->has_event)
    event_pack (&successor->cell, &old->cell.event, old->cell.only);
  if (!delivery_start_locked (successor)) {
    g_free (successor);
    return FALSE;
  }
  old->replaced = TRUE;
  g_ptr_array_add (bus->aside, old);
  bus->current = successor;
  bus->set_aside++;
  return TRUE;
}

/* With the lock held: (transfer full): the deliveries set aside whose threads have ended. */
static GPtrArray *
take_ended_locked (Bus *bus)
{
  GPtrArray *ended = g_ptr_array_new ();

  for (guint i = bus->aside->len; i-- > 0;)
    if (((const Delivery *) g_ptr_array_index (bus->aside, i))->ended)
      g_ptr_array_add (ended, g_ptr_array_steal_index_fast (bus->aside, i));
  return ended;
}

static void
join_deliveries (GPtrArray *ended)
{
  for (guint i = 0; i < ended->len; i++) {
    Delivery *delivery = g_ptr_array_index (ended, i);

    g_thread_join (delivery->thread);
    g_free (delivery);
  }
  g_ptr_array_unref (ended);
}

/* With the lock held: whether the current delivery's thread is in a sink's call. */
static gboolean
is_calling_locked (const Bus *bus)
{
  return bus->current != NULL && bus->current->thread != NULL && bus->current->calling != NULL;
}

/* Nobody rings when a poll begins: so by when one that is due at POLL_US has taken too long. */
static gint64
after_poll (gint64 poll_us, gint64 now_us)
{
  return poll_us == G_MAXINT64 ? G_MAXINT64 : MAX (poll_us, now_us) + BUS_CALL_BUDGET_US + 1;
}

/* With the lock held: by when to look at the current delivery again. */
static gint64
next_check_locked (const Bus *bus, gint64 now_us)
{
  const Delivery *current = bus->current;

  if (current == NULL || current->thread == NULL || current->ended)
    return G_MAXINT64;
  if (bell_is_asleep (&bus->bell))
    return after_poll (sinks_next_poll (bus->sinks), now_us);
  if (is_calling_locked (bus) && current->call_began_us + BUS_CALL_BUDGET_US >= now_us)
    return current->call_began_us + BUS_CALL_BUDGET_US + 1;
  return now_us + BUS_CALL_BUDGET_US;
}

gint64
bus_check (Bus *bus)
{
  gint64 now_us = bus_now (bus), next_us;
  g_autofree char *blocked = NULL;
  GPtrArray *ended;

  monitor_lock (&bus->monitor);
  if (is_calling_locked (bus) && now_us - bus->current->call_began_us > BUS_CALL_BUDGET_US) {
    const char *name = bus->current->calling->name;

    if (replace_current_locked (bus))
      blocked = g_strdup (name);
  }
  next_us = next_check_locked (bus, now_us);
  ended = take_ended_locked (bus);
  monitor_unlock (&bus->monitor);

  join_deliveries (ended);
  if (blocked != NULL)
    bus_log (blocked, "blocks: it is set aside until its call returns");
  return next_us;
}

/* --------------------------------------------------------------- the end */

static gboolean
have_ended_locked (const Bus *bus, gboolean aside_too)
{
  for (guint i = 0; aside_too && i < bus->aside->len; i++)
    if (!((const Delivery *) g_ptr_array_index (bus->aside, i))->ended)
      return FALSE;
  return bus->current->ended;
}

/* With the lock held: waits, up to the patience, and replaces the current delivery
 * where a whole budget passes without any call having ended. */
static void
await_end_locked (Bus *bus, gboolean aside_too)
{
  gint64 deadline_us = g_get_monotonic_time () + bus->patience_us;
  gint64 now_us;

  while (!have_ended_locked (bus, aside_too) && (now_us = g_get_monotonic_time ()) < deadline_us)
    if (!monitor_wait_until (&bus->monitor, MIN (deadline_us, now_us + BUS_CALL_BUDGET_US)) && is_calling_locked (bus))
      (void) replace_current_locked (bus);
}

/* With the lock held: the deliveries that have not ended free themselves from now
 * on.  (transfer full): the names of the sinks that hold them. */
static GPtrArray *
leave_behind_locked (Bus *bus)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < bus->aside->len; i++) {
    Delivery *delivery = g_ptr_array_index (bus->aside, i);

    delivery->replaced = delivery->left_behind = TRUE;
    g_ptr_array_add (names, g_strdup (delivery->calling != NULL ? delivery->calling->name : "(none)"));
    g_thread_unref (delivery->thread);
  }
  g_ptr_array_set_size (bus->aside, 0);
  return names;
}

void
bus_end_deliveries (Bus *bus)
{
  g_autoptr (GPtrArray) names = NULL;
  GPtrArray *ended;

  monitor_lock (&bus->monitor);
  await_end_locked (bus, TRUE);
  bus->give_up = TRUE;
  bus_call_attention (bus);
  await_end_locked (bus, FALSE);
  g_ptr_array_add (bus->aside, g_steal_pointer (&bus->current));
  ended = take_ended_locked (bus);
  names = leave_behind_locked (bus);
  monitor_unlock (&bus->monitor);

  join_deliveries (ended);
  for (guint i = 0; i < names->len; i++)
    bus_log (g_ptr_array_index (names, i), "does not return from its call: it is left behind");
}
