/* SPDX-License-Identifier: Apache-2.0 */
/* What telemetry/@NAME@ logs of the events that a test gives it, at the times that it asks for. */
#include <cenote/plugin-test.h>

static CenoteTestHost test;
static CenoteTestValues values;

static void *
create (const char *every)
{
  const CenotePlugin *plugin = CENOTE_TEST_PLUGIN;
  const CenoteTelemetryOps *ops = plugin->ops;
  void *state;

  cenote_test_host_init (&test);
  cenote_test_values_init (&values, plugin);
  cenote_test_values_set (&values, "every", every);
  state = ops->create (&test.host, &values.options, cenote_test_fault (&test));
  cenote_test_values_clear (&values); /* valid during create() only */
  CENOTE_TEST_CHECK (state != NULL);
  return state;
}

static void
destroy (void *state)
{
  const CenoteTelemetryOps *ops = CENOTE_TEST_PLUGIN->ops;

  ops->destroy (state);
  cenote_test_host_clear (&test);
}

static void
handle (void *state, uint32_t kind)
{
  const CenoteTelemetryOps *ops = CENOTE_TEST_PLUGIN->ops;
  CenoteEvent event = CENOTE_EVENT_INIT (kind);

  ops->handle (state, &event);
}

static int64_t
poll (void *state, CenotePollReason why)
{
  const CenoteTelemetryOps *ops = CENOTE_TEST_PLUGIN->ops;

  return ops->poll (state, test.now_us, why);
}

static void
test_events_are_counted_by_kind (void)
{
  void *state = create ("1min");

  handle (state, CENOTE_EVENT_POOL_INIT);
  handle (state, CENOTE_EVENT_CHANNEL_CONNECTED);
  handle (state, CENOTE_EVENT_CHANNEL_CONNECTED);
  CENOTE_TEST_CHECK (test.n_logged == 0);
  CENOTE_TEST_CHECK (poll (state, CENOTE_POLL_DUE) == test.now_us + 60000000);
  CENOTE_TEST_CHECK (test.n_logged == 1 && test.log_level == CENOTE_LOG_INFO);
  CENOTE_TEST_CHECK (strcmp (test.logged, "3 events: 2 channel.connected, 1 pool.init") == 0);
  destroy (state);
}

static void
test_silence_is_not_logged (void)
{
  void *state = create ("1s");

  CENOTE_TEST_CHECK (poll (state, CENOTE_POLL_DUE) == test.now_us + 1000000);
  cenote_test_advance (&test, 1000000);
  handle (state, CENOTE_N_EVENTS); /* of a newer Cenote */
  (void) poll (state, CENOTE_POLL_DUE);
  CENOTE_TEST_CHECK (test.n_logged == 0);
  destroy (state);
}

static void
test_the_end_is_a_time_to_log (void)
{
  void *state = create ("24h");

  handle (state, CENOTE_EVENT_LEASE_LEAK);
  (void) poll (state, CENOTE_POLL_LAST);
  CENOTE_TEST_CHECK (strcmp (test.logged, "1 events: 1 lease.leak") == 0);
  destroy (state);
}

int
main (void)
{
  test_events_are_counted_by_kind ();
  test_silence_is_not_logged ();
  test_the_end_is_a_time_to_log ();
  return 0;
}
