/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector/caching: one channel to each address that callers dial, kept for the
 * next ones.
 *
 * Whoever is waited for gets a channel.  A channel that is connected stays; one
 * that is not, only while somebody waits.  A sweep, by hand or each
 * expire-interval, closes what has not been used since the sweep before, so what
 * two in a row have found unused; nothing that is leased is ever closed.  Where
 * max-addresses would be passed, those that have been idle for longest make room, and
 * where nothing is idle the newest callers are refused.
 *
 * An address whose last attempt failed is remembered without a channel, for its backoff,
 * until a sweep or the bound lets it go.
 *
 * The state is the times of the sweeps, and scratch memory.
 */
#include <cenote/plugin.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROW_EXPIRE_INTERVAL, ROW_MAX_ADDRESSES };

static const CenoteOption options[] = {
  [ROW_EXPIRE_INTERVAL] = { "expire-interval", CENOTE_OPTION_DURATION, CENOTE_OPTION_MAY_BE_OFF, "off", "10ms", "24h",
                            NULL, "How often connections are closed that were not used since the time before" },
  [ROW_MAX_ADDRESSES] = { "max-addresses", CENOTE_OPTION_INT, 0, "1000", "1", "10000", NULL,
                          "How many addresses are kept at most; the longest unused makes room" }
};

typedef struct Entry {
  const CenoteAddressView *view;
  const CenoteChannelView *channel;   /* that is handed out, or will be; NULL: none */
  const CenoteChannelView *successor; /* that is to replace it */
  uint32_t n_channels;                /* of any state */
  bool is_refused;
  bool is_gone;                       /* this plan forgets it */
} Entry;

typedef struct Caching {
  const CenoteHost *host;
  int64_t interval_us;       /* CENOTE_OFF: sweeps by hand alone */
  uint32_t max_addresses;
  int64_t swept_us;          /* the last sweep; -1: none yet */
  int64_t next_sweep_us;     /* -1: none is planned */
  Entry *entries;
  Entry **idle;
  uint32_t room;             /* of both */
} Caching;

typedef struct Planner {
  Caching *caching;
  const CenoteConnectorView *view;
  CenotePlan *plan;
  Entry *entries;
  uint32_t n_entries;
  uint32_t n_kept;           /* entries that count against max-addresses */
} Planner;

/* ----------------------------------------------------------------- survey */

static int
compare_id (const void *key, const void *entry)
{
  uint32_t id = *(const uint32_t *) key, other = ((const Entry *) entry)->view->id;

  return (id > other) - (id < other);
}

/* A view is in the order of its ids. */
static Entry *
find (Planner *planner, uint32_t id)
{
  return bsearch (&id, planner->entries, planner->n_entries, sizeof *planner->entries, compare_id);
}

static bool
lives (const CenoteChannelView *channel)
{
  return channel->state != CENOTE_CHANNEL_DRAINING && channel->state != CENOTE_CHANNEL_SHUTDOWN;
}

static bool
is_ready (const CenoteChannelView *channel)
{
  return channel && channel->state == CENOTE_CHANNEL_READY;
}

static void
survey (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_entries; i++)
    planner->entries[i] = (Entry) { .view = cenote_view_address (planner->view, i) };
  for (uint32_t i = 0; i < planner->view->n_channels; i++) {
    const CenoteChannelView *channel = cenote_view_channel (planner->view, i);
    Entry *entry = find (planner, channel->address);

    if (!entry)
      continue;
    entry->n_channels++;
    if (lives (channel) && !entry->channel)
      entry->channel = channel;
    else if (lives (channel))
      entry->successor = channel;
  }
}

static bool
is_waited_for (const Entry *entry)
{
  return entry->view->waiters > 0;
}

/* An address that only its backoff keeps. */
static bool
is_remembered (const Entry *entry)
{
  return !entry->channel && !is_waited_for (entry) && entry->view->gate == CENOTE_GATE_DOWN;
}

static bool
is_kept (const Entry *entry)
{
  return !entry->is_gone && (entry->channel || is_waited_for (entry) || is_remembered (entry));
}

/* -1: never. */
static int64_t
used_at (const Entry *entry)
{
  int64_t ready_us = entry->channel ? entry->channel->ready_since_us : -1;

  return entry->view->last_use_us > ready_us ? entry->view->last_use_us : ready_us;
}

/* Nobody has it, and nobody will miss it. */
static bool
is_idle (const Entry *entry)
{
  return !entry->is_gone && !is_waited_for (entry) &&
         (is_remembered (entry) || (is_ready (entry->channel) && entry->channel->in_flight == 0));
}

/* ----------------------------------------------------------------- ending */

static void
forget (Planner *planner, Entry *entry)
{
  entry->is_gone = true;
  planner->plan->forget (planner->plan, entry->view->id);
}

static void
end_channel (Planner *planner, const CenoteChannelView *channel, const char *why)
{
  if (is_ready (channel))
    planner->plan->drain (planner->plan, channel->id, why);
  else if (channel)
    planner->plan->close (planner->plan, channel->id, why);
}

static void
end (Planner *planner, Entry *entry, const char *why)
{
  end_channel (planner, entry->successor, why);
  end_channel (planner, entry->channel, why);
  entry->channel = entry->successor = NULL;
}

/* Ends what ENTRY is kept for. */
static void
let_go (Planner *planner, Entry *entry, const char *why)
{
  if (is_remembered (entry) && entry->n_channels == 0)
    forget (planner, entry);
  end (planner, entry, why);
}

static void
sweep (Planner *planner)
{
  Caching *caching = planner->caching;

  for (uint32_t i = 0; i < planner->n_entries; i++) {
    Entry *entry = &planner->entries[i];

    if (is_idle (entry) && used_at (entry) <= caching->swept_us)
      let_go (planner, entry, "was not used for two sweeps");
  }
  caching->swept_us = planner->view->now_us;
}

static void
sweep_in_time (Planner *planner)
{
  Caching *caching = planner->caching;
  int64_t now_us = planner->view->now_us;

  if (caching->interval_us == CENOTE_OFF)
    return;
  if (planner->n_entries == 0) {
    caching->next_sweep_us = -1;
    return;
  }
  if (caching->next_sweep_us >= 0 && now_us >= caching->next_sweep_us) {
    sweep (planner);
    caching->next_sweep_us = -1;
  }
  if (caching->next_sweep_us < 0)
    caching->next_sweep_us = now_us + caching->interval_us;
  planner->plan->wake_at (planner->plan, caching->next_sweep_us);
}

static void
obey_verb (Planner *planner)
{
  Entry *entry;

  switch ((CenoteVerb) planner->view->verb) {
  case CENOTE_VERB_EXPIRE:
    sweep (planner);
    break;
  case CENOTE_VERB_CLOSE_ON_RELEASE:
    entry = find (planner, planner->view->verb_address);
    if (entry && is_ready (entry->channel))
      end (planner, entry, "close on release");
    break;
  case CENOTE_VERB_DISCONNECT:
    for (uint32_t i = 0; i < planner->n_entries; i++)
      end (planner, &planner->entries[i], "disconnect");
    break;
  case CENOTE_VERB_NONE:
  case CENOTE_VERB_ROTATE:
    break;
  }
}

/* What is not connected has no value of its own, and an attempt from before a rotation none at all. */
static void
end_useless (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_entries; i++) {
    Entry *entry = &planner->entries[i];
    const CenoteChannelView *channel = entry->channel;

    if (!channel || is_ready (channel))
      continue;
    if (channel->flags & CENOTE_CHANNEL_STALE)
      end (planner, entry, "stale");
    else if (!is_waited_for (entry) && channel->state != CENOTE_CHANNEL_CONNECTING)
      end (planner, entry, "is not connected, and nobody waits for it");
  }
}

/* ------------------------------------------------------------------- room */

static int
compare_use (const void *a, const void *b)
{
  int64_t one = used_at (*(Entry *const *) a), other = used_at (*(Entry *const *) b);

  return (one > other) - (one < other);
}

/* The idle ones, the longest unused first. */
static uint32_t
line_up_idle (Planner *planner)
{
  Entry **idle = planner->caching->idle;
  uint32_t n = 0;

  for (uint32_t i = 0; i < planner->n_entries; i++) {
    if (is_idle (&planner->entries[i]))
      idle[n++] = &planner->entries[i];
  }
  qsort (idle, n, sizeof *idle, compare_use);
  return n;
}

static void
evict (Planner *planner)
{
  uint32_t n = line_up_idle (planner);

  for (uint32_t i = 0; i < n && planner->n_kept > planner->caching->max_addresses; i++) {
    let_go (planner, planner->caching->idle[i], "made room for another address");
    planner->n_kept--;
  }
}

/* The newest first. */
static void
refuse (Planner *planner)
{
  char why[80];

  (void) snprintf (why, sizeof why, "%" PRIu32 " addresses are in use already (max-addresses)",
                   planner->caching->max_addresses);
  for (uint32_t i = planner->n_entries; i > 0 && planner->n_kept > planner->caching->max_addresses; i--) {
    Entry *entry = &planner->entries[i - 1];

    if (entry->channel || !is_waited_for (entry))
      continue;
    entry->is_refused = true;
    planner->n_kept--;
    if (CENOTE_PLAN_HAS (planner->plan, refuse))
      planner->plan->refuse (planner->plan, entry->view->id, why);
  }
}

static void
make_room (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_entries; i++)
    planner->n_kept += is_kept (&planner->entries[i]);
  if (planner->n_kept <= planner->caching->max_addresses)
    return;
  evict (planner);
  refuse (planner);
}

/* ---------------------------------------------------------------- opening */

static void
open_wanted (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_entries; i++) {
    Entry *entry = &planner->entries[i];

    if (!entry->channel && is_waited_for (entry) && !entry->is_refused)
      planner->plan->open (planner->plan, entry->view->id, 1, 0);
    else if (is_ready (entry->channel) && !entry->successor && (entry->channel->flags & CENOTE_CHANNEL_STALE))
      planner->plan->open (planner->plan, entry->view->id, 1, entry->channel->id);
  }
}

static void
forget_unused (Planner *planner)
{
  for (uint32_t i = 0; i < planner->n_entries; i++) {
    Entry *entry = &planner->entries[i];

    if (!entry->is_gone && entry->n_channels == 0 && (entry->is_refused || !is_kept (entry)))
      forget (planner, entry);
  }
}

/* ------------------------------------------------------------------- plan */

static bool
make_entries (Caching *caching, uint32_t n)
{
  Entry *entries;
  Entry **idle;

  if (n <= caching->room)
    return true;
  entries = reallocarray (caching->entries, n, sizeof *entries);
  if (!entries)
    return false;
  caching->entries = entries;
  idle = reallocarray (caching->idle, n, sizeof *idle);
  if (!idle)
    return false;
  caching->idle = idle;
  caching->room = n;
  return true;
}

static void
plan (void *state, const CenoteConnectorView *view, CenotePlan *out_plan)
{
  Caching *caching = state;
  Planner planner = { .caching = caching, .view = view, .plan = out_plan, .n_entries = view->n_addresses };

  if (!make_entries (caching, view->n_addresses)) {
    caching->host->log (caching->host, CENOTE_LOG_ERROR, "out of memory: no plan was made");
    return;
  }
  planner.entries = caching->entries;
  survey (&planner);
  obey_verb (&planner);
  sweep_in_time (&planner);
  end_useless (&planner);
  make_room (&planner);
  open_wanted (&planner);
  forget_unused (&planner);
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Caching *caching = calloc (1, sizeof *caching);

  if (!caching) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  caching->host = host;
  caching->interval_us = cenote_options_at (values, ROW_EXPIRE_INTERVAL)->number;
  caching->max_addresses = (uint32_t) cenote_options_at (values, ROW_MAX_ADDRESSES)->number;
  caching->swept_us = caching->next_sweep_us = -1;
  return caching;
}

static void
destroy (void *state)
{
  Caching *caching = state;

  free (caching->entries);
  free (caching->idle);
  free (caching);
}

static const CenoteConnectorOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_CONNECTOR_DIALS | CENOTE_CONNECTOR_SIZES_ITSELF,
  .create = create,
  .plan = plan,
  .destroy = destroy,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_CONNECTOR),
  .name = "caching",
  .version = "0.1.0",
  .summary = "Keeps one channel to each address that callers dial, until it is no longer used",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_CONNECTOR, "caching")
