/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-plan: shows the connector its pool, and does what it says.
 *
 * The plan's functions only write down; it is checked whole against the pool's
 * limits, and carried out after plan() has returned.
 */
#include <string.h>

#include "pool.h"

typedef enum { STEP_REVIVE, STEP_OPEN, STEP_DRAIN, STEP_CLOSE, STEP_FORGET } StepKind;

typedef struct Step {
  StepKind kind;
  guint32 address;
  guint32 n;
  guint64 channel;           /* for open: the one that it replaces */
  char *why;
} Step;

typedef struct Plan {
  CenotePlan table;          /* first */
  GArray *steps;             /* of Step */
  gint64 wake_us;            /* G_MAXINT64: none */
} Plan;

/* -------------------------------------------------------- what a plan says */

static void
add_step (CenotePlan *plan, StepKind kind, guint32 address, guint32 n, guint64 channel, const char *why)
{
  const Step step = { kind, address, n, channel, g_strdup (why) };

  g_array_append_val (((Plan *) plan)->steps, step);
}

static void
say_open (CenotePlan *plan, guint32 address, guint32 n, guint64 replaces)
{
  add_step (plan, STEP_OPEN, address, n, replaces, NULL);
}

static void
say_drain (CenotePlan *plan, guint64 channel, const char *why)
{
  add_step (plan, STEP_DRAIN, 0, 0, channel, why);
}

static void
say_revive (CenotePlan *plan, guint64 channel)
{
  add_step (plan, STEP_REVIVE, 0, 0, channel, NULL);
}

static void
say_close (CenotePlan *plan, guint64 channel, const char *why)
{
  add_step (plan, STEP_CLOSE, 0, 0, channel, why);
}

static void
say_forget (CenotePlan *plan, guint32 address)
{
  add_step (plan, STEP_FORGET, address, 0, 0, NULL);
}

static void
say_wake_at (CenotePlan *plan, int64_t time_us)
{
  Plan *mine = (Plan *) plan;

  mine->wake_us = MIN (mine->wake_us, time_us);
}

static void
step_clear (gpointer data)
{
  Step *step = data;

  g_free (step->why);
}

static void
plan_init (Plan *plan)
{
  *plan = (Plan) {
    .table = { sizeof (CenotePlan), 0, say_open, say_drain, say_revive, say_close, say_forget, say_wake_at },
    .steps = g_array_new (FALSE, FALSE, sizeof (Step)),
    .wake_us = G_MAXINT64,
  };
  g_array_set_clear_func (plan->steps, step_clear);
}

/* ------------------------------------------------------------------ the view */

static void
view_addresses (const CenotePool *pool, GArray *views)
{
  guint i;

  for (i = 0; i < pool->addresses->len; i++) {
    const Address *address = pool->addresses->pdata[i];
    const CenoteAddressView view = {
      .address = address->name,
      .id = address->id,
      .gate = address->gate,
      .waiters = g_queue_get_length ((GQueue *) &pool->waiters),
      .removed = address->removed,
      .last_use_us = address->last_use_us,
    };

    g_array_append_val (views, view);
  }
}

static void
note_use (Channel *channel, gint64 now_us)
{
  gint64 calls = channel_calls (channel);

  if (calls == channel->calls_seen)
    return;
  channel->calls_seen = calls;
  channel->last_use_us = now_us;
  channel->address->last_use_us = now_us;
}

static void
view_channels (const CenotePool *pool, GArray *views, GArray *changed, gint64 now_us)
{
  guint i;

  for (i = 0; i < pool->channels->len; i++) {
    Channel *channel = pool->channels->pdata[i];
    CenoteChannelView view;

    note_use (channel, now_us);
    view = (CenoteChannelView) {
      .id = channel->id,
      .replaces = channel->replaces,
      .address = channel->address->id,
      .state = channel->state,
      .flags = (channel->ejected ? CENOTE_CHANNEL_EJECTED : 0u) |
               (channel->generation != pool->generation ? CENOTE_CHANNEL_STALE : 0u),
      .in_flight = channel_in_flight (channel),
      .ready_since_us = channel->ready_us,
      .last_use_us = channel->last_use_us,
    };
    view.peak = view.in_flight;
    g_array_append_val (views, view);
    g_array_append_val (changed, i);
  }
}

static guint
wanted_now (const CenotePool *pool)
{
  return pool->phase == POOL_RUNNING ? pool->wanted : 0;
}

static gint64
oldest_deadline (CenotePool *pool)
{
  gint64 oldest_us = G_MAXINT64;
  GList *at;

  for (at = pool->waiters.head; at != NULL; at = at->next) {
    const Waiter *waiter = at->data;

    if (waiter->deadline.at != NULL)
      oldest_us = MIN (oldest_us, waiter->deadline.due_us);
  }
  return oldest_us;
}

/* Leases taken so far. */
static gint64
count_calls (const CenotePool *pool)
{
  gint64 calls = pool->calls_of_gone;
  guint i;

  for (i = 0; i < pool->channels->len; i++)
    calls += channel_calls (pool->channels->pdata[i]);
  return calls;
}

static void
ask_connector (CenotePool *pool, GArray *addresses, GArray *channels, GArray *changed, Plan *plan)
{
  gint64 now_us = control_now_us (pool->control);
  gint64 misses = (gint64) slot_table_misses (pool->table);
  gint64 calls = count_calls (pool);
  const CenoteConnectorView view = {
    .struct_size = sizeof view,
    .verb = pool->verb,
    .verb_address = CENOTE_NO_ADDRESS,
    .wanted = wanted_now (pool),
    .min = (guint32) pool_number (pool->settings, POOL_MIN_CHANNELS),
    .max = (guint32) pool_number (pool->settings, POOL_MAX_CHANNELS),
    .now_us = now_us,
    .oldest_deadline_us = oldest_deadline (pool),
    .acquired = (guint64) MAX (0, calls - pool->planned_calls),
    .refused = (guint64) (misses - pool->planned_misses),
    .n_waiters = g_queue_get_length (&pool->waiters),
    .n_addresses = addresses->len,
    .address_size = sizeof (CenoteAddressView),
    .n_channels = channels->len,
    .channel_size = sizeof (CenoteChannelView),
    .n_changed = changed->len,
    .addresses = (const CenoteAddressView *) (const void *) addresses->data,
    .channels = (const CenoteChannelView *) (const void *) channels->data,
    .changed = (const guint32 *) (const void *) changed->data,
  };

  pool->planned_misses = misses;
  pool->planned_calls = calls;
  pool->verb = CENOTE_VERB_NONE;
  pool->connector->plugin->ops.connector.plan (pool->connector->state, &view, &plan->table);
}

/* ------------------------------------------------------------ carrying it out */

Channel *
pool_open_channel (CenotePool *pool, Address *address, guint64 replaces)
{
  Channel *channel = channel_new (&pool->channel_site, pool->next_channel_id++, address);

  channel->replaces = replaces;
  channel->generation = pool->generation;
  g_ptr_array_add (pool->channels, channel);
  channel_begin (channel);
  return channel;
}

void
pool_drain_channel (Channel *channel, const char *why)
{
  channel_handle (channel, CHANNEL_DRAIN, why);
}

static gboolean
is_live (const Channel *channel)
{
  return channel->state != CENOTE_CHANNEL_DRAINING && channel->state != CENOTE_CHANNEL_SHUTDOWN;
}

/* Whether it counts against the limit: a replacement stands beside what it replaces. */
static gboolean
counts (CenotePool *pool, const Channel *channel)
{
  const Channel *old = channel->replaces == 0 ? NULL : pool_find_channel (pool, channel->replaces);

  return is_live (channel) && (old == NULL || !is_live (old));
}

/* How many channels that count a pool may have: as many as wanted, or, where its
 * connector chooses, max. */
static guint
live_limit (const CenotePool *pool)
{
  if (pool->phase == POOL_RUNNING && (pool->connector->plugin->ops.connector.flags & CENOTE_CONNECTOR_SIZES_ITSELF) != 0)
    return (guint) pool_number (pool->settings, POOL_MAX_CHANNELS);
  return wanted_now (pool);
}

static gboolean
plan_adds (const Plan *plan)
{
  guint i;

  for (i = 0; i < plan->steps->len; i++) {
    const Step *step = &g_array_index (plan->steps, Step, i);

    if (step->kind == STEP_REVIVE || (step->kind == STEP_OPEN && step->channel == 0))
      return TRUE;
  }
  return FALSE;
}

/* Channels that count after PLAN. */
static gint64
live_after (CenotePool *pool, const Plan *plan)
{
  gint64 live = 0;
  guint i;

  for (i = 0; i < pool->channels->len; i++)
    live += counts (pool, pool->channels->pdata[i]);
  for (i = 0; i < plan->steps->len; i++) {
    const Step *step = &g_array_index (plan->steps, Step, i);
    const Channel *channel = pool_find_channel (pool, step->channel);

    if (step->kind == STEP_OPEN && step->channel == 0)
      live += step->n;
    else if (step->kind == STEP_REVIVE)
      live += channel != NULL && !is_live (channel);
    else if (step->kind == STEP_DRAIN || step->kind == STEP_CLOSE)
      live -= channel != NULL && counts (pool, channel);
  }
  return live;
}

/* Whether the channel that step I replaces has a replacement, or gets one by an earlier step. */
static gboolean
is_replaced_twice (const CenotePool *pool, const Plan *plan, guint i)
{
  guint64 old = g_array_index (plan->steps, Step, i).channel;
  guint k;

  for (k = 0; k < pool->channels->len; k++) {
    const Channel *channel = pool->channels->pdata[k];

    if (is_live (channel) && channel->replaces == old)
      return TRUE;
  }
  for (k = 0; k < i; k++) {
    const Step *step = &g_array_index (plan->steps, Step, k);

    if (step->kind == STEP_OPEN && step->channel == old)
      return TRUE;
  }
  return FALSE;
}

static char *
step_fault (CenotePool *pool, const Plan *plan, guint i)
{
  const Step *step = &g_array_index (plan->steps, Step, i);
  gboolean known = pool_find_channel (pool, step->channel) != NULL;

  if (step->kind == STEP_OPEN && pool_find_address (pool, step->address) == NULL)
    return g_strdup_printf ("it opens channels to address %u, which there is not", step->address);
  if (step->kind == STEP_OPEN && step->channel != 0 && (step->n != 1 || !known))
    return g_strdup_printf ("it replaces channel %" G_GUINT64_FORMAT " by %u", step->channel, step->n);
  if (step->kind == STEP_OPEN && step->channel != 0 && is_replaced_twice (pool, plan, i))
    return g_strdup_printf ("it replaces channel %" G_GUINT64_FORMAT " twice", step->channel);
  if (step->kind != STEP_OPEN && step->kind != STEP_FORGET && !known)
    return g_strdup_printf ("it names channel %" G_GUINT64_FORMAT ", which there is not", step->channel);
  return NULL;
}

/* (transfer full) (nullable): why PLAN cannot be carried out. */
static char *
plan_fault (CenotePool *pool, const Plan *plan)
{
  gint64 live = live_after (pool, plan);
  guint limit = live_limit (pool);
  guint i;

  for (i = 0; i < plan->steps->len; i++) {
    char *fault = step_fault (pool, plan, i);

    if (fault != NULL)
      return fault;
  }
  if (plan_adds (plan) && live > limit)
    return g_strdup_printf ("it would make %" G_GINT64_FORMAT " channels, and at most %u are allowed", live, limit);
  return NULL;
}

static void
do_open (CenotePool *pool, const Step *step)
{
  Address *address = pool_find_address (pool, step->address);
  guint i;

  for (i = 0; i < step->n; i++)
    pool_open_channel (pool, address, step->channel);
}

static void
do_forget (CenotePool *pool, guint32 id)
{
  Address *address = pool_find_address (pool, id);
  guint i;

  for (i = 0; i < pool->channels->len; i++) {
    const Channel *channel = pool->channels->pdata[i];

    if (channel->address == address)
      return;
  }
  if (address != NULL && address->removed)
    g_ptr_array_remove (pool->addresses, address);
}

static void
do_step (CenotePool *pool, const Step *step)
{
  Channel *channel = pool_find_channel (pool, step->channel);

  switch (step->kind) {
  case STEP_REVIVE:
    channel_handle (channel, CHANNEL_REVIVE, NULL);
    break;
  case STEP_OPEN:
    do_open (pool, step);
    break;
  case STEP_DRAIN:
  case STEP_CLOSE:
    pool_drain_channel (channel, step->why);
    break;
  case STEP_FORGET:
    do_forget (pool, step->address);
    break;
  }
}

static void
carry_out (CenotePool *pool, const Plan *plan)
{
  StepKind kind;
  guint i;

  for (kind = STEP_REVIVE; kind <= STEP_FORGET; kind++) {
    for (i = 0; i < plan->steps->len; i++) {
      const Step *step = &g_array_index (plan->steps, Step, i);

      if (step->kind == kind)
        do_step (pool, step);
    }
  }
}

static void
refuse (CenotePool *pool, const char *fault)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_PLUGIN_FAILED);
  g_autofree char *reason = g_strdup_printf ("connector/%s: its plan was refused", pool->connector->plugin->name);

  event.reason = reason;
  event.error = fault;
  pool_emit (pool, &event);
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", pool->settings->name, "MESSAGE",
                    "Pool %s: the plan of connector %s was refused: %s", pool->settings->name,
                    pool->connector->plugin->name, fault);
}

void
pool_plan (CenotePool *pool)
{
  g_autoptr (GArray) addresses = g_array_new (FALSE, FALSE, sizeof (CenoteAddressView));
  g_autoptr (GArray) channels = g_array_new (FALSE, FALSE, sizeof (CenoteChannelView));
  g_autoptr (GArray) changed = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autofree char *fault = NULL;
  Plan plan;

  plan_init (&plan);
  view_addresses (pool, addresses);
  view_channels (pool, channels, changed, control_now_us (pool->control));
  ask_connector (pool, addresses, channels, changed, &plan);
  fault = plan_fault (pool, &plan);
  if (fault == NULL)
    carry_out (pool, &plan);
  else
    refuse (pool, fault);
  if (plan.wake_us != G_MAXINT64)
    control_timer_set (pool->control, &pool->plan_timer, plan.wake_us);
  g_array_free (plan.steps, TRUE);
}
