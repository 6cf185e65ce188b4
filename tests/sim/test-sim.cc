/* SPDX-License-Identifier: Apache-2.0 */
/* sim: the simulation itself. */
#include "sim-test.h"

TEST_F (SimTest, FiveChannelsConnect)
{
  open ("size=5");
  run (SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_EQ (peer->n_up, 5u);
  EXPECT_TRUE (can_get ());
}

TEST_F (SimTest, TheSameSeedGivesTheSameLife)
{
  std::vector<std::vector<gint64>> lives;

  for (int i = 0; i < 2; i++) {
    make ("size=3\nbackoff=exponential", "", 7);
    peer_always (peer, PEER_REFUSES, 1000, 0, "no");
    sim_start (sim);
    run (60 * SIM_S);
    lives.push_back (dials (peer, 0));
    sim_free (sim);
    sim = nullptr;
  }
  EXPECT_GT (lives[0].size (), 5u);
  EXPECT_EQ (lives[0], lives[1]);
}
