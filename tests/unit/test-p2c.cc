// SPDX-License-Identifier: Apache-2.0
// picker/p2c: the less loaded of two distinct places that luck chose.
#include "picker-test.h"

namespace {

class P2c : public PickerTest
{
protected:
  P2c () : PickerTest ("p2c") {}

  // Loads that differ, the place 0 the most: a place is then picked where its rival is before it.
  void stagger (guint n)
  {
    for (guint i = 0; i < n; i++)
      hold (i, n - i);
  }
};

TEST_F (P2c, NeedsLoads)
{
  EXPECT_EQ (fixture->plugin->ops.picker.flags, CENOTE_PICKER_NEEDS_LOAD);
}

TEST_F (P2c, OfTwoTakesTheLessLoaded)
{
  hold (0, 1);
  EXPECT_EQ (picks (2, 1000), Picks (1000, 1));
  hold (1, 2);
  EXPECT_EQ (picks (2, 1000), Picks (1000, 0));
}

TEST_F (P2c, CountsWhatOthersHoldAndWhatWasReleased)
{
  hold_elsewhere (0, 10);
  hold (1, 9);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  tallies[0].released = 5;
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "others' leases, released here";
  tallies[0].released = 20;
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "below 0";
}

// The chance that the place I of N is the less loaded of two distinct ones: i of the n(n-1)/2 pairs.
// Drawn with repetition, the most loaded place would be picked too.
TEST_F (P2c, ChoosesTwoDistinctPlaces)
{
  for (guint n : { 2u, 3u, 5u, 8u }) {
    stagger (n);
    std::vector<int> times = shares (n, 20000);

    EXPECT_EQ (times[0], 0) << n << " places";
    for (guint i = 1; i < n; i++)
      EXPECT_NEAR (times[i], 20000.0 * i * 2 / (n * (n - 1)), 400) << n << " places";
  }
}

TEST_F (P2c, LuckDecidesTies)
{
  for (guint n : { 2u, 5u, 8u })
    for (int times : shares (n, 2000 * n))
      EXPECT_NEAR (times, 2000, 250) << n << " places";
}

TEST_F (P2c, AvoidsAPlaceWhereThereAreOthers)
{
  stagger (5);
  view.avoid = 4;
  view.attempt = 1;
  std::vector<int> times = shares (5, 10000);

  EXPECT_EQ (times[4], 0);
  for (guint i = 0; i < 4; i++)
    EXPECT_GT (times[i], 500) << "also the most loaded, where luck chose the two";
  view.avoid = 0;
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  EXPECT_EQ (picks (1, 100), Picks (100, 0));
}

// Each pick is held: no place has many more than the mean.
TEST_F (P2c, SpreadsWhatIsHeld)
{
  for (guint n : { 2u, 8u, 64u }) {
    std::fill (std::begin (tallies), std::end (tallies), CenoteTally{});
    for (guint k = 0; k < 50 * n; k++)
      tallies[pick (n)].taken++;
    for (guint i = 0; i < n; i++) {
      EXPECT_LE (tallies[i].taken, 54) << n << " places";
      EXPECT_GE (tallies[i].taken, 46) << n << " places";
    }
  }
}

// 400 held on 8 idle channels, whatever the luck: at most one and a half times the mean.
TEST_F (P2c, TiesSpreadByEverySeed)
{
  int64_t most_of_all = 0;

  for (uint64_t seed = 1; seed <= 2000; seed++) {
    luck = seed * UINT64_C (0x9e3779b97f4a7c15);
    std::fill (std::begin (tallies), std::end (tallies), CenoteTally{});
    for (int k = 0; k < 400; k++)
      tallies[pick (8)].taken++;
    for (guint i = 0; i < 8; i++)
      most_of_all = std::max (most_of_all, tallies[i].taken);
  }
  EXPECT_LE (most_of_all, 75);
  printf ("of 2000 seeds the busiest channel ever had %.2f times the mean\n", most_of_all / 50.0);
}

TEST_F (P2c, SeedA2_C2_IsInRange)
{
  for (guint i : picks (5, 100))
    EXPECT_LT (i, 5u);
}

TEST_F (P2c, SeedA2_C2_OfOneTakesTheFirst)
{
  hold (0, 100);
  EXPECT_EQ (picks (1, 10), Picks (10, 0));
}

// There a winner is stamped, so that it is the worse choice next time; here it is so by being held.
TEST_F (P2c, SeedA2_C2_APickCountsForTheNext)
{
  guint first = pick (2);

  hold (first, 1);
  EXPECT_EQ (pick (2), 1 - first);
}

} // namespace
