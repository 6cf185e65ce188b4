/* SPDX-License-Identifier: Apache-2.0 */
/* fake-pool: the view is built anew for each plan; ids of both kinds begin at 1. */
#include "fake-pool.h"

#include <string.h>

/* Rows as a newer host would have them. */
typedef struct AddressRow {
  CenoteAddressView view;
  gint64 newer;
} AddressRow;

typedef struct ChannelRow {
  CenoteChannelView view;
  gint64 newer[2];
} ChannelRow;

/* The plan's table, with the pool behind it. */
typedef struct FakePlan {
  CenotePlan table;
  FakePool *pool;
} FakePlan;

static void
free_action (gpointer data)
{
  FakeAction *action = data;

  g_free (action->why);
  g_free (action);
}

/* ------------------------------------------------------------------- pool */

FakePool *
fake_pool_new (guint wanted)
{
  FakePool *pool = g_new0 (FakePool, 1);

  pool->addresses = g_ptr_array_new_with_free_func (g_free);
  pool->channels = g_ptr_array_new_with_free_func (g_free);
  pool->actions = g_ptr_array_new_with_free_func (free_action);
  pool->faults = g_string_new (NULL);
  pool->now_us = G_USEC_PER_SEC;
  pool->wanted = wanted;
  pool->expected = -1;
  pool->min = 1;
  pool->max = 100000;
  pool->idle_timeout_us = CENOTE_OFF;
  pool->max_streams = 100;
  pool->next_address = 1;
  pool->next_channel = 1;
  pool->verb_address = CENOTE_NO_ADDRESS;
  return pool;
}

void
fake_pool_free (FakePool *pool)
{
  if (!pool)
    return;
  g_ptr_array_unref (pool->addresses);
  g_ptr_array_unref (pool->channels);
  g_ptr_array_unref (pool->actions);
  g_string_free (pool->faults, TRUE);
  g_free (pool->expected_why);
  g_free (pool);
}

CenoteAddressView *
fake_pool_add_address (FakePool *pool, const char *address)
{
  AddressRow *row = g_new0 (AddressRow, 1);

  row->view = (CenoteAddressView) { .address = address, .id = pool->next_address++, .last_use_us = -1 };
  row->newer = -1;
  g_ptr_array_add (pool->addresses, row);
  return &row->view;
}

void
fake_pool_set_state (FakePool *pool, CenoteChannelView *channel, CenoteChannelState state)
{
  channel->state = state;
  if (state != CENOTE_CHANNEL_DRAINING)
    channel->ready_since_us = state == CENOTE_CHANNEL_READY ? pool->now_us : -1;
}

CenoteChannelView *
fake_pool_add_channel (FakePool *pool, guint32 address, CenoteChannelState state)
{
  ChannelRow *row = g_new0 (ChannelRow, 1);

  row->view =
    (CenoteChannelView) { .id = pool->next_channel++, .address = address, .last_use_us = -1, .ready_since_us = -1 };
  row->newer[0] = row->newer[1] = -1;
  fake_pool_set_state (pool, &row->view, state);
  g_ptr_array_add (pool->channels, row);
  return &row->view;
}

CenoteChannelView *
fake_pool_find_channel (FakePool *pool, guint64 id)
{
  for (guint i = 0; i < pool->channels->len; i++) {
    CenoteChannelView *channel = pool->channels->pdata[i];

    if (channel->id == id)
      return channel;
  }
  return NULL;
}

static CenoteAddressView *
find_address (FakePool *pool, guint32 id)
{
  for (guint i = 0; i < pool->addresses->len; i++) {
    CenoteAddressView *address = pool->addresses->pdata[i];

    if (address->id == id)
      return address;
  }
  return NULL;
}

guint
fake_pool_count_at (FakePool *pool, guint32 address, CenoteChannelState state)
{
  guint n = 0;

  for (guint i = 0; i < pool->channels->len; i++) {
    const CenoteChannelView *channel = pool->channels->pdata[i];

    n += channel->state == (guint32) state && (channel->address == address || address == CENOTE_NO_ADDRESS);
  }
  return n;
}

guint
fake_pool_count (FakePool *pool, CenoteChannelState state)
{
  return fake_pool_count_at (pool, CENOTE_NO_ADDRESS, state);
}

/* -------------------------------------------------------------- recording */

static void
record (FakePool *pool, FakeAction action, gboolean is_right, const char *what)
{
  g_ptr_array_add (pool->actions, g_memdup2 (&action, sizeof action));
  if (!is_right)
    g_string_append_printf (pool->faults, "%s; ", what);
}

static FakePool *
pool_of (CenotePlan *plan)
{
  return ((FakePlan *) plan)->pool;
}

static void
record_open (CenotePlan *plan, uint32_t address, uint32_t n, uint64_t replaces)
{
  FakePool *pool = pool_of (plan);
  gboolean is_right = find_address (pool, address) && n > 0 && n < 100000 &&
                      (replaces == 0 || (n == 1 && fake_pool_find_channel (pool, replaces)));

  record (pool, (FakeAction) { FAKE_OPEN, address, n, replaces, NULL }, is_right,
          "open of an unknown address or channel, or of a wrong number");
}

static void
record_of_channel (CenotePlan *plan, FakeActionType type, guint64 id, const char *why)
{
  FakePool *pool = pool_of (plan);
  const CenoteChannelView *channel = fake_pool_find_channel (pool, id);
  gboolean is_right = channel && (type == FAKE_REVIVE ? channel->state == CENOTE_CHANNEL_DRAINING : why != NULL);

  record (pool, (FakeAction) { type, 0, 0, id, g_strdup (why) }, is_right,
          "drain, close or revive of an unknown channel, or without a reason");
}

static void
record_drain (CenotePlan *plan, uint64_t channel, const char *why)
{
  record_of_channel (plan, FAKE_DRAIN, channel, why);
}

static void
record_close (CenotePlan *plan, uint64_t channel, const char *why)
{
  record_of_channel (plan, FAKE_CLOSE, channel, why);
}

static void
record_revive (CenotePlan *plan, uint64_t channel)
{
  record_of_channel (plan, FAKE_REVIVE, channel, NULL);
}

static void
record_forget (CenotePlan *plan, uint32_t address)
{
  FakePool *pool = pool_of (plan);

  record (pool, (FakeAction) { FAKE_FORGET, address, 0, 0, NULL }, find_address (pool, address) != NULL,
          "forget of an unknown address");
}

static void
record_refuse (CenotePlan *plan, uint32_t address, const char *why)
{
  FakePool *pool = pool_of (plan);
  const CenoteAddressView *view = find_address (pool, address);

  record (pool, (FakeAction) { FAKE_REFUSE, address, 0, 0, g_strdup (why) }, view && view->waiters > 0 && why,
          "refusal of an address that nobody waits for, or without a reason");
}

static void
record_wake_at (CenotePlan *plan, int64_t time_us)
{
  FakePool *pool = pool_of (plan);

  if (pool->wake_at_us == 0 || time_us < pool->wake_at_us)
    pool->wake_at_us = time_us;
  if (time_us <= pool->now_us)
    g_string_append (pool->faults, "a wish to plan again at once; ");
}

static void
record_expect (CenotePlan *plan, uint32_t n, const char *why)
{
  FakePool *pool = pool_of (plan);

  pool->expected = n;
  g_free (pool->expected_why);
  pool->expected_why = g_strdup (why);
  if (why == NULL)
    g_string_append (pool->faults, "an expectation without a reason; ");
}

/* --------------------------------------------------------------- planning */

static char *
copy_rows (const GPtrArray *rows, gsize row_size)
{
  char *copy = g_malloc0 (rows->len * row_size + 1);

  for (guint i = 0; i < rows->len; i++)
    memcpy (copy + i * row_size, rows->pdata[i], row_size);
  return copy;
}

static gint
compare_actions (gconstpointer a, gconstpointer b)
{
  return (gint) (*(const FakeAction *const *) a)->type - (gint) (*(const FakeAction *const *) b)->type;
}

static void
print_action (GString *out, const FakeAction *action)
{
  g_string_append (out, out->len > 0 ? "; " : "");
  switch (action->type) {
  case FAKE_REVIVE:
    g_string_append_printf (out, "revive %" G_GUINT64_FORMAT, action->channel);
    break;
  case FAKE_OPEN:
    if (action->channel)
      g_string_append_printf (out, "open %u for %" G_GUINT64_FORMAT, action->address, action->channel);
    else
      g_string_append_printf (out, "open %u x%u", action->address, action->n);
    break;
  case FAKE_DRAIN:
  case FAKE_CLOSE:
    g_string_append_printf (out, "%s %" G_GUINT64_FORMAT " (%s)", action->type == FAKE_DRAIN ? "drain" : "close",
                            action->channel, action->why);
    break;
  case FAKE_REFUSE:
    g_string_append_printf (out, "refuse %u (%s)", action->address, action->why);
    break;
  case FAKE_FORGET:
    g_string_append_printf (out, "forget %u", action->address);
    break;
  }
}

/* What is counted since the last plan begins anew. */
static void
begin_next (FakePool *pool)
{
  pool->acquired = pool->refused = 0;
  for (guint i = 0; i < pool->channels->len; i++) {
    CenoteChannelView *channel = pool->channels->pdata[i];

    channel->peak = channel->in_flight;
  }
}

/* As the host sees it: never below what is held. */
static void
raise_peaks (FakePool *pool)
{
  for (guint i = 0; i < pool->channels->len; i++) {
    CenoteChannelView *channel = pool->channels->pdata[i];

    channel->peak = MAX (channel->peak, channel->in_flight);
  }
}

char *
fake_pool_plan (FakePool *pool, const CenoteConnectorOps *ops, gpointer state)
{
  FakePlan plan = { { sizeof plan.table, 0, record_open, record_drain, record_revive, record_close, record_forget,
                      record_wake_at, record_refuse, record_expect }, pool };
  g_autofree char *addresses = copy_rows (pool->addresses, sizeof (AddressRow));
  g_autofree char *channels = (raise_peaks (pool), copy_rows (pool->channels, sizeof (ChannelRow)));
  GString *out = g_string_new (NULL);
  CenoteConnectorView view = {
    .struct_size = sizeof view,
    .verb = pool->verb,
    .verb_address = pool->verb_address,
    .wanted = pool->wanted,
    .min = pool->min,
    .max = pool->max,
    .now_us = pool->now_us,
    .oldest_deadline_us = G_MAXINT64,
    .acquired = pool->acquired,
    .refused = pool->refused,
    .n_waiters = pool->waiters,
    .n_addresses = pool->addresses->len,
    .address_size = sizeof (AddressRow),
    .n_channels = pool->channels->len,
    .channel_size = sizeof (ChannelRow),
    .addresses = (const CenoteAddressView *) (gpointer) addresses,
    .channels = (const CenoteChannelView *) (gpointer) channels,
    .idle_timeout_us = pool->idle_timeout_us,
    .max_streams_per_channel = pool->max_streams,
  };

  g_ptr_array_set_size (pool->actions, 0);
  pool->wake_at_us = 0;
  pool->expected = -1;
  ops->plan (state, &view, &plan.table);
  begin_next (pool);
  g_ptr_array_sort (pool->actions, compare_actions);
  for (guint i = 0; i < pool->actions->len; i++)
    print_action (out, pool->actions->pdata[i]);
  return g_string_free (out, FALSE);
}

/* ------------------------------------------------------------ carrying out */

static void
apply_open (FakePool *pool, const FakeAction *action)
{
  for (guint i = 0; i < action->n; i++) {
    CenoteChannelView *channel = fake_pool_add_channel (pool, action->address, CENOTE_CHANNEL_CONNECTING);

    channel->replaces = action->channel;
  }
}

static void
apply_to_channel (FakePool *pool, const FakeAction *action)
{
  CenoteChannelView *channel = fake_pool_find_channel (pool, action->channel);

  if (channel && action->type == FAKE_REVIVE)
    channel->state = CENOTE_CHANNEL_READY;
  else if (channel)
    channel->state = CENOTE_CHANNEL_DRAINING;
}

static void
apply_refuse (FakePool *pool, guint32 id)
{
  CenoteAddressView *address = find_address (pool, id);

  if (address)
    address->waiters = 0;
}

static gboolean
has_channel (const FakePool *pool, guint32 address)
{
  for (guint i = 0; i < pool->channels->len; i++) {
    if (((const CenoteChannelView *) pool->channels->pdata[i])->address == address)
      return TRUE;
  }
  return FALSE;
}

static void
apply_forget (FakePool *pool, guint32 id)
{
  CenoteAddressView *address = find_address (pool, id);

  if (address && address->waiters == 0 && !has_channel (pool, id))
    g_ptr_array_remove (pool->addresses, address);
}

void
fake_pool_apply (FakePool *pool)
{
  for (guint i = 0; i < pool->actions->len; i++) {
    const FakeAction *action = pool->actions->pdata[i];

    if (action->type == FAKE_OPEN)
      apply_open (pool, action);
    else if (action->type == FAKE_REFUSE)
      apply_refuse (pool, action->address);
    else if (action->type == FAKE_FORGET)
      apply_forget (pool, action->address);
    else
      apply_to_channel (pool, action);
  }
  g_ptr_array_set_size (pool->actions, 0);
  pool->verb = CENOTE_VERB_NONE;
  pool->verb_address = CENOTE_NO_ADDRESS;
}

static void
settle_channel (FakePool *pool, CenoteChannelView *channel)
{
  const CenoteAddressView *address = find_address (pool, channel->address);
  CenoteChannelView *predecessor;

  if (channel->state == CENOTE_CHANNEL_DRAINING || channel->state == CENOTE_CHANNEL_READY ||
      (address && address->gate == CENOTE_GATE_DOWN))
    return;
  fake_pool_set_state (pool, channel, CENOTE_CHANNEL_READY);
  predecessor = channel->replaces ? fake_pool_find_channel (pool, channel->replaces) : NULL;
  channel->replaces = 0;
  if (predecessor)
    predecessor->state = CENOTE_CHANNEL_DRAINING;
}

void
fake_pool_settle (FakePool *pool)
{
  for (guint i = 0; i < pool->channels->len; i++)
    settle_channel (pool, pool->channels->pdata[i]);
  for (guint i = pool->channels->len; i > 0; i--) {
    const CenoteChannelView *channel = pool->channels->pdata[i - 1];

    if (channel->state == CENOTE_CHANNEL_DRAINING && channel->in_flight == 0)
      g_ptr_array_remove_index (pool->channels, i - 1);
  }
}

guint
fake_pool_run (FakePool *pool, const CenoteConnectorOps *ops, gpointer state, guint limit)
{
  for (guint plans = 0; plans < limit; plans++) {
    g_autofree char *plan = fake_pool_plan (pool, ops, state);

    if (!*plan)
      return plans;
    fake_pool_apply (pool);
    fake_pool_settle (pool);
  }
  return limit;
}
