/* SPDX-License-Identifier: Apache-2.0 */
/* What picker/@NAME@ picks from the places that a test sets up. */
#include <cenote/plugin-test.h>

static CenoteTestHost test;
static CenoteTestValues values;
static CenoteTestPick places;

static void *
create (const char *weights)
{
  const CenotePlugin *plugin = CENOTE_TEST_PLUGIN;
  const CenotePickerOps *ops = plugin->ops;
  void *state;

  cenote_test_host_init (&test);
  cenote_test_values_init (&values, plugin);
  cenote_test_values_set (&values, "weights", weights);
  state = ops->create (&test.host, &values.options, cenote_test_fault (&test));
  cenote_test_values_clear (&values); /* valid during create() only */
  CENOTE_TEST_CHECK (state != NULL);
  return state;
}

static uint32_t
pick (void *state)
{
  const CenotePickerOps *ops = CENOTE_TEST_PLUGIN->ops;

  return ops->pick (state, &places.view);
}

static void
destroy (void *state)
{
  const CenotePickerOps *ops = CENOTE_TEST_PLUGIN->ops;

  ops->destroy (state);
  cenote_test_host_clear (&test);
}

static void
test_places_come_in_turn (void)
{
  void *state = create ("yes");

  cenote_test_pick_init (&places, 3);
  for (uint32_t i = 0; i < 9; i++)
    CENOTE_TEST_CHECK (pick (state) == i % 3);
  destroy (state);
}

static void
test_weight_is_turns (void)
{
  void *state = create ("yes");

  cenote_test_pick_init (&places, 2);
  places.places[0].weight = 2;
  CENOTE_TEST_CHECK (pick (state) == 0);
  CENOTE_TEST_CHECK (pick (state) == 0);
  CENOTE_TEST_CHECK (pick (state) == 1);
  CENOTE_TEST_CHECK (pick (state) == 0);
  destroy (state);
}

static void
test_weight_is_nothing_where_so_told (void)
{
  void *state = create ("no");

  cenote_test_pick_init (&places, 2);
  places.places[0].weight = 2;
  CENOTE_TEST_CHECK (pick (state) == 0);
  CENOTE_TEST_CHECK (pick (state) == 1);
  destroy (state);
}

static void
test_a_place_is_avoided_where_there_are_others (void)
{
  void *state = create ("yes");

  cenote_test_pick_init (&places, 4);
  places.view.avoid = 3;
  for (int i = 0; i < 100; i++)
    CENOTE_TEST_CHECK (pick (state) != 3);
  cenote_test_pick_init (&places, 1);
  places.view.avoid = 0;
  CENOTE_TEST_CHECK (pick (state) == 0);
  destroy (state);
}

static void
test_any_scratch_word_will_do (void)
{
  void *state = create ("yes");

  cenote_test_pick_init (&places, 3);
  places.scratch = UINT64_MAX;
  CENOTE_TEST_CHECK (pick (state) < 3);
  CENOTE_TEST_CHECK (pick (state) < 3);
  destroy (state);
}

int
main (void)
{
  test_places_come_in_turn ();
  test_weight_is_turns ();
  test_weight_is_nothing_where_so_told ();
  test_a_place_is_avoided_where_there_are_others ();
  test_any_scratch_word_will_do ();
  return 0;
}
