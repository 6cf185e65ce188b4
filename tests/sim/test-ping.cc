/* SPDX-License-Identifier: Apache-2.0 */
/* ping: when channels are asked for a sign of life, and what becomes of one that gives none. */
#include <grpc/status.h>

#include <set>

#include "sim-test.h"

namespace {

class PingTest : public SimTest
{
protected:
  std::vector<gint64>
  times (CenoteEventKind kind) const
  {
    std::vector<gint64> result;

    for (const ToldEvent &told : events)
      if (told.event.kind == kind)
        result.push_back (told.event.time_us);
    return result;
  }
};

TEST_F (PingTest, NobodyIsAskedUnlessTold)
{
  open ("size=2\n");
  run (60 * SIM_S);
  EXPECT_EQ (peer->voice.n_pings, 0u);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_PING), 0u);
}

TEST_F (PingTest, EachChannelIsAskedOnceInEachInterval)
{
  open ("size=3\nping-interval=10s\n");
  run (SIM_S);
  EXPECT_EQ (current (), 3);
  run (100 * SIM_S);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_PING), peer->voice.n_pings);
  EXPECT_GE (peer->voice.n_pings, 30u);
  EXPECT_LE (peer->voice.n_pings, 33u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_PING)->event.ok, 1);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_PING)->event.duration_ns, 1000 * 1000);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_PING)->error, "");
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 0u);
}

/* They connected in one instant. */
TEST_F (PingTest, ChannelsAreAskedAtDifferentTimes)
{
  std::set<gint64> hundredths;

  open ("size=10\nping-interval=10s\nmax-concurrent-dials=16\n");
  run (10 * SIM_S + 100 * SIM_MS);
  for (gint64 time : times (CENOTE_EVENT_CHANNEL_PING))
    hundredths.insert (time / (100 * SIM_MS));
  EXPECT_GE (hundredths.size (), 8u);
}

/* Also an error is an answer. */
TEST_F (PingTest, AnyStatusOfThePeersIsASignOfLife)
{
  open ("size=1\nping-interval=1s\n");
  for (int status : { GRPC_STATUS_OK, GRPC_STATUS_UNIMPLEMENTED, GRPC_STATUS_UNAUTHENTICATED, GRPC_STATUS_INTERNAL,
                      GRPC_STATUS_RESOURCE_EXHAUSTED }) {
    peer->voice.ping_status = status;
    run (2 * SIM_S);
  }
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 0u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_PING)->event.ok, 1);
}

TEST_F (PingTest, OneThatFailsIsDisconnectedAndRedialled)
{
  open ("size=1\nping-interval=1s\nkeepalive-timeout=500ms\n");
  run (10 * SIM_S);
  peer->voice.is_silent = TRUE;
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  run (1600 * SIM_MS);
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_PING)->event.ok, 0);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_PING)->error, "ping failed: no answer within 500 ms");
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason, "ping failed: no answer within 500 ms");
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->event.time_us, last (CENOTE_EVENT_CHANNEL_PING)->event.time_us);
  EXPECT_FALSE (can_get ());
  EXPECT_EQ (current (), 0);
  EXPECT_EQ (peer->n_up, 0u) << "the dead connection was kept";
  peer->voice.is_silent = FALSE;
  peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  run (SIM_S);
  EXPECT_TRUE (can_get ());
}

TEST_F (PingTest, UnavailableIsNoSignOfLife)
{
  open ("size=1\nping-interval=1s\n");
  run (10 * SIM_S);
  peer->voice.ping_status = GRPC_STATUS_UNAVAILABLE;
  run (SIM_S);
  EXPECT_GE (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason, "ping failed: an answer");
}

/* The place is taken by another channel at once; the lease keeps the old one. */
TEST_F (PingTest, ALeaseIsLetBe)
{
  CenoteLease lease;

  open ("size=1\nping-interval=1s\nkeepalive-timeout=500ms\n");
  run (10 * SIM_S);
  lease = get ();
  peer->voice.is_silent = TRUE;
  run (1500 * SIM_MS + SIM_MS);
  peer->voice.is_silent = FALSE;
  run (100 * SIM_MS);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (Status (pool).count (CENOTE_CHANNEL_DRAINING), 1u);
  EXPECT_EQ (connection_of (lease.channel)->state, CONNECTION_UP);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (Status (pool).count (CENOTE_CHANNEL_DRAINING), 0u);
}

/* A slow answer is waited for: one ping at a time. */
TEST_F (PingTest, PingsDoNotPileUp)
{
  open ("size=1\nping-interval=1s\nkeepalive-timeout=1min\n");
  peer->voice.after_us = 10 * SIM_S;
  run (60 * SIM_S);
  EXPECT_LE (peer->voice.n_pings, 7u);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 0u);
}

TEST_F (PingTest, OneThatLeavesIsNotAskedAnyMore)
{
  guint n;

  open ("size=1\nping-interval=1s\n");
  run (10 * SIM_S);
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_lose_all (peer, "gone");
  run (0);
  n = peer->voice.n_pings;
  run (60 * SIM_S);
  EXPECT_EQ (peer->voice.n_pings, n);
}

/* A ping on its way holds up neither a drain nor the end. */
TEST_F (PingTest, TheEndDoesNotWaitForAnAnswer)
{
  open ("size=3\nping-interval=1s\nkeepalive-timeout=1min\n");
  peer->voice.is_silent = TRUE;
  run (10 * SIM_S);
  cenote_pool_stop (pool);
  run (100 * SIM_MS);
  EXPECT_TRUE (sim_count (sim, 0).over);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_PING), 0u);
}

} // namespace
