/* SPDX-License-Identifier: Apache-2.0 */
/* ejection: channels whose calls fail leave the rotation, are replaced, and return. */
#include <grpc/status.h>

#include "sim-test.h"

namespace {

class EjectionTest : public SimTest
{
protected:
  Peer *second = nullptr;

  /* N to sim:a and sim:b each. */
  void
  open_two (guint n, const std::string &keys = "")
  {
    make ("targets=sim:a;sim:b\npicker=round-robin\nsize=" + std::to_string (2 * n) + "\n" + keys);
    second = peers_get (sim_peers (sim), "sim:b");
    listen ();
    sim_start (sim);
    run (SIM_S);
    ASSERT_EQ (current (), 2 * n);
  }

  /* A call on CONNECTION that ends with STATUS. */
  void
  call (const Connection *connection, int status)
  {
    CenoteLease lease = get_on (connection->number);

    cenote_lease_release_with_status (&lease, status);
  }

  void
  fail (const Connection *connection, int n, int status = GRPC_STATUS_UNAVAILABLE)
  {
    while (n-- > 0)
      call (connection, status);
  }

  /* The channels that a hundred gets in a row can be on. */
  guint
  n_got (const Peer *of)
  {
    guint n = 0;

    for (int i = 0; i < 100; i++) {
      CenoteLease lease = get ();

      n += connection_of (lease.channel)->peer == of;
      cenote_lease_release (&lease);
    }
    return n;
  }

  std::string
  why_of (guint64 channel)
  {
    Status status (pool);

    return status.channel (channel)->why;
  }
};

TEST_F (EjectionTest, FiveFailuresInARowTakeItOutAtOnce)
{
  Connection *bad;

  open_two (1);
  bad = peer_nth_up (second, 0);
  fail (bad, 4);
  settle ();
  EXPECT_EQ (current (), 2);
  call (bad, GRPC_STATUS_UNAVAILABLE);
  EXPECT_EQ (sim_count (sim, 0).shown, 1u) << "the caller itself has hidden it";
  EXPECT_EQ (n_got (second), 0u);
  settle ();
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (sim_counter (sim, COUNTER_EJECTIONS), 1u);
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_EJECTED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_EJECTED)->reason, "5 calls in a row failed, the last with status 14");
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_EJECTED)->event.delay_ms, 30000);
  EXPECT_EQ (why_of (last (CENOTE_EVENT_CHANNEL_EJECTED)->event.channel),
             "is connected, and ejected, until it is replaced or its time is over: 5 calls in a row failed, the last with "
             "status 14");
}

TEST_F (EjectionTest, AnAnswerInBetweenBeginsANewStreak)
{
  Connection *bad;

  open_two (1);
  bad = peer_nth_up (second, 0);
  for (int status : { GRPC_STATUS_OK, GRPC_STATUS_NOT_FOUND, GRPC_STATUS_INTERNAL, GRPC_STATUS_RESOURCE_EXHAUSTED }) {
    fail (bad, 4);
    call (bad, status);
  }
  fail (bad, 4);
  settle ();
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (sim_counter (sim, COUNTER_EJECTIONS), 0u);
}

/* Whoever tells no outcome says neither this nor that. */
TEST_F (EjectionTest, WhatIsNotToldDoesNotCount)
{
  CenoteLease lease;
  Connection *bad;

  open_two (1);
  bad = peer_nth_up (second, 0);
  fail (bad, 4);
  lease = get_on (bad->number);
  cenote_lease_release (&lease);
  call (bad, GRPC_STATUS_UNAVAILABLE);
  settle ();
  EXPECT_EQ (current (), 1);
}

TEST_F (EjectionTest, ItCanBeSwitchedOff)
{
  open_two (1, "eject-after=0\n");
  fail (peer_nth_up (second, 0), 100);
  run (SIM_S);
  EXPECT_EQ (current (), 2);
}

/* Another connection may lead to a better server. */
TEST_F (EjectionTest, TheFirstTimeItIsReplacedByOneThatAnswers)
{
  open_two (1);
  fail (peer_nth_up (second, 0), 5);
  run (SIM_S);
  EXPECT_EQ (second->voice.n_primes, 1u);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (second->n_up, 1u);
  EXPECT_EQ (second->n_accepted, 2u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "was replaced: its calls failed");
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_EJECTION), 1u);
}

/* A zombie is connected, and says no word: it costs five calls, and not one more. */
TEST_F (EjectionTest, AZombieStaysOutUntilItAnswers)
{
  open_two (1);
  second->voice.is_silent = TRUE;
  fail (peer_nth_up (second, 0), 5, GRPC_STATUS_DEADLINE_EXCEEDED);
  for (int i = 0; i < 600; i++) {
    run (SIM_S);
    ASSERT_EQ (n_got (second), 0u);
    ASSERT_EQ (current (), 1);
  }
  EXPECT_EQ (sim_counter (sim, COUNTER_EJECTIONS), 1u);
  EXPECT_GE (count (CENOTE_EVENT_CHANNEL_EJECTED), 3u) << "it was asked, and is out again";
  EXPECT_LE (count (CENOTE_EVENT_CHANNEL_EJECTED), 8u) << "and longer each time";
  EXPECT_NE (last (CENOTE_EVENT_CHANNEL_EJECTED)->reason.find ("it was asked for a sign of life: "), std::string::npos);
  second->voice.is_silent = FALSE;
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (second->n_up, 1u);
}

/* Where a new connection is no better, connecting again is no help. */
TEST_F (EjectionTest, TheSecondTimeItRestsAndReturns)
{
  open_two (1);
  fail (peer_nth_up (second, 0), 5);
  run (SIM_S);
  ASSERT_EQ (current (), 2);
  fail (peer_nth_up (second, 0), 5);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_EJECTED)->event.delay_ms, 60000) << "twice as long";
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_EJECTED)->event.count, 2);
  run (58 * SIM_S);
  EXPECT_EQ (current (), 1);
  run (2 * SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (second->n_accepted, 2u) << "no new connection";
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_UNEJECTED)->reason, "its time is over, and it has answered");
  EXPECT_GT (n_got (second), 0u);
}

/* Each ejection-time in rotation takes one off. */
TEST_F (EjectionTest, WhatHappenedLongAgoIsForgotten)
{
  open_two (1);
  fail (peer_nth_up (second, 0), 5);
  run (SIM_S);
  fail (peer_nth_up (second, 0), 5);
  run (61 * SIM_S);
  ASSERT_EQ (current (), 2);
  run (61 * SIM_S);
  fail (peer_nth_up (second, 0), 5);
  settle ();
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_EJECTED)->event.count, 1);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_EJECTED)->event.delay_ms, 30000);
}

TEST_F (EjectionTest, AtMostTheShareIsOut)
{
  open_two (4, "max-ejected=25%\n");
  second->voice.is_silent = TRUE;
  for (guint i = 0; i < 4; i++)
    fail (peer_nth_up (second, i), 5);
  run (100 * SIM_MS);
  EXPECT_EQ (current (), 6);
  EXPECT_EQ (sim_counter (sim, COUNTER_EJECTIONS), 2u);
  EXPECT_EQ (sim_counter (sim, COUNTER_EJECTIONS_REFUSED), 2u);
  EXPECT_EQ (sim_count (sim, 0).shown, 6u);
}

/* The last one stays, whatever it does; but it is replaced. */
TEST_F (EjectionTest, APoolOfOneReplacesWhatFails)
{
  open ("size=1\n");
  run (SIM_S);
  fail (peer_nth_up (peer, 0), 5);
  EXPECT_TRUE (can_get ()) << "never hidden";
  settle ();
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (why_of (1), "is connected, and to be replaced: 5 calls in a row failed, the last with status 14");
  run (SIM_S);
  EXPECT_EQ (peer->n_accepted, 2u);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (sim_counter (sim, COUNTER_EJECTIONS), 0u);
  EXPECT_EQ (sim_counter (sim, COUNTER_EJECTIONS_REFUSED), 1u);
}

TEST_F (EjectionTest, BelowThePanicThresholdHealthIsIgnored)
{
  LogCapture log;

  open_two (1);
  second->voice.is_silent = TRUE;
  fail (peer_nth_up (second, 0), 5);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_lose_all (peer, "gone");
  run (SIM_S);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (sim_counter (sim, COUNTER_PANICS), 1u);
  EXPECT_EQ (log.count ("which is below panic-threshold"), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_UNEJECTED)->reason, "too few others are left in rotation");
}

TEST_F (EjectionTest, AShareOfFailuresWithinAWindow)
{
  open_two (1, "eject-after=0\neject-share=50%\neject-window=1s\n");
  for (int i = 0; i < 30; i++) {
    call (peer_nth_up (second, 0), i % 2 == 0 ? GRPC_STATUS_UNAVAILABLE : GRPC_STATUS_OK);
    call (peer_nth_up (peer, 0), i % 3 == 0 ? GRPC_STATUS_UNAVAILABLE : GRPC_STATUS_OK);
  }
  second->voice.is_silent = TRUE;
  run (SIM_S);
  EXPECT_EQ (n_got (second), 0u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_EJECTED)->reason, "15 of 30 calls failed within eject-window");
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_EJECTED), 1u);
}

TEST_F (EjectionTest, CallsPastTheirDeadlineAfterALongSilence)
{
  Connection *bad;

  open_two (1, "eject-after=0\nunresponsive-time=10s\nunresponsive-calls=3\n");
  bad = peer_nth_up (second, 0);
  fail (bad, 5, GRPC_STATUS_DEADLINE_EXCEEDED);
  run (9 * SIM_S);
  fail (bad, 1, GRPC_STATUS_DEADLINE_EXCEEDED);
  settle ();
  EXPECT_EQ (current (), 2);
  run (SIM_S);
  fail (bad, 1, GRPC_STATUS_DEADLINE_EXCEEDED);
  settle ();
  EXPECT_EQ (current (), 1);
}

TEST_F (EjectionTest, ALostConnectionTakesItsEjectionAlong)
{
  open_two (1);
  second->voice.is_silent = TRUE;
  fail (peer_nth_up (second, 0), 5);
  run (SIM_S);
  second->voice.is_silent = FALSE;
  peer_lose_all (second, "restarted");
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_GE (second->voice.n_primes, 2u) << "and had to answer first";
}

TEST_F (EjectionTest, AStopMeanwhileLeavesNothing)
{
  open_two (2);
  second->voice.is_silent = TRUE;
  fail (peer_nth_up (second, 0), 5);
  cenote_pool_stop (pool);
  run (SIM_S);
  EXPECT_TRUE (sim_count (sim, 0).over);
}

} // namespace
