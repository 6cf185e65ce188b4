/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

static gint64
now_us (const CenotePool *pool)
{
  return control_now_us (pool->control);
}

void
pool_emit (CenotePool *pool, CenoteEvent *event)
{
  event->pool = pool->settings->name;
  bus_emit (pool->bus, event);
}

/* ----------------------------------------------------------------- settling */

void
pool_touch (CenotePool *pool)
{
  if (pool->phase != POOL_OVER)
    control_defer (pool->control, &pool->settle);
}

void
pool_want_plan (CenotePool *pool)
{
  pool->plan_wanted = TRUE;
  pool_touch (pool);
}

gboolean
pool_is_mocked (CenotePool *pool)
{
  gboolean mocked;

  monitor_lock (&pool->lock);
  mocked = pool->mocked;
  monitor_unlock (&pool->lock);
  return mocked;
}

static gboolean
wants_samples (const CenotePool *pool)
{
  if (atomic_load (&pool->is_read))
    return TRUE;
  if (pool->dials)
    return bus_wants (pool->bus, CENOTE_EVENT_CONNECTOR_DIAL);
  return bus_wants (pool->bus, CENOTE_EVENT_POOL_GET_CHANNEL) || bus_wants (pool->bus, CENOTE_EVENT_CHANNEL_GET);
}

static guint32
view_flags (CenotePool *pool)
{
  guint32 flags = 0;

  if (pool->phase >= POOL_STOPPING)
    flags |= VIEW_STOPPED;
  if (pool->paused)
    flags |= VIEW_PAUSED;
  if (pool_is_mocked (pool))
    flags |= VIEW_MOCKED;
  if (pool->parked)
    flags |= VIEW_PARKED;
  if (pool->dials)
    flags |= VIEW_DIALLED;
  if (wants_samples (pool))
    flags |= VIEW_SAMPLED;
  return pool_number (pool->settings, POOL_TELEMETRY_SAMPLE_RATE) == 0 ? flags & ~VIEW_SAMPLED : flags;
}

static void
show_channels (CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->channels->len && pool->phase < POOL_STOPPING; i++) {
    const Channel *channel = pool->channels->pdata[i];

    if (channel_is_shown (channel))
      link_show (channel->link);
  }
}

static SlotPlace
place_of (const CenotePool *pool, const Channel *channel)
{
  return (SlotPlace) {
    .slot = link_slot (channel->link),
    .channel_id = channel->id,
    .number = channel->place,
    .weight = 1,
    .address = pool->dials ? channel->address->name : NULL,
    .ready_since_us = channel->ready_us,
  };
}

/* Shown once they are in the view: whoever sees that one is shown can get it. */
static void
publish (CenotePool *pool)
{
  g_autofree SlotPlace *places = g_new0 (SlotPlace, pool->channels->len);
  SlotPicker picker = { 0 };
  guint n = 0;
  guint i;

  for (i = 0; i < pool->channels->len && pool->phase < POOL_STOPPING; i++) {
    const Channel *channel = pool->channels->pdata[i];

    if (channel_is_shown (channel))
      places[n++] = place_of (pool, channel);
  }
  if (pool->picker != NULL && !pool->dials && pool->phase < POOL_STOPPING) {
    const CenotePickerOps *ops = &pool->picker->plugin->ops.picker;

    picker = (SlotPicker) { ops->pick, ops->done, pool->picker->state, ops->flags };
  }
  slot_table_publish (pool->table, places, n, &picker, view_flags (pool),
                      (guint32) pool_number (pool->settings, POOL_TELEMETRY_SAMPLE_RATE));
  pool->rotation_changed = FALSE;
  pool_note_room (pool);
  show_channels (pool);
  pool->site->stirred (pool->site->runtime);
}

/* Make before break: the replacement is shown beside the old channel first. */
static void
drain_replaced (CenotePool *pool)
{
  guint i;

  pool->has_replaced = FALSE;
  publish (pool);
  for (i = 0; i < pool->channels->len; i++) {
    Channel *channel = pool->channels->pdata[i];

    if (channel->replaced)
      pool_drain_channel (channel, pool_why_replaced (channel));
  }
}

void
pool_republish (CenotePool *pool)
{
  if (pool->phase == POOL_OVER)
    return;
  publish (pool);
  pool_touch (pool);
}

static void
republish_and_unref (gpointer data)
{
  pool_republish (data);
  cenote_pool_unref (data);
}

void
pool_want_samples (CenotePool *pool)
{
  if (atomic_load (&pool->is_read) || atomic_exchange (&pool->is_read, TRUE))
    return;
  if (!control_post (pool->control, republish_and_unref, cenote_pool_ref (pool)))
    cenote_pool_unref (pool);
}

static gboolean
sizes_itself (const CenotePool *pool)
{
  return pool->connector != NULL && (pool->connector->plugin->ops.connector.flags & CENOTE_CONNECTOR_SIZES_ITSELF) != 0;
}

/* What it may want: where neither callers nor its connector choose, what was asked for. */
static void
publish_bounds (CenotePool *pool)
{
  gboolean chooses = sizes_itself (pool);
  gint64 max = chooses ? pool_number (pool->settings, POOL_MAX_CHANNELS) : pool->wanted;
  gint64 min = chooses ? pool_number (pool->settings, POOL_MIN_CHANNELS) : pool->wanted;

  gauges_set (pool->meters.gauges, GAUGE_MAX_CHANNELS, pool->dials ? POOL_MAX_SIZE : max);
  gauges_set (pool->meters.gauges, GAUGE_MIN_CHANNELS, pool->dials ? 0 : min);
}

static void
note_sizes (CenotePool *pool)
{
  publish_bounds (pool);
  gauges_set (pool->meters.gauges, GAUGE_EXPECTED_SIZE, pool_expected (pool));
  gauges_set (pool->meters.gauges, GAUGE_CURRENT_SIZE, pool->n_ready);
  monitor_lock (&pool->lock);
  pool->shown_current = pool->n_ready;
  pool->shown_connecting = pool->n_connecting;
  pool->shown_expected = pool_expected (pool);
  monitor_unlock (&pool->lock);
}

void
pool_show (CenotePool *pool)
{
  if (pool->rotation_changed && pool->phase != POOL_OVER)
    publish (pool);
  note_sizes (pool);
}

static void
sweep_channels (CenotePool *pool)
{
  if (pool->n_over == 0)
    return;
  pool->n_over = 0;
  pool_view_sweep (pool);
}

static void
end_if_over (CenotePool *pool)
{
  if (pool->phase != POOL_STOPPING || pool->channels->len > 0 || pool->n_links > 0 || pool->n_streams > 0 ||
      slot_table_reclaim (pool->table))
    return;
  pool_set_phase (pool, POOL_OVER);
}

/* At most one plan a millisecond, so that a connector that never rests cannot
 * keep the control thread. */
static void
plan_if_wanted (CenotePool *pool)
{
  gint64 earliest_us = pool->planned_us + 1000;

  if (!pool->plan_wanted || pool->phase >= POOL_STOPPING || pool->connector == NULL)
    return;
  if (now_us (pool) < earliest_us) {
    control_timer_set (pool->control, &pool->plan_timer, earliest_us);
    return;
  }
  pool->plan_wanted = FALSE;
  pool->planned_us = now_us (pool);
  pool_plan (pool);
}

static void
settle (gpointer data)
{
  CenotePool *pool = data;

  sweep_channels (pool);
  pool_heed_panic (pool);
  if (pool->has_replaced && pool->phase < POOL_STOPPING)
    drain_replaced (pool);
  plan_if_wanted (pool);
  pool_show (pool);
  pool_note_room (pool);
  if (pool->has_untold)
    pool_tell_connected (pool);
  pool_serve_waiters (pool);
  end_if_over (pool);
}

static void
plan_is_due (gpointer data)
{
  pool_want_plan (data);
}

/* -------------------------------------------------------------------- phases */

/* Where callers' dials say what is wanted: the channels that there are for them. */
guint
pool_expected (const CenotePool *pool)
{
  if (pool->phase >= POOL_STOPPING)
    return 0;
  if (pool->dials)
    return pool->n_live;
  if (pool->expects)
    return pool->expected;
  return sizes_itself (pool) ? (guint) pool_number (pool->settings, POOL_MIN_CHANNELS) : pool->wanted;
}

static void
drop_observers (CenotePool *pool)
{
  Observers *observers;

  monitor_lock (&pool->lock);
  observers = g_steal_pointer (&pool->observers);
  monitor_unlock (&pool->lock);
  observers_free (observers);
}

static void
become_over (CenotePool *pool)
{
  control_undefer (pool->control, &pool->settle);
  control_timer_unset (pool->control, &pool->plan_timer);
  control_timer_unset (pool->control, &pool->status_timer);
  control_timer_unset (pool->control, &pool->drain_timer);
  control_timer_unset (pool->control, &pool->window_timer);
  pool_unwatch_leases (pool);
  g_hash_table_remove_all (pool->address_names);
  g_ptr_array_set_size (pool->addresses, 0);
  g_ptr_array_set_size (pool->names, 0);
  pool_end_timers (pool);    /* before the transport, which may end on another thread */
  g_clear_pointer (&pool->picker, instance_unref);
  g_clear_pointer (&pool->connector, instance_unref);
  g_clear_pointer (&pool->transport, instance_unref);
  g_clear_pointer (&pool->credentials, call_credentials_free);
  g_clear_pointer (&pool->args, ccore_args_free);
  g_clear_pointer (&pool->health_site.request, g_bytes_unref);
  g_clear_pointer (&pool->prime_site.request, g_bytes_unref);
  drop_observers (pool);
}

void
pool_set_phase (CenotePool *pool, PoolPhase phase)
{
  pool->phase = phase;
  pool->expects = FALSE;
  if (phase == POOL_OVER) {
    become_over (pool);
    pool->site->over (pool->site->runtime, pool);
    return;
  }
  if (phase == POOL_RUNNING)
    pool_names_ask (pool);
  else
    pool_names_rest (pool);
  pool_republish (pool);
  pool_want_plan (pool);
}

void
pool_set_wanted (CenotePool *pool, guint wanted)
{
  pool->wanted = wanted;
  pool_want_plan (pool);
  note_sizes (pool);
}

void
pool_set_paused (CenotePool *pool, gboolean paused)
{
  pool->paused = paused;
  pool_republish (pool);
}

static void
status_is_due (gpointer data)
{
  CenotePool *pool = data;
  gint64 interval_us = pool_number (pool->settings, POOL_STATUS_INTERVAL);
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_STATUS);

  if (interval_us == CENOTE_OFF)
    return;
  control_timer_set (pool->control, &pool->status_timer, now_us (pool) + interval_us);
  if (!bus_wants (pool->bus, CENOTE_EVENT_POOL_STATUS))
    return;
  event.expected_size = pool_expected (pool);
  event.current_size = pool->n_ready;
  event.in_flight = slot_table_in_flight (pool->table);
  event.waiters = g_queue_get_length (&pool->waiters);
  pool_emit (pool, &event);
}

void
pool_begin_status (CenotePool *pool)
{
  control_timer_unset (pool->control, &pool->status_timer);
  status_is_due (pool);
}

void
pool_tell_init (CenotePool *pool, guint sink)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_INIT);

  event.pool = pool->settings->name;
  event.address = pool->settings->targets == NULL ? NULL : pool->settings->targets[0];
  monitor_lock (&pool->lock);
  event.expected_size = pool->shown_expected;
  monitor_unlock (&pool->lock);
  if (sink == 0)
    bus_emit (pool->bus, &event);
  else
    bus_emit_to (pool->bus, sink, &event);
}

void
pool_start (CenotePool *pool)
{
  note_sizes (pool);
  pool_tell_init (pool, 0);
  if (pool->credentials != NULL)
    call_credentials_start (pool->credentials);
  pool_begin_status (pool);
  pool_start_ejection (pool);
  pool_watch_leases (pool);
  if (pool_number (pool->settings, POOL_INITIALIZATION) != INITIALIZATION_MANUAL && pool->settings->failure == NULL)
    pool_set_phase (pool, POOL_RUNNING);
  else
    pool_republish (pool);
}

static void
drain_is_late (gpointer data)
{
  CenotePool *pool = data;
  gint64 in_flight = slot_table_in_flight (pool->table);

  if (in_flight == 0)
    return;
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", pool->settings->name, "MESSAGE",
                    "Pool %s has not drained within drain-timeout (%" G_GINT64_FORMAT
                    " ms): %" G_GINT64_FORMAT " leases are still held, and keep their channels",
                    pool->settings->name, pool_number (pool->settings, POOL_DRAIN_TIMEOUT) / 1000, in_flight);
  if (pool->calls != NULL)
    calls_cancel_of (pool->calls, pool, "the pool was stopped, and drain-timeout is over");
}

void
pool_drain_all (CenotePool *pool, const char *why)
{
  guint i;

  for (i = 0; i < pool->channels->len; i++)
    pool_drain_channel (pool->channels->pdata[i], why);
  if (pool->n_links > 0)
    link_let_go (&pool->links);
}

/* The view goes first: no lease is given on what then drains. */
void
pool_begin_stop (CenotePool *pool)
{
  g_autoptr (GError) stopped = NULL;

  if (pool->phase >= POOL_STOPPING)
    return;
  pool->stop_us = now_us (pool);
  pool_set_phase (pool, POOL_STOPPING);
  stopped = pool_miss_error (pool, LEASE_STOPPED);
  pool_fail_waiters (pool, stopped);
  pool_drain_all (pool, "the pool was stopped");
  control_timer_set (pool->control, &pool->drain_timer, now_us (pool) + pool_number (pool->settings, POOL_DRAIN_TIMEOUT));
}

void
pool_orphan_all (CenotePool *pool)
{
  guint i;

  pool_begin_stop (pool);
  pool_end_timers (pool);
  for (i = 0; i < pool->channels->len; i++)
    channel_orphan (pool->channels->pdata[i]);
  pool_touch (pool);
}

/* --------------------------------------------------------------------- ticks */

/* How long after the last get a pool counts as used. */
#define QUIET_US (100 * 1000)

/* Once for each channel; while the whole pool stops, drain_is_late() speaks for all. */
static void
warn_if_late (CenotePool *pool, Channel *channel)
{
  gint64 draining_us = now_us (pool) - channel->drain_us;

  if (channel->told_late || pool->phase >= POOL_STOPPING || draining_us < pool_number (pool->settings, POOL_DRAIN_TIMEOUT))
    return;
  channel->told_late = TRUE;
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", pool->settings->name, "MESSAGE",
                    "Pool %s: channel %" G_GUINT64_FORMAT " to %s has not drained within drain-timeout (%" G_GINT64_FORMAT
                    " ms; %s): %" G_GINT64_FORMAT " leases are still held, and keep it",
                    pool->settings->name, channel->id, channel->address->name, draining_us / 1000, channel->drain_why,
                    channel_in_flight (channel));
  if (pool->calls != NULL)
    calls_cancel_on (pool->calls, slot_channel (link_slot (channel->link)), "its channel drains, and drain-timeout is over");
}

static void
tick_draining (CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->channels->len && pool->n_draining > 0; i++) {
    Channel *channel = pool->channels->pdata[i];

    if (channel->state == CENOTE_CHANNEL_DRAINING)
      channel_handle (channel, CHANNEL_TICK, NULL);
    if (channel->state == CENOTE_CHANNEL_DRAINING)
      warn_if_late (pool, channel);
  }
}

static gboolean
minds_use (const CenotePool *pool)
{
  return pool->connector != NULL && (pool->connector->plugin->ops.connector.flags & CENOTE_CONNECTOR_MINDS_USE) != 0;
}

static void
look (CenotePool *pool)
{
  pool_view_look (pool);
  if (minds_use (pool) && pool_view_woke (pool))
    pool_want_plan (pool);
}

static gboolean
is_quiet (CenotePool *pool)
{
  guint64 uses = pool->view.uses;

  look (pool);
  if (pool->view.uses != uses)
    pool->used_us = now_us (pool);
  return now_us (pool) - pool->used_us >= QUIET_US && pool->view.in_flight == 0;
}

/* Any thread: the first get on a parked view. */
void
pool_wanted_by_caller (gpointer data)
{
  CenotePool *pool = data;

  if (!atomic_exchange (&pool->unpark_noted, TRUE))
    control_note (pool->control, &pool->unpark);
}

static void
unpark (ControlNote *note)
{
  CenotePool *pool = (CenotePool *) (void *) ((char *) note - G_STRUCT_OFFSET (CenotePool, unpark));

  atomic_store (&pool->unpark_noted, FALSE);
  if (!pool->parked || pool->phase == POOL_OVER)
    return;
  pool->parked = FALSE;
  pool->used_us = now_us (pool);
  slot_table_unpark (pool->table);
  slot_table_publish_loads (pool->table);
  pool->site->wanted (pool->site->runtime);
}

/* A stop does not wait long for attempts that are of no more use. */
#define LINGER_US (100 * 1000)

/* Their channels are closed on threads of C-core's, which may not touch the pool's timers. */
static void
leave_lingering (CenotePool *pool)
{
  pool_end_timers (pool);
  link_leave_lingering (&pool->links);
}

static void
tick_stopping (CenotePool *pool)
{
  if (!g_queue_is_empty (&pool->lingering) && now_us (pool) - pool->stop_us >= LINGER_US)
    leave_lingering (pool);
  pool_touch (pool);
}

gboolean
pool_tick (CenotePool *pool)
{
  gboolean reclaiming;

  if (pool->phase == POOL_OVER)
    return FALSE;
  tick_draining (pool);
  reclaiming = slot_table_reclaim (pool->table);
  if (pool->phase == POOL_STOPPING) {
    tick_stopping (pool);
    return TRUE;
  }
  if (!pool->parked)
    slot_table_publish_loads (pool->table);
  if (!is_quiet (pool))
    return TRUE;
  if (!pool->parked)
    pool->parked = slot_table_park (pool->table, pool->view.uses);
  return !pool->parked || reclaiming || pool->n_draining > 0;
}

void
pool_init_timers (CenotePool *pool)
{
  pool->settle = (ControlDeferred) { .func = settle, .data = pool };
  pool->plan_timer = (ControlTimer) { .func = plan_is_due, .data = pool };
  pool->status_timer = (ControlTimer) { .func = status_is_due, .data = pool };
  pool->drain_timer = (ControlTimer) { .func = drain_is_late, .data = pool };
  pool->unpark.handle = unpark;
}

void
pool_clock_stepped (CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->channels->len; i++) {
    const Channel *channel = pool->channels->pdata[i];

    if (channel->link != NULL)
      link_clock_stepped (channel->link);
  }
}

/* ------------------------------------------------------------------- finding */

/* Ids only grow, and what is made comes last: THINGS are in their order. */
static gpointer
find (const GPtrArray *things, guint64 id, guint64 (*id_of) (gconstpointer thing))
{
  guint low = 0, high = things->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;
    guint64 found = id_of (things->pdata[middle]);

    if (found == id)
      return things->pdata[middle];
    if (found < id)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

static guint64
channel_id (gconstpointer channel)
{
  return ((const Channel *) channel)->id;
}

static guint64
address_id (gconstpointer address)
{
  return ((const Address *) address)->id;
}

Channel *
pool_find_channel (CenotePool *pool, guint64 id)
{
  return find (pool->channels, id, channel_id);
}

Address *
pool_find_address (CenotePool *pool, guint32 id)
{
  return find (pool->addresses, id, address_id);
}

/* -------------------------------------------------------------------- errors */

char *
pool_describe_counts (CenotePool *pool)
{
  g_autofree char *last = NULL;
  guint current, expected, connecting;

  monitor_lock (&pool->lock);
  last = g_strdup (pool->last_error);
  current = pool->shown_current;
  expected = pool->shown_expected;
  connecting = pool->shown_connecting;
  monitor_unlock (&pool->lock);
  return g_strdup_printf ("%u of %u ready, %u connecting, %" G_GINT64_FORMAT " in flight, %u waiting%s%s", current, expected,
                          connecting, slot_table_in_flight (pool->table), atomic_load (&pool->n_waiters),
                          last == NULL ? "" : "; last error: ", last == NULL ? "" : last);
}

static GError *
not_connected (CenotePool *pool, const char *hint)
{
  g_autofree char *counts = pool_describe_counts (pool);

  return g_error_new (CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED, "Pool %s has no ready channel (%s)%s", pool->settings->name,
                      counts, hint);
}

/* Each ready channel has its limit of leases, or others wait already. */
static GError *
no_room (CenotePool *pool)
{
  g_autofree char *counts = pool_describe_counts (pool);

  return g_error_new (CENOTE_ERROR, CENOTE_ERROR_LIMIT,
                      "Pool %s has no room for another lease (%s; hard-stream-limit with max-streams-per-channel=%" G_GINT64_FORMAT
                      "): raise size, or the limit here and at the server; cenote_pool_acquire() waits its turn",
                      pool->settings->name, counts, pool_number (pool->settings, POOL_MAX_STREAMS_PER_CHANNEL));
}

GError *
pool_miss_error (CenotePool *pool, LeaseResult result)
{
  const char *name = pool->settings->name;

  if (pool->settings->failure != NULL)
    return g_error_copy (pool->settings->failure);
  switch (result) {
  case LEASE_STOPPED:
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_STOPPED, "Pool %s was stopped, or this is a forked child: open a new runtime",
                        name);
  case LEASE_PAUSED:
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED, "Pool %s is paused: cenote_pool_acquire() waits for its resume",
                        name);
  case LEASE_DIALLED:
    return g_error_new (CENOTE_ERROR, CENOTE_ERROR_INVALID,
                        "Pool %s has no channel for every caller: the addresses of its connector %s come from cenote_pool_dial()",
                        name, pool->settings->connector->plugin->name);
  case LEASE_FULL:
    return no_room (pool);
  case LEASE_NONE:
  case LEASE_GOT:
  case LEASE_MOCKED:
  case LEASE_SAMPLE:
    break;
  }
  return not_connected (pool, ": cenote_pool_acquire() waits for one");
}

GError *
pool_dial_error (CenotePool *pool, const char *address, LeaseResult result)
{
  if (result != LEASE_NONE || pool->settings->failure != NULL)
    return pool_miss_error (pool, result);
  return g_error_new (CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED, "Pool %s has no connection to %s, and the timeout is 0",
                      pool->settings->name, address);
}

static gboolean
all_addresses_rest (const CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->addresses->len; i++) {
    const Address *address = pool->addresses->pdata[i];

    if (!address->resting)
      return FALSE;
  }
  return pool->addresses->len > 0 && !pool_names_are_awaited (pool);
}

GError *
pool_down_error (CenotePool *pool)
{
  guint i;

  if (pool->n_ready > 0 || pool_names_are_awaited (pool))
    return NULL;
  for (i = 0; i < pool->addresses->len; i++) {
    const Address *address = pool->addresses->pdata[i];

    if (address->gate != CENOTE_GATE_DOWN)
      return NULL;
  }
  return not_connected (pool, ": a call waits for one where wait_for_ready is set");
}

GError *
pool_hopeless (CenotePool *pool)
{
  if (pool->settings->failure != NULL)
    return g_error_copy (pool->settings->failure);
  if (pool->phase >= POOL_STOPPING)
    return pool_miss_error (pool, LEASE_STOPPED);
  if (pool->phase == POOL_RESTING)
    return not_connected (pool, ": it is disconnected: call cenote_pool_connect()");
  if (!pool->dials && pool->n_ready == 0 && all_addresses_rest (pool))
    return not_connected (pool, ": max-connect-attempts are used up: call cenote_pool_connect() or cenote_pool_reconnect()");
  return NULL;
}
