/* SPDX-License-Identifier: Apache-2.0 */
/* Each counter counts what it says, once each time. */
#include "sim-test.h"
#include "spies.h"

extern "C" {
#include "core/slots/slots.h"
}

namespace {

class CountsTest : public SimTest
{
protected:
  /* How much ID has grown since this was asked last. */
  guint64
  grown (CounterId id)
  {
    guint64 now = sim_counter (sim, id), before = seen[id];

    seen[id] = now;
    return now - before;
  }

  void
  refuse (const std::string &keys)
  {
    make (keys);
    peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
    sim_start (sim);
  }

  guint64 seen[N_COUNTERS] = {};
};

TEST_F (CountsTest, AttemptsAndDisconnections)
{
  make ("size=3");
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (grown (COUNTER_CONNECTION_ATTEMPTS_FAILED), 2u);
  EXPECT_EQ (grown (COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED), 3u);
  EXPECT_EQ (grown (COUNTER_DISCONNECTIONS), 0u);
  peer_lose_all (peer, "gone");
  run (SIM_S);
  EXPECT_EQ (grown (COUNTER_DISCONNECTIONS), 3u);
  EXPECT_EQ (grown (COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED), 3u);
  EXPECT_EQ (grown (COUNTER_CONNECTION_ATTEMPTS_FAILED), 0u);
}

TEST_F (CountsTest, AcquiresThatTimeOut)
{
  refuse ("size=1");
  acquire (100);
  acquire (200);
  acquire (0);
  run (SIM_S);
  EXPECT_EQ (grown (COUNTER_ACQUIRE_TIMEOUTS), 2u) << "one did not wait at all";
}

TEST_F (CountsTest, WaitersThatAreRefused)
{
  refuse ("size=1\nmax-waiters=2");
  for (int i = 0; i < 5; i++)
    acquire (100);
  run (SIM_S);
  EXPECT_EQ (grown (COUNTER_WAITERS_REFUSED), 3u);
  EXPECT_EQ (grown (COUNTER_ACQUIRE_TIMEOUTS), 2u);
}

TEST_F (CountsTest, ScalingByItsDirection)
{
  open ("size=3");
  run (SIM_S);
  EXPECT_EQ (cenote_pool_scale_up (pool, 2, nullptr), 5);
  EXPECT_EQ (cenote_pool_resize (pool, 5, nullptr), 5);
  EXPECT_EQ (cenote_pool_scale_down (pool, 1, nullptr), 4);
  EXPECT_EQ (cenote_pool_resize (pool, 2, nullptr), 2);
  EXPECT_EQ (cenote_pool_scale_down (pool, 2, nullptr), -1);
  EXPECT_EQ (grown (COUNTER_SCALING_UP), 1u);
  EXPECT_EQ (grown (COUNTER_SCALING_DOWN), 2u);
}

TEST_F (CountsTest, ChannelsThatAreReplaced)
{
  open ("size=3");
  run (SIM_S);
  cenote_pool_reconnect (pool);
  run (SIM_S);
  EXPECT_EQ (grown (COUNTER_REFRESHES_RECONNECT), 3u);
  EXPECT_EQ (grown (COUNTER_DISCONNECTIONS), 0u);
}

TEST_F (CountsTest, PlansThatAreRefused)
{
  LogCapture log;

  sim = sim_new_empty (1);
  sim_add_plugin (sim, &spies::connector);
  spies::planner = [] (const CenoteConnectorView *view, CenotePlan *plan) {
    if (view->n_channels == 0)
      plan->open (plan, cenote_view_address (view, 0)->id, 4, 0);
  };
  open ("size=3\nconnector=spy");
  run (SIM_S);
  EXPECT_EQ (grown (COUNTER_PLANS_REFUSED), log.count ("the plan of connector spy was refused"));
  EXPECT_GE (sim_counter (sim, COUNTER_PLANS_REFUSED), 1u);
  spies::planner = nullptr;
}

TEST_F (CountsTest, GetsAndMisses)
{
  make ("size=1");
  sim_start (sim);
  EXPECT_FALSE (can_get ());
  EXPECT_FALSE (can_get ());
  EXPECT_EQ (grown (COUNTER_GETS), 2u);
  EXPECT_EQ (grown (COUNTER_GETS_REFUSED), 2u);
  run (SIM_S);
  for (int i = 0; i < 7; i++)
    EXPECT_TRUE (can_get ());
  EXPECT_EQ (grown (COUNTER_GETS), 7u);
  EXPECT_EQ (grown (COUNTER_GETS_REFUSED), 0u);
}

TEST_F (CountsTest, LeasesThatAreRefused)
{
  LogCapture log;
  CenoteLease lease, copy, foreign = CENOTE_LEASE_INIT;
  char nothing;

  open ("size=1");
  run (SIM_S);
  grown (COUNTER_DOUBLE_RELEASES);
  grown (COUNTER_FOREIGN_LEASES);
  copy = lease = get ();
  cenote_lease_release (&lease);
  cenote_lease_release (&copy);
  EXPECT_EQ (grown (COUNTER_DOUBLE_RELEASES), 1u);
  foreign.channel = reinterpret_cast<grpc_channel *> (&nothing);
  foreign.priv[0] = &nothing;
  cenote_lease_release (&foreign);
  EXPECT_EQ (grown (COUNTER_FOREIGN_LEASES), 1u);
  EXPECT_EQ (grown (COUNTER_DOUBLE_RELEASES), 0u);
}

TEST_F (CountsTest, PicksOutOfRange)
{
  static const CenotePickerOps ops = { sizeof ops,
                                       0,
                                       nullptr,
                                       [] (void *, const CenotePickView *view) { return view->n_places; },
                                       nullptr,
                                       nullptr };
  static const CenotePlugin picker = spies::describe (CENOTE_PLUGIN_PICKER, "beyond", &ops);

  sim = sim_new_empty (1);
  sim_add_plugin (sim, &picker);
  open ("size=2\npicker=beyond");
  run (SIM_S);
  grown (COUNTER_PICKER_OUT_OF_RANGE);
  for (int i = 0; i < 3; i++)
    EXPECT_TRUE (can_get ());
  EXPECT_EQ (grown (COUNTER_PICKER_OUT_OF_RANGE), 3u);
}

/* More events than the bus has room for, before anybody takes them out. */
TEST_F (CountsTest, EventsThatAreDropped)
{
  const guint64 n = 10000;

  open ("size=1\ntelemetry-sample-rate=1");
  run (SIM_S);
  guint told = count (CENOTE_EVENT_CHANNEL_GET) + count (CENOTE_EVENT_POOL_GET_CHANNEL);
  for (guint64 i = 0; i < n; i++)
    EXPECT_TRUE (can_get ());
  settle ();
  told = count (CENOTE_EVENT_CHANNEL_GET) + count (CENOTE_EVENT_POOL_GET_CHANNEL) - told;
  EXPECT_LT (told, 2 * n);
  EXPECT_EQ (grown (COUNTER_TELEMETRY_DROPPED), 2 * n - told);
  EXPECT_EQ (last (CENOTE_EVENT_TELEMETRY_DROPPED)->event.count, (gint64) (2 * n - told));
}

} // namespace
