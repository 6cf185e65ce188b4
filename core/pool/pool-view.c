/* SPDX-License-Identifier: Apache-2.0 */
#include "pool-view.h"

#include "pool.h"

/* Of the slot behind a channel's row, when it was last looked at. */
typedef struct Counts {
  const Slot *slot;          /* NULL: none */
  gint64 calls;
  gint64 in_flight;
} Counts;

void
pool_view_init (PoolView *view)
{
  view->channels = g_array_new (FALSE, FALSE, sizeof (CenoteChannelView));
  view->counts = g_array_new (FALSE, FALSE, sizeof (Counts));
  view->addresses = g_array_new (FALSE, FALSE, sizeof (CenoteAddressView));
  view->touched = g_ptr_array_new ();
  view->touched_addresses = g_ptr_array_new ();
  view->changed = g_ptr_array_new ();
  view->held = g_ptr_array_new ();
  view->changed_at = g_array_new (FALSE, FALSE, sizeof (guint32));
}

void
pool_view_clear (PoolView *view)
{
  g_array_unref (view->channels);
  g_array_unref (view->counts);
  g_array_unref (view->addresses);
  g_ptr_array_unref (view->touched);
  g_ptr_array_unref (view->touched_addresses);
  g_ptr_array_unref (view->changed);
  g_ptr_array_unref (view->held);
  g_array_unref (view->changed_at);
}

static CenoteChannelView *
row_of (CenotePool *pool, const Channel *channel)
{
  return &g_array_index (pool->view.channels, CenoteChannelView, channel->at);
}

static Counts *
counts_of (CenotePool *pool, const Channel *channel)
{
  return &g_array_index (pool->view.counts, Counts, channel->at);
}

/* Later than what the last plan was shown, if only by a microsecond: so what came after it is
 * told from what came before. */
static gint64
now_us (CenotePool *pool)
{
  return MAX (control_now_us (pool->control), pool->view.planned_us + 1);
}

/* ---------------------------------------------------------------- touching */

void
pool_view_touch (CenotePool *pool, Channel *channel)
{
  if (channel->touched)
    return;
  channel->touched = TRUE;
  g_ptr_array_add (pool->view.touched, channel);
}

void
pool_view_touch_all (CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->channels->len; i++)
    pool_view_touch (pool, pool->channels->pdata[i]);
}

void
pool_view_touch_address (CenotePool *pool, Address *address)
{
  if (address->touched)
    return;
  address->touched = TRUE;
  g_ptr_array_add (pool->view.touched_addresses, address);
}

void
pool_view_use_address (CenotePool *pool, Address *address)
{
  address->last_use_us = now_us (pool);
  pool_view_touch_address (pool, address);
}

/* ------------------------------------------------------------ coming, going */

void
pool_view_add (CenotePool *pool, Channel *channel)
{
  const CenoteChannelView row = { .id = channel->id, .ready_since_us = -1, .last_use_us = -1 };
  const Counts none = { 0 };

  channel->at = pool->channels->len;
  channel->address->n_channels++;
  g_ptr_array_add (pool->channels, channel);
  g_array_append_val (pool->view.channels, row);
  g_array_append_val (pool->view.counts, none);
  pool_view_touch (pool, channel);
}

void
pool_view_add_address (CenotePool *pool, Address *address)
{
  const CenoteAddressView row = { .address = address->name, .id = address->id, .last_use_us = -1 };

  address->at = pool->addresses->len;
  g_ptr_array_add (pool->addresses, address);
  g_array_append_val (pool->view.addresses, row);
  pool_view_touch_address (pool, address);
}

void
pool_view_remove_address (CenotePool *pool, Address *address)
{
  guint at = address->at;
  guint i;

  if (address->touched)
    g_ptr_array_remove_fast (pool->view.touched_addresses, address);
  g_array_remove_index (pool->view.addresses, at);
  g_ptr_array_remove_index (pool->addresses, at);
  for (i = at; i < pool->addresses->len; i++)
    ((Address *) pool->addresses->pdata[i])->at = i;
}

/* ------------------------------------------------------------------ writing */

static void
note_change (CenotePool *pool, Channel *channel)
{
  if (channel->changed)
    return;
  channel->changed = TRUE;
  g_ptr_array_add (pool->view.changed, channel);
}

/* Leases taken since the last note, over any of its links, and a release or more. */
static void
note_use (CenotePool *pool, Channel *channel)
{
  gint64 calls = channel_calls (channel);

  pool->view.acquired += calls - channel->calls_seen;
  channel->calls_seen = calls;
  channel->last_use_us = now_us (pool);
  pool_view_use_address (pool, channel->address);
}

static void
note_in_flight (CenotePool *pool, Channel *channel, gint64 in_flight)
{
  CenoteChannelView *row = row_of (pool, channel);

  pool->view.in_flight += in_flight - row->in_flight;
  row->in_flight = in_flight;
  row->peak = MAX (row->peak, in_flight);
  if (in_flight == 0 || channel->held)
    return;
  channel->held = TRUE;
  g_ptr_array_add (pool->view.held, channel);
}

/* Reads the counts of CHANNEL's slot. */
static void
look_at (CenotePool *pool, Channel *channel)
{
  Counts *counts = counts_of (pool, channel);
  gint64 calls, in_flight;

  pool->view.n_reads++;
  slot_count (counts->slot, &calls, &in_flight);
  if (calls == counts->calls && in_flight == counts->in_flight)
    return;
  counts->calls = calls;
  counts->in_flight = in_flight;
  note_use (pool, channel);
  note_in_flight (pool, channel, in_flight);
  row_of (pool, channel)->last_use_us = channel->last_use_us;
  note_change (pool, channel);
}

/* Its link may be another one: what was used of the last one is in channel_calls(). */
static void
write_counts (CenotePool *pool, Channel *channel)
{
  Counts counts = { .slot = channel->link == NULL ? NULL : link_slot (channel->link) };

  if (counts.slot != NULL) {
    pool->view.n_reads++;
    slot_count (counts.slot, &counts.calls, &counts.in_flight);
  }
  *counts_of (pool, channel) = counts;
  if (channel_calls (channel) != channel->calls_seen || counts.in_flight != row_of (pool, channel)->in_flight)
    note_use (pool, channel);
  note_in_flight (pool, channel, counts.in_flight);
}

/* Who rests is not to be replaced, so its connector sees nothing of it, as of one that serves not.  A
 * connector whose addresses come from dials replaces what is stale. */
static guint32
flags_of (const CenotePool *pool, const Channel *channel)
{
  gboolean is_ejected = channel->ejection == EJECTION_OUT || channel->ejection == EJECTION_SPARED;
  gboolean is_stale = channel->stale != STALE_NOT || (is_ejected && pool->dials);

  return (is_ejected ? CENOTE_CHANNEL_EJECTED : 0u) | (is_stale ? CENOTE_CHANNEL_STALE : 0u);
}

static void
write_row (CenotePool *pool, Channel *channel)
{
  CenoteChannelView *row = row_of (pool, channel);

  pool->view.n_writes++;
  channel->touched = FALSE;
  write_counts (pool, channel);
  row->replaces = channel->replaces;
  row->address = channel->address->id;
  row->state = channel->state;
  row->flags = flags_of (pool, channel);
  row->ready_since_us = channel->ready_us;
  row->last_use_us = channel->last_use_us;
  note_change (pool, channel);
}

static void
write_address (CenotePool *pool, Address *address)
{
  CenoteAddressView *row = &g_array_index (pool->view.addresses, CenoteAddressView, address->at);

  pool->view.n_writes++;
  address->touched = FALSE;
  row->gate = address->gate;
  row->waiters = address->n_waiters;
  row->removed = address->removed;
  row->last_use_us = address->last_use_us;
  row->next_attempt_us = address_next_attempt_us (address);
}

static void
write_touched (CenotePool *pool)
{
  PoolView *view = &pool->view;
  guint i;

  for (i = 0; i < view->touched->len; i++)
    write_row (pool, view->touched->pdata[i]);
  g_ptr_array_set_size (view->touched, 0);
}

static void
write_touched_addresses (CenotePool *pool)
{
  PoolView *view = &pool->view;
  guint i;

  for (i = 0; i < view->touched_addresses->len; i++)
    write_address (pool, view->touched_addresses->pdata[i]);
  g_ptr_array_set_size (view->touched_addresses, 0);
}

/* ------------------------------------------------------------------ looking */

/* Lets go whoever is leased no more. */
static void
prune_held (CenotePool *pool)
{
  GPtrArray *held = pool->view.held;
  guint i;

  for (i = held->len; i-- > 0;) {
    Channel *channel = held->pdata[i];

    if (row_of (pool, channel)->in_flight > 0)
      continue;
    channel->held = FALSE;
    g_ptr_array_remove_index_fast (held, i);
  }
}

static void
look_at_all (CenotePool *pool, const GPtrArray *channels)
{
  guint i;

  for (i = 0; i < channels->len; i++) {
    Channel *channel = channels->pdata[i];

    if (counts_of (pool, channel)->slot != NULL)
      look_at (pool, channel);
  }
}

/* A get counts as a use after its lease is in the slot's counts, and the uses are
 * read first: what this look has missed the next one sees. */
void
pool_view_look (CenotePool *pool)
{
  guint64 uses = slot_table_uses (pool->table);

  write_touched (pool);
  look_at_all (pool, uses == pool->view.uses ? pool->view.held : pool->channels);
  prune_held (pool);
  write_touched_addresses (pool);
  pool->view.uses = uses;
}

static void
forget_gone (GPtrArray *channels)
{
  guint i;

  for (i = channels->len; i-- > 0;) {
    const Channel *channel = channels->pdata[i];

    if (channel->state == CENOTE_CHANNEL_SHUTDOWN)
      g_ptr_array_remove_index_fast (channels, i);
  }
}

static void
move_row (CenotePool *pool, guint from, guint to)
{
  Channel *channel = pool->channels->pdata[from];

  pool->channels->pdata[to] = channel;
  channel->at = to;
  *row_of (pool, channel) = g_array_index (pool->view.channels, CenoteChannelView, from);
  *counts_of (pool, channel) = g_array_index (pool->view.counts, Counts, from);
}

void
pool_view_sweep (CenotePool *pool)
{
  PoolView *view = &pool->view;
  guint n = 0;
  guint i;

  write_touched (pool);
  prune_held (pool);
  forget_gone (view->changed);
  for (i = 0; i < pool->channels->len; i++) {
    Channel *channel = pool->channels->pdata[i];

    if (channel->state == CENOTE_CHANNEL_SHUTDOWN) {
      channel->address->n_channels--;
      pool_view_touch_address (pool, channel->address);
      pool_forget_probes (channel);
      channel_free (channel);
    } else {
      move_row (pool, i, n++);
    }
  }
  g_ptr_array_set_size (pool->channels, (gint) n);
  g_array_set_size (view->channels, n);
  g_array_set_size (view->counts, n);
}

/* ----------------------------------------------------------------- showing */

void
pool_view_ask (CenotePool *pool)
{
  pool->view.asks++;
  pool_want_plan (pool);
}

gboolean
pool_view_woke (CenotePool *pool)
{
  const PoolView *view = &pool->view;

  return view->was_idle &&
         (view->acquired > 0 || view->in_flight > 0 || (gint64) slot_table_misses (pool->table) != view->misses);
}

void
pool_view_show (CenotePool *pool, CenoteConnectorView *out)
{
  PoolView *view = &pool->view;
  gint64 misses = (gint64) slot_table_misses (pool->table);
  guint i;

  pool_view_look (pool);
  out->now_us = now_us (pool); /* what the look has seen was before */
  g_array_set_size (view->changed_at, view->changed->len);
  for (i = 0; i < view->changed->len; i++)
    g_array_index (view->changed_at, guint32, i) = ((const Channel *) view->changed->pdata[i])->at;
  out->acquired = (guint64) MAX (0, view->acquired);
  out->refused = (guint64) (misses - view->misses) + view->asks;
  out->n_addresses = view->addresses->len;
  out->address_size = sizeof (CenoteAddressView);
  out->n_channels = view->channels->len;
  out->channel_size = sizeof (CenoteChannelView);
  out->n_changed = view->changed_at->len;
  out->addresses = (const CenoteAddressView *) (const void *) view->addresses->data;
  out->channels = (const CenoteChannelView *) (const void *) view->channels->data;
  out->changed = (const guint32 *) (const void *) view->changed_at->data;
  view->was_idle = out->acquired == 0 && out->refused == 0 && out->n_waiters == 0 && view->in_flight == 0;
  view->misses = misses;
  view->acquired = 0;
  view->asks = 0;
  view->planned_us = out->now_us;
}

/* One whose peak was above what it holds now has changed, so only those have a peak to lower. */
void
pool_view_planned (CenotePool *pool)
{
  GPtrArray *changed = pool->view.changed;
  guint i;

  for (i = 0; i < changed->len; i++) {
    Channel *channel = changed->pdata[i];
    CenoteChannelView *row = row_of (pool, channel);

    row->peak = row->in_flight;
    channel->changed = FALSE;
  }
  g_ptr_array_set_size (changed, 0);
}
