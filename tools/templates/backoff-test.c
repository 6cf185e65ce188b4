/* SPDX-License-Identifier: Apache-2.0 */
/* The delays of backoff/@NAME@, with the luck that each test chooses. */
#include <cenote/plugin-test.h>

static CenoteTestHost test;
static CenoteTestValues values;

/* A state with these values; NULL: the default. */
static void *
create (const char *step, const char *max, const char *jitter)
{
  const CenotePlugin *plugin = CENOTE_TEST_PLUGIN;
  const CenoteBackoffOps *ops = plugin->ops;
  void *state;

  cenote_test_host_init (&test);
  cenote_test_values_init (&values, plugin);
  cenote_test_values_set (&values, "step", step);
  cenote_test_values_set (&values, "max", max);
  cenote_test_values_set (&values, "jitter", jitter);
  state = ops->create (&test.host, &values.options, cenote_test_fault (&test));
  cenote_test_values_clear (&values); /* valid during create() only */
  CENOTE_TEST_CHECK (state != NULL);
  return state;
}

static void
destroy (void *state)
{
  const CenoteBackoffOps *ops = CENOTE_TEST_PLUGIN->ops;

  ops->destroy (state);
  cenote_test_host_clear (&test);
}

static void
test_delays_grow_to_the_longest (void)
{
  const CenoteBackoffOps *ops = CENOTE_TEST_PLUGIN->ops;
  void *state = create ("200ms", "500ms", "0");

  CENOTE_TEST_CHECK (ops->next (state) == 200000);
  CENOTE_TEST_CHECK (ops->next (state) == 400000);
  CENOTE_TEST_CHECK (ops->next (state) == 500000);
  CENOTE_TEST_CHECK (ops->next (state) == 500000);
  destroy (state);
}

static void
test_a_good_connection_begins_anew (void)
{
  const CenoteBackoffOps *ops = CENOTE_TEST_PLUGIN->ops;
  void *state = create ("200ms", "30s", "0");
  int64_t first_us = ops->next (state);

  (void) ops->next (state);
  ops->reset (state);
  CENOTE_TEST_CHECK (ops->next (state) == first_us);
  destroy (state);
}

static void
test_luck_shortens_by_the_jitter_at_most (void)
{
  const CenoteBackoffOps *ops = CENOTE_TEST_PLUGIN->ops;
  void *state = create ("1s", "1s", "25%");

  for (int i = 0; i < 1000; i++) {
    int64_t delay_us;

    cenote_test_seed_luck (&test, (uint64_t) i);
    delay_us = ops->next (state);
    CENOTE_TEST_CHECK (delay_us >= 750000 && delay_us <= 1000000);
  }
  destroy (state);
}

int
main (void)
{
  test_delays_grow_to_the_longest ();
  test_a_good_connection_begins_anew ();
  test_luck_shortens_by_the_jitter_at_most ();
  return 0;
}
