// SPDX-License-Identifier: Apache-2.0
// picker/random: any place, each as likely as the others.
#include "picker-test.h"

namespace {

class RandomPicker : public PickerTest
{
protected:
  RandomPicker () : PickerTest ("random") {}
};

TEST_F (RandomPicker, TakesEachPlaceAlike)
{
  for (guint n : { 2u, 5u, 7u, 64u })
    for (int times : shares (n, 2000 * n))
      EXPECT_NEAR (times, 2000, 250) << n << " places";
}

TEST_F (RandomPicker, ThreadsHaveLuckOfTheirOwn)
{
  luck = 1000003;
  Picks first = picks (10, 100);
  luck = 1000033;
  EXPECT_NE (picks (10, 100), first);
}

TEST_F (RandomPicker, AvoidsAPlaceWhereThereAreOthers)
{
  view.avoid = 2;
  std::vector<int> times = shares (5, 8000);

  EXPECT_EQ (times[2], 0);
  for (guint i : { 0u, 1u, 3u, 4u })
    EXPECT_NEAR (times[i], 2000, 250);
  view.avoid = 0;
  EXPECT_EQ (picks (1, 3), (Picks{ 0, 0, 0 }));
}

TEST_F (RandomPicker, SeedA2_C2_IsInRange)
{
  for (guint i : picks (5, 100))
    EXPECT_LT (i, 5u);
}

TEST_F (RandomPicker, SeedA2_C2_OfOneTakesTheFirst)
{
  EXPECT_EQ (picks (1, 10), Picks (10, 0));
}

TEST_F (RandomPicker, NeedsNothingOfItsHost)
{
  EXPECT_EQ (fixture->plugin->ops.picker.flags, 0u);
}

} // namespace
