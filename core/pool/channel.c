/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

/* READY for so long, a connection is taken to be healthy. */
#define PROOF_US G_USEC_PER_SEC

static void attempt_is_late (gpointer data);
static void has_proved (gpointer data);
static void has_aged (gpointer data);

Channel *
channel_new (const ChannelSite *site, guint64 id, Address *address)
{
  Channel *channel = g_new0 (Channel, 1);

  channel->site = site;
  channel->id = id;
  channel->address = address;
  channel->place = CHANNEL_NO_PLACE;
  channel->state = CENOTE_CHANNEL_IDLE;
  channel->why = g_strdup ("waits for its turn to connect");
  channel->ready_us = channel->drain_us = channel->last_use_us = channel->untold_us = -1;
  channel->attempt_timer = (ControlTimer) { .func = attempt_is_late, .data = channel };
  channel->proof_timer = (ControlTimer) { .func = has_proved, .data = channel };
  channel->age_timer = (ControlTimer) { .func = has_aged, .data = channel };
  channel->ejection_timer = (ControlTimer) { .func = site->ejection_is_over, .data = channel };
  channel->out_us = channel->back_us = -1;
  return channel;
}

void
channel_free (Channel *channel)
{
  if (channel == NULL)
    return;
  g_assert (channel->link == NULL);
  address_unask (channel->address, channel);
  control_timer_unset (channel->site->control, &channel->attempt_timer);
  control_timer_unset (channel->site->control, &channel->proof_timer);
  control_timer_unset (channel->site->control, &channel->age_timer);
  control_timer_unset (channel->site->control, &channel->ejection_timer);
  g_free (channel->why);
  g_free (channel->drain_why);
  g_free (channel->last_error);
  g_free (channel);
}

void
channel_begin (Channel *channel)
{
  address_ask (channel->address, channel, FALSE);
}

static gint64
now_us (const Channel *channel)
{
  return control_now_us (channel->site->control);
}

/* The one writer of a channel's state. */
static void
channel_become (Channel *channel, CenoteChannelState state, ChannelEvent event, char *why)
{
  CenoteChannelState old = channel->state;

  channel->state = state;
  g_free (channel->why);
  channel->why = why;
  channel->site->became (channel, old, event);
}

static void
set_last_error (Channel *channel, const char *error)
{
  char *copy = g_strdup (error);

  g_free (channel->last_error);
  channel->last_error = copy;
}

/* ---------------------------------------------------------------- attempts */

/* TRUE where the closed link is gone; FALSE while leases hold it. */
static gboolean
end_link (Channel *channel)
{
  gint64 calls = slot_calls (link_slot (channel->link));
  gint64 failures = slot_failures (link_slot (channel->link));

  if (!link_end (channel->link))
    return FALSE;
  channel->link = NULL;
  channel->calls_before += calls;
  channel->failures_before += failures;
  return TRUE;
}

static gboolean
close_link (Channel *channel)
{
  if (channel->link == NULL)
    return TRUE;
  link_close (channel->link);
  return end_link (channel);
}

static void
note_drain (Channel *channel, char *why)
{
  g_free (channel->drain_why);
  channel->drain_why = why;
  channel->drain_us = now_us (channel);
}

/* Its link is of no more use: the next attempt is another link's, or, where this
 * one is still leased, another channel's. */
static void
wait_without_link (Channel *channel, ChannelEvent event, const char *error)
{
  const char *what = channel->state == CENOTE_CHANNEL_READY ? "waits to reconnect" : "could not connect";

  if (close_link (channel)) {
    channel_become (channel, CENOTE_CHANNEL_TRANSIENT_FAILURE, event, g_strdup_printf ("%s: %s", what, error));
    return;
  }
  address_unask (channel->address, channel);
  note_drain (channel, g_strdup_printf ("its connection failed while it was leased: %s", error));
  channel->site->succeed (channel);
  channel_become (channel, CENOTE_CHANNEL_DRAINING, event, g_strdup (channel->drain_why));
}

static void
attempt_failed (Channel *channel, ChannelEvent event, const char *error)
{
  set_last_error (channel, error);
  control_timer_unset (channel->site->control, &channel->attempt_timer);
  channel->site->failed (channel, error, now_us (channel) - channel->attempt_us);
  address_failed (channel->address, channel, channel->epoch, error);
  address_ask (channel->address, channel, TRUE);
  wait_without_link (channel, event, channel->last_error);
}

static void
attempt_took_too_long (Channel *channel)
{
  g_autofree char *error = g_strdup_printf ("no connection within connect-timeout (%" G_GINT64_FORMAT " ms)",
                                            channel->site->connect_timeout_us / 1000);

  attempt_failed (channel, CHANNEL_LATE, error);
}

static gboolean
wants_prime (const Channel *channel)
{
  return channel->site->wants_prime != NULL && channel->site->wants_prime (channel);
}

static gboolean
is_being_primed (const Channel *channel)
{
  return channel->state == CENOTE_CHANNEL_CONNECTING && link_is_ready (channel->link);
}

/* The connection stands; the attempt goes on, by the prime's own times. */
static void
begin_prime (Channel *channel, ChannelEvent event)
{
  control_timer_unset (channel->site->control, &channel->attempt_timer);
  channel_become (channel, CENOTE_CHANNEL_CONNECTING, event, g_strdup ("is connected, and is being primed"));
  channel->site->prime (channel);
}

/* A link that has connected by itself meanwhile is not dialled. */
static void
attempt_begin (Channel *channel)
{
  g_autoptr (GError) error = NULL;

  channel->attempts++;
  channel->attempt_us = now_us (channel);
  channel->epoch = channel->address->epoch;
  if (channel->link == NULL)
    channel->link = link_new (channel->site->links, channel->address->target, channel, &error);
  if (channel->link == NULL) {
    attempt_failed (channel, CHANNEL_DIAL, error->message);
    return;
  }
  if (link_is_ready (channel->link)) {
    begin_prime (channel, CHANNEL_DIAL);
    return;
  }
  control_timer_set (channel->site->control, &channel->attempt_timer, channel->attempt_us + channel->site->connect_timeout_us);
  channel_become (channel, CENOTE_CHANNEL_CONNECTING, CHANNEL_DIAL,
                  g_strdup_printf ("attempt %" G_GINT64_FORMAT " is under way", channel->attempts));
  link_connect (channel->link);
}

static void
attempt_is_late (gpointer data)
{
  channel_handle (data, CHANNEL_LATE, NULL);
}

static void
has_proved (gpointer data)
{
  channel_handle (data, CHANNEL_PROVED, NULL);
}

/* ---------------------------------------------------------------------- age */

static void
has_aged (gpointer data)
{
  channel_handle (data, CHANNEL_AGED, NULL);
}

void
channel_mark_stale (Channel *channel, Staleness why)
{
  if (channel->stale <= STALE_AGE)
    channel->stale = why;
}

static void
watch_age (Channel *channel)
{
  if (channel->age_due_us != G_MAXINT64)
    control_timer_set (channel->site->control, &channel->age_timer, channel->age_due_us);
}

/* A new connection is due at a time of its own: those that were made together do not
 * age together.  Never later than the greatest age. */
static void
begin_age (Channel *channel)
{
  const ChannelSite *site = channel->site;
  World *world = control_world (site->control);
  gint64 earlier_us;

  channel->age_due_us = G_MAXINT64;
  if (site->max_age_us == CENOTE_OFF)
    return;
  earlier_us = (gint64) ((double) site->max_age_us * site->age_jitter);
  channel->age_due_us = channel->ready_us + site->max_age_us - (gint64) (world->random (world) % (guint64) (earlier_us + 1));
  watch_age (channel);
}

static void
end_age (Channel *channel)
{
  control_timer_unset (channel->site->control, &channel->age_timer);
  if (channel->stale == STALE_AGE)
    channel->stale = STALE_NOT;
}

void
channel_renew_age (Channel *channel)
{
  if (channel->state != CENOTE_CHANNEL_READY)
    return;
  end_age (channel);
  begin_age (channel);
}

static void
be_aged (Channel *channel)
{
  channel_mark_stale (channel, STALE_AGE);
  channel_become (channel, CENOTE_CHANNEL_READY, CHANNEL_AGED,
                  g_strconcat (channel->why, "; it has reached max-connection-age, and waits to be replaced", NULL));
}

/* ----------------------------------------------------------------- ejection */

/* A new connection has done nothing wrong yet; what its place is remembered for, its pool knows. */
static void
begin_trust (Channel *channel)
{
  Slot *slot = link_slot (channel->link);

  if (!slot_is_suspect (slot))
    slot_clear_suspicion (slot);
  channel->ejection = EJECTION_NONE;
  if (channel->n_ejections > 0)
    channel->back_us = channel->ready_us;
}

static void
change_ejection (Channel *channel, ChannelEvent event, const char *reason)
{
  static const struct { ChannelEjection ejection; const char *what; } changes[N_CHANNEL_EVENTS] = {
    [CHANNEL_EJECTED] = { EJECTION_OUT, "ejected, until it is replaced or its time is over" },
    [CHANNEL_RESTED] = { EJECTION_RESTING, "ejected, until its time is over" },
    [CHANNEL_SPARED] = { EJECTION_SPARED, "to be replaced" },
    [CHANNEL_UNEJECTED] = { EJECTION_NONE, "in rotation again" },
  };

  channel->ejection = changes[event].ejection;
  if (channel->ejection >= EJECTION_OUT)
    link_hide (channel->link);
  channel_become (channel, CENOTE_CHANNEL_READY, event, g_strdup_printf ("is connected, and %s: %s", changes[event].what, reason));
}

/* -------------------------------------------------------------------- ready */

static const char *
why_ready (const Channel *channel)
{
  return channel->health == HEALTH_AWAITED ? "is connected, and waits for its server's health" : "is connected";
}

static void
enter_ready (Channel *channel, ChannelEvent event, gint64 duration_us)
{
  Control *control = channel->site->control;

  channel->health = channel->site->asks_health ? HEALTH_AWAITED : HEALTH_NOT_ASKED;
  control_timer_unset (control, &channel->attempt_timer);
  channel->ready_us = now_us (channel);
  channel->healthy = FALSE;
  slot_begin_connection (link_slot (channel->link));
  control_timer_set (control, &channel->proof_timer, channel->ready_us + PROOF_US);
  begin_age (channel);
  begin_trust (channel);
  channel_become (channel, CENOTE_CHANNEL_READY, event, g_strdup (why_ready (channel)));
  channel->site->connected (channel, duration_us);
}

static void
attempt_succeeded (Channel *channel, ChannelEvent event)
{
  address_succeeded (channel->address, channel, channel->epoch);
  enter_ready (channel, event, now_us (channel) - channel->attempt_us);
}

static void
end_prime (Channel *channel, ChannelEvent event, const char *reason)
{
  if (event == CHANNEL_PRIMED)
    attempt_succeeded (channel, event);
  else
    attempt_failed (channel, event, reason);
}

static gboolean
is_healthy (const Channel *channel)
{
  return channel->healthy || slot_is_proved (link_slot (channel->link));
}

/* The connection stays, in rotation or out of it. */
static void
change_health (Channel *channel, ChannelEvent event, const char *reason)
{
  gboolean serves = event == CHANNEL_SERVES;

  channel->health = serves ? HEALTH_SERVES : HEALTH_SERVES_NOT;
  if (!serves)
    link_hide (channel->link);
  channel_become (channel, CENOTE_CHANNEL_READY, event,
                  g_strdup_printf ("is connected, and %s: %s", serves ? "serves" : "out of rotation", reason));
}

static void
leave_ready (Channel *channel, const char *reason)
{
  gint64 connected_us = now_us (channel) - channel->ready_us;
  gboolean healthy = is_healthy (channel);

  control_timer_unset (channel->site->control, &channel->proof_timer);
  end_age (channel);
  channel->ejection = EJECTION_NONE;
  control_timer_unset (channel->site->control, &channel->ejection_timer);
  channel->ready_us = -1;
  set_last_error (channel, reason);
  channel->site->lost (channel, reason, connected_us);
  address_lost (channel->address, channel->epoch, healthy, reason);
}

/* ----------------------------------------------------------------- draining */

static void
shut_down (Channel *channel, ChannelEvent event)
{
  channel_become (channel, CENOTE_CHANNEL_SHUTDOWN, event, g_strdup ("is closed"));
}

static void
begin_drain (Channel *channel, const char *why)
{
  control_timer_unset (channel->site->control, &channel->attempt_timer);
  control_timer_unset (channel->site->control, &channel->proof_timer);
  control_timer_unset (channel->site->control, &channel->age_timer);
  control_timer_unset (channel->site->control, &channel->ejection_timer);
  note_drain (channel, g_strdup (why == NULL ? "drains" : why));
  if (close_link (channel))
    shut_down (channel, CHANNEL_DRAIN);
  else
    channel_become (channel, CENOTE_CHANNEL_DRAINING, CHANNEL_DRAIN, g_strdup (channel->drain_why));
}

/* Its time to prove itself goes on where the drain began, and it has aged meanwhile. */
static void
end_drain (Channel *channel)
{
  g_clear_pointer (&channel->drain_why, g_free);
  channel->drain_us = -1;
  channel->replaced = channel->told_late = FALSE;
  channel->health = channel->site->asks_health ? HEALTH_AWAITED : HEALTH_NOT_ASKED;
  link_reopen (channel->link);
  if (!channel->healthy)
    control_timer_set (channel->site->control, &channel->proof_timer, channel->ready_us + PROOF_US);
  watch_age (channel);
  if (channel->ejection >= EJECTION_OUT)
    control_timer_set (channel->site->control, &channel->ejection_timer, channel->out_until_us);
}

/* ----------------------------------------------------------------- handlers */

/* IDLE and TRANSIENT_FAILURE: in line at its address. */
static void
handle_waiting (Channel *channel, ChannelEvent event, const char *reason)
{
  switch (event) {
  case CHANNEL_DIAL:
    attempt_begin (channel);
    break;
  case CHANNEL_LINK_READY:
    /* C-core dialled by itself, for a caller that holds a lease (SPEC 9.3).  To be primed it waits for its turn. */
    if (wants_prime (channel))
      break;
    address_unask (channel->address, channel);
    address_found_open (channel->address);
    channel->epoch = channel->address->epoch;
    enter_ready (channel, event, 0);
    break;
  case CHANNEL_LINK_FAILED:
    set_last_error (channel, reason);
    wait_without_link (channel, event, channel->last_error);
    break;
  case CHANNEL_DRAIN:
    address_unask (channel->address, channel);
    begin_drain (channel, reason);
    break;
  case CHANNEL_LINK_CONNECTING:
  case CHANNEL_LINK_LOST:
  case CHANNEL_LATE:
  case CHANNEL_PROVED:
  case CHANNEL_REVIVE:
  case CHANNEL_TICK:
  case CHANNEL_PING_FAILED:
  case CHANNEL_SERVES:
  case CHANNEL_SERVES_NOT:
  case CHANNEL_AGED:
  case CHANNEL_PRIMED:
  case CHANNEL_PRIME_FAILED:
  case CHANNEL_EJECTED:
  case CHANNEL_RESTED:
  case CHANNEL_SPARED:
  case CHANNEL_UNEJECTED:
  case N_CHANNEL_EVENTS:
    break;
  }
}

static void
handle_connecting (Channel *channel, ChannelEvent event, const char *reason)
{
  switch (event) {
  case CHANNEL_LINK_READY:
    if (wants_prime (channel))
      begin_prime (channel, event);
    else
      attempt_succeeded (channel, event);
    break;
  case CHANNEL_PRIMED:
  case CHANNEL_PRIME_FAILED:
    if (is_being_primed (channel))
      end_prime (channel, event, reason);
    break;
  case CHANNEL_LINK_FAILED:
    attempt_failed (channel, event, reason);
    break;
  case CHANNEL_LINK_LOST:
    attempt_failed (channel, event, "the connection was closed as soon as it was made");
    break;
  case CHANNEL_LATE:
    attempt_took_too_long (channel);
    break;
  case CHANNEL_DRAIN:
    address_gave_up (channel->address, channel);
    begin_drain (channel, reason);
    break;
  case CHANNEL_DIAL:
  case CHANNEL_LINK_CONNECTING:
  case CHANNEL_PROVED:
  case CHANNEL_REVIVE:
  case CHANNEL_TICK:
  case CHANNEL_PING_FAILED:
  case CHANNEL_SERVES:
  case CHANNEL_SERVES_NOT:
  case CHANNEL_AGED:
  case CHANNEL_EJECTED:
  case CHANNEL_RESTED:
  case CHANNEL_SPARED:
  case CHANNEL_UNEJECTED:
  case N_CHANNEL_EVENTS:
    break;
  }
}

static void
handle_ready (Channel *channel, ChannelEvent event, const char *reason)
{
  switch (event) {
  case CHANNEL_LINK_LOST:
    leave_ready (channel, reason == NULL ? "the connection was lost" : reason);
    channel_become (channel, CENOTE_CHANNEL_IDLE, event, g_strdup_printf ("waits to reconnect: %s", channel->last_error));
    address_ask (channel->address, channel, FALSE);
    break;
  case CHANNEL_LINK_FAILED:
  case CHANNEL_PING_FAILED:
    link_hide (channel->link);
    leave_ready (channel, reason);
    address_ask (channel->address, channel, FALSE);
    wait_without_link (channel, event, channel->last_error);
    break;
  case CHANNEL_PROVED:
    channel->healthy = TRUE;
    address_proved (channel->address);
    break;
  case CHANNEL_SERVES:
  case CHANNEL_SERVES_NOT:
    change_health (channel, event, reason);
    break;
  case CHANNEL_AGED:
    be_aged (channel);
    break;
  case CHANNEL_EJECTED:
  case CHANNEL_RESTED:
  case CHANNEL_SPARED:
  case CHANNEL_UNEJECTED:
    change_ejection (channel, event, reason);
    break;
  case CHANNEL_DRAIN:
    begin_drain (channel, reason);
    break;
  case CHANNEL_DIAL:
  case CHANNEL_LINK_CONNECTING:
  case CHANNEL_LINK_READY:
  case CHANNEL_LATE:
  case CHANNEL_REVIVE:
  case CHANNEL_TICK:
  case CHANNEL_PRIMED:
  case CHANNEL_PRIME_FAILED:
  case N_CHANNEL_EVENTS:
    break;
  }
}

static void
handle_draining (Channel *channel, ChannelEvent event, const char *reason)
{
  (void) reason;
  switch (event) {
  case CHANNEL_REVIVE:
    if (channel->ready_us < 0 || !link_is_ready (channel->link))
      break;
    end_drain (channel);
    channel_become (channel, CENOTE_CHANNEL_READY, event,
                    g_strconcat (why_ready (channel), " (called back from draining)", NULL));
    break;
  case CHANNEL_LINK_LOST:
  case CHANNEL_LINK_FAILED:
    channel->ready_us = -1;
    channel->site->changed (channel);
    break;
  case CHANNEL_DRAIN:
  case CHANNEL_TICK:
    if (end_link (channel))
      shut_down (channel, event);
    break;
  case CHANNEL_DIAL:
  case CHANNEL_LINK_CONNECTING:
  case CHANNEL_LINK_READY:
  case CHANNEL_LATE:
  case CHANNEL_PROVED:
  case CHANNEL_PING_FAILED:
  case CHANNEL_SERVES:
  case CHANNEL_SERVES_NOT:
  case CHANNEL_AGED:
  case CHANNEL_PRIMED:
  case CHANNEL_PRIME_FAILED:
  case CHANNEL_EJECTED:
  case CHANNEL_RESTED:
  case CHANNEL_SPARED:
  case CHANNEL_UNEJECTED:
  case N_CHANNEL_EVENTS:
    break;
  }
}

void
channel_handle (Channel *channel, ChannelEvent event, const char *reason)
{
  switch (channel->state) {
  case CENOTE_CHANNEL_IDLE:
  case CENOTE_CHANNEL_TRANSIENT_FAILURE:
    handle_waiting (channel, event, reason);
    break;
  case CENOTE_CHANNEL_CONNECTING:
    handle_connecting (channel, event, reason);
    break;
  case CENOTE_CHANNEL_READY:
    handle_ready (channel, event, reason);
    break;
  case CENOTE_CHANNEL_DRAINING:
    handle_draining (channel, event, reason);
    break;
  case CENOTE_CHANNEL_SHUTDOWN:
    break;
  }
}

void
channel_link_event (gpointer owner, LinkEvent event, const char *error)
{
  static const ChannelEvent events[] = {
    [LINK_CONNECTING] = CHANNEL_LINK_CONNECTING,
    [LINK_READY] = CHANNEL_LINK_READY,
    [LINK_LOST] = CHANNEL_LINK_LOST,
    [LINK_FAILED] = CHANNEL_LINK_FAILED,
  };

  channel_handle (owner, events[event], error);
}

void
channel_orphan (Channel *channel)
{
  if (channel->state == CENOTE_CHANNEL_SHUTDOWN)
    return;
  if (channel->link != NULL)
    link_orphan (g_steal_pointer (&channel->link));
  shut_down (channel, CHANNEL_TICK);
}

/* ------------------------------------------------------------------ reading */

gint64
channel_in_flight (const Channel *channel)
{
  return channel->link == NULL ? 0 : slot_in_flight (link_slot (channel->link));
}

gint64
channel_calls (const Channel *channel)
{
  return channel->calls_before + (channel->link == NULL ? 0 : slot_calls (link_slot (channel->link)));
}

gint64
channel_failures (const Channel *channel)
{
  return channel->failures_before + (channel->link == NULL ? 0 : slot_failures (link_slot (channel->link)));
}

gboolean
channel_is_fit (const Channel *channel)
{
  return channel->state == CENOTE_CHANNEL_READY
         && (channel->health == HEALTH_NOT_ASKED || channel->health == HEALTH_SERVES);
}

static gboolean
may_be_shown (const Channel *channel)
{
  return channel_is_fit (channel) && channel->place != CHANNEL_NO_PLACE;
}

gboolean
channel_is_out (const Channel *channel)
{
  return may_be_shown (channel) && channel->ejection >= EJECTION_OUT;
}

gboolean
channel_is_shown (const Channel *channel)
{
  return may_be_shown (channel) && channel->ejection < EJECTION_OUT;
}

const char *
channel_event_to_string (ChannelEvent event)
{
  static const char *const names[N_CHANNEL_EVENTS] = {
    [CHANNEL_DIAL] = "dial",
    [CHANNEL_LINK_CONNECTING] = "connecting",
    [CHANNEL_LINK_READY] = "ready",
    [CHANNEL_LINK_LOST] = "lost",
    [CHANNEL_LINK_FAILED] = "failed",
    [CHANNEL_LATE] = "late",
    [CHANNEL_PROVED] = "proved",
    [CHANNEL_DRAIN] = "drain",
    [CHANNEL_REVIVE] = "revive",
    [CHANNEL_TICK] = "tick",
    [CHANNEL_PING_FAILED] = "ping_failed",
    [CHANNEL_SERVES] = "serves",
    [CHANNEL_SERVES_NOT] = "serves_not",
    [CHANNEL_AGED] = "aged",
    [CHANNEL_PRIMED] = "primed",
    [CHANNEL_PRIME_FAILED] = "prime_failed",
    [CHANNEL_EJECTED] = "ejected",
    [CHANNEL_RESTED] = "rested",
    [CHANNEL_SPARED] = "spared",
    [CHANNEL_UNEJECTED] = "unejected",
  };

  return names[event];
}
