/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-ejection: channels whose calls fail: who is taken out of rotation for it, who
 * comes back, and who is replaced.
 *
 *   callers  who makes a streak of failures long enough hides the slot, as long as
 *            there is room (slots/slot-suspects.c), and leaves a note
 *   judge    here: out of rotation it is, or, where too many are out already, it is
 *            spared and let back at once (ejection.h has the numbers)
 *   replace  the first time in its place, because another connection may lead to a
 *            better server: the connector sees it as ejected, and the new one is primed,
 *            with headers at the least, before it takes over
 *   rest     where that one fails too, another connection is no help: it rests
 *   return   when its time is over it is asked for a sign of life, as to prime it, and
 *            is let back with the answer; without one it is out again, and longer
 *
 * A pool whose addresses come from dials has no other channel for its callers: there
 * nobody is hidden, and who is suspected is replaced.
 */
#include "pool.h"

static gint64
now_us (const CenotePool *pool)
{
  return control_now_us (pool->control);
}

/* ------------------------------------------------------------------- counts */

static EjectionCounts
counts_of (const CenotePool *pool)
{
  return (EjectionCounts) { .shown = pool->n_ready, .out = pool->n_out, .expected = pool_expected (pool) };
}

static guint
room_of (const CenotePool *pool)
{
  const EjectionCounts counts = counts_of (pool);

  return pool->dials || pool->phase != POOL_RUNNING ? 0 : ejection_room (&pool->ejection_rules, &counts);
}

void
pool_note_room (CenotePool *pool)
{
  slot_table_set_room (pool->table, room_of (pool));
}

guint
pool_remembered_ejections (const Channel *channel)
{
  const CenotePool *pool = channel->site->pool;
  gint64 back_us = channel->back_us < 0 ? -1 : now_us (pool) - channel->back_us;

  return ejection_remembered (&pool->ejection_rules, channel->n_ejections, back_us);
}

/* A new connection in the same place is in for it until it has answered. */
void
pool_inherit_ejections (Channel *channel, const Channel *old)
{
  if (old == NULL)
    return;
  channel->n_ejections = pool_remembered_ejections (old);
  channel->back_us = -1;
}

/* ------------------------------------------------------------------ telling */

static void
tell (Channel *channel, CenoteEventKind kind, gint64 for_us, const char *reason)
{
  CenoteEvent event = pool_channel_event (channel, kind);

  event.reason = reason;
  event.count = channel->n_ejections;
  if (kind == CENOTE_EVENT_CHANNEL_EJECTED)
    event.delay_ms = for_us / 1000;
  else
    event.duration_ns = for_us * 1000;
  pool_emit (channel->site->pool, &event);
}

/* (transfer full) */
static char *
why_suspected (const Channel *channel)
{
  const Slot *slot = link_slot (channel->link);

  return g_strdup_printf ("%u calls in a row failed, the last with status %d", slot_blamed_in_a_row (slot),
                          slot_blamed_status (slot));
}

/* ------------------------------------------------------------ out, and back */

static void
set_timer (CenotePool *pool, Channel *channel)
{
  gint64 for_us = ejection_time_us (&pool->ejection_rules, channel->n_ejections);

  channel->out_until_us = now_us (pool) + for_us;
  control_timer_set (pool->control, &channel->ejection_timer, channel->out_until_us);
}

static void
eject (CenotePool *pool, Channel *channel, const char *why)
{
  guint remembered = pool_remembered_ejections (channel);
  g_autofree char *error = g_strdup_printf ("%s was ejected: %s", channel->address->name, why);

  channel->n_ejections = remembered + 1;
  channel->back_us = -1;
  channel->out_us = now_us (pool);
  counters_add (pool->meters.counters, COUNTER_EJECTIONS, 1);
  channel_handle (channel, remembered == 0 ? CHANNEL_EJECTED : CHANNEL_RESTED, why);
  set_timer (pool, channel);
  pool_note_error (pool, channel->address, error);
  tell (channel, CENOTE_EVENT_CHANNEL_EJECTED, channel->out_until_us - now_us (pool), why);
}

static void
spare (CenotePool *pool, Channel *channel, const char *why)
{
  counters_add (pool->meters.counters, COUNTER_EJECTIONS_REFUSED, 1);
  if (pool_remembered_ejections (channel) > 0)
    return;
  channel->n_ejections = 1;
  channel->back_us = now_us (pool);
  channel_handle (channel, CHANNEL_SPARED, why);
}

static void
let_back (CenotePool *pool, Channel *channel, ChannelEvent event, const char *why)
{
  gint64 out_us = now_us (pool) - channel->out_us;

  control_timer_unset (pool->control, &channel->ejection_timer);
  slot_clear_suspicion (link_slot (channel->link));
  channel->back_us = now_us (pool);
  channel_handle (channel, event, why);
  tell (channel, CENOTE_EVENT_CHANNEL_UNEJECTED, out_us, why);
}

static void
judge (CenotePool *pool, Channel *channel, const char *why)
{
  if (!channel_is_shown (channel))
    return;
  if (room_of (pool) > 0)
    eject (pool, channel, why);
  else
    spare (pool, channel, why);
}

/* Of no use to whoever it was that answered nothing: another connection may be. */
static void
stay_out (CenotePool *pool, Channel *channel, const char *error)
{
  g_autofree char *why = g_strdup_printf ("it was asked for a sign of life: %s", error);

  channel->n_ejections = MIN (channel->n_ejections + 1, EJECTION_MAX_TIMES);
  channel_handle (channel, CHANNEL_EJECTED, why);
  set_timer (pool, channel);
  tell (channel, CENOTE_EVENT_CHANNEL_EJECTED, channel->out_until_us - now_us (pool), why);
}

void
pool_ejection_answered (Channel *channel, const char *error)
{
  CenotePool *pool = channel->site->pool;

  if (!channel_is_out (channel))
    return;
  if (error == NULL)
    let_back (pool, channel, CHANNEL_UNEJECTED, "its time is over, and it has answered");
  else
    stay_out (pool, channel, error);
}

void
pool_ejection_is_over (gpointer data)
{
  Channel *channel = data;

  if (channel_is_out (channel) && !pool_ask_for_life (channel))
    let_back (channel->site->pool, channel, CHANNEL_UNEJECTED, "its time is over");
}

/* ----------------------------------------------------------------- suspects */

static void
heed (CenotePool *pool, Slot *slot)
{
  Channel *channel = pool_find_channel (pool, slot_channel_id (slot));
  g_autofree char *why = NULL;

  if (channel != NULL && channel->link != NULL && link_slot (channel->link) == slot
      && channel->state == CENOTE_CHANNEL_READY) {
    why = why_suspected (channel);
    judge (pool, channel, why);
  }
  slot_clear_suspicion (slot);
}

/* Whoever was spared is shown again with the next view. */
static void
heed_suspects (ControlNote *note)
{
  CenotePool *pool = (CenotePool *) (void *) ((char *) note - G_STRUCT_OFFSET (CenotePool, suspects));
  Slot *slot;

  atomic_store (&pool->suspects_noted, FALSE);
  while (pool->phase != POOL_OVER && (slot = slot_table_next_suspect (pool->table)) != NULL)
    heed (pool, slot);
  if (pool->phase != POOL_OVER) {
    pool->rotation_changed = TRUE;
    pool_touch (pool);
  }
  cenote_pool_unref (pool);
}

/* Any thread.  The pool lives at least until the note was heeded. */
static void
suspected (gpointer data)
{
  CenotePool *pool = data;

  if (!atomic_exchange (&pool->suspects_noted, TRUE))
    control_note (cenote_pool_ref (pool)->control, &pool->suspects);
}

/* ------------------------------------------------------------------- shares */

static void
judge_share (CenotePool *pool, Channel *channel)
{
  double share = pool_real (pool->settings, POOL_EJECT_SHARE);
  gint64 blamed = channel->link == NULL ? 0 : slot_blamed (link_slot (channel->link));
  gint64 calls = channel->link == NULL ? 0 : slot_calls (link_slot (channel->link));
  gboolean same = blamed >= channel->window_blamed && calls >= channel->window_calls;
  gint64 new_blamed = same ? blamed - channel->window_blamed : blamed;
  gint64 new_calls = same ? calls - channel->window_calls : calls;
  g_autofree char *why = NULL;

  channel->window_blamed = blamed;
  channel->window_calls = calls;
  if (!ejection_share_is_reached (share, new_blamed, new_calls))
    return;
  why = g_strdup_printf ("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " calls failed within eject-window", new_blamed, new_calls);
  judge (pool, channel, why);
}

static void
window_is_over (gpointer data)
{
  CenotePool *pool = data;
  guint i;

  control_timer_set (pool->control, &pool->window_timer, now_us (pool) + pool_number (pool->settings, POOL_EJECT_WINDOW));
  for (i = 0; i < pool->channels->len; i++)
    judge_share (pool, pool->channels->pdata[i]);
}

/* -------------------------------------------------------------------- panic */

static void
end_ejection (CenotePool *pool, Channel *channel)
{
  let_back (pool, channel, channel->ejection == EJECTION_OUT ? CHANNEL_SPARED : CHANNEL_UNEJECTED,
            "too few others are left in rotation");
}

void
pool_heed_panic (CenotePool *pool)
{
  const EjectionCounts counts = counts_of (pool);
  guint i;

  if (pool->phase != POOL_RUNNING || !ejection_is_panic (&pool->ejection_rules, &counts))
    return;
  counters_add (pool->meters.counters, COUNTER_PANICS, 1);
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", pool->settings->name, "MESSAGE",
                    "Pool %s: %u of %u channels are left in rotation, which is below panic-threshold: %u that were ejected "
                    "are let back",
                    pool->settings->name, counts.shown, counts.expected, counts.out);
  for (i = 0; i < pool->channels->len; i++) {
    if (channel_is_out (pool->channels->pdata[i]))
      end_ejection (pool, pool->channels->pdata[i]);
  }
}

/* ------------------------------------------------------------------- wiring */

void
pool_wire_ejection (CenotePool *pool)
{
  const PoolSettings *settings = pool->settings;
  gint64 late_us = pool_number (settings, POOL_UNRESPONSIVE_TIME);
  const SlotSuspicion suspicion = {
    .blamed = (guint) pool_number (settings, POOL_EJECT_AFTER),
    .late = late_us == CENOTE_OFF ? 0 : (guint) pool_number (settings, POOL_UNRESPONSIVE_CALLS),
    .late_us = late_us,
    .suspect = suspected,
  };

  pool->suspects.handle = heed_suspects;
  pool->window_timer = (ControlTimer) { .func = window_is_over, .data = pool };
  pool->channel_site.ejection_is_over = pool_ejection_is_over;
  if (suspicion.blamed > 0 || suspicion.late > 0)
    slot_table_set_suspicion (pool->table, &suspicion);
}

void
pool_start_ejection (CenotePool *pool)
{
  if (pool->settings->failure == NULL && pool_real (pool->settings, POOL_EJECT_SHARE) > 0)
    window_is_over (pool);
}
