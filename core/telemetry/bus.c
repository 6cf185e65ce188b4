/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus: owns the queue, the drops and the sinks: who emits and who is told.
 * See bus-private.h for the lock and the other two files.
 */
#include "bus-private.h"

#define DEFAULT_PATIENCE_US G_USEC_PER_SEC

void
bus_log (const char *sink, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_SINK", sink, "MESSAGE", "telemetry sink %s %s", sink, text);
}

void
bus_call_attention (Bus *bus)
{
  __atomic_store_n (&bus->attention, TRUE, __ATOMIC_RELEASE);
  bell_ring (&bus->bell);
}

/* -------------------------------------------------------------- lifetime */

Bus *
bus_new (guint capacity, BusClock now_us, BusClock wall_us, gpointer clock_data)
{
  Bus *bus = g_new0 (Bus, 1);

  bus->refs = 1;
  bus->queue = event_queue_new (capacity);
  bus->drops = drops_new ();
  bus->now_us = now_us;
  bus->wall_us = wall_us;
  bus->clock_data = clock_data;
  bus->patience_us = DEFAULT_PATIENCE_US;
  monitor_init (&bus->monitor);
  bus->sinks = sinks_new (bus->drops);
  bus->current = delivery_new (bus);
  bus->aside = g_ptr_array_new ();
  return bus;
}

void
bus_set_patience (Bus *bus, gint64 patience_us)
{
  bus->patience_us = patience_us;
}

Bus *
bus_ref (Bus *bus)
{
  (void) __atomic_add_fetch (&bus->refs, 1, __ATOMIC_RELAXED);
  return bus;
}

void
bus_unref (Bus *bus)
{
  if (__atomic_sub_fetch (&bus->refs, 1, __ATOMIC_ACQ_REL) != 0)
    return;
  sinks_free (bus->sinks);
  g_ptr_array_unref (bus->aside);
  monitor_clear (&bus->monitor);
  drops_free (bus->drops);
  event_queue_free (bus->queue);
  g_free (bus);
}

void
bus_free (Bus *bus)
{
  if (bus == NULL)
    return;
  bus_stop (bus);
  bus_unref (bus);
}

/* --------------------------------------------------------------- emitting */

gboolean
bus_wants (const Bus *bus, CenoteEventKind kind)
{
  return (__atomic_load_n (&bus->wanted, __ATOMIC_RELAXED) & CENOTE_EVENT_BIT (kind)) != 0;
}

/* ONLY 0: for every sink. */
static void
emit (Bus *bus, const CenoteEvent *event, guint only)
{
  CenoteEvent stamped;

  if (!event_is_valid (event) || !bus_wants (bus, event->kind))
    return;

  event_copy (&stamped, event);
  if (stamped.time_us == -1)
    stamped.time_us = bus_now (bus);
  if (stamped.wall_us == -1)
    stamped.wall_us = bus->wall_us (bus->clock_data);

  if (event_queue_push (bus->queue, &stamped, only)) {
    bell_ring (&bus->bell);
  } else {
    drops_count (bus->drops, stamped.pool, stamped.kind);
    bus_call_attention (bus);
  }
}

void
bus_emit (Bus *bus, const CenoteEvent *event)
{
  emit (bus, event, 0);
}

void
bus_emit_to (Bus *bus, guint id, const CenoteEvent *event)
{
  emit (bus, event, id);
}

/* ------------------------------------------------------------------ sinks */

static void
update_wanted_locked (Bus *bus)
{
  __atomic_store_n (&bus->wanted, sinks_wanted (bus->sinks), __ATOMIC_RELAXED);
}

guint
bus_add_sink (Bus *bus, const char *name, guint64 mask, const char *const *pools, const BusSinkFuncs *funcs,
              gpointer data)
{
  guint id;

  monitor_lock (&bus->monitor);
  id = sinks_add (bus->sinks, name, mask, pools, funcs, data, event_queue_get_tail (bus->queue))->id;
  update_wanted_locked (bus);
  monitor_unlock (&bus->monitor);
  if (funcs->poll != NULL)
    bus_call_attention (bus);
  return id;
}

/* With the lock held. */
static Sink *
remove_sink_locked (Bus *bus, guint id)
{
  Sink *sink = sinks_remove (bus->sinks, id);

  update_wanted_locked (bus);
  return sink;
}

void
bus_remove_sink (Bus *bus, guint id)
{
  gint64 deadline_us = g_get_monotonic_time () + bus->patience_us;
  Sink *sink;

  if (id == 0)
    return;

  monitor_lock (&bus->monitor);
  sink = remove_sink_locked (bus, id);
  while (sink != NULL && sink->busy && !bus_on_telemetry_thread ())
    if (!monitor_wait_until (&bus->monitor, deadline_us))
      break;
  monitor_unlock (&bus->monitor);
  if (sink != NULL)
    sink_unref (sink);
}

gint64
bus_next_poll (Bus *bus)
{
  gint64 next_us;

  monitor_lock (&bus->monitor);
  next_us = sinks_next_poll (bus->sinks);
  monitor_unlock (&bus->monitor);
  return next_us;
}

static void
remove_all_sinks (Bus *bus)
{
  Sink *sink;

  do {
    monitor_lock (&bus->monitor);
    sink = remove_sink_locked (bus, 0);
    monitor_unlock (&bus->monitor);
    if (sink != NULL)
      sink_unref (sink);
  } while (sink != NULL);
}

void
bus_get_statistics (Bus *bus, BusStatistics *out_statistics)
{
  monitor_lock (&bus->monitor);
  out_statistics->dropped = drops_total (bus->drops);
  out_statistics->emitted = event_queue_get_tail (bus->queue) + out_statistics->dropped;
  out_statistics->lost = sinks_losses (bus->sinks);
  out_statistics->delivered = bus->delivered;
  out_statistics->slow_calls = bus->slow_calls;
  out_statistics->set_aside = bus->set_aside;
  monitor_unlock (&bus->monitor);
}

static void
sink_statistics_free (gpointer data)
{
  SinkStatistics *statistics = data;

  g_free (statistics->name);
  g_free (statistics);
}

GPtrArray *
bus_get_sink_statistics (Bus *bus)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (sink_statistics_free);
  const Sink *sink;

  monitor_lock (&bus->monitor);
  for (guint i = 0; (sink = sinks_nth (bus->sinks, i)) != NULL; i++) {
    SinkStatistics *one = g_new (SinkStatistics, 1);

    *one = (SinkStatistics) { sink->id, g_strdup (sink->name), sinks_losses_of (bus->sinks, sink), sink->slow_calls };
    g_ptr_array_add (all, one);
  }
  monitor_unlock (&bus->monitor);
  return all;
}

/* --------------------------------------------------------------- stopping */

static gboolean
awaits_last_locked (const Bus *bus)
{
  return bus->current != NULL && sinks_await_last (bus->sinks, bus->current->calling);
}

void
bus_poll_last (Bus *bus)
{
  gint64 deadline_us = g_get_monotonic_time () + bus->patience_us;
  gboolean has_thread;

  monitor_lock (&bus->monitor);
  sinks_want_last (bus->sinks);
  has_thread = bus->current != NULL && bus->current->thread != NULL;
  bus_call_attention (bus);
  while (has_thread && awaits_last_locked (bus) && monitor_wait_until (&bus->monitor, deadline_us))
    continue;
  monitor_unlock (&bus->monitor);
  if (!has_thread)
    (void) bus_dispatch (bus);
}

/* FALSE: begun before, by this or another thread. */
static gboolean
begin_stop (Bus *bus, gboolean *out_started)
{
  gboolean first;

  monitor_lock (&bus->monitor);
  first = !bus->stopped;
  bus->stopped = TRUE;
  *out_started = first && bus->current->thread != NULL;
  monitor_unlock (&bus->monitor);
  return first;
}

void
bus_stop (Bus *bus)
{
  gboolean started;

  __atomic_store_n (&bus->stopping, TRUE, __ATOMIC_RELEASE);
  bus_call_attention (bus);
  if (bus_on_telemetry_thread () || !begin_stop (bus, &started))
    return;

  if (started) {
    bus_end_deliveries (bus);
  } else {
    (void) bus_dispatch (bus);
    g_clear_pointer (&bus->current, g_free);
  }
  remove_all_sinks (bus);
}
