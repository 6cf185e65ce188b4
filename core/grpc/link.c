/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include "core/base/monitor.h"
#include "core/config/profile.h"

/* How long the call that asks a failed channel for its error may take. */
#define EXPLAIN_TIMEOUT_US (100 * 1000)
/* Any method does: in TRANSIENT_FAILURE a call fails before it is sent (FACTS 6). */
#define EXPLAIN_METHOD "/cenote.Explain/WhyNot"

/* What a self-driven transport told, not handled yet. */
typedef struct Report {
  CenoteChannelState state;
  char *error;
} Report;

/* What a slot's channel needs at its end, also when the link is gone. */
typedef struct Hold {
  Instance *transport;
  Link *link;                /* NULL: an orphan's, driven by C-core */
  gboolean orphan;
  gboolean leaves;           /* at its end the channel is left to its watch */
  grpc_channel *left;        /* it was: that channel */
} Hold;

typedef enum {
  LIFE_OWNED,                /* its owner hears of it */
  LIFE_LINGERS,              /* its owner has ended it, and C-core may not destroy it yet */
  LIFE_KEPT,                 /* the same, for what it has heard */
  LIFE_ENDED                 /* the channel is destroyed; waiting for the last note */
} LinkLife;

struct Link {
  ControlNote note;          /* first */
  gatomicrefcount refs;      /* the control side's; and its transport's, which may tell until close_channel() */
  const LinkSite *site;
  gpointer owner;
  grpc_channel *channel;
  Slot *slot;
  Hold *hold;
  char *xds;                 /* (nullable): its address, where C-core hears from a control plane where to connect */
  LinkLife life;
  CenoteChannelState last;   /* the last state that was handled */
  gboolean handling;         /* its owner is being told: not to be freed under that */
  gboolean connecting;       /* an attempt is under way */
  gint64 connect_us;         /* when the attempt began */
  gint64 attempt_us;         /* the site's when the channel was made: C-core was told then */
  gboolean was_ready;
  ControlTimer linger_timer;
  /* Driven by C-core. */
  CcoreWatch *watch;
  gboolean armed;            /* the watch's note is to come */
  CcoreCall *explain;
  Monitor lock;              /* the rest */
  guint n_unheard;           /* tidings that it is not READY, on their way */
  gboolean closed;           /* the slot is not for hiding: soon it may be another's */
  /* Driven by its transport. */
  GQueue reports;            /* of Report */
  gboolean noted;
  gboolean deaf;             /* an orphan: nobody listens any more */
};

static gboolean
drives_itself (const Link *link)
{
  return link->watch == NULL;
}

static gboolean
is_ended (const Link *link)
{
  return link->life == LIFE_ENDED;
}

static gboolean
is_kept (const Link *link)
{
  return link->life == LIFE_KEPT;
}

static void
report_free (gpointer data)
{
  Report *report = data;

  g_free (report->error);
  g_free (report);
}

static void
link_unref (Link *link)
{
  if (!g_atomic_ref_count_dec (&link->refs))
    return;
  g_queue_clear_full (&link->reports, report_free);
  monitor_clear (&link->lock);
  g_free (link);
}

static void
link_free (Link *link)
{
  (*link->site->n_links)--;
  if (link->xds != NULL)
    g_queue_remove (link->site->xds, link);
  g_free (link->xds);
  if (link->watch != NULL)
    ccore_watch_free (link->watch);
  link_unref (link);
}

/* An ended link goes when nothing of it is on its way any more. */
static void
link_free_if_over (Link *link)
{
  gboolean noted;

  monitor_lock (&link->lock);
  noted = link->noted;
  monitor_unlock (&link->lock);
  if (is_ended (link) && !link->handling && !link->armed && link->explain == NULL && !noted)
    link_free (link);
}

static void let_go (const LinkSite *site, const char *xds);

/* ------------------------------------------------------------------ events */

static void
tell (Link *link, LinkEvent event, const char *error)
{
  if (link->life == LIFE_OWNED)
    link->site->event (link->owner, event, error);
}

/* (transfer full) (nullable): its transport may know better than C-core. */
static char *
ask_transport (const Link *link, const char *error)
{
  Instance *transport = link->site->transport;
  CenoteFault fault = FAULT_INIT;
  gint64 began_us = instance_take_turn (transport);

  transport->plugin->ops.transport.explain (transport->state, link->channel, error, &fault);
  instance_give_turn (transport, "explain", began_us);
  return fault.text;
}

static void
explained (const CcoreReply *reply, gpointer data)
{
  Link *link = data;
  const char *error = reply->details[0] == '\0' ? "the connection attempt failed" : reply->details;
  g_autofree char *better = is_ended (link) ? NULL : ask_transport (link, error);

  link->explain = NULL;
  link->handling = TRUE;
  tell (link, LINK_FAILED, better == NULL || *better == '\0' ? error : better);
  link->handling = FALSE;
  link_free_if_over (link);
}

/* The reason is known to C-core alone, and only a call gets it out (FACTS 6). */
static void
explain (Link *link)
{
  link->explain = ccore_call_start (link->site->ccore, link->site->control, link->channel, EXPLAIN_METHOD, NULL,
                                    EXPLAIN_TIMEOUT_US, explained, link);
}

static void
attempt_begins (Link *link)
{
  link->connecting = TRUE;
  link->connect_us = control_now_us (link->site->control);
}

static void
become_ready (Link *link)
{
  link->was_ready = TRUE;
  tell (link, LINK_READY, NULL);
  if (link->xds != NULL && !is_kept (link))
    let_go (link->site, link->xds);
}

static void
enter_state (Link *link, CenoteChannelState state, const char *error)
{
  CenoteChannelState last = link->last;

  link->last = state;
  if (state == CENOTE_CHANNEL_CONNECTING && !link->connecting)
    attempt_begins (link);
  link->connecting = state == CENOTE_CHANNEL_CONNECTING;
  switch (state) {
  case CENOTE_CHANNEL_IDLE:
    if (last != CENOTE_CHANNEL_IDLE)
      tell (link, LINK_LOST, error);
    break;
  case CENOTE_CHANNEL_CONNECTING:
    if (last == CENOTE_CHANNEL_READY)
      tell (link, LINK_LOST, error);
    tell (link, LINK_CONNECTING, NULL);
    break;
  case CENOTE_CHANNEL_READY:
    become_ready (link);
    break;
  case CENOTE_CHANNEL_TRANSIENT_FAILURE:
  case CENOTE_CHANNEL_SHUTDOWN:
  case CENOTE_CHANNEL_DRAINING:
    if (drives_itself (link) || link->life != LIFE_OWNED || state != CENOTE_CHANNEL_TRANSIENT_FAILURE)
      tell (link, LINK_FAILED, error == NULL ? "the connection attempt failed" : error);
    else
      explain (link);
    break;
  }
}

/* ---------------------------------------------------------------- lingering */

/* C-core 1.51 never closes the connection of a channel that is destroyed while it
 * connects, where the peer's SETTINGS come after that and within the attempt's timeout.
 * So such a link is kept, with its slot closed, until its attempt is over, or nearly: with
 * the timeout C-core would dial again at once, so it goes LINGER_EARLY_US before that.  A
 * peer that answers just in between costs a descriptor; and where we come too late, C-core
 * has dialled, and that attempt is waited for as well.
 * Where the control thread is about to end, it is its watch that ends the channel. */
#define LINGER_EARLY_US (15 * 1000)

static gboolean
must_linger (const Link *link)
{
  return !drives_itself (link) && link->connecting && !is_ended (link);
}

static void
linger (Link *link)
{
  control_timer_set (link->site->control, &link->linger_timer, link->connect_us + link->attempt_us - LINGER_EARLY_US);
}

static void
begin_lingering (Link *link)
{
  link->life = LIFE_LINGERS;
  g_queue_push_tail (link->site->lingering, link);
  linger (link);
}

static void
stop_lingering (Link *link)
{
  gboolean freed;

  control_timer_unset (link->site->control, &link->linger_timer);
  g_queue_remove (link->site->lingering, link);
  freed = slot_try_free (link->slot);
  g_assert (freed);
}

static void
stop_and_free (Link *link)
{
  stop_lingering (link);
  link_free_if_over (link);
}

static gboolean
has_dialled_again (const Link *link)
{
  return control_now_us (link->site->control) >= link->connect_us + link->attempt_us;
}

static void
has_lingered (gpointer data)
{
  Link *link = data;

  if (has_dialled_again (link)) {
    link->connect_us = control_now_us (link->site->control);
    linger (link);
  } else {
    stop_and_free (link);
  }
}

static void
leave (Link *link)
{
  link->hold->leaves = TRUE;
  stop_and_free (link);
}

void
link_leave_lingering (const LinkSite *site)
{
  Link *link;

  while ((link = g_queue_peek_head (site->lingering)) != NULL)
    leave (link);
}

/* ------------------------------------------------------------------ keeping */

/* What C-core has heard of an xds: address it forgets with the last channel there (FACTS 25a).
 * So one that was READY and has failed is kept until another is READY: servers that return
 * are found also while the control plane is away.  Meanwhile it dials by itself too, both
 * them and the control plane, at least with each attempt of another's. */

/* (nullable): another link to the same xds: address. */
static Link *
find_other (const Link *link, gboolean (*is_it) (const Link *other))
{
  const GList *l;

  for (l = link->site->xds->head; l != NULL; l = l->next) {
    Link *other = l->data;

    if (other != link && g_str_equal (other->xds, link->xds) && is_it (other))
      return other;
  }
  return NULL;
}

static gboolean
is_connected (const Link *link)
{
  return link_is_ready (link) && !is_ended (link);
}

static gboolean
must_keep (const Link *link)
{
  return link->xds != NULL && !drives_itself (link) && link->was_ready && !link_is_ready (link)
         && find_other (link, is_kept) == NULL && find_other (link, is_connected) == NULL;
}

static void
stir_kept (const Link *link)
{
  const Link *kept = link->xds == NULL ? NULL : find_other (link, is_kept);

  if (kept != NULL)
    ccore_channel_reset_backoff (kept->channel);
}

static void
keep (Link *link)
{
  link->life = LIFE_KEPT;
  g_queue_push_tail (link->site->lingering, link);
}

static void
let_go (const LinkSite *site, const char *xds)
{
  GList *l, *next;

  for (l = site->xds->head; l != NULL; l = next) {
    Link *link = l->data;

    next = l->next;
    if (is_kept (link) && (xds == NULL || g_str_equal (link->xds, xds)))
      stop_and_free (link);
  }
}

void
link_let_go (const LinkSite *site)
{
  let_go (site, NULL);
}

/* ------------------------------------------------------- driven by C-core */

/* On a thread of C-core's, or inside grpc_channel_destroy(). */
static void
watch_fired (gpointer data)
{
  Link *link = data;

  monitor_lock (&link->lock);
  link->n_unheard++;
  if (!link->closed)
    slot_hide (link->slot);
  monitor_unlock (&link->lock);
  control_note (link->site->control, &link->note);
}

static void
note_heard (Link *link)
{
  monitor_lock (&link->lock);
  link->n_unheard--;
  monitor_unlock (&link->lock);
}

static void
come_and_gone (Link *link)
{
  link->connecting = FALSE;
  tell (link, LINK_LOST, NULL);
}

/* An xds: channel is IDLE for a moment, when it has heard what its name stands for; its attempt goes on (FACTS 25a). */
static gboolean
pauses (const Link *link, CenoteChannelState state)
{
  return link->xds != NULL && link->connecting && state == CENOTE_CHANNEL_IDLE;
}

/* A watch that leaves READY tells of a loss even where C-core has connected anew
 * in between; one that leaves IDLE and finds IDLE, of a connection that came and
 * went before we looked. */
static void
heed_watch (Link *link)
{
  CenoteChannelState state;

  note_heard (link);
  link->armed = FALSE;
  if (is_ended (link))
    return;
  state = ccore_channel_state (link->channel, FALSE);
  if (link->last == CENOTE_CHANNEL_READY)
    enter_state (link, CENOTE_CHANNEL_IDLE, NULL);
  else if (pauses (link, state))
    link->last = CENOTE_CHANNEL_IDLE;
  else if (link->last == CENOTE_CHANNEL_IDLE && state == CENOTE_CHANNEL_IDLE)
    come_and_gone (link);
  if (!is_ended (link) && state != link->last)
    enter_state (link, state, NULL);
  if (link->life == LIFE_LINGERS && !link->connecting)
    stop_lingering (link);
  if (!is_ended (link) && link->last != CENOTE_CHANNEL_TRANSIENT_FAILURE) {
    link->armed = TRUE;
    ccore_watch_arm (link->watch, link->last);
  }
}

/* ------------------------------------------------- driven by its transport */

/* Any thread. */
static void
transport_told (void *data, uint32_t state, const char *error)
{
  Link *link = data;
  Report *report = g_new0 (Report, 1);
  gboolean first;

  report->state = state;
  report->error = g_strdup (error);
  monitor_lock (&link->lock);
  if (state != CENOTE_CHANNEL_READY) {
    link->n_unheard++;
    if (!link->closed)
      slot_hide (link->slot);
  }
  g_queue_push_tail (&link->reports, report);
  first = !link->noted && !link->deaf;
  link->noted |= first;
  monitor_unlock (&link->lock);
  if (first)
    control_note (link->site->control, &link->note);
}

static Report *
next_report (Link *link)
{
  Report *report;

  monitor_lock (&link->lock);
  report = g_queue_pop_head (&link->reports);
  if (report == NULL)
    link->noted = FALSE;
  else
    link->n_unheard -= report->state != CENOTE_CHANNEL_READY;
  monitor_unlock (&link->lock);
  return report;
}

static void
heed_reports (Link *link)
{
  Report *report;

  while ((report = next_report (link)) != NULL) {
    if (!is_ended (link) && report->state != link->last)
      enter_state (link, report->state, report->error);
    report_free (report);
  }
}

/* ------------------------------------------------------------- life and use */

static void
link_handle (ControlNote *note)
{
  Link *link = (Link *) note;

  link->handling = TRUE;
  if (drives_itself (link))
    heed_reports (link);
  else
    heed_watch (link);
  link->handling = FALSE;
  link_free_if_over (link);
}

/* A transport's close_channel() or give_up_channel(). */
typedef void (*EndChannel) (void *state, grpc_channel *channel);

/* The control thread may be at another channel of the same transport. */
static void
end_orphan (EndChannel end, Instance *transport, grpc_channel *channel)
{
  pthread_mutex_lock (&transport->turn);
  end (transport->state, channel);
  pthread_mutex_unlock (&transport->turn);
  ccore_unhold ();
}

static void
hold_free (Hold *hold, void (*unref) (Instance *transport))
{
  unref (hold->transport);
  g_free (hold);
}

static void
end_channel (grpc_channel *channel, Hold *hold, EndChannel end, const char *operation)
{
  gboolean self_driven = plugin_transport_drives_itself (hold->transport->plugin);

  if (hold->orphan) {
    end_orphan (end, hold->transport, channel);
  } else {
    gint64 began_us = instance_take_turn (hold->transport);

    hold->link->life = LIFE_ENDED;
    end (hold->transport->state, channel);
    instance_give_turn (hold->transport, operation, began_us);
  }
  if (self_driven)
    link_unref (hold->link);
  hold_free (hold, hold->orphan ? instance_unref_orphan : instance_unref);
}

/* On the thread of C-core's that tells that the attempt is over. */
static void
close_left (gpointer data)
{
  Hold *hold = data;

  end_orphan (hold->transport->plugin->ops.transport.close_channel, hold->transport, hold->left);
  hold_free (hold, instance_unref_orphan);
}

/* FALSE: its attempt is over. */
static gboolean
leave_channel (grpc_channel *channel, Hold *hold)
{
  Link *link = hold->link;

  hold->left = channel;
  ccore_hold ();
  if (!link->armed || !ccore_watch_leave (link->watch, close_left, hold)) {
    ccore_unhold ();
    return FALSE;
  }
  link->armed = FALSE;
  link->watch = NULL;
  link->life = LIFE_ENDED;
  return TRUE;
}

/* The channel's end: on the control thread, or, for an orphan, wherever its last lease was released. */
static void
destroy_channel (grpc_channel *channel, gpointer data)
{
  Hold *hold = data;

  if (!hold->leaves || !leave_channel (channel, hold))
    end_channel (channel, hold, hold->transport->plugin->ops.transport.close_channel, "close_channel");
}

/* Of an armed watch no note comes any more, or its note is on its way. */
static void
abandon_watch (Link *link)
{
  if (!link->armed || !ccore_watch_abandon (link->watch))
    return;
  link->armed = FALSE;
  link->watch = NULL;
}

/* The same where another owns the channel, which may live on, and so must not hold the link by its watch. */
static void
give_up_channel (grpc_channel *channel, gpointer data)
{
  Hold *hold = data;

  if (!hold->orphan)
    abandon_watch (hold->link);
  end_channel (channel, hold, hold->transport->plugin->ops.transport.give_up_channel, "give_up_channel");
}

static grpc_channel *
create_channel (const LinkSite *site, const char *address, gpointer owner, GError **error)
{
  const CenoteTransportOps *ops = &site->transport->plugin->ops.transport;
  const void *args = site->channel_args_for == NULL ? site->channel_args : site->channel_args_for (owner);
  CenoteFault fault = FAULT_INIT;
  gint64 began_us = instance_take_turn (site->transport);
  grpc_channel *channel = ops->create_channel (site->transport->state, address, args, &fault);

  instance_give_turn (site->transport, "create_channel", began_us);
  if (channel == NULL)
    g_propagate_error (error, fault_take (&fault, site->transport->host, "create_channel"));
  fault_clear (&fault);
  return channel;
}

static void
watch_by_transport (Link *link)
{
  Instance *transport = link->site->transport;
  gint64 began_us = instance_take_turn (transport);

  transport->plugin->ops.transport.watch (transport->state, link->channel, transport_told, link);
  instance_give_turn (transport, "watch", began_us);
}

Link *
link_new (const LinkSite *site, const char *address, gpointer owner, GError **error)
{
  grpc_channel *channel = create_channel (site, address, owner, error);
  Link *link;

  if (channel == NULL)
    return NULL;
  (*site->n_links)++;
  link = g_new0 (Link, 1);
  g_atomic_ref_count_init (&link->refs);
  link->note.handle = link_handle;
  link->linger_timer = (ControlTimer) { .func = has_lingered, .data = link };
  link->site = site;
  link->owner = owner;
  link->channel = channel;
  link->attempt_us = site->attempt_us;
  if (profile_is_balanced (address, NULL)) {
    link->xds = g_strdup (address);
    g_queue_push_tail (site->xds, link);
  }
  link->last = CENOTE_CHANNEL_IDLE;
  monitor_init (&link->lock);
  link->hold = g_new0 (Hold, 1);
  link->hold->transport = instance_ref (site->transport);
  link->hold->link = link;
  link->slot = slot_open (site->table, channel, destroy_channel, link->hold);
  if (plugin_transport_gives_up (site->transport->plugin))
    slot_allow_owner (link->slot, give_up_channel);
  if (plugin_transport_drives_itself (site->transport->plugin)) {
    g_atomic_ref_count_inc (&link->refs);
    watch_by_transport (link);
  } else {
    link->watch = ccore_watch_new (site->ccore, channel, watch_fired, link);
    link->armed = TRUE;
    ccore_watch_arm (link->watch, CENOTE_CHANNEL_IDLE);
  }
  return link;
}

static void
connect_by_transport (const Link *link)
{
  Instance *transport = link->site->transport;
  gint64 began_us = instance_take_turn (transport);

  transport->plugin->ops.transport.connect (transport->state, link->channel);
  instance_give_turn (transport, "connect", began_us);
}

void
link_connect (Link *link)
{
  attempt_begins (link);
  if (drives_itself (link))
    connect_by_transport (link);
  else
    ccore_channel_state (link->channel, TRUE);
  stir_kept (link);
}

Slot *
link_slot (const Link *link)
{
  return link->slot;
}

grpc_channel *
link_channel (const Link *link)
{
  return link->channel;
}

gboolean
link_is_ready (const Link *link)
{
  return link->last == CENOTE_CHANNEL_READY;
}

gboolean
link_is_up (Link *link)
{
  gboolean heard;

  monitor_lock (&link->lock);
  heard = link->n_unheard == 0;
  monitor_unlock (&link->lock);
  return heard && link_is_ready (link);
}

void
link_hide (Link *link)
{
  monitor_lock (&link->lock);
  if (!link->closed)
    slot_hide (link->slot);
  monitor_unlock (&link->lock);
}

/* A suspect stays hidden until it is judged.  Who tells of a loss takes the lock too: either we know of it here, or the slot is hidden after this. */
void
link_show (Link *link)
{
  if (slot_is_shown (link->slot) || slot_is_suspect (link->slot))
    return;
  monitor_lock (&link->lock);
  if (link->n_unheard == 0 && !link->closed)
    slot_show (link->slot);
  monitor_unlock (&link->lock);
}

static void
set_closed (Link *link, gboolean closed)
{
  monitor_lock (&link->lock);
  link->closed = closed;
  monitor_unlock (&link->lock);
}

void
link_close (Link *link)
{
  set_closed (link, TRUE);
  slot_close (link->slot);
}

void
link_reopen (Link *link)
{
  set_closed (link, FALSE);
}

gboolean
link_end (Link *link)
{
  gboolean is_held = slot_in_flight (link->slot) > 0;

  if (!is_held && must_keep (link)) {
    keep (link);
    return TRUE;
  }
  if (!is_held && must_linger (link)) {
    begin_lingering (link);
    return TRUE;
  }
  if (!slot_try_free (link->slot))
    return FALSE;
  if (link->explain != NULL)
    ccore_call_cancel (link->explain);
  link_free_if_over (link);
  return TRUE;
}

/* An armed watch is given up, or its note is waited for; the slot outlives both. */
void
link_orphan (Link *link)
{
  gboolean self_driven = drives_itself (link);

  abandon_watch (link);
  if (link->explain != NULL)
    ccore_call_cancel (link->explain);
  ccore_hold ();
  monitor_lock (&link->lock);
  link->deaf = TRUE;
  monitor_unlock (&link->lock);
  link->hold->orphan = TRUE;
  if (!self_driven)
    link->hold->link = NULL;
  link->life = LIFE_ENDED;
  slot_orphan (link->slot);
  link_free_if_over (link);
}

void
link_clock_stepped (Link *link)
{
  if (!drives_itself (link) && link->last == CENOTE_CHANNEL_CONNECTING)
    ccore_channel_reset_backoff (link->channel);
}
