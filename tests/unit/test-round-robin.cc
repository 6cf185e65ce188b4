// SPDX-License-Identifier: Apache-2.0
// picker/round-robin: in turn, for each thread by its own word.
#include "picker-test.h"

namespace {

class RoundRobin : public PickerTest
{
protected:
  RoundRobin () : PickerTest ("round-robin") {}
};

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

TEST_F (RoundRobin, SeedA2_C2_TwentyPicksOverFiveGoRoundFourTimes)
{
  for (guint k = 0; k < 20; k++)
    EXPECT_EQ (pick (5), k % 5);
}

TEST_F (RoundRobin, NeedsNothingOfItsHost)
{
  EXPECT_EQ (fixture->plugin->ops.picker.flags, 0u);
}

} // namespace
