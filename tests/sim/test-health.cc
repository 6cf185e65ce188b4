/* SPDX-License-Identifier: Apache-2.0 */
/* health: who is in rotation, by what servers say of themselves. */
#include <grpc/status.h>

#include "sim-test.h"

extern "C" {
#include "peer-streams.h"
}

namespace {

class HealthTest : public SimTest
{
protected:
  Peer *second = nullptr;

  /* A pool of one channel, whose server has a Watch and is STATUS. */
  void
  open_watched (ServingStatus status, const std::string &keys = "size=1\n")
  {
    make (keys + "health-check=grpc\n");
    peer->voice.has_watch = TRUE;
    peer_serves (peer, status);
    listen ();
    sim_start (sim);
  }

  std::string
  why ()
  {
    Status status (pool);

    return status->n_channels == 0 ? "" : status->channels[0]->why;
  }

  /* Connected, whoever gets it. */
  void
  expect_connected_but_not_shown ()
  {
    EXPECT_EQ (peer->n_up, 1u);
    EXPECT_EQ (Status (pool).count (CENOTE_CHANNEL_READY), 1u);
    EXPECT_EQ (current (), 0);
    EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DOWN);
    EXPECT_FALSE (can_get ());
    EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 0u);
  }
};

TEST_F (HealthTest, NobodyIsAskedUnlessTold)
{
  open ("size=2\n");
  run (60 * SIM_S);
  EXPECT_EQ (peer->voice.n_watches + peer->voice.n_checks, 0u);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_HEALTH), 0u);
}

TEST_F (HealthTest, ANewChannelIsShownWithItsFirstAnswer)
{
  make ("size=1\nhealth-check=grpc\n");
  peer->voice.has_watch = TRUE;
  peer->voice.after_us = 50 * SIM_MS;
  listen ();
  sim_start (sim);
  run (20 * SIM_MS);
  expect_connected_but_not_shown ();
  EXPECT_EQ (why (), "is connected, and waits for its server's health");
  run (40 * SIM_MS);
  EXPECT_EQ (current (), 1);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (why (), "is connected, and serves: SERVING");
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_HEALTH), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_HEALTH)->event.ok, 1);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_HEALTH)->reason, "SERVING");
}

TEST_F (HealthTest, WaitersWaitForTheFirstAnswer)
{
  make ("size=1\nhealth-check=grpc\n");
  peer->voice.has_watch = TRUE;
  peer->voice.after_us = 50 * SIM_MS;
  sim_start (sim);
  Acquire &waiter = acquire ();
  run (20 * SIM_MS);
  EXPECT_FALSE (waiter.answered);
  run (40 * SIM_MS);
  EXPECT_TRUE (waiter.got ());
}

TEST_F (HealthTest, LeavesTheRotationAndReturns)
{
  open_watched (SERVING_STATUS_SERVING);
  run (SIM_S);
  EXPECT_TRUE (can_get ());
  for (ServingStatus status :
       { SERVING_STATUS_NOT_SERVING, SERVING_STATUS_SERVICE_UNKNOWN, SERVING_STATUS_UNKNOWN }) {
    peer_serves (peer, status);
    run (20 * SIM_MS);
    expect_connected_but_not_shown ();
    EXPECT_EQ (why (), std::string ("is connected, and out of rotation: ") + serving_status_to_string (status));
    EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_HEALTH)->event.ok, 0);
    peer_serves (peer, SERVING_STATUS_SERVING);
    run (20 * SIM_MS);
    EXPECT_EQ (current (), 1);
    EXPECT_TRUE (can_get ());
  }
  EXPECT_EQ (peer->voice.n_watches, 1u);
  EXPECT_EQ (peer_n_dials (peer), 1u);
}

TEST_F (HealthTest, CallersGetTheOtherServer)
{
  make ("size=4\ntargets=sim:a;sim:b\nhealth-check=grpc\n");
  second = peers_get (sim_peers (sim), "sim:b");
  peer->voice.has_watch = second->voice.has_watch = TRUE;
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (current (), 4);
  peer_serves (second, SERVING_STATUS_NOT_SERVING);
  run (20 * SIM_MS);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DEGRADED);
  for (int i = 0; i < 100; i++) {
    CenoteLease lease = get ();

    EXPECT_EQ (connection_of (lease.channel)->peer, peer);
    cenote_lease_release (&lease);
  }
}

/* A lease that is held goes on: the connection stays. */
TEST_F (HealthTest, ALeaseOutlivesTheRotation)
{
  CenoteLease lease;

  open_watched (SERVING_STATUS_SERVING);
  run (SIM_S);
  lease = get ();
  peer_serves (peer, SERVING_STATUS_NOT_SERVING);
  run (SIM_S);
  expect_connected_but_not_shown ();
  EXPECT_EQ (Status (pool)->in_flight, 1);
  cenote_lease_release_with_status (&lease, 0);
  EXPECT_EQ (Status (pool)->in_flight, 0);
}

TEST_F (HealthTest, TheErrorOfAGetSaysWhy)
{
  open_watched (SERVING_STATUS_NOT_SERVING);
  run (SIM_S);
  EXPECT_NE (get_error (CENOTE_ERROR_NOT_CONNECTED).find ("sim:a does not serve: NOT_SERVING"), std::string::npos);
}

/* gRFC A17: what is not known to serve does not. */
TEST_F (HealthTest, ABrokenWatchTakesItOutUntilItStandsAgain)
{
  open_watched (SERVING_STATUS_SERVING);
  run (SIM_S);
  peer->voice.is_silent = TRUE;
  peer_end_watches (peer, GRPC_STATUS_INTERNAL, "reset");
  run (10 * SIM_MS);
  expect_connected_but_not_shown ();
  EXPECT_EQ (why (), "is connected, and out of rotation: the health watch broke (status 13: reset)");
  EXPECT_EQ (peer->voice.n_watches, 2u) << "one that has stood is opened again at once";
  peer->voice.is_silent = FALSE;
  peer_serves (peer, SERVING_STATUS_SERVING);
  run (10 * SIM_MS);
  EXPECT_TRUE (can_get ());
}

TEST_F (HealthTest, AWatchThatBreaksAtOnceIsOpenedWithABackoff)
{
  open_watched (SERVING_STATUS_SERVING);
  for (int i = 0; i < 60 * 100; i++) {
    run (10 * SIM_MS);
    peer_end_watches (peer, GRPC_STATUS_INTERNAL, "no");
  }
  EXPECT_GE (peer->voice.n_watches, 9u);
  EXPECT_LE (peer->voice.n_watches, 16u);
}

TEST_F (HealthTest, NoAnswerWithinTheConnectTimeoutIsNotServing)
{
  make ("size=1\nhealth-check=grpc\nconnect-timeout=2s\n");
  peer->voice.has_watch = peer->voice.is_silent = TRUE;
  listen ();
  sim_start (sim);
  run (1900 * SIM_MS);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_HEALTH), 0u);
  run (200 * SIM_MS);
  expect_connected_but_not_shown ();
  EXPECT_EQ (why (), "is connected, and out of rotation: no answer to the health watch within 2000 ms");
  peer->voice.is_silent = FALSE;
  run (SIM_S);
  EXPECT_TRUE (can_get ());
}

/* A server that cannot make up its mind costs us no more than a look every 10 ms. */
TEST_F (HealthTest, AServerThatFlipsAllTheTimeIsHeardAtAPace)
{
  open_watched (SERVING_STATUS_SERVING);
  peer->voice.after_us = 1;
  run (SIM_S);
  for (int i = 0; i < 10000; i++) {
    peer_serves (peer, i % 2 == 0 ? SERVING_STATUS_NOT_SERVING : SERVING_STATUS_SERVING);
    run (100);
  }
  EXPECT_LE (count (CENOTE_EVENT_CHANNEL_HEALTH), 102u);
  run (SIM_S);
  EXPECT_TRUE (can_get ()) << "the last word counts";
}

/* -------------------------------------------------------------------- Check */

TEST_F (HealthTest, FallsBackToCheckEveryFiveSeconds)
{
  make ("size=1\nhealth-check=grpc\n");
  peer->voice.has_check = TRUE;
  listen ();
  sim_start (sim);
  run (SIM_S);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (peer->voice.n_watches, 1u);
  EXPECT_EQ (peer->voice.n_checks, 1u);
  peer_serves (peer, SERVING_STATUS_NOT_SERVING);
  run (6 * SIM_S);
  expect_connected_but_not_shown ();
  peer_serves (peer, SERVING_STATUS_SERVING);
  run (6 * SIM_S);
  EXPECT_TRUE (can_get ());
  run (100 * SIM_S);
  EXPECT_EQ (peer->voice.n_watches, 1u);
  EXPECT_GE (peer->voice.n_checks, 18u);
  EXPECT_LE (peer->voice.n_checks, 30u);
}

TEST_F (HealthTest, ChecksAsOftenAsItPings)
{
  make ("size=1\nhealth-check=grpc\nping-interval=1min\n");
  peer->voice.has_check = TRUE;
  sim_start (sim);
  run (600 * SIM_S);
  EXPECT_GE (peer->voice.n_checks, 9u);
  EXPECT_LE (peer->voice.n_checks, 13u);
}

TEST_F (HealthTest, ACheckWithoutAnAnswerIsNotServing)
{
  make ("size=1\nhealth-check=grpc\nconnect-timeout=1s\n");
  peer->voice.has_check = TRUE;
  listen ();
  sim_start (sim);
  run (SIM_S);
  EXPECT_TRUE (can_get ());
  peer->voice.is_silent = TRUE;
  run (8 * SIM_S);
  expect_connected_but_not_shown ();
  EXPECT_EQ (why (), "is connected, and out of rotation: the health check failed (status 4: no answer in time)");
  peer->voice.is_silent = FALSE;
  run (8 * SIM_S);
  EXPECT_TRUE (can_get ());
}

TEST_F (HealthTest, NeitherIsNoOpinion)
{
  open ("size=1\nhealth-check=grpc\n");
  run (600 * SIM_S);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (peer->voice.n_watches, 1u);
  EXPECT_EQ (peer->voice.n_checks, 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_HEALTH)->event.ok, 1);
  EXPECT_NE (why ().find ("no opinion"), std::string::npos) << why ();
}

/* ------------------------------------------------------------ coming and going */

TEST_F (HealthTest, AskedAnewOverEachConnection)
{
  open_watched (SERVING_STATUS_SERVING);
  run (2 * SIM_S);
  peer_serves (peer, SERVING_STATUS_NOT_SERVING);
  run (SIM_S);
  peer_lose_all (peer, "gone");
  peer->voice.after_us = 50 * SIM_MS;
  run (20 * SIM_MS);
  EXPECT_EQ (why (), "is connected, and waits for its server's health");
  peer_serves (peer, SERVING_STATUS_SERVING);
  run (100 * SIM_MS);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (peer->voice.n_watching, 1u);
}

/* Make before break: the old one goes when the new one serves. */
TEST_F (HealthTest, AReplacementThatServesNotReplacesNothing)
{
  open_watched (SERVING_STATUS_SERVING);
  run (SIM_S);
  peer_end_watches (peer, GRPC_STATUS_UNIMPLEMENTED, "from now on Check");
  peer->voice.has_check = TRUE;
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  peer->voice.after_us = 500 * SIM_MS;
  cenote_pool_reconnect (pool);
  run (400 * SIM_MS);
  EXPECT_EQ (peer->n_up, 2u);
  EXPECT_EQ (current (), 1);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 0u);
  run (2 * SIM_S);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 1u);
  EXPECT_TRUE (can_get ());
}

TEST_F (HealthTest, TheWatchEndsWithTheChannel)
{
  open_watched (SERVING_STATUS_SERVING, "size=5\n");
  run (SIM_S);
  EXPECT_EQ (peer->voice.n_watching, 5u);
  EXPECT_EQ (cenote_pool_resize (pool, 2, nullptr), 2);
  run (SIM_S);
  EXPECT_EQ (peer->voice.n_watching, 2u);
  cenote_pool_stop (pool);
  run (100 * SIM_MS);
  EXPECT_TRUE (sim_count (sim, 0).over);
  EXPECT_EQ (peer->voice.n_watching, 0u);
}

/* A channel that is out of rotation can be drained, called back, and lost like any other. */
TEST_F (HealthTest, FlippingUnderResizesAndLossesEndsWell)
{
  open_watched (SERVING_STATUS_SERVING, "size=4\n");
  for (int i = 0; i < 200; i++) {
    peer_serves (peer, i % 3 == 0 ? SERVING_STATUS_NOT_SERVING : SERVING_STATUS_SERVING);
    cenote_pool_resize (pool, 1 + i % 5, nullptr);
    if (i % 7 == 0)
      peer_lose_all (peer, "gone");
    run (static_cast<gint64> (sim_luck (sim) % (30 * SIM_MS)));
  }
  peer_serves (peer, SERVING_STATUS_SERVING);
  cenote_pool_resize (pool, 4, nullptr);
  run (20 * SIM_S);
  EXPECT_EQ (current (), 4);
  EXPECT_EQ (sim_count (sim, 0).shown, 4u);
  EXPECT_EQ (peer->voice.n_watching, 4u);
}

} // namespace
