/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-connector: plans that come to rest, at what was wanted, within a pool's limits, by what a pool has. */
#include "conformance.h"
#include "fake-pool.h"

enum { PLANS = 200 };

static const CenoteConnectorOps *
ops_of (Fixture *fixture)
{
  return &fixture->plugin->ops.connector;
}

static gboolean
dials (const Plugin *plugin)
{
  return (plugin->ops.connector.flags & CENOTE_CONNECTOR_DIALS) != 0;
}

static gboolean
sizes_itself (const Plugin *plugin)
{
  return !dials (plugin) && (plugin->ops.connector.flags & CENOTE_CONNECTOR_SIZES_ITSELF) != 0;
}

static gboolean
is_sized (const Plugin *plugin)
{
  return !dials (plugin) && !sizes_itself (plugin);
}

static gboolean
has_addresses (const Plugin *plugin)
{
  return !dials (plugin);
}

static guint
run_pool (FakePool *pool, Fixture *fixture)
{
  return fake_pool_run (pool, ops_of (fixture), fixture->state, PLANS);
}

static FakePool *
new_pool (guint wanted, guint n_addresses)
{
  static const char *const names[] = { "dns:///one:1", "dns:///two:2", "dns:///three:3" };
  FakePool *pool = fake_pool_new (wanted);

  pool->waiters = 1; /* whoever sleeps until somebody asks does not */
  for (guint i = 0; i < n_addresses; i++)
    fake_pool_add_address (pool, names[i]);
  return pool;
}

/* ---------------------------------------------------------- what was wanted */

/* (transfer full) (nullable): POOL as it should be after PLANS. */
static char *
judge_rest (FakePool *pool, guint plans, guint expected)
{
  guint ready = fake_pool_count (pool, CENOTE_CHANNEL_READY);

  if (plans < PLANS && ready == expected)
    return NULL;
  return g_strdup_printf ("%u channels are ready after %u plans, expected %u", ready, plans, expected);
}

/* Whether another check's promise, that of "connector-rest", is kept with WANTED from nothing. */
static gboolean
fills (const Conformance *run, guint wanted)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (wanted, 1);
  g_autofree char *problem = judge_rest (pool, run_pool (pool, fixture), wanted);

  return problem == NULL;
}

/* From any size to any other. */
static char *
check_rest (const Conformance *run)
{
  static const guint sizes[] = { 5, 1, 16, 3, 0, 7 };
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (0, 3);
  char *problem = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sizes) && !problem; i++) {
    pool->wanted = sizes[i];
    problem = judge_rest (pool, run_pool (pool, fixture), sizes[i]);
  }
  return problem;
}

static char *
check_loss (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (3, 1);

  if (!fills (run, 3))
    return NULL;
  run_pool (pool, fixture);
  g_ptr_array_remove_index (pool->channels, 0);
  return judge_rest (pool, run_pool (pool, fixture), 3);
}

static char *
check_down (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (3, 1);
  guint plans;

  if (!fills (run, 3))
    return NULL;
  run_pool (pool, fixture);
  ((CenoteAddressView *) pool->addresses->pdata[0])->gate = CENOTE_GATE_DOWN;
  for (guint i = 0; i < pool->channels->len; i++)
    fake_pool_set_state (pool, pool->channels->pdata[i], CENOTE_CHANNEL_TRANSIENT_FAILURE);
  plans = run_pool (pool, fixture);
  if (plans < PLANS && pool->channels->len == 3)
    return NULL;
  return g_strdup_printf ("%u channels after %u plans, expected 3", pool->channels->len, plans);
}

/* Draining channels with leases never come to an end here: the plan must not wait for them. */
static char *
check_leases (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (4, 1);

  if (!fills (run, 4))
    return NULL;
  run_pool (pool, fixture);
  for (guint i = 0; i < pool->channels->len; i++)
    ((CenoteChannelView *) pool->channels->pdata[i])->in_flight = 1 + i;
  pool->wanted = 1;
  return judge_rest (pool, run_pool (pool, fixture), 1);
}

/* Of two states that were shown the same. */
static char *
check_purity (const Conformance *run)
{
  g_autoptr (Fixture) one = conformance_create (run);
  g_autoptr (Fixture) other = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (4, 2);
  g_autofree char *first = fake_pool_plan (pool, ops_of (one), one->state);
  g_autofree char *second = fake_pool_plan (pool, ops_of (other), other->state);

  return g_str_equal (first, second) ? NULL : g_strdup_printf ("'%.100s', then '%.100s'", first, second);
}

/* ------------------------------------------------------------- its own size */

enum { LEAST = 2, MOST = 9, N_SECONDS = 3600 };

static guint
count_living (FakePool *pool)
{
  return pool->channels->len - fake_pool_count (pool, CENOTE_CHANNEL_DRAINING) -
         fake_pool_count (pool, CENOTE_CHANNEL_SHUTDOWN);
}

/* A load that comes and goes. */
static void
load_channels (FakePool *pool, guint64 *seed)
{
  gint64 each = fixture_random (seed) % 2 == 0 ? 0 : (gint64) (fixture_random (seed) % 200);

  for (guint i = 0; i < pool->channels->len; i++)
    ((CenoteChannelView *) pool->channels->pdata[i])->in_flight = each;
  pool->acquired = (guint64) each;
  pool->waiters = 0;
}

/* An hour, a plan each second: how often the size was OUTSIDE of its limits, and how often not what was said. */
static void
live_an_hour (const Conformance *run, guint *out_outside, guint *out_unlike)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (5, 2);
  guint64 seed = 5;

  *out_outside = *out_unlike = 0;
  pool->min = LEAST;
  pool->max = MOST;
  for (guint i = 0; i < N_SECONDS; i++) {
    g_free (fake_pool_plan (pool, ops_of (fixture), fixture->state));
    fake_pool_apply (pool);
    fake_pool_settle (pool);
    *out_outside += count_living (pool) < LEAST || count_living (pool) > MOST;
    *out_unlike += pool->expected >= 0 && pool->expected != (gint64) count_living (pool);
    load_channels (pool, &seed);
    pool->now_us += G_USEC_PER_SEC;
  }
}

static char *
check_own_size (const Conformance *run)
{
  guint outside, unlike;

  live_an_hour (run, &outside, &unlike);
  return outside > 0 ? g_strdup_printf ("%u of %d times it was not between %d and %d", outside, N_SECONDS, LEAST, MOST)
                     : NULL;
}

static char *
check_expect (const Conformance *run)
{
  guint outside, unlike;

  live_an_hour (run, &outside, &unlike);
  return unlike > 0 ? g_strdup_printf ("%u of %d times it kept another number", unlike, N_SECONDS) : NULL;
}

/* ----------------------------------------------------------------- dialling */

/* A connector that dials opens what somebody waits for, and nothing else. */
static char *
check_dial (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (0, 2);
  g_autofree char *plan = NULL;
  guint at_first, at_second;

  ((CenoteAddressView *) pool->addresses->pdata[1])->waiters = 1;
  plan = fake_pool_plan (pool, ops_of (fixture), fixture->state);
  fake_pool_apply (pool);
  at_first = fake_pool_count_at (pool, 1, CENOTE_CHANNEL_CONNECTING);
  at_second = fake_pool_count_at (pool, 2, CENOTE_CHANNEL_CONNECTING);
  return at_second > 0 && at_first == 0 ? NULL : g_strdup_printf ("the plan was '%.100s'", plan);
}

/* ------------------------------------------------------------- random views */

static gboolean
is_live (const CenoteChannelView *channel)
{
  return channel && channel->state != CENOTE_CHANNEL_DRAINING && channel->state != CENOTE_CHANNEL_SHUTDOWN;
}

/* Whether it counts against a limit: a replacement stands beside what it replaces. */
static gboolean
counts (FakePool *pool, const CenoteChannelView *channel)
{
  return is_live (channel) && !(channel->replaces && is_live (fake_pool_find_channel (pool, channel->replaces)));
}

/* Channels that count, as they would after the plan; -1: it adds none. */
static gint64
count_after (FakePool *pool)
{
  gint64 n = 0;
  gboolean adds = FALSE;

  for (guint i = 0; i < pool->channels->len; i++)
    n += counts (pool, pool->channels->pdata[i]);
  for (guint i = 0; i < pool->actions->len; i++) {
    const FakeAction *action = pool->actions->pdata[i];
    const CenoteChannelView *channel = fake_pool_find_channel (pool, action->channel);

    if (action->type == FAKE_OPEN && action->channel == 0)
      n += action->n;
    else if (action->type == FAKE_REVIVE)
      n += !is_live (channel);
    else if (action->type == FAKE_DRAIN || action->type == FAKE_CLOSE)
      n -= counts (pool, channel);
    adds = adds || action->type == FAKE_REVIVE || (action->type == FAKE_OPEN && action->channel == 0);
  }
  return adds ? n : -1;
}

static gint64
limit_of (const Plugin *plugin, const FakePool *pool)
{
  if (dials (plugin))
    return 100000;
  return sizes_itself (plugin) ? pool->max : pool->wanted;
}

static CenoteChannelView *
any_channel (FakePool *pool, guint64 *seed)
{
  return pool->channels->len > 0 ? pool->channels->pdata[fixture_random (seed) % pool->channels->len] : NULL;
}

static CenoteAddressView *
any_address (FakePool *pool, guint64 *seed)
{
  return pool->addresses->len > 0 ? pool->addresses->pdata[fixture_random (seed) % pool->addresses->len] : NULL;
}

/* What may happen to a channel between two plans. */
static void
disturb_channel (FakePool *pool, CenoteChannelView *channel, guint64 *seed)
{
  static const CenoteChannelState states[] = { CENOTE_CHANNEL_READY, CENOTE_CHANNEL_TRANSIENT_FAILURE,
                                               CENOTE_CHANNEL_CONNECTING };

  channel->in_flight = (gint64) (fixture_random (seed) % 20);
  channel->last_use_us = pool->now_us;
  channel->flags = (guint32) (fixture_random (seed) % 4) * (fixture_random (seed) % 2 == 0);
  if (is_live (channel))
    fake_pool_set_state (pool, channel, states[fixture_random (seed) % G_N_ELEMENTS (states)]);
}

static void
disturb_address (CenoteAddressView *address, gboolean is_dialled, gint64 now_us, guint64 *seed)
{
  address->gate = (guint32) (fixture_random (seed) % 3);
  address->next_attempt_us = address->gate == CENOTE_GATE_DOWN ? now_us + G_USEC_PER_SEC : 0;
  if (is_dialled)
    address->waiters = (guint32) (fixture_random (seed) % 3);
  else
    address->removed = address->removed || fixture_random (seed) % 8 == 0;
  if (address->waiters > 0)
    address->last_use_us = now_us;
}

static void
disturb_pool (FakePool *pool, gboolean is_dialled, guint64 *seed)
{
  if (pool->addresses->len < 4)
    fake_pool_add_address (pool, "dns:///more:1");
  pool->wanted = (guint) (fixture_random (seed) % (MOST + 1));
  pool->waiters = (guint) (fixture_random (seed) % 3);
  pool->refused = fixture_random (seed) % 3;
  if (is_dialled || fixture_random (seed) % 4 > 0)
    return;
  pool->verb = fixture_random (seed) % 2 == 0 ? CENOTE_VERB_ROTATE : CENOTE_VERB_DISCONNECT;
}

static void
disturb (FakePool *pool, gboolean is_dialled, guint64 *seed)
{
  CenoteChannelView *channel = any_channel (pool, seed);
  CenoteAddressView *address = any_address (pool, seed);

  pool->now_us += 1 + (gint64) (fixture_random (seed) % (10 * G_USEC_PER_SEC));
  switch (fixture_random (seed) % 4) {
  case 0:
    if (channel)
      disturb_channel (pool, channel, seed);
    break;
  case 1:
    if (address)
      disturb_address (address, is_dialled, pool->now_us, seed);
    break;
  case 2:
    disturb_pool (pool, is_dialled, seed);
    break;
  default:
    if (channel)
      g_ptr_array_remove (pool->channels, channel);
  }
}

/* (transfer full) (nullable): what POOL's last plan does that a host would refuse. */
static char *
judge_plan (const Plugin *plugin, FakePool *pool, const char *plan)
{
  gint64 n = count_after (pool), limit = limit_of (plugin, pool);

  if (pool->faults->len > 0)
    return g_strdup_printf ("%sthe plan was '%.100s'", pool->faults->str, plan);
  if (n > limit)
    return g_strdup_printf ("%" G_GINT64_FORMAT " channels, where %" G_GINT64_FORMAT " are allowed; the plan: '%.100s'",
                            n, limit, plan);
  if (pool->expected > limit)
    return g_strdup_printf ("it expects %" G_GINT64_FORMAT " channels, where %" G_GINT64_FORMAT " are allowed",
                            pool->expected, limit);
  return NULL;
}

/* One pool to which all happens that can. */
static char *
check_views (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (3, 2);
  char *problem = NULL;
  guint64 seed = 29;

  pool->min = LEAST;
  pool->max = MOST;
  for (guint i = 0; i < 10000 && !problem; i++) {
    g_autofree char *plan = NULL;

    disturb (pool, dials (run->plugin), &seed);
    plan = fake_pool_plan (pool, ops_of (fixture), fixture->state);
    problem = judge_plan (run->plugin, pool, plan);
    fake_pool_apply (pool);
    if (fixture_random (&seed) % 2 == 0)
      fake_pool_settle (pool);
  }
  return problem;
}

/* A pool in use whose channels stand anyhow, but for one that is ready. */
static FakePool *
new_busy_pool (guint64 *seed)
{
  FakePool *pool = new_pool (1 + (guint) (fixture_random (seed) % 4), 2);
  guint n = 1 + (guint) (fixture_random (seed) % 5);

  pool->acquired = 100;
  for (guint i = 0; i < n; i++) {
    CenoteChannelState state = i == 0 ? CENOTE_CHANNEL_READY : CENOTE_CHANNEL_CONNECTING;
    CenoteChannelView *channel = fake_pool_add_channel (pool, 1 + (guint32) (fixture_random (seed) % 2), state);

    channel->flags = fixture_random (seed) % 3 == 0 ? CENOTE_CHANNEL_STALE : 0;
    channel->in_flight = state == CENOTE_CHANNEL_READY;
    channel->last_use_us = state == CENOTE_CHANNEL_READY ? pool->now_us : -1;
  }
  pool->now_us += G_USEC_PER_SEC;
  return pool;
}

/* As long as channels are wanted, the one that is ready stays until another is. */
static char *
check_last (const Conformance *run)
{
  guint64 seed = 31;

  for (guint i = 0; i < 1000; i++) {
    g_autoptr (Fixture) fixture = conformance_create (run);
    g_autoptr (FakePool) pool = new_busy_pool (&seed);
    g_autofree char *plan = fake_pool_plan (pool, ops_of (fixture), fixture->state);

    fake_pool_apply (pool);
    if (fake_pool_count (pool, CENOTE_CHANNEL_READY) == 0)
      return g_strdup_printf ("no channel is ready after the plan '%.100s'", plan);
  }
  return NULL;
}

/* ------------------------------------------------------------------- calls */

static guint64
call_plan (Fixture *fixture)
{
  g_autoptr (FakePool) pool = new_pool (3, 2);
  g_autofree char *plan = fake_pool_plan (pool, ops_of (fixture), fixture->state);

  return g_str_hash (plan);
}

static const ConformanceCall calls[] = { { "plan", call_plan } };

static const ConformanceCheck checks[] = {
  { .name = "connector-purity", .promise = "the same view gives the same plan", .run = check_purity },
  { .name = "connector-views", .promise = "no plan leaves its pool's limits, whatever the pool", .run = check_views },
  { .name = "connector-last", .promise = "the last ready channel stays until there is another", .run = check_last,
    .applies = has_addresses },
  { .name = "connector-rest", .promise = "the pool comes to rest at each wanted size", .run = check_rest,
    .applies = is_sized },
  { .name = "connector-loss", .promise = "a channel that is gone is opened anew",
    .run = check_loss, .applies = is_sized },
  { .name = "connector-down", .promise = "while an address is down, its channels stay and are no more",
    .run = check_down, .applies = is_sized },
  { .name = "connector-leases", .promise = "leases held do not keep a plan from coming to rest", .run = check_leases,
    .applies = is_sized },
  { .name = "connector-size", .promise = "its size is between min and max", .run = check_own_size,
    .applies = sizes_itself },
  { .name = "connector-expect", .promise = "what it says to expect is what it keeps", .run = check_expect,
    .applies = sizes_itself },
  { .name = "connector-dial", .promise = "what is waited for is opened, and nothing else", .run = check_dial,
    .applies = dials },
};

const ConformancePart conformance_connector = { checks, G_N_ELEMENTS (checks), calls, G_N_ELEMENTS (calls) };
