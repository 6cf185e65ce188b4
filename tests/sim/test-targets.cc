/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several targets: a pool spreads its channels, keeps to the targets that are healthy,
 * and returns to the others when they heal.
 */
#include "sim-test.h"

namespace {

class TargetsTest : public SimTest
{
protected:
  void
  make_targets (const std::string &targets, const std::string &keys)
  {
    make ("targets=" + targets + "\n" + keys);
    listen ();
  }

  void
  refuse (const char *address)
  {
    peer_always (at (address), PEER_REFUSES, SIM_MS, 0, "refused");
    peer_lose_all (at (address), "gone");
  }

  void
  heal (const char *address)
  {
    peer_always (at (address), PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  }
};

TEST_F (TargetsTest, ChannelsAreSpreadEvenly)
{
  make_targets ("sim:a;sim:b;sim:c", "size=7");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "sim:a", 3 }, { "sim:b", 2 }, { "sim:c", 2 } }));
}

TEST_F (TargetsTest, APoolKeepsToTheHealthyOnes)
{
  make_targets ("sim:a;sim:b", "size=4");
  sim_start (sim);
  run (2 * SIM_S);
  refuse ("sim:b");
  run (100 * SIM_MS);
  EXPECT_EQ (spread (), (Spread{ { "sim:a", 4 } }));
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_HEALTHY);
  peer_forget_dials (at ("sim:b"));
  EXPECT_EQ (least_ready (10 * SIM_S), 4);
  EXPECT_EQ (at ("sim:b")->most_dialing, 1u) << "a scout tries the other one";
  EXPECT_NEAR (peer_n_dials (at ("sim:b")), 100, 2) << "at the backoff's times";
}

TEST_F (TargetsTest, AndReturnsToTheOthersWhenTheyHeal)
{
  make_targets ("sim:a;sim:b", "size=4");
  sim_start (sim);
  run (2 * SIM_S);
  refuse ("sim:b");
  run (SIM_S);
  heal ("sim:b");
  EXPECT_EQ (least_ready (2 * SIM_S), 4) << "make before break";
  EXPECT_EQ (spread (), (Spread{ { "sim:a", 2 }, { "sim:b", 2 } }));
  EXPECT_EQ (Status (pool)->n_channels, 4u) << "no scout stays";
}

TEST_F (TargetsTest, OneThatIsDownFromTheStartHoldsUpNobody)
{
  make_targets ("sim:a;sim:b;sim:c", "size=3");
  peer_always (at ("sim:a"), PEER_HANGS, 0, 0, nullptr);
  sim_start (sim);
  run (6 * SIM_S);
  EXPECT_EQ (current (), 3);
  heal ("sim:a");
  run (20 * SIM_S);
  EXPECT_EQ (current (), 3);
}

TEST_F (TargetsTest, OneChannelGoesFromTargetToTargetUntilOneAnswers)
{
  make_targets ("sim:a;sim:b;sim:c", "size=1");
  for (const char *address : { "sim:a", "sim:b", "sim:c" })
    refuse (address);
  sim_start (sim);
  run (10 * SIM_S);
  for (const char *address : { "sim:a", "sim:b", "sim:c" }) {
    EXPECT_GE (peer_n_dials (at (address)), 25u) << address;
    EXPECT_LE (peer_n_dials (at (address)), 101u) << address << ": never sooner than the backoff allows";
  }
  heal ("sim:c");
  run (SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "sim:c", 1 } }));
  refuse ("sim:c");
  heal ("sim:b");
  run (SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "sim:b", 1 } }));
}

TEST_F (TargetsTest, AllDownAndBackTheyAreSpreadAgain)
{
  make_targets ("sim:a;sim:b", "size=4");
  sim_start (sim);
  run (2 * SIM_S);
  refuse ("sim:a");
  refuse ("sim:b");
  run (10 * SIM_S);
  EXPECT_EQ (current (), 0);
  heal ("sim:a");
  heal ("sim:b");
  run (3 * SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "sim:a", 2 }, { "sim:b", 2 } }));
}

TEST_F (TargetsTest, AScoutDoesNotKeepAChannelFromBeingReplaced)
{
  make_targets ("sim:a;sim:b", "size=3");
  sim_start (sim);
  run (2 * SIM_S);
  refuse ("sim:b");
  run (SIM_S);
  guint before = at ("sim:a")->n_accepted;
  cenote_pool_reconnect (pool);
  EXPECT_EQ (least_ready (SIM_S), 3);
  EXPECT_EQ (at ("sim:a")->n_accepted, before + 3);
  peer_forget_dials (at ("sim:b"));
  run (SIM_S);
  EXPECT_GE (peer_n_dials (at ("sim:b")), 8u) << "and the other one is tried on";
}

TEST_F (TargetsTest, OneThatAcceptsAndClosesIsTriedAtTheBackoffsTimes)
{
  make_targets ("sim:a;sim:b", "size=4");
  sim_start (sim);
  run (2 * SIM_S);
  peer_always (at ("sim:b"), PEER_ACCEPTS, SIM_MS, 2 * SIM_MS, nullptr);
  peer_lose_all (at ("sim:b"), "gone");
  run (SIM_S);
  peer_forget_dials (at ("sim:b"));
  EXPECT_GE (least_ready (10 * SIM_S), 3);
  EXPECT_LE (peer_n_dials (at ("sim:b")), 110u);
}

TEST_F (TargetsTest, ATargetWhoseAttemptsAreUsedUpIsLeft)
{
  make_targets ("sim:a;sim:b", "size=4\nmax-connect-attempts=3");
  sim_start (sim);
  run (2 * SIM_S);
  refuse ("sim:b");
  run (10 * SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "sim:a", 4 } }));
  heal ("sim:b");
  cenote_pool_connect (pool, 0, nullptr);
  run (3 * SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "sim:a", 2 }, { "sim:b", 2 } }));
}

} // namespace
