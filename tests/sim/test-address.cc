/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address: gates and epochs: who dials, when, and how often.  Over whole pools,
 * because what counts is the connections that a peer sees.
 */
#include "sim-test.h"
#include "spies.h"
#include "tests/scale.h"

namespace {

class AddressTest : public SimTest
{
protected:
  /* The times between dials, in ms. */
  std::vector<gint64>
  gaps_ms () const
  {
    std::vector<gint64> gaps;

    for (guint i = 1; i < peer_n_dials (peer); i++)
      gaps.push_back ((peer_dial_time (peer, i) - peer_dial_time (peer, i - 1)) / 1000);
    return gaps;
  }

  void
  connect_all ()
  {
    run (2 * SIM_S);
    ASSERT_EQ (current (), Status (pool)->expected_size);
    peer_forget_dials (peer);
  }
};

/* -------------------------------------------------------------- one prober */

TEST_F (AddressTest, FiveChannelsStartWithOneDial)
{
  gint64 start_us;

  make ("size=5");
  start_us = now ();
  peer_always (peer, PEER_ACCEPTS, 50 * SIM_MS, PEER_FOREVER, nullptr);
  sim_start (sim);
  run (49 * SIM_MS);
  EXPECT_EQ (dials (peer, start_us), (std::vector<gint64>{ 0 }));
  run (2 * SIM_MS);
  EXPECT_EQ (dials (peer, start_us), (std::vector<gint64>{ 0, 50000, 50000, 50000, 50000 }));
  run (SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_EQ (peer_n_dials (peer), 5u);
}

TEST_F (AddressTest, AfterASuccessAtMostSoManyDialAtOnce)
{
  make ("size=20\nmax-concurrent-dials=3");
  peer_always (peer, PEER_ACCEPTS, 10 * SIM_MS, PEER_FOREVER, nullptr);
  sim_start (sim);
  run (11 * SIM_MS);
  EXPECT_EQ (peer->n_dialing, 3u);
  run (SIM_S);
  EXPECT_EQ (current (), 20);
  EXPECT_EQ (peer->most_dialing, 3u);
}

TEST_F (AddressTest, AProberKeepsToThatLimitToo)
{
  make ("size=3\nmax-concurrent-dials=1");
  sim_start (sim);
  connect_all ();
  connection_fail (peer_nth_up (peer, 0), "gone");
  settle ();
  connection_fail (peer_nth_up (peer, 0), "gone");
  run (SIM_S);
  EXPECT_EQ (current (), 3);
  EXPECT_EQ (peer->most_dialing, 1u);
}

TEST_F (AddressTest, TheProcessHasALimitOfItsOwn)
{
  std::string targets = "targets=";

  for (int i = 0; i < 10; i++)
    targets += "sim:x" + std::to_string (i) + ";";
  targets.pop_back ();
  make ("size=40\n" + targets, "max-concurrent-dials=7");
  sim_start (sim);
  run (2 * SIM_S);
  EXPECT_EQ (current (), 40);
  EXPECT_EQ (sim_peers (sim)->most_dialing, 7u);
}

/* First come, first served among addresses: none waits twice as long as another. */
TEST_F (AddressTest, AddressesTakeTurnsUnderThatLimit)
{
  std::string targets = "targets=sim:x0;sim:x1;sim:x2;sim:x3";
  std::vector<gint64> firsts;

  make ("size=8\n" + targets, "max-concurrent-dials=1");
  for (int i = 0; i < 4; i++)
    peer_always (peers_get (sim_peers (sim), ("sim:x" + std::to_string (i)).c_str ()), PEER_ACCEPTS, 10 * SIM_MS,
                 PEER_FOREVER, nullptr);
  gint64 start_us = now ();
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (current (), 8);
  EXPECT_EQ (sim_peers (sim)->most_dialing, 1u);
  for (int i = 0; i < 4; i++)
    firsts.push_back (dials (peers_get (sim_peers (sim), ("sim:x" + std::to_string (i)).c_str ()), start_us).at (0));
  EXPECT_EQ (firsts, (std::vector<gint64>{ 0, 10000, 20000, 30000 }));
}

TEST_F (AddressTest, OneAddressThatIsDownHoldsUpNoOther)
{
  make ("size=4\ntargets=sim:a;sim:b");
  peer_always (peer, PEER_HANGS, 0, 0, nullptr);
  sim_start (sim);
  run (100 * SIM_MS);
  EXPECT_EQ (peers_get (sim_peers (sim), "sim:b")->n_up, 2u);
  EXPECT_TRUE (can_get ());
}

/* ------------------------------------------------------ the plugin's times */

TEST_F (AddressTest, FailedAttemptsComeAtThePluginsTimesAndNoOthers)
{
  make ("size=5\nbackoff=schedule");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  sim_start (sim);
  run (2260 * SIM_MS);
  EXPECT_EQ (gaps_ms (), (std::vector<gint64>{ 100, 200, 400, 50, 100, 200, 400, 50, 100, 200, 400, 50 }));
}

TEST_F (AddressTest, TheDelayRunsFromTheEndOfAnAttempt)
{
  make ("size=5\nbackoff=schedule\nconnect-timeout=300ms");
  peer_always (peer, PEER_HANGS, 0, 0, nullptr);
  sim_start (sim);
  run (2 * SIM_S);
  EXPECT_EQ (gaps_ms (), (std::vector<gint64>{ 400, 500, 700, 350 }));
}

TEST_F (AddressTest, AttemptsThatNeedNoTimeAtAllAreNoLoop)
{
  make ("size=5\nbackoff=schedule");
  peer_always (peer, PEER_HAS_NO_CHANNEL, 0, 0, "no such scheme");
  sim_start (sim);
  run (740 * SIM_MS);
  EXPECT_EQ (gaps_ms (), (std::vector<gint64>{ 100, 200, 400 }));
  EXPECT_NE (get_error (CENOTE_ERROR_NOT_CONNECTED).find ("no such scheme"), std::string::npos);
}

TEST_F (AddressTest, AFailureInsideTheDialIsNoLoopEither)
{
  make ("size=5\nbackoff=schedule");
  peer_always (peer, PEER_REFUSES, PEER_INSIDE, 0, "refused");
  sim_start (sim);
  run (740 * SIM_MS);
  EXPECT_EQ (gaps_ms (), (std::vector<gint64>{ 100, 200, 400 }));
}

/* A plugin whose delays are zero: the control side goes on with everything else. */
int64_t
no_delay (void *)
{
  return 0;
}

int64_t
negative_delay (void *)
{
  return -5;
}

TEST_F (AddressTest, ANegativeDelayIsTakenAsNoneAndTold)
{
  static const CenoteBackoffOps ops = { sizeof ops, 0, spies::create, negative_delay, nullptr, nullptr };
  static const CenotePlugin plugin = spies::describe (CENOTE_PLUGIN_BACKOFF, "negative", &ops);
  LogCapture log;

  sim = sim_new_empty (1);
  sim_add_plugin (sim, &plugin);
  make ("size=2\nbackoff=negative");
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (log.count ("a delay of -5 us"), 1u);
}

TEST_F (AddressTest, NoDelayAtAllStillLetsEverybodyElseWork)
{
  static const CenoteBackoffOps ops = { sizeof ops, 0, spies::create, no_delay, nullptr, nullptr };
  static const CenotePlugin plugin = spies::describe (CENOTE_PLUGIN_BACKOFF, "none", &ops);

  sim = sim_new_empty (1);
  sim_add_plugin (sim, &plugin);
  make ("size=2\nbackoff=none");
  for (int i = 0; i < 50; i++)
    peer_next (peer, PEER_HAS_NO_CHANNEL, 0, 0, "not yet");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer_n_dials (peer), 52u);
}

/* Even where nothing ever comes of it, an iteration ends. */
TEST_F (AddressTest, NoDelayForEverEndsEachIteration)
{
  static const CenoteBackoffOps ops = { sizeof ops, 0, spies::create, no_delay, nullptr, nullptr };
  static const CenotePlugin plugin = spies::describe (CENOTE_PLUGIN_BACKOFF, "restless", &ops);

  sim = sim_new_empty (1);
  sim_add_plugin (sim, &plugin);
  make ("size=2\nbackoff=restless");
  peer_always (peer, PEER_HAS_NO_CHANNEL, 0, 0, "never");
  sim_start (sim);
  for (int i = 0; i < 100; i++)
    control_run (sim_control (sim));
  EXPECT_GE (peer_n_dials (peer), 10u);
  EXPECT_LE (peer_n_dials (peer), 100u);
  cenote_pool_stop (pool);
}

/* ------------------------------------------------------------------ losses */

TEST_F (AddressTest, FiveHealthyConnectionsLostAtOnceAreOneProbeAtOnce)
{
  gint64 lost_us;

  open ("size=5");
  connect_all ();
  peer_always (peer, PEER_ACCEPTS, 30 * SIM_MS, PEER_FOREVER, nullptr);
  lost_us = now ();
  peer_lose_all (peer, "the server stopped");
  run (29 * SIM_MS);
  EXPECT_EQ (dials (peer, lost_us), (std::vector<gint64>{ 0 }));
  run (SIM_S);
  EXPECT_EQ (dials (peer, lost_us), (std::vector<gint64>{ 0, 30000, 30000, 30000, 30000 }));
  EXPECT_EQ (current (), 5);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 5u);
}

TEST_F (AddressTest, TheProbeAfterALossFailsIntoThePluginsTimes)
{
  gint64 lost_us;

  open ("size=5\nbackoff=schedule");
  connect_all ();
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  lost_us = now ();
  peer_lose_all (peer, "the server stopped");
  run (760 * SIM_MS);
  EXPECT_EQ (dials (peer, lost_us), (std::vector<gint64>{ 0, 100000, 300000, 700000, 750000 }));
}

TEST_F (AddressTest, FiveYoungConnectionsLostAtOnceAreOneProbeAfterTheDelay)
{
  gint64 lost_us;

  open ("size=5\nbackoff=schedule");
  run (500 * SIM_MS);
  ASSERT_EQ (current (), 5);
  peer_forget_dials (peer);
  lost_us = now ();
  peer_lose_all (peer, "turned away");
  run (99 * SIM_MS);
  EXPECT_EQ (peer_n_dials (peer), 0u);
  run (SIM_MS);
  EXPECT_EQ (dials (peer, lost_us), (std::vector<gint64>{ 100000 }));
  run (SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_EQ (peer_n_dials (peer), 5u);
}

TEST_F (AddressTest, OneGoodCallMakesAYoungConnectionHealthy)
{
  CenoteLease lease;
  gint64 lost_us;

  open ("size=1\nbackoff=schedule");
  run (10 * SIM_MS);
  lease = get ();
  cenote_lease_release_with_status (&lease, 0);
  peer_forget_dials (peer);
  lost_us = now ();
  peer_lose_all (peer, "gone");
  run (10 * SIM_MS);
  EXPECT_EQ (dials (peer, lost_us), (std::vector<gint64>{ 0 }));
}

/* A channel that is redialled in place has many connections, each with a call of its own. */
TEST_F (AddressTest, AGoodCallMakesEachConnectionOfAChannelHealthy)
{
  CenoteLease lease;
  gint64 lost_us;

  open ("size=1\nbackoff=schedule");
  for (int i = 0; i < 10; i++) {
    run (10 * SIM_MS);
    lease = get ();
    ASSERT_NE (lease.channel, nullptr) << i;
    cenote_lease_release_with_status (&lease, 0);
    peer_forget_dials (peer);
    lost_us = now ();
    peer_lose_all (peer, "gone");
    run (10 * SIM_MS);
    EXPECT_EQ (dials (peer, lost_us), (std::vector<gint64>{ 0 })) << i;
  }
}

TEST_F (AddressTest, AFailedCallDoesNot)
{
  CenoteLease lease;

  open ("size=1\nbackoff=schedule");
  run (10 * SIM_MS);
  lease = get ();
  cenote_lease_release_with_status (&lease, 14);
  peer_forget_dials (peer);
  peer_lose_all (peer, "gone");
  run (99 * SIM_MS);
  EXPECT_EQ (peer_n_dials (peer), 0u);
}

/* Lost one by one, some iterations apart: the connections that were made before
 * the last probe are heard too, and each loss of one is one dial. */
TEST_F (AddressTest, OldConnectionsAreHeardAfterANewerOneWasMade)
{
  open ("size=5");
  connect_all ();
  connection_lose (peer_nth_up (peer, 0), "restarted");
  run (2 * SIM_S);
  ASSERT_EQ (current (), 5);
  peer_forget_dials (peer);
  peer_always (peer, PEER_HANGS, 0, 0, nullptr);
  for (int i = 0; i < 5; i++) {
    connection_lose (peer_nth_up (peer, peer->n_up - 1), "the server stopped");
    run (SIM_MS);
  }
  EXPECT_EQ (peer_n_dials (peer), 1u) << "one probes, though four of the five are older than the last probe";
}

/* A young connection dies first, and an old one of the same server after it. */
TEST_F (AddressTest, AHealthyLossAmongYoungOnesIsHeeded)
{
  gint64 lost_us;

  open ("size=1\nbackoff=schedule");
  connect_all ();
  cenote_pool_scale_up (pool, 2, nullptr);
  run (100 * SIM_MS);
  ASSERT_EQ (current (), 3);
  peer_forget_dials (peer);
  lost_us = now ();
  connection_lose (peer_nth_up (peer, 2), "killed");
  settle ();
  connection_lose (peer_nth_up (peer, 0), "killed");
  run (50 * SIM_MS);
  EXPECT_EQ (dials (peer, lost_us), (std::vector<gint64>{ 0, 1000 }));
  EXPECT_EQ (current (), 3);
}

TEST_F (AddressTest, AHealthyConnectionThatGoesLateResetsNothing)
{
  gint64 lost_us;

  open ("size=2\nbackoff=schedule");
  connect_all ();
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  lost_us = now ();
  connection_lose (peer_nth_up (peer, 0), "gone");
  run (150 * SIM_MS);
  connection_lose (peer_nth_up (peer, 0), "gone too");
  run (700 * SIM_MS);
  EXPECT_EQ (dials (peer, lost_us), (std::vector<gint64>{ 0, 100000, 300000, 700000, 750000, 850000 }));
}

TEST_F (AddressTest, AnAttemptFromBeforeAFailureOpensNothing)
{
  open ("size=3\nbackoff=schedule");
  peer_next (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  peer_next (peer, PEER_REFUSES, 10 * SIM_MS, 0, "refused");
  peer_next (peer, PEER_ACCEPTS, 20 * SIM_MS, PEER_FOREVER, nullptr);
  run (30 * SIM_MS);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer_n_dials (peer), 3u);
  run (80 * SIM_MS);
  EXPECT_EQ (peer_n_dials (peer), 3u) << "the success that began before the failure hurried nobody";
  run (20 * SIM_MS);
  EXPECT_EQ (peer_n_dials (peer), 4u);
  EXPECT_EQ (current (), 3);
}

/* Of a burst of failures of dials that began together only the first counts. */
TEST_F (AddressTest, AFailedBurstIsOneFailure)
{
  gint64 start_us;

  open ("size=5\nbackoff=schedule");
  start_us = now ();
  peer_next (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  for (int i = 0; i < 4; i++)
    peer_next (peer, PEER_REFUSES, (10 + i) * SIM_MS, 0, "refused");
  run (111 * SIM_MS);
  EXPECT_EQ (dials (peer, start_us), (std::vector<gint64>{ 0, 1000, 1000, 1000, 1000, 111000 }));
  run (SIM_S);
  EXPECT_EQ (current (), 5);
}

/* ------------------------------------------- peers that accept and hang up */

class AcceptAndClose : public AddressTest, public testing::WithParamInterface<gint64>
{
};

TEST_P (AcceptAndClose, IsDialledAtThePluginsTimes)
{
  const guint size = 5;

  make ("size=5\nbackoff=schedule");
  peer_always (peer, PEER_ACCEPTS, SIM_MS, GetParam (), "closed by the peer");
  sim_start (sim);
  run (60 * SIM_S);
  /* A round of the schedule has four delays and takes 750 ms. */
  EXPECT_LE (peer_n_dials (peer), (1 + 60 * 4 * 4 / 3) * (1 + size));
  EXPECT_GE (peer_n_dials (peer), 60u);
}

INSTANTIATE_TEST_SUITE_P (After, AcceptAndClose,
                          testing::Values (PEER_INSIDE, 0, SIM_MS, 50 * SIM_MS, 400 * SIM_MS, 999 * SIM_MS));

TEST_F (AddressTest, APeerThatTurnsOneAwayIsDialledAtThePluginsTimes)
{
  make ("size=1\nbackoff=schedule");
  peer_always (peer, PEER_ACCEPTS, 0, PEER_INSIDE, "closed by the peer");
  sim_start (sim);
  run (1600 * SIM_MS);
  EXPECT_EQ (gaps_ms (), (std::vector<gint64>{ 100, 200, 400, 50, 100, 200, 400, 50, 100 }));
}

/* The same from a channel that had a good call once, and is redialled in place. */
TEST_F (AddressTest, AlsoAfterItServedOnce)
{
  CenoteLease lease;

  open ("size=1\nbackoff=schedule");
  run (10 * SIM_MS);
  lease = get ();
  cenote_lease_release_with_status (&lease, 0);
  connect_all ();
  peer_always (peer, PEER_ACCEPTS, 0, 0, "closed by the peer");
  peer_lose_all (peer, "gone");
  run (1499 * SIM_MS);
  EXPECT_EQ (gaps_ms (), (std::vector<gint64>{ 100, 200, 400, 50, 100, 200, 400 }));
}

TEST_F (AddressTest, OnlyHealthResetsTheBackoff)
{
  std::vector<gint64> gaps;

  open ("size=1\nbackoff=schedule");
  peer_next (peer, PEER_REFUSES, 0, 0, "refused");
  peer_next (peer, PEER_REFUSES, 0, 0, "refused");
  peer_next (peer, PEER_ACCEPTS, 0, 500 * SIM_MS, "too young");
  peer_next (peer, PEER_ACCEPTS, 0, 1500 * SIM_MS, "old enough");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  run (2900 * SIM_MS);
  /* 100, 200; ready for 500, then 400; ready for 1500, then at once; then from the start. */
  EXPECT_EQ (gaps_ms (), (std::vector<gint64>{ 100, 200, 900, 1500, 100 }));
}

/* -------------------------------------------------------------------- rest */

TEST_F (AddressTest, RestsWhenItsAttemptsAreUsedUp)
{
  std::string error;

  open ("size=5\nbackoff=schedule\nmax-connect-attempts=3");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused for good");
  Acquire &waiting = acquire ();
  run (299 * SIM_MS);
  EXPECT_FALSE (waiting.answered);
  run (60 * SIM_S);
  EXPECT_EQ (peer_n_dials (peer), 3u);
  ASSERT_TRUE (waiting.answered);
  EXPECT_EQ (waiting.code, CENOTE_ERROR_NOT_CONNECTED);
  EXPECT_NE (waiting.message.find ("refused for good"), std::string::npos) << waiting.message;
  EXPECT_NE (waiting.message.find ("max-connect-attempts"), std::string::npos) << waiting.message;
  Acquire &late = acquire ();
  settle ();
  EXPECT_EQ (late.code, CENOTE_ERROR_NOT_CONNECTED);
  EXPECT_EQ (Status (pool)->channels[0]->next_attempt_ms, -1);
}

class WakesFromRest : public AddressTest, public testing::WithParamInterface<bool>
{
};

TEST_P (WakesFromRest, ByConnectAndReconnect)
{
  open ("size=5\nmax-connect-attempts=2");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  run (10 * SIM_S);
  EXPECT_EQ (peer_n_dials (peer), 2u);
  peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  run (10 * SIM_S);
  EXPECT_EQ (current (), 0);
  if (GetParam ())
    EXPECT_FALSE (cenote_pool_connect (pool, 0, nullptr));
  else
    cenote_pool_reconnect (pool);
  run (100 * SIM_MS);
  EXPECT_EQ (current (), 5);
}

INSTANTIATE_TEST_SUITE_P (Verbs, WakesFromRest, testing::Bool ());

TEST_F (AddressTest, RestsAgainAfterAsManyAttempts)
{
  open ("size=5\nmax-connect-attempts=2");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  run (10 * SIM_S);
  cenote_pool_reconnect (pool);
  run (10 * SIM_S);
  EXPECT_EQ (peer_n_dials (peer), 4u);
}

/* A connection that stands and proves itself ends the row of failures. */
TEST_F (AddressTest, HealthEndsARest)
{
  open ("size=3\nmax-connect-attempts=1");
  peer_next (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused once");
  run (500 * SIM_MS);
  EXPECT_EQ (current (), 2);
  run (10 * SIM_S);
  EXPECT_EQ (current (), 3);
}

TEST_F (AddressTest, OnlyFailuresInARowCount)
{
  open ("size=1\nmax-connect-attempts=2");
  for (int i = 0; i < 10; i++) {
    peer_next (peer, PEER_REFUSES, 0, 0, "refused");
    peer_next (peer, PEER_ACCEPTS, 0, 1500 * SIM_MS, "gone");
  }
  run (60 * SIM_S);
  EXPECT_EQ (current (), 1);
}

/* ------------------------------------------------------------ long outages */

/* A day, where tests have their full length. */
TEST_F (AddressTest, ADayWithoutAServerIsSurvived)
{
  const unsigned outage_s = 3600 * scaled (24, 1);
  gint64 back_us;

  make ("size=20\nbackoff=quick", "[backoff:quick]\nplugin=exponential\ninitial=100ms\nmax=500ms\n");
  sim_start (sim);
  connect_all ();
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_lose_all (peer, "the server is gone");
  run (outage_s * SIM_S);
  EXPECT_EQ (current (), 0);
  EXPECT_GT (peer_n_dials (peer), outage_s * 10 / 7);
  EXPECT_LT (peer_n_dials (peer), outage_s * 10 / 3);
  EXPECT_EQ (peer->most_dialing, 16u) << "only while it was open";
  peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  back_us = now ();
  while (current () < 20 && now () < back_us + SIM_S)
    run (10 * SIM_MS);
  EXPECT_LE (now () - back_us, 620 * SIM_MS);
  EXPECT_EQ (current (), 20);
  EXPECT_TRUE (can_get ());
}

/* ------------------------------------------------------------------ telling */

TEST_F (AddressTest, TellsWhenItDialsAgain)
{
  const ToldEvent *told;

  open ("size=2\nbackoff=schedule");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  run (350 * SIM_MS);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED), 3u);
  told = last (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED);
  EXPECT_EQ (told->event.delay_ms, 400);
  EXPECT_EQ (told->event.attempt, 4);
  EXPECT_EQ (told->address, "sim:a");
  EXPECT_EQ (told->reason, "refused");
  EXPECT_EQ (told->pool, "p");
  told = last (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);
  EXPECT_EQ (told->error, "refused");
  EXPECT_EQ (told->event.attempt, 3);
  EXPECT_EQ (Status (pool)->channels[0]->next_attempt_ms, 350);
}

} // namespace
