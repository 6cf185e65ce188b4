/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-events: what a pool's channels and addresses tell it: who takes which
 * place, what telemetry and observers hear, and what there is to settle.
 */
#include "core/grpc/disconnect-error.h"
#include "pool.h"

static gint64
now_us (const CenotePool *pool)
{
  return control_now_us (pool->control);
}

/* ------------------------------------------------------------------ telling */

CenoteEvent
pool_channel_event (const Channel *channel, CenoteEventKind kind)
{
  CenoteEvent event = CENOTE_EVENT_INIT (kind);

  event.channel = channel->id;
  event.address = channel->address->name;
  return event;
}

void
pool_note_error (CenotePool *pool, Address *address, const char *error)
{
  if (address != NULL) {
    g_free (address->last_error);
    address->last_error = g_strdup (error);
  }
  monitor_lock (&pool->lock);
  g_free (pool->last_error);
  pool->last_error = g_strdup (error);
  pool->last_error_us = now_us (pool);
  monitor_unlock (&pool->lock);
}

static void
tell_state (CenotePool *pool, const Channel *channel, CenoteChannelState old, ChannelEvent what)
{
  CenoteEvent event = pool_channel_event (channel, CENOTE_EVENT_CHANNEL_STATE);
  g_autofree char *step = NULL;

  if (!bus_wants (pool->bus, CENOTE_EVENT_CHANNEL_STATE))
    return;
  step = g_strdup_printf ("%s -%s-> %s", cenote_channel_state_to_string (old), channel_event_to_string (what),
                          cenote_channel_state_to_string (channel->state));
  event.reason = step;
  pool_emit (pool, &event);
}

static void
tell_drained (CenotePool *pool, const Channel *channel)
{
  CenoteEvent event = pool_channel_event (channel, CENOTE_EVENT_CHANNEL_DRAINED);

  event.duration_ns = channel->drain_us < 0 ? 0 : (now_us (pool) - channel->drain_us) * 1000;
  event.reason = channel->drain_why;
  pool_emit (pool, &event);
}

void
pool_tell_scaling (CenotePool *pool, guint old, guint size, const char *why, gint64 begun_us)
{
  gboolean up = size > old;
  CenoteEvent event = CENOTE_EVENT_INIT (up ? CENOTE_EVENT_POOL_SCALE_UP : CENOTE_EVENT_POOL_SCALE_DOWN);

  if (size == old)
    return;
  breakdown_add (up ? pool->meters.scaling_up : pool->meters.scaling_down, why);
  event.duration_ns = (now_us (pool) - begun_us) * 1000;
  durations_record (pool->meters.durations, DURATION_SCALING, event.duration_ns);
  event.requested = ABS ((gint64) size - old);
  counters_add (pool->meters.counters, up ? COUNTER_SCALED_UP : COUNTER_SCALED_DOWN, (guint64) event.requested);
  event.succeeded = event.requested;
  event.failed = 0;
  event.new_size = size;
  event.reason = why;
  pool_emit (pool, &event);
}

/* ------------------------------------------------------------------- places */

static void
place_take (CenotePool *pool, Channel *channel)
{
  if (pool->free_places->len == 0) {
    channel->place = pool->next_place++;
    return;
  }
  channel->place = g_array_index (pool->free_places, guint32, pool->free_places->len - 1);
  g_array_set_size (pool->free_places, pool->free_places->len - 1);
}

static void
place_give (CenotePool *pool, Channel *channel)
{
  if (channel->place == CHANNEL_NO_PLACE)
    return;
  if (!channel->replaced)
    g_array_append_val (pool->free_places, channel->place);
  channel->place = CHANNEL_NO_PLACE;
}

/* A replacement is READY: it inherits the place, which both have until callers can
 * get the new one; then the old channel drains. */
static void
place_inherit (CenotePool *pool, Channel *channel)
{
  Channel *old = pool_find_channel (pool, channel->replaces);

  channel->replaces = 0;
  if (old == NULL || old->replaced || old->place == CHANNEL_NO_PLACE) {
    place_take (pool, channel);
    return;
  }
  channel->place = old->place;
  old->replaced = TRUE;
  pool->has_replaced = TRUE;
  pool_count_replaced (pool, old);
}

/* ------------------------------------------------------- what channels tell */

/* An unsigned count takes a STEP of -1 modulo its width. */
static void
count_state (CenotePool *pool, CenoteChannelState state, int step)
{
  GaugeId gauge = gauge_of_state (state);

  if (gauge != N_GAUGES)
    gauges_add (pool->meters.gauges, gauge, step);
  if (state == CENOTE_CHANNEL_CONNECTING)
    pool->n_connecting += (guint) step;
  if (state == CENOTE_CHANNEL_DRAINING)
    pool->n_draining += (guint) step;
  else if (state != CENOTE_CHANNEL_SHUTDOWN)
    pool->n_live += (guint) step;
}

/* Whoever comes to be shown, or no more, is in or out of the view. */
static void
count_shown (CenotePool *pool, Channel *channel)
{
  gboolean shown = channel_is_shown (channel);
  guint step = (guint) (shown - channel->counted);

  pool->rotation_changed |= shown != channel->counted;
  pool->n_out += (guint) (channel_is_out (channel) - channel->counted_out);
  channel->counted_out = channel_is_out (channel);
  channel->counted = shown;
  pool->n_ready += step;
  channel->address->n_ready += step;
}

static void
settle_place (CenotePool *pool, Channel *channel)
{
  if (channel_is_fit (channel) && channel->place == CHANNEL_NO_PLACE) {
    if (channel->replaces != 0)
      place_inherit (pool, channel);
    else
      place_take (pool, channel);
  }
  if (channel->state == CENOTE_CHANNEL_DRAINING || channel->state == CENOTE_CHANNEL_SHUTDOWN)
    place_give (pool, channel);
}

static void
tell_connected (Channel *channel)
{
  CenotePool *pool = channel->site->pool;
  CenoteEvent event = pool_channel_event (channel, CENOTE_EVENT_CHANNEL_CONNECTED);

  if (channel->untold_us < 0)
    return;
  event.duration_ns = channel->untold_us * 1000;
  event.attempt = channel->attempts;
  channel->untold_us = -1;
  pool_emit (pool, &event);
  observers_connected (pool->observers, channel->id, channel->address->name);
}

/* One whose health keeps it out of the rotation has to wait. */
void
pool_tell_connected (CenotePool *pool)
{
  guint i;

  pool->has_untold = FALSE;
  for (i = 0; i < pool->channels->len; i++) {
    Channel *channel = pool->channels->pdata[i];

    if (channel_is_fit (channel))
      tell_connected (channel);
    else
      pool->has_untold |= channel->untold_us >= 0;
  }
}

static void
channel_became (Channel *channel, CenoteChannelState old, ChannelEvent event)
{
  CenotePool *pool = channel->site->pool;

  if (old == CENOTE_CHANNEL_READY && channel->state != CENOTE_CHANNEL_READY)
    tell_connected (channel);
  count_state (pool, old, -1);
  count_state (pool, channel->state, +1);
  settle_place (pool, channel);
  count_shown (pool, channel);
  pool_probe_channel (channel, old);
  pool->site->stirred (pool->site->runtime);
  if (channel->state == CENOTE_CHANNEL_SHUTDOWN && (old == CENOTE_CHANNEL_READY || old == CENOTE_CHANNEL_DRAINING))
    tell_drained (pool, channel);
  tell_state (pool, channel, old, event);
  pool->n_over += channel->state == CENOTE_CHANNEL_SHUTDOWN;
  pool_cache_note (pool, channel);
  pool_view_touch (pool, channel);
  pool_want_plan (pool);
}

static void
channel_changed (Channel *channel)
{
  CenotePool *pool = channel->site->pool;

  pool_cache_note (pool, channel);
  pool_view_touch (pool, channel);
  pool_want_plan (pool);
}

static void
channel_connected (Channel *channel, gint64 duration_us)
{
  CenotePool *pool = channel->site->pool;

  counters_add (pool->meters.counters, COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED, 1);
  durations_record (pool->meters.durations, DURATION_CREATE, duration_us * 1000);
  channel->untold_us = duration_us;
  pool->has_untold = TRUE;
}

static void
channel_failed (Channel *channel, const char *error, gint64 duration_us)
{
  CenotePool *pool = channel->site->pool;
  CenoteEvent event = pool_channel_event (channel, CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);
  g_autoptr (GError) told = g_error_new_literal (CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED, error);

  counters_add (pool->meters.counters, COUNTER_CONNECTION_ATTEMPTS_FAILED, 1);
  durations_record (pool->meters.durations, DURATION_FAILED, duration_us * 1000);
  pool_note_error (pool, channel->address, error);
  event.duration_ns = duration_us * 1000;
  event.attempt = channel->attempts;
  event.error = error;
  pool_emit (pool, &event);
  observers_connection_failed (pool->observers, channel->id, channel->address->name, told);
}

static void
channel_lost (Channel *channel, const char *reason, gint64 connected_us)
{
  CenotePool *pool = channel->site->pool;
  CenoteEvent event = pool_channel_event (channel, CENOTE_EVENT_CHANNEL_DISCONNECTED);

  breakdown_add (pool->meters.disconnections, disconnect_error_of (reason));
  durations_record (pool->meters.durations, DURATION_CONNECTED, connected_us * 1000);
  tell_connected (channel);
  pool_note_error (pool, channel->address, reason);
  event.duration_ns = connected_us * 1000;
  event.reason = reason;
  pool_emit (pool, &event);
  observers_disconnected (pool->observers, channel->id, channel->address->name);
}

/* The new one takes the place over; the old one keeps its leases. */
static void
channel_succeed (Channel *old)
{
  CenotePool *pool = old->site->pool;
  Channel *channel;

  if (old->replaced)
    return;
  channel = pool_open_channel (pool, old->address, 0);
  channel->place = old->place;
  old->place = CHANNEL_NO_PLACE;
  pool_inherit_ejections (channel, old);
  channel->attempts = old->attempts;
  channel->last_error = g_strdup (old->last_error);
}

static void
address_scheduled (gpointer data, Address *address, gint64 delay_us, const char *reason)
{
  CenotePool *pool = data;
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED);

  pool_view_touch_address (pool, address);
  counters_add (pool->meters.counters, COUNTER_RECONNECTS_SCHEDULED, 1);
  durations_record (pool->meters.durations, DURATION_DELAY, delay_us * 1000);
  event.time_us = address->next_attempt_us - delay_us; /* the delay counts from here */
  event.address = address->name;
  event.delay_ms = delay_us / 1000;
  event.attempt = (gint64) address->failures + 1;
  event.reason = reason;
  pool_emit (pool, &event);
}

static void
address_changed (gpointer data, Address *address)
{
  pool_view_touch_address (data, address);
  if (address->gate == CENOTE_GATE_DOWN)
    pool_names_doubt (data, address);
}

static void
address_rested (gpointer data, Address *address)
{
  pool_view_touch_address (data, address);
  pool_touch (data);
}

static void
address_dial (Channel *channel)
{
  CenotePool *pool = channel->site->pool;

  if (!pool->dials)
    observers_connect_requested (pool->observers, channel->address->name);
  channel_handle (channel, CHANNEL_DIAL, NULL);
}

/* A dialled address is connected for those who wait for it, and to be replaced. */
static gboolean
is_wanted (const Channel *channel)
{
  return channel->replaces != 0 || channel->address->n_waiters > 0;
}

/* ------------------------------------------------------------------- wiring */

void
pool_wire_events (CenotePool *pool)
{
  pool->channel_site = (ChannelSite) {
    .control = pool->control,
    .links = &pool->links,
    .asks_health = pool_asks_health (pool),
    .became = channel_became,
    .changed = channel_changed,
    .connected = channel_connected,
    .failed = channel_failed,
    .lost = channel_lost,
    .succeed = channel_succeed,
    .pool = pool,
  };
  pool->address_site = (AddressSite) {
    .control = pool->control,
    .budget = pool->site->budget,
    .wants = pool->dials ? is_wanted : NULL,
    .dial = address_dial,
    .scheduled = address_scheduled,
    .rested = address_rested,
    .changed = address_changed,
    .pool = pool,
  };
}
