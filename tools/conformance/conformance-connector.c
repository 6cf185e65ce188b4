/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-connector: plans that come to rest, at what was wanted, by means that a pool has. */
#include "conformance.h"
#include "fake-pool.h"

enum { PLANS = 200 };

static const CenoteConnectorOps *
ops_of (Fixture *fixture)
{
  return &fixture->plugin->ops.connector;
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

static void
expect_rest (Conformance *run, const char *check, FakePool *pool, guint plans, guint expected)
{
  guint ready = fake_pool_count (pool, CENOTE_CHANNEL_READY);

  conformance_expect (run, check, plans < PLANS && ready == expected && pool->faults->len == 0,
                      "%u channels are ready after %u plans, expected %u; %s", ready, plans, expected,
                      pool->faults->str);
}

/* From any size to any other. */
static void
check_sizes (Conformance *run)
{
  static const guint sizes[] = { 5, 1, 16, 3, 0, 7 };
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (0, 3);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint plans;

    pool->wanted = sizes[i];
    plans = run_pool (pool, fixture);
    expect_rest (run, "connector: the pool comes to rest at each wanted size", pool, plans, sizes[i]);
  }
}

static void
check_purity (Conformance *run)
{
  g_autoptr (Fixture) one = conformance_create (run);
  g_autoptr (Fixture) other = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (4, 2);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  run_pool (pool, one);
  pool->wanted = 2;
  first = fake_pool_plan (pool, ops_of (one), one->state);
  second = fake_pool_plan (pool, ops_of (other), other->state);
  if (run->plugin->options.n_rows == 0)
    conformance_expect (run, "connector: the same view gives the same plan", g_str_equal (first, second),
                        "'%s', then '%s'", first, second);
}

static void
check_loss (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (3, 1);
  guint plans;

  run_pool (pool, fixture);
  if (pool->channels->len > 0)
    g_ptr_array_remove_index (pool->channels, 0);
  plans = run_pool (pool, fixture);
  expect_rest (run, "connector: a channel that is gone is opened anew", pool, plans, 3);
}

static void
check_down (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (3, 1);
  guint plans, n;

  run_pool (pool, fixture);
  ((CenoteAddressView *) pool->addresses->pdata[0])->gate = CENOTE_GATE_DOWN;
  for (guint i = 0; i < pool->channels->len; i++)
    fake_pool_set_state (pool, pool->channels->pdata[i], CENOTE_CHANNEL_TRANSIENT_FAILURE);
  plans = run_pool (pool, fixture);
  n = pool->channels->len;
  conformance_expect (run, "connector: while an address is down, its channels stay and are no more",
                      plans < PLANS && n == 3, "%u channels after %u plans, expected 3", n, plans);
}

/* Draining channels with leases never come to an end here: the plan must not wait for them. */
static void
check_leases (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (4, 1);
  guint plans;

  run_pool (pool, fixture);
  for (guint i = 0; i < pool->channels->len; i++)
    ((CenoteChannelView *) pool->channels->pdata[i])->in_flight = 1 + i;
  pool->wanted = 1;
  plans = run_pool (pool, fixture);
  expect_rest (run, "connector: leases held do not keep a plan from coming to rest", pool, plans, 1);
}

enum { LEAST = 2, MOST = 9 };

static guint
count_living (FakePool *pool)
{
  return pool->channels->len - fake_pool_count (pool, CENOTE_CHANNEL_DRAINING) -
         fake_pool_count (pool, CENOTE_CHANNEL_SHUTDOWN);
}

/* A load that comes and goes, for an hour. */
static void
load_channels (FakePool *pool, guint64 *seed)
{
  gint64 each = fixture_random (seed) % 2 == 0 ? 0 : (gint64) (fixture_random (seed) % 200);

  for (guint i = 0; i < pool->channels->len; i++)
    ((CenoteChannelView *) pool->channels->pdata[i])->in_flight = each;
  pool->acquired = (guint64) each;
  pool->waiters = 0;
}

/* A connector that chooses the size keeps between min and max, and its word. */
static void
check_own_size (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autoptr (FakePool) pool = new_pool (5, 2);
  guint64 seed = 5;
  guint outside = 0, unlike = 0;

  pool->min = LEAST;
  pool->max = MOST;
  for (guint i = 0; i < 3600; i++) {
    g_free (fake_pool_plan (pool, ops_of (fixture), fixture->state));
    fake_pool_apply (pool);
    fake_pool_settle (pool);
    outside += count_living (pool) < LEAST || count_living (pool) > MOST;
    unlike += pool->expected >= 0 && pool->expected != (gint64) count_living (pool);
    load_channels (pool, &seed);
    pool->now_us += G_USEC_PER_SEC;
  }
  conformance_expect (run, "connector: its size is between min and max", outside == 0 && pool->faults->len == 0,
                      "%u of 3600 were not; %s", outside, pool->faults->str);
  conformance_expect (run, "connector: what it says to expect is what it keeps", unlike == 0, "%u of 3600 times not", unlike);
}

/* A connector that dials opens what somebody waits for, and nothing else. */
static void
check_dialling (Conformance *run)
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
  conformance_expect (run, "connector: what is waited for is opened", at_second > 0 && at_first == 0,
                      "the plan was '%s'", plan);
}

void
conformance_connector (Conformance *run)
{
  guint32 flags = run->plugin->ops.connector.flags;

  check_purity (run);
  if (flags & CENOTE_CONNECTOR_DIALS) {
    check_dialling (run);
    return;
  }
  if (flags & CENOTE_CONNECTOR_SIZES_ITSELF) {
    check_own_size (run);
    return;
  }
  check_sizes (run);
  check_loss (run);
  check_down (run);
  check_leases (run);
}
