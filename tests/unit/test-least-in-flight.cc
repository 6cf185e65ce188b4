// SPDX-License-Identifier: Apache-2.0
// picker/least-in-flight: the least loaded place of all.
#include "picker-test.h"

namespace {

class LeastInFlight : public PickerTest
{
protected:
  LeastInFlight () : PickerTest ("least-in-flight") {}
};

TEST_F (LeastInFlight, NeedsLoads)
{
  EXPECT_EQ (fixture->plugin->ops.picker.flags, CENOTE_PICKER_NEEDS_LOAD);
}

TEST_F (LeastInFlight, TakesTheLeastOfAll)
{
  for (guint least = 0; least < 8; least++) {
    for (guint i = 0; i < 8; i++)
      hold (i, 5 + (i * 3) % 8);
    hold (least, 4);
    EXPECT_EQ (picks (8, 100), Picks (100, least));
  }
}

TEST_F (LeastInFlight, CountsWhatOthersHoldAndWhatWasReleased)
{
  hold_elsewhere (0, 10);
  hold (1, 9);
  hold (2, 11);
  EXPECT_EQ (picks (3, 100), Picks (100, 1));
  tallies[0].released = 20;
  EXPECT_EQ (picks (3, 100), Picks (100, 0)) << "others' leases, released here; below 0";
}

// Wherever those that are alike lie, each is as likely as the others.
TEST_F (LeastInFlight, LuckDecidesTies)
{
  for (guint busy : { 0u, 3u, 6u }) {
    for (guint i = 0; i < 8; i++)
      hold (i, i < busy ? 1 : 0);
    std::vector<int> times = shares (8, 2000 * (8 - busy));

    for (guint i = 0; i < 8; i++)
      EXPECT_NEAR (times[i], i < busy ? 0 : 2000, 250) << busy << " busy";
  }
}

TEST_F (LeastInFlight, AWarmChannelGoesBeforeOneThatWarmsUp)
{
  places[0].penalty = 1;
  tallies[0].others = 3; // the penalty and the mark, as the host adds them
  hold (1, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (LeastInFlight, AvoidsAPlaceWhereThereAreOthers)
{
  view.attempt = 1;
  for (guint avoid = 0; avoid < 5; avoid++) {
    for (guint i = 0; i < 5; i++)
      hold (i, i == avoid ? 0 : 1 + i);
    view.avoid = avoid;
    EXPECT_EQ (picks (5, 20), Picks (20, avoid == 0 ? 1 : 0));
  }
  view.avoid = 0;
  EXPECT_EQ (picks (1, 20), Picks (20, 0));
}

// Each pick is held: no place has more than one above any other.
TEST_F (LeastInFlight, SpreadsWhatIsHeld)
{
  for (guint k = 0; k < 400; k++) {
    tallies[pick (8)].taken++;
    auto [least, most] = std::minmax_element (tallies, tallies + 8, [] (const CenoteTally &a, const CenoteTally &b) {
      return a.taken < b.taken;
    });
    ASSERT_LE (most->taken, least->taken + 1);
  }
}

} // namespace
