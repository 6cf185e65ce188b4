/* SPDX-License-Identifier: Apache-2.0 */
/* rotation: connections that are replaced when they have reached their age, and for other reasons. */
#include <map>

#include "sim-test.h"
#include "tests/scale.h"

namespace {

class RotationTest : public SimTest
{
protected:
  /* Of each channel whose place another one took: how long its connection had stood. */
  std::vector<gint64>
  ages () const
  {
    std::map<guint64, gint64> connected;
    std::vector<gint64> all;

    for (const ToldEvent &told : events) {
      if (told.event.kind == CENOTE_EVENT_CHANNEL_CONNECTED)
        connected[told.event.channel] = told.event.time_us;
      if (told.event.kind == CENOTE_EVENT_CHANNEL_DRAINED && told.reason.find ("max-connection-age") != std::string::npos)
        all.push_back (told.event.time_us - connected[told.event.channel]);
    }
    return all;
  }

  /* As long as it goes, SIZE channels are there, and at most one more connection. */
  void
  run_and_expect (gint64 span_us, gint64 size, gint64 step_us = 100 * SIM_MS)
  {
    for (gint64 end_us = now () + span_us; now () < end_us;) {
      run (step_us);
      ASSERT_EQ (current (), size);
      ASSERT_GE (peer->n_up, size);
      ASSERT_LE (peer->n_up, size + 1) << "one at a time";
      ASSERT_TRUE (can_get ());
    }
  }

  std::string
  why (guint i = 0)
  {
    Status status (pool);

    return status->channels[i]->why;
  }
};

TEST_F (RotationTest, NothingIsReplacedUnlessAsked)
{
  open ("size=3\nstatus-interval=off\n");
  run (48 * 3600 * SIM_S);
  EXPECT_EQ (peer->n_accepted, 3u);
}

TEST_F (RotationTest, EachConnectionIsReplacedInTheLastTenthOfItsAge)
{
  open ("size=5\nmax-connection-age=1min\n");
  run (SIM_S);
  run_and_expect (600 * SIM_S, 5);
  EXPECT_GE (ages ().size (), 50u);
  EXPECT_LE (ages ().size (), 56u);
  for (gint64 age_us : ages ()) {
    EXPECT_GE (age_us, 54 * SIM_S);
    EXPECT_LE (age_us, 60 * SIM_S + 100 * SIM_MS) << "and the wait for its turn";
  }
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_AGE), ages ().size ());
  EXPECT_EQ (sim_counter (sim, COUNTER_DISCONNECTIONS), 0u);
}

TEST_F (RotationTest, TheJitterIsThatOfTheKey)
{
  open ("size=10\nmax-connection-age=1min\nmax-connection-age-jitter=50%\n");
  run (SIM_S);
  run_and_expect (300 * SIM_S, 10);
  std::vector<gint64> all = ages ();
  EXPECT_GE (*std::min_element (all.begin (), all.end ()), 30 * SIM_S);
  EXPECT_LE (*std::min_element (all.begin (), all.end ()), 40 * SIM_S);
  EXPECT_LE (*std::max_element (all.begin (), all.end ()), 60 * SIM_S + 100 * SIM_MS);
}

/* A thousand that came up together go apart by their luck. */
/* A thousand; what has a look at each of them takes a sanitizer long. */
std::string
how_many (guint *out)
{
  *out = scaled_down (1000, 300);
  return "size=" + std::to_string (*out) + "\n";
}

TEST_F (RotationTest, ManyAreNoHerd)
{
  std::map<gint64, guint> per_second;
  gint64 start_us;
  guint many;

  open ((how_many (&many) + "max-connection-age=10min\nstatus-interval=off\n").c_str ());
  run (10 * SIM_S);
  peer_forget_dials (peer);
  start_us = now ();
  run_and_expect (620 * SIM_S, many, 2 * SIM_S);
  for (gint64 time_us : dials (peer, start_us))
    per_second[time_us / SIM_S]++;
  EXPECT_GE (peer_n_dials (peer), many);
  for (auto [second, n] : per_second)
    EXPECT_LE (n, many / 20) << "in second " << second << ": the mean is " << many / 60;
}

/* Where luck has no say, they go one after another, as fast as one connects. */
TEST_F (RotationTest, ManyThatAreDueTogetherWaitForTheirTurn)
{
  guint many;

  open ((how_many (&many) + "max-connection-age=1min\nmax-connection-age-jitter=0\nstatus-interval=off\n").c_str ());
  run (50 * SIM_S);
  EXPECT_EQ (peer->n_accepted, many);
  run_and_expect (20 * SIM_S, many, 50 * SIM_MS);
  EXPECT_EQ (peer->n_accepted, 2 * many);
}

TEST_F (RotationTest, TheOldOneStaysWhileNoNewOneConnects)
{
  open ("size=2\nmax-connection-age=10s\n");
  run (SIM_S);
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  run_and_expect (120 * SIM_S, 2);
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_AGE), 0u);
  EXPECT_NE (why ().find ("is connected; it has reached max-connection-age, and waits to be replaced"), std::string::npos)
    << why ();
  peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  run_and_expect (SIM_S, 2);
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_AGE), 2u);
  EXPECT_EQ (why (), "is connected");
}

TEST_F (RotationTest, ALeaseKeepsTheOldOne)
{
  CenoteLease lease;

  open ("size=1\nmax-connection-age=10s\n");
  run (SIM_S);
  lease = get ();
  run (12 * SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (Status (pool)->draining, 1);
  EXPECT_EQ (connection_of (lease.channel)->state, CONNECTION_UP);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (Status (pool)->draining, 0);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "was replaced: its connection had reached max-connection-age");
}

/* What is made anew is new. */
TEST_F (RotationTest, ALostConnectionBeginsAnew)
{
  open ("size=1\nmax-connection-age=10s\nmax-connection-age-jitter=0\n");
  run (9 * SIM_S);
  peer_lose_all (peer, "gone");
  run (9 * SIM_S);
  EXPECT_EQ (peer->n_accepted, 2u);
  run (2 * SIM_S);
  EXPECT_EQ (peer->n_accepted, 3u);
}

/* One that is old and waits is as good as new once it has lost its connection. */
TEST_F (RotationTest, ALostConnectionTakesItsAgeAlong)
{
  open ("size=1\nmax-connection-age=10s\n");
  run (SIM_S);
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  run (20 * SIM_S);
  peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  peer_lose_all (peer, "gone");
  run (5 * SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_AGE), 0u);
}

/* Also where it came of age while it drained. */
TEST_F (RotationTest, OneThatIsCalledBackIsStillOfItsAge)
{
  open ("size=2\nmax-connection-age=10s\nmax-connection-age-jitter=0\n");
  for (gint64 away_us : { SIM_S, 15 * SIM_S }) {
    CenoteLease one, other;

    run (SIM_S);
    one = get ();
    other = get_on (connection_of (one.channel)->number == peer_nth_up (peer, 0)->number ? peer_nth_up (peer, 1)->number
                                                                                     : peer_nth_up (peer, 0)->number);
    cenote_pool_resize (pool, 1, nullptr);
    run (away_us);
    guint64 accepted = peer->n_accepted;
    cenote_pool_resize (pool, 2, nullptr);
    settle ();
    EXPECT_EQ (current (), 2);
    EXPECT_EQ (peer->n_accepted, accepted) << "it was called back";
    run (10 * SIM_S);
    EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_AGE), away_us == SIM_S ? 2u : 5u);
    cenote_lease_release (&one);
    cenote_lease_release (&other);
  }
}

/* Ages, certificates and reconnects are counted apart; who is due for two reasons is replaced once. */
TEST_F (RotationTest, TheReasonIsCounted)
{
  open ("size=2\nmax-connection-age=10s\nmax-connection-age-jitter=0\n");
  run (SIM_S);
  peer_nth_up (peer, 0)->host->renew (peer_nth_up (peer, 0)->host, "its papers are new");
  run (SIM_S);
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_CERTIFICATE), 2u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "was replaced: its transport has changed");
  cenote_pool_reconnect (pool);
  run (SIM_S);
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_RECONNECT), 2u);
  run (11 * SIM_S);
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_AGE), 2u);
  peer_always (peer, PEER_ACCEPTS, 500 * SIM_MS, PEER_FOREVER, nullptr);
  run (8 * SIM_S);
  cenote_pool_reconnect (pool);
  run (5 * SIM_S);
  EXPECT_EQ (peer->n_accepted, 10u);
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_AGE) + sim_counter (sim, COUNTER_REFRESHES_RECONNECT), 6u);
}

TEST_F (RotationTest, AnAddressThatIsDownHoldsUpNoOther)
{
  Peer *second;

  make ("size=4\ntargets=sim:a;sim:b\nmax-connection-age=10s\n");
  second = peers_get (sim_peers (sim), "sim:b");
  sim_start (sim);
  run (SIM_S);
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  run (20 * SIM_S);
  EXPECT_EQ (current (), 4);
  EXPECT_EQ (peer->n_accepted, 2u);
  EXPECT_GE (second->n_accepted, 4u);
}

} // namespace
