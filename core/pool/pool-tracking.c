/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-tracking: leases that are counted against a hard limit, and those that are held
 * too long: what there is to do where a pool is on the tracked path.
 */
#include "pool.h"

gboolean
pool_watches_leases (const CenotePool *pool)
{
  return pool_number (pool->settings, POOL_LEAK_THRESHOLD) != CENOTE_OFF;
}

gboolean
pool_limits_streams (const CenotePool *pool)
{
  return pool_flag (pool->settings, POOL_HARD_STREAM_LIMIT);
}

LeaseOrigin *
pool_origin_here (const CenotePool *pool)
{
  LeaseOrigin *origin;

  if (!pool_watches_leases (pool))
    return NULL;
  origin = g_new (LeaseOrigin, 1);
  lease_origin_here (origin);
  return origin;
}

/* -------------------------------------------------------------------- limits */

/* Any thread. */
static void
has_room (gpointer data)
{
  CenotePool *pool = data;

  if (!atomic_exchange (&pool->room_noted, TRUE))
    control_note (pool->control, &pool->room);
}

static void
room (ControlNote *note)
{
  CenotePool *pool = (CenotePool *) (void *) ((char *) note - G_STRUCT_OFFSET (CenotePool, room));

  atomic_store (&pool->room_noted, FALSE);
  pool_touch (pool);
}

void
pool_track_leases (CenotePool *pool)
{
  const SlotTracking tracking = {
    .stream_limit = pool_limits_streams (pool) ? (guint32) pool_number (pool->settings, POOL_MAX_STREAMS_PER_CHANNEL) : 0,
    .watches = pool_watches_leases (pool),
    .has_room = has_room,
  };

  pool->room.handle = room;
  if (tracking.stream_limit > 0 || tracking.watches)
    slot_table_track (pool->table, &tracking);
}

/* --------------------------------------------------------------------- leaks */

static void
tell_leak (const LeaseLeak *leak, gpointer data)
{
  CenotePool *pool = data;
  const Channel *channel = pool_find_channel (pool, leak->channel_id);
  g_autofree char *place = lease_origin_describe (&leak->origin);
  g_autofree char *why = g_strdup_printf ("taken at %s", place);
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_LEASE_LEAK);

  event.channel = leak->channel_id;
  event.address = channel == NULL ? NULL : channel->address->name;
  event.duration_ns = leak->held_us * 1000;
  event.reason = why;
  event.count = slot_table_leaks (pool->table);
  pool_emit (pool, &event);
}

/* When the oldest lease that was not told of becomes one; none that is taken later does before. */
static void
look_for_leaks (gpointer data)
{
  CenotePool *pool = data;
  gint64 threshold_us = pool_number (pool->settings, POOL_LEAK_THRESHOLD);
  gint64 now_us = control_now_us (pool->control);
  gint64 oldest_us = slot_table_find_leaks (pool->table, now_us - threshold_us, tell_leak, pool);

  control_timer_set (pool->control, &pool->leak_timer, MIN (oldest_us, now_us) + threshold_us);
}

void
pool_watch_leases (CenotePool *pool)
{
  pool->leak_timer = (ControlTimer) { .func = look_for_leaks, .data = pool };
  if (pool_watches_leases (pool))
    look_for_leaks (pool);
}

void
pool_unwatch_leases (CenotePool *pool)
{
  control_timer_unset (pool->control, &pool->leak_timer);
}
