/* SPDX-License-Identifier: Apache-2.0 */
/* channel: what becomes of one, and what it says of itself: attempts, losses, pings, health. */
#include "channel-bench.h"

namespace {

/* --------------------------------------------------------------- its story */

TEST (Channel, SaysWhyItIsInItsState)
{
  Bench bench;

  EXPECT_STREQ (bench.channel->why, "waits for its turn to connect");
  peer_next (bench.peer, PEER_REFUSES, SIM_MS, 0, "refused");
  bench.begin ();
  EXPECT_STREQ (bench.channel->why, "attempt 1 is under way");
  bench.run (2 * SIM_MS);
  EXPECT_STREQ (bench.channel->why, "could not connect: refused");
  EXPECT_STREQ (bench.channel->last_error, "refused");
  bench.run (200 * SIM_MS);
  EXPECT_STREQ (bench.channel->why, "is connected");
  connection_lose (bench.connection (), "went away");
  bench.run (0);
  EXPECT_STREQ (bench.channel->why, "waits to reconnect: went away");
}

TEST (Channel, TakesNoLongerThanTheConnectTimeout)
{
  Bench bench;

  peer_always (bench.peer, PEER_HANGS, 0, 0, nullptr);
  bench.begin ();
  bench.run (connect_timeout_us - 1);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_CONNECTING);
  bench.run (1);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  EXPECT_EQ (peer_n_dials (bench.peer), 1u);
}

TEST (Channel, RedialsInPlaceAndCountsItsCalls)
{
  Bench bench;
  Connection *before;

  make_ready_and_leased (bench);
  before = bench.connection ();
  bench.release (0);
  EXPECT_EQ (channel_calls (bench.channel), 1);
  connection_lose (before, nullptr);
  bench.run (10 * SIM_MS);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
  EXPECT_EQ (bench.connection (), before);
  EXPECT_EQ (channel_calls (bench.channel), 1);
  connection_fail (before, "gone");
  bench.run (SIM_S);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
  EXPECT_NE (bench.connection (), before);
  EXPECT_EQ (channel_calls (bench.channel), 1);
  EXPECT_EQ (channel_failures (bench.channel), 0);
}

/* A good call proves the connection that it was made on, and not each later one. */
TEST (Channel, AGoodCallProvesOneConnectionOnly)
{
  Bench bench;

  make_ready_and_leased (bench);
  bench.release (0);
  peer_always (bench.peer, PEER_ACCEPTS, SIM_MS, 0, "closed");
  connection_lose (bench.connection (), "gone");
  bench.run (10 * SIM_S);
  EXPECT_GE (peer_n_dials (bench.peer), 90u);
  EXPECT_LE (peer_n_dials (bench.peer), 102u);
}

TEST (Channel, ProvesItselfAlsoAfterItWasRevived)
{
  Bench bench;

  make_ready_and_leased (bench);
  channel_handle (bench.channel, CHANNEL_DRAIN, "resize");
  bench.run (100 * SIM_MS);
  channel_handle (bench.channel, CHANNEL_REVIVE, nullptr);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
  EXPECT_FALSE (bench.channel->healthy);
  bench.run (SIM_S);
  EXPECT_TRUE (bench.channel->healthy);
}

TEST (Channel, OneWithoutATransportChannelTriesAgain)
{
  Bench bench;

  peer_next (bench.peer, PEER_HAS_NO_CHANNEL, 0, 0, "no such scheme");
  bench.begin ();
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  EXPECT_NE (std::string (bench.channel->last_error).find ("no such scheme"), std::string::npos)
    << bench.channel->last_error;
  bench.run (200 * SIM_MS);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
}

/* ------------------------------------------------------- signs of life, health */

TEST (Channel, SaysThatItsPingFailed)
{
  Bench bench;

  make_ready (bench);
  bench.run (SIM_S);
  peer_always (bench.peer, PEER_REFUSES, SIM_MS, 0, "no");
  channel_handle (bench.channel, CHANNEL_PING_FAILED, "ping failed: no answer within 20000 ms");
  EXPECT_STREQ (bench.channel->why, "waits to reconnect: ping failed: no answer within 20000 ms");
  EXPECT_STREQ (bench.channel->last_error, "ping failed: no answer within 20000 ms");
  EXPECT_EQ (bench.peer->n_up, 0u) << "the connection stays";
}

/* A lease is let be, as with any link that is of no more use. */
TEST (Channel, KeepsItsLeaseWhenItsPingFails)
{
  Bench bench;

  make_ready_and_leased (bench);
  channel_handle (bench.channel, CHANNEL_PING_FAILED, "ping failed: silence");
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_DRAINING);
  EXPECT_EQ (bench.peer->n_up, 1u);
  channel_handle (bench.channel, CHANNEL_REVIVE, nullptr);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_DRAINING);
}

TEST (Channel, IsHiddenAtOnceWhenItServesNot)
{
  Bench bench;

  make_ready (bench);
  bench.show ();
  EXPECT_TRUE (slot_is_shown (link_slot (bench.channel->link)));
  channel_handle (bench.channel, CHANNEL_SERVES_NOT, "NOT_SERVING");
  EXPECT_FALSE (slot_is_shown (link_slot (bench.channel->link)));
  EXPECT_FALSE (channel_is_shown (bench.channel));
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
  EXPECT_STREQ (bench.channel->why, "is connected, and out of rotation: NOT_SERVING");
  channel_handle (bench.channel, CHANNEL_SERVES, "SERVING");
  EXPECT_TRUE (channel_is_shown (bench.channel));
  bench.show ();
  EXPECT_TRUE (slot_is_shown (link_slot (bench.channel->link)));
}

TEST (Channel, IsLeftToItsLastLease)
{
  Bench bench;

  make_ready_and_leased (bench);
  channel_handle (bench.channel, CHANNEL_DRAIN, "stop");
  channel_orphan (bench.channel);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_SHUTDOWN);
  EXPECT_EQ (bench.peer->n_up, 1u);
  connection_lose (peer_nth_up (bench.peer, 0), "too late to tell anybody");
  bench.release ();
  EXPECT_EQ (bench.peer->peers->n_open, 0u);
}

} // namespace
