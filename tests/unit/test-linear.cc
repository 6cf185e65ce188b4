// SPDX-License-Identifier: Apache-2.0
// backoff/linear: GrpcConnectionPool 0.1's schedule.
#include "backoff-test.h"

namespace {

class Linear : public BackoffTest
{
};

TEST_F (Linear, SeedA3_GrowsByInitialToMax)
{
  use ("linear", {});
  EXPECT_EQ (draw (7), (std::vector<gint64>{ 1000 * ms, 2000 * ms, 3000 * ms, 4000 * ms, 5000 * ms, 5000 * ms,
                                             5000 * ms }));
}

TEST_F (Linear, SeedA3_IsExactFarOut)
{
  use ("linear", { "initial=1.7ms", "max=10s" });
  for (gint64 k = 1; k <= n_draws; k++)
    ASSERT_EQ (next (), std::min (k * 1700, 10000 * ms)) << "after failure " << k;
}

TEST_F (Linear, BeginsAnewAfterReset)
{
  use ("linear", {});
  draw (4);
  reset ();
  EXPECT_EQ (draw (2), (std::vector<gint64>{ 1000 * ms, 2000 * ms }));
}

TEST_F (Linear, MovesEachDelayByAtMostItsJitter)
{
  use ("linear", { "jitter=50%" });
  std::vector<gint64> delays = draw_nth (2, n_draws);

  EXPECT_GE (least (delays), 1000 * ms);
  EXPECT_LE (most (delays), 3000 * ms);
  EXPECT_NEAR (mean (delays), 2000 * ms, 30 * ms);
}

TEST_F (Linear, StaysInRangeHoweverItIsSet)
{
  for (guint64 luck : { G_GUINT64_CONSTANT (0), G_MAXUINT64 }) {
    for (const char *initial : { "initial=1ms", "initial=24h" }) {
      use_with (luck, "linear", { initial, "max=24h", "jitter=1" });
      for (gint64 delay : draw (n_draws)) {
        ASSERT_GE (delay, 0);
        ASSERT_LE (delay, 2 * day_us);
      }
    }
  }
}

TEST_F (Linear, RefusesInitialAboveMax)
{
  expect_refused ("linear", { "initial=6s" }, "initial is above max");
}

} // namespace
