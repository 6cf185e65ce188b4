/* SPDX-License-Identifier: Apache-2.0 */
/* keepalive: what is learned from the ages at which connections are lost. */
#include "sim-test.h"

extern "C" {
#include "core/pool/keepalive.h"
}

namespace {

TEST (Keepalive, AStrikeAgeIsThreeOrFourIntervals)
{
  EXPECT_FALSE (keepalive_is_strike_age (SIM_S, 0));
  EXPECT_FALSE (keepalive_is_strike_age (SIM_S, 2 * SIM_S));
  EXPECT_TRUE (keepalive_is_strike_age (SIM_S, 3 * SIM_S));
  EXPECT_FALSE (keepalive_is_strike_age (SIM_S, 3500 * SIM_MS));
  EXPECT_TRUE (keepalive_is_strike_age (SIM_S, 4 * SIM_S));
  EXPECT_TRUE (keepalive_is_strike_age (SIM_S, 4 * SIM_S - 10 * SIM_MS));
  EXPECT_TRUE (keepalive_is_strike_age (SIM_S, 4 * SIM_S + 150 * SIM_MS));
  EXPECT_FALSE (keepalive_is_strike_age (SIM_S, 5 * SIM_S));
  EXPECT_TRUE (keepalive_is_strike_age (60 * SIM_S, 243 * SIM_S));
  EXPECT_FALSE (keepalive_is_strike_age (60 * SIM_S, 230 * SIM_S));
}

TEST (Keepalive, TwoInARowAreBelieved)
{
  Keepalive keepalive = {};

  EXPECT_EQ (keepalive_heed_loss (&keepalive, SIM_S, 4 * SIM_S, 4 * SIM_S), KEEPALIVE_SUSPECT);
  EXPECT_EQ (keepalive.learned_us, 0);
  EXPECT_EQ (keepalive_heed_loss (&keepalive, 2 * SIM_S, 8 * SIM_S, 12 * SIM_S), KEEPALIVE_LEARNED);
  EXPECT_EQ (keepalive.learned_us, 4 * SIM_S);
  EXPECT_EQ (keepalive_heed_loss (&keepalive, 4 * SIM_S, 16 * SIM_S, 28 * SIM_S), KEEPALIVE_LEARNED);
  EXPECT_EQ (keepalive.learned_us, 8 * SIM_S);
}

TEST (Keepalive, AnotherAgeBetweenThemBeginsAnew)
{
  Keepalive keepalive = {};

  EXPECT_EQ (keepalive_heed_loss (&keepalive, SIM_S, 4 * SIM_S, 10 * SIM_S), KEEPALIVE_SUSPECT);
  EXPECT_EQ (keepalive_heed_loss (&keepalive, SIM_S, 90 * SIM_S, 100 * SIM_S), KEEPALIVE_INNOCENT);
  EXPECT_EQ (keepalive_heed_loss (&keepalive, SIM_S, 4 * SIM_S, 110 * SIM_S), KEEPALIVE_SUSPECT);
  EXPECT_EQ (keepalive.learned_us, 0);
}

/* A server that ends all five connections at once says one thing. */
TEST (Keepalive, OneMomentCountsOnce)
{
  Keepalive keepalive = {};

  for (int i = 0; i < 5; i++)
    EXPECT_EQ (keepalive_heed_loss (&keepalive, SIM_S, 4 * SIM_S, 4 * SIM_S + i), KEEPALIVE_SUSPECT);
  EXPECT_EQ (keepalive.learned_us, 0);
}

TEST (Keepalive, GrowsToADayAtMost)
{
  Keepalive keepalive = {};
  gint64 interval_us = 20 * 3600 * SIM_S;

  keepalive_heed_loss (&keepalive, interval_us, 4 * interval_us, 4 * interval_us);
  EXPECT_EQ (keepalive_heed_loss (&keepalive, interval_us, 4 * interval_us, 9 * interval_us), KEEPALIVE_LEARNED);
  EXPECT_EQ (keepalive.learned_us, 24 * 3600 * SIM_S);
}

class KeepaliveTest : public SimTest
{
protected:
  LogCapture log;

  void
  strike (gint64 age_us)
  {
    run (age_us);
    peer_lose_all (peer, nullptr);
    run (5 * SIM_MS);
  }
};

TEST_F (KeepaliveTest, ThePoolSaysWhatItSuspects)
{
  open ("size=1\nkeepalive-time=1s\nkeepalive-permit-without-calls=yes\n");
  run (2 * SIM_MS);
  strike (4 * SIM_S);
  EXPECT_NE (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason.find ("ENHANCE_YOUR_CALM"), std::string::npos);
  strike (8 * SIM_S);
  EXPECT_NE (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason.find ("every 2000 ms"), std::string::npos);
  strike (5 * SIM_S);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason, "the connection was lost");
}

/* Only what is made later: on the object itself C-core doubles. */
TEST_F (KeepaliveTest, ANewChannelBeginsWhereAnotherEnded)
{
  open ("size=1\nkeepalive-time=1s\n");
  run (2 * SIM_MS);
  strike (4 * SIM_S);
  EXPECT_EQ (log.count ("new channels"), 0u);
  strike (8 * SIM_S);
  EXPECT_EQ (log.count ("new channels to it ping every 4000 ms"), 1u);
  cenote_pool_reconnect (pool);
  run (5 * SIM_MS);
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 1u);
  strike (16 * SIM_S);
  EXPECT_NE (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason.find ("every 4000 ms"), std::string::npos);
}

TEST_F (KeepaliveTest, WithoutPingsNobodyIsSuspected)
{
  open ("size=1\n");
  run (2 * SIM_MS);
  strike (4 * SIM_S);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason, "the connection was lost");
}

} // namespace
