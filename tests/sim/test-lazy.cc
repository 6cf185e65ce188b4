// SPDX-License-Identifier: Apache-2.0
/* A lazy pool: nothing until somebody asks, one dial for all who do, and nothing again when nobody does. */
#include "sim-test.h"

namespace {

class LazyTest : public SimTest
{
protected:
  void
  open_lazy (const std::string &keys = "")
  {
    open ("connector=lazy\nsize=3\nidle-timeout=10s\nstatus-interval=off\n" + keys);
  }

  void
  expect_asleep ()
  {
    Status status (pool);

    EXPECT_EQ (status->current_size, 0);
    EXPECT_EQ (status->expected_size, 0);
    EXPECT_EQ (status->state, CENOTE_POOL_HEALTHY);
    EXPECT_EQ (status->n_channels, 0u);
  }

  void
  expect_awake ()
  {
    Status status (pool);

    EXPECT_EQ (status->current_size, 3);
    EXPECT_EQ (status->expected_size, 3);
    EXPECT_EQ (status->state, CENOTE_POOL_HEALTHY);
  }

  void
  expect_scaling (CenoteEventKind kind, guint n, int size, const char *why)
  {
    EXPECT_EQ (count (kind), n);
    ASSERT_NE (last (kind), nullptr);
    EXPECT_EQ (last (kind)->event.new_size, size);
    EXPECT_EQ (last (kind)->reason, why);
  }
};

TEST_F (LazyTest, NothingIsDialledBeforeSomebodyAsks)
{
  open_lazy ();
  run (3600 * SIM_S);
  EXPECT_EQ (peer_n_dials (peer), 0u);
  expect_asleep ();
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64) << "nothing is due, ever";
}

TEST_F (LazyTest, TheFirstWhoWaitsBeginsTheDialThatOthersJoin)
{
  open_lazy ();
  run (SIM_S);
  for (int i = 0; i < 5; i++)
    acquire ();
  sim_settle (sim);
  EXPECT_EQ (peer_n_dials (peer), 1u);
  EXPECT_EQ (Status (pool)->expected_size, 3);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DOWN);
  run (SIM_S);
  for (const Acquire &each : acquires)
    EXPECT_TRUE (each.got ());
  expect_awake ();
  EXPECT_EQ (peer_n_dials (peer), 3u);
  expect_scaling (CENOTE_EVENT_POOL_SCALE_UP, 1, 3, "asked-for");
}

TEST_F (LazyTest, AGetFailsAtOnceAndHasAsked)
{
  open_lazy ();
  run (SIM_S);
  get_error (CENOTE_ERROR_NOT_CONNECTED);
  run (SIM_S);
  expect_awake ();
  EXPECT_TRUE (can_get ());
}

TEST_F (LazyTest, ConnectAsks)
{
  open_lazy ("initialization=manual\n");
  run (SIM_S);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DOWN) << "it is not connected";
  cenote_pool_connect (pool, 0, nullptr);
  run (SIM_S);
  expect_awake ();
}

TEST_F (LazyTest, ItClosesWhatNobodyUsed)
{
  open_lazy ();
  acquire ();
  run (SIM_S);
  run (60 * SIM_S);
  expect_awake ();
  cenote_lease_release (&acquires.front ().lease);
  run (9 * SIM_S);
  expect_awake ();
  run (2 * SIM_S);
  expect_asleep ();
  expect_scaling (CENOTE_EVENT_POOL_SCALE_DOWN, 1, 0, "idle-timeout");
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "idle-timeout");
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64);
  get_error (CENOTE_ERROR_NOT_CONNECTED);
  run (SIM_S);
  expect_awake ();
}

TEST_F (LazyTest, WhoeverUsesItKeepsIt)
{
  open_lazy ();
  acquire ();
  run (SIM_S);
  cenote_lease_release (&acquires.front ().lease);
  for (int i = 0; i < 20; i++) {
    run (9 * SIM_S);
    EXPECT_TRUE (can_get ()) << i;
  }
  EXPECT_EQ (peer_n_dials (peer), 3u);
}

TEST_F (LazyTest, AResizeSaysWhatItHasWhenAwake)
{
  open_lazy ();
  run (SIM_S);
  EXPECT_EQ (cenote_pool_resize (pool, 5, nullptr), 5);
  run (SIM_S);
  expect_asleep ();
  acquire ();
  run (SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_EQ (Status (pool)->expected_size, 5);
  expect_scaling (CENOTE_EVENT_POOL_SCALE_UP, 2, 5, "asked-for");
  EXPECT_EQ (cenote_pool_scale_down (pool, 2, nullptr), 3);
  run (SIM_S);
  EXPECT_EQ (current (), 3);
  expect_scaling (CENOTE_EVENT_POOL_SCALE_DOWN, 1, 3, "scale_down");
}

TEST_F (LazyTest, AServerThatIsAwayIsNotDialledForNobody)
{
  open_lazy ();
  peer_always (peer, PEER_REFUSES, SIM_MS, PEER_FOREVER, "refused");
  acquire (5000);
  run (60 * SIM_S);
  EXPECT_EQ (acquires.front ().code, CENOTE_ERROR_TIMEOUT);
  guint n = peer_n_dials (peer);
  EXPECT_GT (n, 1u);
  run (3600 * SIM_S);
  EXPECT_EQ (peer_n_dials (peer), n);
  expect_asleep ();
}

TEST_F (LazyTest, ADisconnectedPoolSleepsUntilItIsConnectedAndAsked)
{
  open_lazy ();
  acquire ();
  run (SIM_S);
  cenote_lease_release (&acquires.front ().lease);
  cenote_pool_disconnect (pool);
  run (SIM_S);
  EXPECT_EQ (current (), 0);
  get_error (CENOTE_ERROR_NOT_CONNECTED);
  run (SIM_S);
  EXPECT_EQ (current (), 0);
  cenote_pool_connect (pool, 0, nullptr);
  run (SIM_S);
  expect_awake ();
}

} // namespace
