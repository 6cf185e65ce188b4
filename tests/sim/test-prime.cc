/* SPDX-License-Identifier: Apache-2.0 */
/* prime: what a new connection answers before callers get it. */
#include <grpc/status.h>

#include "sim-test.h"

extern "C" {
#include "peer-streams.h"
}

namespace {

class PrimeTest : public SimTest
{
protected:
  std::string
  why ()
  {
    Status status (pool);

    return status->n_channels == 0 ? "" : status->channels[0]->why;
  }
};

TEST_F (PrimeTest, NobodyIsPrimedUnlessTold)
{
  open ("size=3\n");
  run (60 * SIM_S);
  EXPECT_EQ (current (), 3);
  EXPECT_EQ (peer->voice.n_primes + peer->voice.n_checks, 0u);
}

TEST_F (PrimeTest, AChannelIsShownWithItsAnswer)
{
  make ("size=3\nprime=headers\n");
  peer->voice.after_us = 50 * SIM_MS;
  listen ();
  sim_start (sim);
  Acquire &waiter = acquire ();
  run (20 * SIM_MS);
  EXPECT_EQ (why (), "is connected, and is being primed");
  EXPECT_EQ (Status (pool).count (CENOTE_CHANNEL_CONNECTING), 1u) << "one goes first";
  EXPECT_EQ (current (), 0);
  EXPECT_FALSE (can_get ());
  EXPECT_FALSE (waiter.answered);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_CONNECTED), 0u);
  run (35 * SIM_MS);
  EXPECT_TRUE (waiter.got ()) << "any answer is a sign of life";
  EXPECT_EQ (why (), "is connected");
  EXPECT_GE (last (CENOTE_EVENT_CHANNEL_CONNECTED)->event.duration_ns, 51000000) << "it was primed in that time";
  run (60 * SIM_MS);
  EXPECT_EQ (current (), 3);
  EXPECT_EQ (peer->voice.n_primes, 3u);
}

/* READY is nothing yet: who says no word gets no caller, and is dialled at the backoff's times. */
TEST_F (PrimeTest, AZombieNeverGetsIntoRotation)
{
  make ("size=3\nprime=headers\nprime-timeout=200ms\nprime-tries=2\n");
  peer->voice.is_silent = TRUE;
  listen ();
  sim_start (sim);
  for (int i = 0; i < 1000; i++) {
    run (10 * SIM_MS);
    ASSERT_FALSE (can_get ());
    ASSERT_LE (peer->n_up, 1u) << "one channel tries";
  }
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_CONNECTED), 0u);
  EXPECT_GE (count (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED), 18u);
  EXPECT_LE (count (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED), 20u) << "each takes two tries and the backoff";
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED)->error,
             "prime failed: /cenote.Prime/Prime was not answered well in 2 tries: status 4: no answer in time");
  EXPECT_NE (get_error (CENOTE_ERROR_NOT_CONNECTED).find ("prime failed"), std::string::npos);
  peer->voice.is_silent = FALSE;
  run (SIM_S);
  EXPECT_EQ (current (), 3);
}

TEST_F (PrimeTest, ATryThatIsRefusedIsMadeAgainAfterAPause)
{
  make ("size=1\nprime=headers\nprime-tries=5\n");
  peer->voice.prime_status = GRPC_STATUS_UNAVAILABLE;
  sim_start (sim);
  run (250 * SIM_MS);
  EXPECT_EQ (peer->voice.n_primes, 3u);
  peer->voice.prime_status = GRPC_STATUS_PERMISSION_DENIED;
  run (100 * SIM_MS);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (peer_n_dials (peer), 1u);
}

TEST_F (PrimeTest, AMethodHasToAnswerOk)
{
  make ("size=1\nprime=/acme.Users/Warm\nprime-tries=1\n");
  peer->voice.prime_status = GRPC_STATUS_UNIMPLEMENTED;
  listen ();
  sim_start (sim);
  run (SIM_S);
  EXPECT_FALSE (can_get ());
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED)->error,
             "prime failed: /acme.Users/Warm was not answered well in 1 tries: status 12: an answer");
  peer->voice.prime_status = GRPC_STATUS_OK;
  run (SIM_S);
  EXPECT_TRUE (can_get ());
}

TEST_F (PrimeTest, HealthHasToBeServingOrNoOpinion)
{
  make ("size=1\nprime=health\nprime-tries=1\n");
  peer->voice.has_check = TRUE;
  peer_serves (peer, SERVING_STATUS_NOT_SERVING);
  listen ();
  sim_start (sim);
  run (SIM_S);
  EXPECT_FALSE (can_get ());
  EXPECT_NE (last (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED)->error.find ("NOT_SERVING"), std::string::npos);
  peer_serves (peer, SERVING_STATUS_SERVING);
  run (SIM_S);
  EXPECT_TRUE (can_get ());
  peer_serves (peer, SERVING_STATUS_NOT_SERVING);
  run (60 * SIM_S);
  EXPECT_TRUE (can_get ()) << "it is asked once";
  peer->voice.has_check = FALSE;
  peer_lose_all (peer, "gone");
  run (SIM_S);
  EXPECT_TRUE (can_get ()) << "without a health service there is no opinion";
}

TEST_F (PrimeTest, HealthIsWatchedOnceItIsPrimed)
{
  make ("size=1\nprime=headers\nhealth-check=grpc\n");
  peer->voice.has_watch = TRUE;
  peer_serves (peer, SERVING_STATUS_NOT_SERVING);
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (peer->voice.n_primes, 1u);
  EXPECT_EQ (why (), "is connected, and out of rotation: NOT_SERVING");
}

/* Make before break, with the prime in between. */
TEST_F (PrimeTest, AReplacementThatIsNotPrimedReplacesNothing)
{
  open ("size=1\nprime=headers\nmax-connection-age=10s\n");
  run (5 * SIM_S);
  peer->voice.is_silent = TRUE;
  for (int i = 0; i < 600; i++) {
    run (100 * SIM_MS);
    ASSERT_EQ (current (), 1);
    ASSERT_TRUE (can_get ());
  }
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 0u);
  EXPECT_GE (count (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED), 10u);
  peer->voice.is_silent = FALSE;
  run (5 * SIM_S);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 1u);
  EXPECT_EQ (current (), 1);
}

/* C-core dials by itself for a caller with a lease: nobody else gets that before it is primed. */
TEST_F (PrimeTest, AConnectionThatNobodyAskedForIsPrimedToo)
{
  CenoteLease lease;

  open ("size=1\nprime=headers\n");
  run (SIM_S / 2);
  lease = get ();
  connection_lose (connection_of (lease.channel), "gone");
  settle ();
  peer->voice.is_silent = TRUE;
  connection_dial_by_itself (connection_of (lease.channel));
  run (50 * SIM_MS);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_FALSE (can_get ());
  run (60 * SIM_MS);
  EXPECT_EQ (why (), "is connected, and is being primed");
  peer->voice.is_silent = FALSE;
  run (2 * SIM_S);
  EXPECT_TRUE (can_get ());
  cenote_lease_release (&lease);
}

TEST_F (PrimeTest, AConnectionThatIsLostMeanwhileIsAFailedAttempt)
{
  make ("size=2\nprime=headers\n");
  peer->voice.is_silent = TRUE;
  listen ();
  sim_start (sim);
  run (500 * SIM_MS);
  peer_lose_all (peer, "gone");
  settle ();
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED)->error, "the connection was closed as soon as it was made");
  peer->voice.is_silent = FALSE;
  run (SIM_S);
  EXPECT_EQ (current (), 2);
}

TEST_F (PrimeTest, APoolThatStopsMeanwhileLeavesNothing)
{
  make ("size=4\nprime=headers\n");
  peer->voice.is_silent = TRUE;
  sim_start (sim);
  run (500 * SIM_MS);
  cenote_pool_stop (pool);
  run (100 * SIM_MS);
  EXPECT_TRUE (sim_count (sim, 0).over);
}

} // namespace
