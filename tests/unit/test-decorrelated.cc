// SPDX-License-Identifier: Apache-2.0
// backoff/decorrelated: ConnGRPC's arithmetic, to the millisecond.
#include "backoff-test.h"

namespace {

class Decorrelated : public BackoffTest
{
protected:
  // What the formula allows after a delay of CURRENT.
  static std::pair<gint64, gint64> range (gint64 current, gint64 max)
  {
    gint64 third = max / 3;
    gint64 from = std::min (current, third);

    return third == 0 ? std::pair (G_GINT64_CONSTANT (1), max) : std::pair (from, 3 * from);
  }

  void expect_formula (gint64 min, gint64 max)
  {
    std::string min_text = "min=" + std::to_string (min) + "ms", max_text = "max=" + std::to_string (max) + "ms";
    gint64 current = min;

    use ("decorrelated", { min_text.c_str (), max_text.c_str () });
    for (int i = 0; i < n_draws; i++) {
      auto [least, most] = range (current, max);
      gint64 delay = next ();

      ASSERT_EQ (delay % ms, 0);
      ASSERT_GE (delay / ms, least) << "after " << current;
      ASSERT_LE (delay / ms, most) << "after " << current;
      current = delay / ms;
      if (i % 100 == 99) {
        reset ();
        current = min;
      }
    }
  }

  // How often each whole millisecond from 0 on comes.
  static std::vector<int> count_ms (const std::vector<gint64> &delays)
  {
    std::vector<int> counts (static_cast<size_t> (most (delays) / ms + 1));

    for (gint64 delay : delays)
      counts[static_cast<size_t> (delay / ms)]++;
    return counts;
  }
};

TEST_F (Decorrelated, DrawsTheFirstDelayFromMinToThriceMin)
{
  use ("decorrelated", {});
  std::vector<gint64> delays = draw_nth (1, n_draws);

  EXPECT_GE (least (delays), 1000 * ms);
  EXPECT_LE (most (delays), 3000 * ms);
  EXPECT_NEAR (mean (delays), 2000 * ms, 30 * ms);
}

TEST_F (Decorrelated, DoublesItsMeanWithEachFailure)
{
  use ("decorrelated", {});
  EXPECT_NEAR (mean (draw_nth (2, n_draws)), 4000 * ms, 100 * ms);
  EXPECT_NEAR (mean (draw_nth (3, n_draws)), 8000 * ms, 250 * ms);
}

TEST_F (Decorrelated, SettlesBetweenAThirdOfMaxAndMax)
{
  use ("decorrelated", {});
  draw (20);
  std::vector<gint64> delays = draw (n_draws);

  EXPECT_GE (least (delays), 10000 * ms);
  EXPECT_LE (most (delays), 30000 * ms);
  EXPECT_NEAR (mean (delays), 20000 * ms, 300 * ms);
}

TEST_F (Decorrelated, ReachesBothEndsOfEachRange)
{
  use_with (0, "decorrelated", {});
  EXPECT_EQ (draw (3), (std::vector<gint64>{ 1000 * ms, 1000 * ms, 1000 * ms }));
  use_with (2000, "decorrelated", {});
  EXPECT_EQ (next (), 3000 * ms);
  use_with (2001, "decorrelated", {});
  EXPECT_EQ (next (), 1000 * ms) << "the span has 2001 values";
}

TEST_F (Decorrelated, DrawsEachValueAlike)
{
  use ("decorrelated", { "min=2ms", "max=6ms" });
  std::vector<int> counts = count_ms (draw (50000));

  ASSERT_EQ (counts.size (), 7u);
  EXPECT_EQ (counts[0] + counts[1], 0);
  for (size_t value = 2; value <= 6; value++)
    EXPECT_NEAR (counts[value], 10000, 500) << value << " ms";
}

// The first corner: max < 3 * min.
TEST_F (Decorrelated, MayFallBelowMinWhereMaxIsNear)
{
  use ("decorrelated", { "min=1s", "max=2s" });
  std::vector<gint64> delays = draw (n_draws);

  EXPECT_EQ (least (delays), 666 * ms);
  EXPECT_EQ (most (delays), 1998 * ms);
  EXPECT_NEAR (mean (delays), 1332 * ms, 20 * ms);
}

// The second: max div 3 is 0.
TEST_F (Decorrelated, DrawsFromOneToMaxWhereMaxHasNoThird)
{
  use ("decorrelated", { "min=1ms", "max=2ms" });
  std::vector<int> counts = count_ms (draw (n_draws));

  ASSERT_EQ (counts.size (), 3u);
  EXPECT_EQ (counts[0], 0);
  EXPECT_NEAR (counts[1], 5000, 250);
  use ("decorrelated", { "min=1ms", "max=1ms" });
  for (gint64 delay : draw (n_draws))
    ASSERT_EQ (delay, 1 * ms);
}

TEST_F (Decorrelated, KeepsToTheFormulaHoweverItIsSet)
{
  const std::pair<gint64, gint64> settings[] = { { 1000, 30000 }, { 1, 3 },       { 1, 4 },         { 2, 5 },
                                                 { 7, 20 },       { 1, 86400000 }, { 86400000, 86400000 } };

  for (auto [min, max] : settings)
    expect_formula (min, max);
}

TEST_F (Decorrelated, StaysInRangeWithAnyLuck)
{
  for (guint64 luck : { G_GUINT64_CONSTANT (0), G_MAXUINT64, G_MAXUINT64 - 1, (guint64) G_MAXINT64 }) {
    use_with (luck, "decorrelated", { "min=24h", "max=24h" });
    for (gint64 delay : draw (n_draws)) {
      ASSERT_GE (delay, day_us / 3);
      ASSERT_LE (delay, day_us);
    }
  }
}

TEST_F (Decorrelated, DropsWhatIsNoWholeMillisecond)
{
  use_with (0, "decorrelated", { "min=1999us", "max=3.9ms" });
  EXPECT_EQ (next (), 1 * ms);
}

TEST_F (Decorrelated, RefusesMinAboveMax)
{
  expect_refused ("decorrelated", { "min=31s" }, "min is above max");
}

// ConnGRPC's own cases.
TEST_F (Decorrelated, SeedA1_C1_StaysBetweenMinAndMax)
{
  use ("decorrelated", { "min=100ms", "max=2s" });
  for (gint64 delay : draw (20)) {
    EXPECT_GE (delay, 100 * ms);
    EXPECT_LE (delay, 2000 * ms);
  }
}

TEST_F (Decorrelated, SeedA1_C1_NeverShrinksBelowAThirdOfMax)
{
  gint64 before = 0;

  use ("decorrelated", {});
  for (gint64 delay : draw (n_draws)) {
    EXPECT_TRUE (delay >= before || delay >= 10000 * ms) << delay << " after " << before;
    before = delay;
  }
}

TEST_F (Decorrelated, SeedA1_C1_BeginsAtMinAfterReset)
{
  use ("decorrelated", {});
  draw (20);
  reset ();
  gint64 delay = next ();
  EXPECT_GE (delay, 1000 * ms);
  EXPECT_LE (delay, 3000 * ms);
}

} // namespace
