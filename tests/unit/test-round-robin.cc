// SPDX-License-Identifier: Apache-2.0
// picker/round-robin: in turn, for each thread by its own word.
#include <vector>

#include "plugin-files.h"
#include "tests/conformance/fixture.h"

namespace {

class RoundRobin : public ::testing::Test
{
protected:
  RoundRobin ()
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_PICKER, "round-robin");

    fixture = fixture_new (plugin, nullptr, nullptr);
    EXPECT_TRUE (fixture_create (fixture, nullptr));
    view.struct_size = sizeof view;
    view.place_size = sizeof (CenotePlace);
    view.avoid = CENOTE_PICK_NONE;
    view.places = places;
    view.scratch = &scratch;
  }

  ~RoundRobin () override { fixture_free (fixture); }

  guint pick (guint n)
  {
    view.n_places = n;
    return fixture->plugin->ops.picker.pick (fixture->state, &view);
  }

  std::vector<guint> picks (guint n, guint count)
  {
    std::vector<guint> all;

    for (guint i = 0; i < count; i++)
      all.push_back (pick (n));
    return all;
  }

  Fixture *fixture;
  CenotePickView view {};
  CenotePlace places[8] {};
  uint64_t scratch = 0;
};

using Picks = std::vector<guint>;

TEST_F (RoundRobin, TakesThePlacesInTurn)
{
  EXPECT_EQ (picks (3, 7), (Picks { 0, 1, 2, 0, 1, 2, 0 }));
  EXPECT_EQ (picks (1, 3), (Picks { 0, 0, 0 }));
}

TEST_F (RoundRobin, BeginsAtARandomPlace)
{
  scratch = 1000003;
  EXPECT_EQ (picks (5, 3), (Picks { 3, 4, 0 }));
  scratch = G_MAXUINT64;
  EXPECT_EQ (picks (5, 2), (Picks { (guint) (G_MAXUINT64 % 5), (guint) (G_MAXUINT64 % 5 + 1) % 5 }));
}

TEST_F (RoundRobin, GoesOnWhenThePoolChanges)
{
  EXPECT_EQ (picks (5, 4), (Picks { 0, 1, 2, 3 }));
  EXPECT_EQ (picks (2, 3), (Picks { 0, 1, 0 }));
  EXPECT_EQ (picks (5, 3), (Picks { 1, 2, 3 }));
}

TEST_F (RoundRobin, AvoidsAPlaceWhereThereAreOthers)
{
  view.avoid = 1;
  EXPECT_EQ (picks (3, 4), (Picks { 0, 2, 0, 2 }));
  view.avoid = 2;
  scratch = 2;
  EXPECT_EQ (picks (3, 3), (Picks { 0, 1, 0 }));
  view.avoid = 0;
  EXPECT_EQ (picks (1, 2), (Picks { 0, 0 }));
  view.avoid = 7;
  EXPECT_EQ (pick (3), 0u) << "a place that is not there cannot be met";
}

TEST_F (RoundRobin, NeedsNothingOfItsHost)
{
  EXPECT_EQ (fixture->plugin->ops.picker.flags, 0u);
}

} // namespace
