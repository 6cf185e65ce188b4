// SPDX-License-Identifier: Apache-2.0
// backoff/fibonacci: each delay is the sum of the two before.
#include "backoff-test.h"

namespace {

class Fibonacci : public BackoffTest
{
};

TEST_F (Fibonacci, GrowsFromInitialToMax)
{
  use ("fibonacci", { "jitter=0" });
  EXPECT_EQ (draw (14), (std::vector<gint64>{ 100 * ms, 100 * ms, 200 * ms, 300 * ms, 500 * ms, 800 * ms, 1300 * ms,
                                              2100 * ms, 3400 * ms, 5500 * ms, 8900 * ms, 10000 * ms, 10000 * ms,
                                              10000 * ms }));
}

TEST_F (Fibonacci, IsExactFarOut)
{
  gint64 a = 0, b = 1 * ms;

  use ("fibonacci", { "initial=1ms", "max=24h", "jitter=0" });
  for (int k = 1; k <= n_draws; k++) {
    ASSERT_EQ (next (), b) << "after failure " << k;
    gint64 sum = std::min (a + b, day_us);
    a = b;
    b = sum;
  }
}

TEST_F (Fibonacci, BeginsAnewAfterReset)
{
  use ("fibonacci", { "jitter=0" });
  draw (9);
  reset ();
  EXPECT_EQ (draw (3), (std::vector<gint64>{ 100 * ms, 100 * ms, 200 * ms }));
}

TEST_F (Fibonacci, MovesEachDelayByAtMostItsJitter)
{
  use ("fibonacci", {});
  std::vector<gint64> delays = draw_nth (3, n_draws);

  EXPECT_GE (least (delays), 160 * ms);
  EXPECT_LE (most (delays), 240 * ms);
  EXPECT_NEAR (mean (delays), 200 * ms, 2 * ms);
}

TEST_F (Fibonacci, StaysInRangeHoweverItIsSet)
{
  for (guint64 luck : { G_GUINT64_CONSTANT (0), G_MAXUINT64 }) {
    for (const char *initial : { "initial=1ms", "initial=24h" }) {
      use_with (luck, "fibonacci", { initial, "max=24h", "jitter=1" });
      for (gint64 delay : draw (n_draws)) {
        ASSERT_GE (delay, 0);
        ASSERT_LE (delay, 2 * day_us);
      }
    }
  }
}

TEST_F (Fibonacci, RefusesInitialAboveMax)
{
  expect_refused ("fibonacci", { "initial=11s" }, "initial is above max");
}

} // namespace
