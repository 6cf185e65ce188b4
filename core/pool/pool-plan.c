/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-plan: asks the connector for a plan, and does what it says.
 *
 * The plan's functions only write down; it is checked whole against the pool's
 * limits, and carried out after plan() has returned.
 */
#include <string.h>

#include "pool.h"

typedef enum { STEP_REVIVE, STEP_OPEN, STEP_DRAIN, STEP_CLOSE, STEP_REFUSE, STEP_FORGET } StepKind;

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
  gboolean expects;          /* it says how many channels the pool wants, and why */
  guint expected;
  char *expected_why;
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
say_refuse (CenotePlan *plan, uint32_t address, const char *why)
{
  add_step (plan, STEP_REFUSE, address, 0, 0, why);
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
say_expect (CenotePlan *plan, uint32_t n, const char *why)
{
  Plan *mine = (Plan *) plan;

  g_free (mine->expected_why);
  mine->expects = TRUE;
  mine->expected = n;
  mine->expected_why = g_strdup (why);
}

static void
plan_init (Plan *plan)
{
  *plan = (Plan) {
    .table = { sizeof (CenotePlan), 0, say_open, say_drain, say_revive, say_close, say_forget, say_wake_at,
               say_refuse, say_expect },
    .steps = g_array_new (FALSE, FALSE, sizeof (Step)),
    .wake_us = G_MAXINT64,
  };
  g_array_set_clear_func (plan->steps, step_clear);
}

static void
plan_clear (Plan *plan)
{
  g_array_free (plan->steps, TRUE);
  g_free (plan->expected_why);
}

/* --------------------------------------------------------------------- asking */

static guint
wanted_now (const CenotePool *pool)
{
  return pool->phase == POOL_RUNNING ? pool->wanted : 0;
}

static void
ask_connector (CenotePool *pool, Plan *plan)
{
  CenoteConnectorView view = {
    .struct_size = sizeof view,
    .verb = pool->verb,
    .verb_address = pool->verb_address,
    .wanted = wanted_now (pool),
    .min = (guint32) pool_number (pool->settings, POOL_MIN_CHANNELS),
    .max = (guint32) pool_number (pool->settings, POOL_MAX_CHANNELS),
    .oldest_deadline_us = pool_oldest_deadline (pool),
    .n_waiters = g_queue_get_length (&pool->waiters),
    .idle_timeout_us = pool_number (pool->settings, POOL_IDLE_TIMEOUT),
    .max_streams_per_channel = (guint32) pool_number (pool->settings, POOL_MAX_STREAMS_PER_CHANNEL),
  };
  gint64 began_us;

  pool_view_show (pool, &view);
  pool->verb = CENOTE_VERB_NONE;
  pool->verb_address = CENOTE_NO_ADDRESS;
  began_us = instance_begin (pool->connector);
  pool->connector->plugin->ops.connector.plan (pool->connector->state, &view, &plan->table);
  instance_end (pool->connector, "plan", began_us);
  pool_view_planned (pool);
}

/* ------------------------------------------------------------ carrying it out */

Channel *
pool_open_channel (CenotePool *pool, Address *address, guint64 replaces)
{
  Channel *channel = channel_new (&pool->channel_site, pool->next_channel_id++, address);

  channel->replaces = replaces;
  pool_inherit_ejections (channel, pool_find_channel (pool, replaces));
  pool->n_live++;
  gauges_add (pool->meters.gauges, gauge_of_state (channel->state), +1);
  pool_view_add (pool, channel);
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
 * connector chooses, max; for as many addresses as are dialled its connector has a bound. */
static guint
live_limit (const CenotePool *pool)
{
  if (pool->dials)
    return POOL_MAX_SIZE;
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

/* Whether OLD has a replacement that this plan does not end, or gets one by an earlier step of it. */
static gboolean
is_replaced_twice (CenotePool *pool, Channel *old)
{
  const Channel *replacement = pool_find_channel (pool, old->replacement);
  gboolean claimed = old->claimed_by == pool->n_plans;

  old->claimed_by = pool->n_plans;
  return claimed || (replacement != NULL && is_live (replacement) && replacement->replaces == old->id &&
                     replacement->ended_by != pool->n_plans);
}

static void
mark_ended (CenotePool *pool, const Plan *plan)
{
  guint i;

  for (i = 0; i < plan->steps->len; i++) {
    const Step *step = &g_array_index (plan->steps, Step, i);
    Channel *channel = step->kind == STEP_DRAIN || step->kind == STEP_CLOSE ? pool_find_channel (pool, step->channel) : NULL;

    if (channel != NULL)
      channel->ended_by = pool->n_plans;
  }
}

static char *
step_fault (CenotePool *pool, const Step *step)
{
  Channel *channel = pool_find_channel (pool, step->channel);
  gboolean known = channel != NULL;

  if (step->kind == STEP_OPEN && pool_find_address (pool, step->address) == NULL)
    return g_strdup_printf ("it opens channels to address %u, which there is not", step->address);
  if (step->kind == STEP_OPEN && step->channel != 0 && (step->n != 1 || !known))
    return g_strdup_printf ("it replaces channel %" G_GUINT64_FORMAT " by %u", step->channel, step->n);
  if (step->kind == STEP_OPEN && step->channel != 0 && is_replaced_twice (pool, channel))
    return g_strdup_printf ("it replaces channel %" G_GUINT64_FORMAT " twice", step->channel);
  if (step->kind < STEP_REFUSE && step->kind != STEP_OPEN && !known)
    return g_strdup_printf ("it names channel %" G_GUINT64_FORMAT ", which there is not", step->channel);
  return NULL;
}

/* (transfer full) (nullable): why PLAN cannot be carried out. */
static char *
plan_fault (CenotePool *pool, const Plan *plan)
{
  gint64 live;
  guint limit = live_limit (pool);
  guint i;

  mark_ended (pool, plan);
  for (i = 0; i < plan->steps->len; i++) {
    char *fault = step_fault (pool, &g_array_index (plan->steps, Step, i));

    if (fault != NULL)
      return fault;
  }
  if (plan->expects && plan->expected > limit)
    return g_strdup_printf ("it expects %u channels, and at most %u are allowed", plan->expected, limit);
  if (!plan_adds (plan))
    return NULL;
  live = live_after (pool, plan);
  if (live > limit)
    return g_strdup_printf ("it would make %" G_GINT64_FORMAT " channels, and at most %u are allowed", live, limit);
  return NULL;
}

static void
do_open (CenotePool *pool, const Step *step)
{
  Address *address = pool_find_address (pool, step->address);
  Channel *replaced = pool_find_channel (pool, step->channel);
  guint i;

  for (i = 0; i < step->n; i++) {
    const Channel *channel = pool_open_channel (pool, address, step->channel);

    if (replaced != NULL)
      replaced->replacement = channel->id;
  }
}

static void
do_forget (CenotePool *pool, guint32 id)
{
  Address *address = pool_find_address (pool, id);

  if (address == NULL || address->n_channels > 0)
    return;
  if (pool->dials && address->n_waiters == 0)
    pool_cache_forget (pool, address);
  else if (address->removed)
    pool_view_remove_address (pool, address);
}

static void
do_refuse (CenotePool *pool, const Step *step)
{
  const Address *address = pool_find_address (pool, step->address);
  g_autoptr (GError) error = NULL;

  if (address == NULL)
    return;
  error = g_error_new (CENOTE_ERROR, CENOTE_ERROR_LIMIT, "Pool %s has no room for %s: %s", pool->settings->name,
                       address->name, step->why);
  pool_fail_waiters_of (pool, address, error);
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
  case STEP_REFUSE:
    do_refuse (pool, step);
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

/* What a resize has told is not told again: the number that was wanted is another one then. */
static void
take_expected (CenotePool *pool, const Plan *plan, gint64 begun_us)
{
  guint old = pool_expected (pool);

  if (!plan->expects || pool->phase != POOL_RUNNING)
    return;
  pool->expects = TRUE;
  pool->expected = plan->expected;
  if (pool->planned_wanted == wanted_now (pool))
    pool_tell_scaling (pool, old, pool->expected, plan->expected_why, begun_us);
}

static void
refuse (CenotePool *pool, const char *fault)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_PLUGIN_FAILED);
  g_autofree char *reason = g_strdup_printf ("connector/%s: its plan was refused", pool->connector->plugin->name);

  counters_add (pool->meters.counters, COUNTER_PLANS_REFUSED, 1);
  event.reason = reason;
  event.error = fault;
  pool_emit (pool, &event);
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", pool->settings->name, "MESSAGE",
                    "Pool %s: the plan of connector %s was refused: %s", pool->settings->name,
                    pool->connector->plugin->name, fault);
}

static guint
count_ends (const Plan *plan)
{
  guint n = 0;
  guint i;

  for (i = 0; i < plan->steps->len; i++) {
    const Step *step = &g_array_index (plan->steps, Step, i);

    n += step->kind == STEP_DRAIN || step->kind == STEP_CLOSE;
  }
  return n;
}

guint
pool_plan (CenotePool *pool)
{
  gint64 begun_us = control_now_us (pool->control);
  g_autofree char *fault = NULL;
  guint n_ends = 0;
  Plan plan;

  plan_init (&plan);
  pool->n_plans++;
  ask_connector (pool, &plan);
  fault = plan_fault (pool, &plan);
  if (fault == NULL) {
    n_ends = count_ends (&plan);
    carry_out (pool, &plan);
    take_expected (pool, &plan, begun_us);
  } else {
    refuse (pool, fault);
  }
  pool->planned_wanted = wanted_now (pool);
  if (plan.wake_us != G_MAXINT64)
    control_timer_set (pool->control, &pool->plan_timer, plan.wake_us);
  plan_clear (&plan);
  return n_ends;
}

guint
pool_plan_verb (CenotePool *pool, CenoteVerb verb, guint32 address)
{
  pool->verb = verb;
  pool->verb_address = address;
  pool_touch (pool);
  return pool_plan (pool);
}
