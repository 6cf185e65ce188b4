/* SPDX-License-Identifier: Apache-2.0 */
/* The plans of connector/@NAME@, each from a view that the test sets up. */
#include <cenote/plugin-test.h>

static CenoteTestHost test;
static CenoteTestValues values;
static CenoteTestPool pool;
static CenoteTestPlan said;

static void *
create (const char *replace)
{
  const CenotePlugin *plugin = CENOTE_TEST_PLUGIN;
  const CenoteConnectorOps *ops = plugin->ops;
  void *state;

  cenote_test_host_init (&test);
  cenote_test_values_init (&values, plugin);
  cenote_test_values_set (&values, "replace", replace);
  state = ops->create (&test.host, &values.options, cenote_test_fault (&test));
  cenote_test_values_clear (&values); /* valid during create() only */
  CENOTE_TEST_CHECK (state != NULL);
  return state;
}

static void
plan (void *state)
{
  const CenoteConnectorOps *ops = CENOTE_TEST_PLUGIN->ops;

  cenote_test_plan_init (&said);
  ops->plan (state, &pool.view, &said.plan);
}

static void
destroy (void *state)
{
  const CenoteConnectorOps *ops = CENOTE_TEST_PLUGIN->ops;

  ops->destroy (state);
  cenote_test_host_clear (&test);
}

static void
test_what_is_missing_is_opened (void)
{
  void *state = create ("yes");

  cenote_test_pool_init (&pool, 3);
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.1:443");
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_READY);
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_DRAINING);
  plan (state);
  CENOTE_TEST_CHECK (said.n_opened == 2 && said.opened_at == 1 && said.replaced == 0);
  CENOTE_TEST_CHECK (said.n_drained == 0);
  destroy (state);
}

static void
test_the_newest_of_too_many_is_drained (void)
{
  void *state = create ("yes");

  cenote_test_pool_init (&pool, 1);
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.1:443");
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_READY);
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_READY);
  plan (state);
  CENOTE_TEST_CHECK (said.n_drained == 1 && said.drained == 2);
  CENOTE_TEST_CHECK (said.n_opened == 0);
  destroy (state);
}

static void
test_addresses_have_even_shares (void)
{
  void *state = create ("yes");

  cenote_test_pool_init (&pool, 4);
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.1:443");
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.2:443");
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.3:443")->removed = 1;
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_READY);
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_READY);
  cenote_test_pool_add_channel (&pool, 3, CENOTE_CHANNEL_READY);
  plan (state);
  CENOTE_TEST_CHECK (said.n_opened == 2 && said.opened_at == 2);
  CENOTE_TEST_CHECK (said.n_drained == 1 && said.drained == 3);
  destroy (state);
}

static void
test_the_last_ready_channel_stays_until_there_is_another (void)
{
  void *state = create ("yes");

  cenote_test_pool_init (&pool, 1);
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.1:443")->removed = 1;
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.2:443");
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_READY);
  plan (state);
  CENOTE_TEST_CHECK (said.n_opened == 1 && said.opened_at == 2 && said.n_drained == 0);

  cenote_test_pool_add_channel (&pool, 2, CENOTE_CHANNEL_READY);
  plan (state);
  CENOTE_TEST_CHECK (said.n_opened == 0 && said.n_drained == 1 && said.drained == 1);
  destroy (state);
}

static void
test_a_stale_channel_is_replaced_once (void)
{
  void *state = create ("yes");
  CenoteChannelView *successor;

  cenote_test_pool_init (&pool, 1);
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.1:443");
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_READY)->flags = CENOTE_CHANNEL_STALE;
  plan (state);
  CENOTE_TEST_CHECK (said.n_opened == 1 && said.replaced == 1);

  successor = cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_CONNECTING);
  successor->replaces = 1;
  plan (state);
  CENOTE_TEST_CHECK (said.n_opened == 0 && said.n_drained == 0);
  destroy (state);
}

static void
test_a_stale_channel_is_left_where_so_told (void)
{
  void *state = create ("no");

  cenote_test_pool_init (&pool, 1);
  cenote_test_pool_add_address (&pool, "ipv4:192.0.2.1:443");
  cenote_test_pool_add_channel (&pool, 1, CENOTE_CHANNEL_READY)->flags = CENOTE_CHANNEL_STALE;
  plan (state);
  CENOTE_TEST_CHECK (said.n_opened == 0 && said.n_drained == 0);
  destroy (state);
}

int
main (void)
{
  test_what_is_missing_is_opened ();
  test_the_newest_of_too_many_is_drained ();
  test_addresses_have_even_shares ();
  test_the_last_ready_channel_stays_until_there_is_another ();
  test_a_stale_channel_is_replaced_once ();
  test_a_stale_channel_is_left_where_so_told ();
  return 0;
}
