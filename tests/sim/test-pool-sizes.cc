/* SPDX-License-Identifier: Apache-2.0 */
/* pool: how it comes by another size: resizes, drains, replacements. */
#include "pool-test.h"

namespace {

/* ------------------------------------------------------------------ sizing */

TEST_F (PoolTest, GrowsAndShrinks)
{
  open ("size=2");
  connect_all ();
  EXPECT_EQ (cenote_pool_resize (pool, 6, nullptr), 6);
  run (SIM_S);
  EXPECT_EQ (current (), 6);
  EXPECT_EQ (cenote_pool_scale_up (pool, 3, nullptr), 9);
  EXPECT_EQ (cenote_pool_scale_down (pool, 8, nullptr), 1);
  EXPECT_EQ (Status (pool)->expected_size, 1);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (Status (pool)->n_channels, 1u);
  EXPECT_TRUE (can_get ());
}

TEST_F (PoolTest, ManyVerbsBeforeTheirEffectsEndWhereTheLastOneSaid)
{
  open ("size=2");
  connect_all ();
  for (int n = 1; n <= 30; n++)
    EXPECT_EQ (cenote_pool_resize (pool, n, nullptr), n);
  EXPECT_EQ (cenote_pool_resize (pool, 4, nullptr), 4);
  run (SIM_S);
  EXPECT_EQ (current (), 4);
  EXPECT_EQ (peer->n_accepted, 4u);
}

TEST_F (PoolTest, WhatASizeCannotBe)
{
  open ("size=5");
  EXPECT_EQ (refusal (cenote_pool_resize, 0, CENOTE_ERROR_INVALID), "Pool p cannot resize by or to 0: 1 is the least");
  refusal (cenote_pool_resize, -3, CENOTE_ERROR_INVALID);
  refusal (cenote_pool_scale_up, 0, CENOTE_ERROR_INVALID);
  refusal (cenote_pool_scale_down, -1, CENOTE_ERROR_INVALID);
  EXPECT_EQ (refusal (cenote_pool_scale_down, 5, CENOTE_ERROR_LIMIT),
             "Pool p cannot scale_down by 5: it would empty the pool of 5");
  EXPECT_EQ (refusal (cenote_pool_resize, 10001, CENOTE_ERROR_LIMIT),
             "Pool p cannot resize to 10001 channels: the maximum is 10000");
  refusal (cenote_pool_scale_up, G_MAXINT, CENOTE_ERROR_LIMIT);
  EXPECT_EQ (Status (pool)->expected_size, 5);
}

TEST_F (PoolTest, AConnectorThatChoosesTheSizeIsNotToldOne)
{
  open_planned ("connector=sizing", nullptr);
  EXPECT_EQ (refusal (cenote_pool_resize, 3, CENOTE_ERROR_INVALID),
             "Pool p cannot resize: its connector sizing chooses its size");
  refusal (cenote_pool_scale_up, 1, CENOTE_ERROR_INVALID);
}

TEST_F (PoolTest, TellsOfItsSize)
{
  open ("size=5");
  cenote_pool_scale_up (pool, 2, nullptr);
  settle ();
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_UP)->event.requested, 2);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_UP)->event.new_size, 7);
  cenote_pool_resize (pool, 4, nullptr);
  cenote_pool_resize (pool, 4, nullptr);
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_POOL_SCALE_DOWN), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_DOWN)->event.requested, 3);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_DOWN)->event.new_size, 4);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_DOWN)->reason, "resize");
  EXPECT_GE (last (CENOTE_EVENT_POOL_SCALE_DOWN)->event.duration_ns, 0);
}

/* ---------------------------------------------------------------- draining */

TEST_F (PoolTest, ADrainWaitsForItsLeases)
{
  CenoteLease leases[2];

  open ("size=2");
  connect_all ();
  for (CenoteLease &lease : leases)
    lease = get ();
  cenote_pool_scale_down (pool, 1, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (Status (pool)->draining, 1);
  EXPECT_EQ (Status (pool).count (CENOTE_CHANNEL_DRAINING), 1u);
  EXPECT_EQ (peer->n_up, 2u);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 0u);
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
  run (20 * SIM_MS);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (Status (pool)->draining, 0);
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "resize");
  EXPECT_GE (last (CENOTE_EVENT_CHANNEL_DRAINED)->event.duration_ns, SIM_S * 1000);
}

TEST_F (PoolTest, ADrainIsTakenBackWhereTheChannelIsStillConnected)
{
  CenoteLease leases[2];

  open_with_spy ("size=2");
  connect_all ();
  for (CenoteLease &lease : leases)
    lease = get ();
  cenote_pool_scale_down (pool, 1, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  cenote_pool_scale_up (pool, 1, nullptr);
  run (10 * SIM_MS);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer_n_dials (peer), 0u);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (spies::places, (std::map<uint32_t, uint64_t>{ { 0, 1 }, { 1, 2 } }));
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (current (), 2);
}

TEST_F (PoolTest, ADrainThatTakesTooLongIsTold)
{
  LogCapture log;
  CenoteLease leases[2];

  open ("size=2\ndrain-timeout=2s");
  connect_all ();
  for (CenoteLease &lease : leases)
    lease = get ();
  cenote_pool_scale_down (pool, 1, nullptr);
  run (1900 * SIM_MS);
  EXPECT_EQ (log.count ("has not drained within drain-timeout"), 0u);
  run (200 * SIM_MS);
  EXPECT_EQ (log.count ("channel 2 to sim:a has not drained within drain-timeout"), 1u);
  run (10 * SIM_S);
  EXPECT_EQ (log.count ("has not drained within drain-timeout"), 1u);
  EXPECT_EQ (Status (pool)->draining, 1);
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
}

TEST_F (PoolTest, AStopThatTakesTooLongIsTold)
{
  LogCapture log;
  CenoteLease lease;

  open ("size=2\ndrain-timeout=2s");
  connect_all ();
  lease = get ();
  cenote_pool_stop (pool);
  run (10 * SIM_S);
  EXPECT_EQ (log.count ("Pool p has not drained within drain-timeout (2000 ms): 1 leases are still held"), 1u);
  EXPECT_EQ (log.count ("has not drained"), 1u);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (sim_n_over (sim), 1u);
}

/* ------------------------------------------------------------- replacement */

TEST_F (PoolTest, ReconnectMakesBeforeItBreaks)
{
  std::map<uint32_t, uint64_t> before, after;

  open_with_spy ("size=3");
  connect_all ();
  EXPECT_TRUE (can_get ());
  before = spies::places;
  peer_always (peer, PEER_ACCEPTS, 20 * SIM_MS, PEER_FOREVER, nullptr);
  cenote_pool_reconnect (pool);
  for (int i = 0; i < 200; i++) {
    run (SIM_MS);
    ASSERT_GE (current (), 3);
    ASSERT_GE (peer->n_up, 3u);
    ASSERT_LE (peer->n_up, 4u) << "one at a time";
    ASSERT_TRUE (can_get ());
  }
  after = spies::places;
  EXPECT_EQ (current (), 3);
  EXPECT_EQ (peer->n_accepted, 6u);
  ASSERT_EQ (after.size (), 3u);
  for (auto [number, channel] : before) {
    EXPECT_EQ (after.count (number), 1u) << "a replacement inherits its place";
    EXPECT_GT (after[number], 3u);
  }
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "was replaced: the pool reconnects");
  cenote_pool_scale_up (pool, 4, nullptr);
  run (SIM_S);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (spies::places.size (), 7u) << "no place is given twice";
}

/* As transport tls does, when its certificates have changed. */
TEST_F (PoolTest, ATransportHasItsChannelsReplacedOneAtATime)
{
  const CenoteHost *host;

  open ("size=3");
  connect_all ();
  host = peer_nth_up (peer, 0)->host;
  peer_always (peer, PEER_ACCEPTS, 20 * SIM_MS, PEER_FOREVER, nullptr);
  host->renew (host, "its papers are new");
  for (int i = 0; i < 200; i++) {
    run (SIM_MS);
    ASSERT_GE (current (), 3);
    ASSERT_LE (peer->n_up, 4u) << "one at a time";
    ASSERT_TRUE (can_get ());
  }
  EXPECT_EQ (peer->n_accepted, 6u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "was replaced: its transport has changed");
}

TEST_F (PoolTest, WhatIsNotConnectedTriesAnewAtTheBackoffsTimes)
{
  const CenoteHost *host;

  open ("size=2");
  connect_all ();
  host = peer_nth_up (peer, 0)->host;
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_lose_all (peer, nullptr);
  run (50 * SIM_MS);
  peer_forget_dials (peer);
  for (int i = 0; i < 20; i++) {
    host->renew (host, "its papers are new");
    run (50 * SIM_MS);
  }
  EXPECT_LE (peer_n_dials (peer), 11u) << "in a second, at most one in 100 ms";
  EXPECT_GE (peer_n_dials (peer), 5u);
}

TEST_F (PoolTest, APoolOfOneIsNeverWithoutItsChannel)
{
  open ("size=1");
  connect_all ();
  for (int i = 0; i < 5; i++) {
    cenote_pool_reconnect (pool);
    run_with_gets (20 * SIM_MS);
  }
  EXPECT_EQ (peer->n_accepted, 6u);
  EXPECT_EQ (peer->n_up, 1u);
}

/* Not even at the moment that the old one is closed. */
TEST_F (PoolTest, NotEvenWhileItsReplacementIsPutIn)
{
  static CenotePool *watched;
  static int n_closed;

  open ("size=1");
  connect_all ();
  watched = pool;
  n_closed = 0;
  sim_peers (sim)->on_close = [] (Connection *) {
    CenoteLease lease = CENOTE_LEASE_INIT;

    n_closed++;
    EXPECT_TRUE (cenote_pool_get_channel (watched, &lease, nullptr));
    cenote_lease_release (&lease);
  };
  cenote_pool_reconnect (pool);
  run_with_gets (50 * SIM_MS);
  EXPECT_EQ (n_closed, 1);
  EXPECT_EQ (peer->n_accepted, 2u);
  sim_peers (sim)->on_close = nullptr;
}

TEST_F (PoolTest, WhereTheNewOneCannotConnectTheOldOneStays)
{
  open ("size=2");
  connect_all ();
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  cenote_pool_reconnect (pool);
  run_with_gets (100 * SIM_MS);
  run (600 * SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer->n_accepted, 2u);
  EXPECT_GT (peer_n_dials (peer), 5000u);
  peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer->n_accepted, 4u);
  EXPECT_EQ (peer->n_up, 2u);
}

TEST_F (PoolTest, AReplacedChannelKeepsItsLeases)
{
  CenoteLease lease;

  open ("size=1");
  connect_all ();
  lease = get ();
  cenote_pool_reconnect (pool);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (Status (pool)->draining, 1);
  EXPECT_EQ (connection_of (lease.channel)->state, CONNECTION_UP);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (peer->n_up, 1u);
}

TEST_F (PoolTest, AFailedChannelThatIsLeasedHasASuccessorInItsPlace)
{
  CenoteLease lease;
  Connection *failed;

  open_with_spy ("size=2");
  connect_all ();
  lease = get ();
  failed = connection_of (lease.channel);
  peer_always (peer, PEER_ACCEPTS, 50 * SIM_MS, PEER_FOREVER, nullptr);
  connection_fail (failed, "broken pipe");
  run (SIM_MS);
  EXPECT_EQ (Status (pool)->draining, 1);
  EXPECT_EQ (Status (pool)->expected_size, 2);
  EXPECT_TRUE (contains (Status (pool).channel (failed->number)->why, "broken pipe"));
  run (100 * SIM_MS);
  EXPECT_EQ (current (), 2);
  EXPECT_TRUE (can_get ());
  ASSERT_EQ (spies::places.size (), 2u);
  EXPECT_EQ (spies::places.count (0), 1u);
  EXPECT_EQ (spies::places.count (1), 1u);
  EXPECT_EQ (spies::places[static_cast<uint32_t> (failed->number) - 1], 3u);
  EXPECT_EQ (failed->state, CONNECTION_FAILED) << "not closed while leased";
  cenote_lease_release (&lease);
  run (20 * SIM_MS);
  EXPECT_EQ (failed->state, CONNECTION_CLOSED);
  EXPECT_EQ (Status (pool)->n_channels, 2u);
}

TEST_F (PoolTest, AnIdleChannelIsRedialledInPlaceUnderItsLeases)
{
  CenoteLease lease;
  Connection *same;

  open ("size=1");
  connect_all ();
  lease = get ();
  same = connection_of (lease.channel);
  connection_lose (same, "went away");
  run (10 * SIM_MS);
  EXPECT_EQ (same->state, CONNECTION_UP);
  EXPECT_EQ (same->n_dials, 2u);
  EXPECT_EQ (Status (pool)->channels[0]->id, 1u);
  EXPECT_EQ (Status (pool)->in_flight, 1);
  cenote_lease_release (&lease);
  EXPECT_TRUE (can_get ());
}

/* As C-core does for a call on a channel that has just lost its connection. */
TEST_F (PoolTest, AChannelThatConnectedByItselfIsTaken)
{
  CenoteLease lease;
  Connection *same;

  open ("size=1");
  run (10 * SIM_MS);
  lease = get ();
  same = connection_of (lease.channel);
  connection_lose (same, "went away");
  settle ();
  connection_dial_by_itself (same);
  run (10 * SIM_MS);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (peer_n_dials (peer), 1u);
  EXPECT_TRUE (can_get ());
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
}

} // namespace
