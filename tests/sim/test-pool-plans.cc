/* SPDX-License-Identifier: Apache-2.0 */
/* pool: what it makes of its connector's plans. */
#include "pool-test.h"

namespace {

/* -------------------------------------------------------------------- plans */

TEST_F (PoolTest, APlanOverTheSizeIsRefusedByName)
{
  LogCapture log;

  open_planned ("size=3", [] (const CenoteConnectorView *view, CenotePlan *plan) {
    if (view->n_channels == 0)
      plan->open (plan, cenote_view_address (view, 0)->id, 4, 0);
  });
  run (SIM_S);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  EXPECT_EQ (log.count ("the plan of connector spy was refused: it would make 4 channels, and at most 3 are allowed"),
             1u);
  ASSERT_EQ (count (CENOTE_EVENT_PLUGIN_FAILED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_PLUGIN_FAILED)->reason, "connector/spy: its plan was refused");
}

using PlanFault = std::pair<std::function<void (const CenoteConnectorView *, CenotePlan *)>, const char *>;

TEST_F (PoolTest, APlanOfNonsenseIsRefusedWhole)
{
  const std::vector<PlanFault> faults = {
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->open (plan, 77, 1, 0); }, "address 77" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->drain (plan, 99, "why"); }, "channel 99" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->close (plan, 98, nullptr); }, "channel 98" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->revive (plan, 97); }, "channel 97" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->open (plan, 0, 1, 96); }, "replaces channel 96" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->open (plan, 0, 2, 1); }, "replaces channel 1 by 2" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->open (plan, 0, UINT32_MAX, 0); }, "at most 2" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) {
       plan->open (plan, 0, 1, 1);
       plan->open (plan, 0, 1, 1);
     },
      "replaces channel 1 twice" },
  };
  int n_plans = 0;

  for (const PlanFault &fault : faults) {
    LogCapture log;

    open_planned ("size=2\nstatus-interval=off", [] (const CenoteConnectorView *view, CenotePlan *plan) {
      if (view->n_channels == 0)
        plan->open (plan, cenote_view_address (view, 0)->id, 1, 0);
    });
    run (SIM_S);
    ASSERT_EQ (Status (pool)->n_channels, 1u);
    spies::planner = [&] (const CenoteConnectorView *view, CenotePlan *plan) {
      n_plans++;
      plan->drain (plan, 1, "with the rest of the plan");
      fault.first (view, plan);
    };
    cenote_pool_resize (pool, 2, nullptr);
    run (SIM_S);
    spies::planner = nullptr;
    EXPECT_EQ (n_plans, 1);
    n_plans = 0;
    EXPECT_EQ (log.count (fault.second), 1u) << fault.second;
    EXPECT_EQ (current (), 1) << fault.second;
    sim_free (sim);
    sim = nullptr;
  }
}

/* One replacement at a time for each channel, also over many plans. */
TEST_F (PoolTest, AConnectorThatReplacesWithoutEndIsStopped)
{
  LogCapture log;

  open_planned ("size=1", [] (const CenoteConnectorView *view, CenotePlan *plan) {
    if (view->n_channels == 0)
      plan->open (plan, cenote_view_address (view, 0)->id, 1, 0);
    else if (view->now_us % 2 == 0 || view->n_channels < 100)
      plan->open (plan, cenote_view_address (view, 0)->id, 1, 1);
    plan->wake_at (plan, view->now_us);
  });
  peer_next (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  peer_always (peer, PEER_HANGS, 0, 0, nullptr);
  run (100 * SIM_MS);
  EXPECT_EQ (Status (pool)->n_channels, 2u);
  EXPECT_GE (log.count ("replaces channel 1 twice"), 10u);
  spies::planner = nullptr;
}

TEST_F (PoolTest, ARestingPoolWantsNothing)
{
  LogCapture log;
  guint32 wanted = 99;

  open_planned ("size=2\ninitialization=manual", [&] (const CenoteConnectorView *view, CenotePlan *plan) {
    wanted = view->wanted;
    plan->open (plan, cenote_view_address (view, 0)->id, 1, 0);
  });
  cenote_pool_resize (pool, 3, nullptr);
  run (SIM_S);
  EXPECT_EQ (wanted, 0u);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  spies::planner = nullptr;
}

TEST_F (PoolTest, ThePlanIsAskedAtTheTimeThatItSet)
{
  std::vector<gint64> times;
  gint64 start_us;

  make ("size=1\nstatus-interval=off");
  sim_free (sim);
  open_planned ("size=1\nstatus-interval=off", [&] (const CenoteConnectorView *view, CenotePlan *plan) {
    times.push_back (view->now_us);
    if (times.size () < 4)
      plan->wake_at (plan, view->now_us + 100 * SIM_MS);
  });
  start_us = now ();
  run (10 * SIM_S);
  ASSERT_EQ (times.size (), 4u);
  for (gint64 &time : times)
    time -= start_us;
  EXPECT_EQ (times, (std::vector<gint64>{ 0, 100000, 200000, 300000 }));
  spies::planner = nullptr;
}

TEST_F (PoolTest, ThePlannerSeesWhatThereIs)
{
  CenoteConnectorView seen = {};
  std::vector<CenoteChannelView> channels;
  CenoteLease lease;

  open_planned ("size=2", [&] (const CenoteConnectorView *view, CenotePlan *plan) {
    seen = *view;
    channels.clear ();
    for (uint32_t i = 0; i < view->n_channels; i++)
      channels.push_back (*cenote_view_channel (view, i));
    if (view->n_channels == 0)
      plan->open (plan, cenote_view_address (view, 0)->id, 2, 0);
  });
  run (SIM_S);
  lease = get ();
  cenote_pool_pause (pool);
  Acquire &waiting = acquire (500);
  settle ();
  EXPECT_EQ (seen.wanted, 2u);
  EXPECT_EQ (seen.n_waiters, 1u);
  EXPECT_EQ (seen.oldest_deadline_us, now () + 500 * SIM_MS);
  EXPECT_EQ (seen.acquired, 1u);
  ASSERT_EQ (channels.size (), 2u);
  EXPECT_EQ (channels[0].in_flight + channels[1].in_flight, 1);
  EXPECT_EQ (channels[0].state, (uint32_t) CENOTE_CHANNEL_READY);
  EXPECT_GT (channels[0].ready_since_us, 0);
  cenote_pool_reconnect (pool);
  settle ();
  run (SIM_MS);
  EXPECT_EQ (seen.verb, (uint32_t) CENOTE_VERB_ROTATE);
  EXPECT_NE (channels[0].flags & CENOTE_CHANNEL_STALE, 0u);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_TRUE (waiting.answered);
  spies::planner = nullptr;
}

} // namespace
