/* SPDX-License-Identifier: Apache-2.0 */
/* pool-view: what a connector is shown: each row as it is, only what changed as changed, at a price in proportion. */
#include "sim-test.h"
#include "spies.h"
#include "tests/scale.h"

#include <algorithm>

extern "C" const CenotePlugin *static_persistent (uint32_t host_abi);

namespace {

struct Seen {
  CenoteConnectorView view;
  std::map<guint64, CenoteChannelView> channels;
  std::vector<guint64> changed;
};

class ViewTest : public SimTest
{
protected:
  std::vector<Seen> plans;
  guint to_open = 0;

  void
  TearDown () override
  {
    SimTest::TearDown ();
    spies::planner = nullptr;
  }

  /* N channels to sim:a, all READY; what is planned from now on is kept. */
  void
  open_many (guint n)
  {
    to_open = n;
    spies::planner = [this] (const CenoteConnectorView *view, CenotePlan *plan) {
      plans.push_back (read (view));
      if (to_open > 0)
        plan->open (plan, cenote_view_address (view, 0)->id, to_open, 0);
      to_open = 0;
    };
    sim = sim_new_empty (1);
    sim_add_plugin (sim, &spies::connector);
    make ("connector=spy\nsize=" + std::to_string (n));
    sim_start (sim);
    run (5 * SIM_S);
    ASSERT_EQ (current (), n);
    plan ();
    run (SIM_MS); /* one plan a millisecond */
    plans.clear ();
  }

  static Seen
  read (const CenoteConnectorView *view)
  {
    Seen seen = { *view, {}, {} };

    for (uint32_t i = 0; i < view->n_channels; i++)
      seen.channels[cenote_view_channel (view, i)->id] = *cenote_view_channel (view, i);
    for (uint32_t i = 0; i < view->n_changed; i++)
      seen.changed.push_back (cenote_view_channel (view, view->changed[i])->id);
    std::sort (seen.changed.begin (), seen.changed.end ());
    return seen;
  }

  /* Asks for a plan that nothing but the asking gives rise to. */
  Seen &
  plan ()
  {
    run (SIM_MS);
    EXPECT_GT (cenote_pool_resize (pool, static_cast<int> (Status (pool)->expected_size), nullptr), 0);
    settle ();
    return plans.back ();
  }

  guint64
  channel_of (const CenoteLease &lease)
  {
    Status status (pool);

    for (gsize i = 0; i < status->n_channels; i++)
      if (status->channels[i]->in_flight > 0 && lease.channel != nullptr)
        return status->channels[i]->id;
    return 0;
  }
};

using Ids = std::vector<guint64>;

TEST_F (ViewTest, NothingChangedIsNothingListed)
{
  open_many (5);
  EXPECT_EQ (plan ().changed, Ids ());
  EXPECT_EQ (plan ().view.n_channels, 5u);
  EXPECT_EQ (plan ().view.acquired, 0u);
}

TEST_F (ViewTest, RowsAreInTheOrderOfTheirIds)
{
  open_many (20);
  spies::planner = [] (const CenoteConnectorView *view, CenotePlan *plan) {
    for (uint32_t i = 1; i < view->n_channels; i++)
      EXPECT_LT (cenote_view_channel (view, i - 1)->id, cenote_view_channel (view, i)->id);
    if (view->n_channels > 3)
      plan->drain (plan, cenote_view_channel (view, view->n_channels / 2)->id, "test");
  };
  EXPECT_EQ (cenote_pool_resize (pool, 20, nullptr), 20);
  run (SIM_S);
  EXPECT_EQ (Status (pool)->n_channels, 3u);
}

TEST_F (ViewTest, AStateThatChangedIsListedOnce)
{
  open_many (5);
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  connection_lose (peer_nth_up (peer, 2), "gone");
  settle ();
  ASSERT_FALSE (plans.empty ());
  EXPECT_EQ (plans.back ().changed, Ids{ 3 });
  EXPECT_EQ (plans.back ().channels[3].state, (uint32_t) CENOTE_CHANNEL_IDLE);
  EXPECT_EQ (plans.back ().channels[3].ready_since_us, -1);
  run (50 * SIM_MS);
  EXPECT_EQ (plans.back ().channels[3].state, (uint32_t) CENOTE_CHANNEL_TRANSIENT_FAILURE);
  EXPECT_EQ (plan ().changed, Ids ());
}

TEST_F (ViewTest, AUseIsListedAndCounted)
{
  CenoteLease lease;
  guint64 id;

  open_many (5);
  lease = get ();
  id = channel_of (lease);
  EXPECT_EQ (plan ().changed, Ids{ id });
  EXPECT_EQ (plans.back ().view.acquired, 1u);
  EXPECT_EQ (plans.back ().channels[id].in_flight, 1);
  EXPECT_EQ (plans.back ().channels[id].last_use_us, now ());
  EXPECT_EQ (plan ().changed, Ids ()) << "a lease that is held changes nothing";
  cenote_lease_release (&lease);
  EXPECT_EQ (plan ().changed, Ids{ id });
  EXPECT_EQ (plans.back ().channels[id].in_flight, 0);
  EXPECT_EQ (plans.back ().view.acquired, 0u);
}

/* Leases that came and went between two plans are a use, even where no look saw one held. */
TEST_F (ViewTest, AUseBetweenTwoLooksIsSeen)
{
  open_many (1);
  for (int i = 0; i < 7; i++)
    EXPECT_TRUE (can_get ());
  EXPECT_EQ (plan ().view.acquired, 7u);
  EXPECT_EQ (plans.back ().changed, Ids{ 1 });
  EXPECT_EQ (plans.back ().channels[1].in_flight, 0);
  EXPECT_GT (plans.back ().channels[1].last_use_us, 0);
}

TEST_F (ViewTest, AUseAfterAPlanIsLaterThanThePlan)
{
  gint64 planned_us;

  open_many (1);
  planned_us = plan ().view.now_us;
  EXPECT_TRUE (can_get ());
  cenote_pool_pause (pool);
  acquire (0);
  run (2 * SIM_MS);
  EXPECT_GT (plan ().channels[1].last_use_us, planned_us);
}

/* The control thread looks at each tick: what is held for longer than that is in the peak. */
TEST_F (ViewTest, PeakIsTheMostLeasesThatAnyTickSaw)
{
  std::vector<CenoteLease> leases;

  open_many (2);
  for (int i = 0; i < 6; i++)
    leases.push_back (get ());
  run (50 * SIM_MS);
  for (int i = 0; i < 4; i++)
    cenote_lease_release (&leases[i]);
  EXPECT_EQ (plan ().channels[1].in_flight, 1);
  EXPECT_EQ (plans.back ().channels[1].peak, 3);
  EXPECT_EQ (plans.back ().channels[2].peak, 3);
  EXPECT_EQ (plan ().channels[1].peak, 1) << "from the last plan on";
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
  EXPECT_EQ (plan ().channels[1].peak, 1);
  EXPECT_EQ (plan ().channels[1].peak, 0);
}

TEST_F (ViewTest, ARotationMarksAllOnce)
{
  open_many (3);
  cenote_pool_reconnect (pool);
  settle ();
  EXPECT_EQ (plans.back ().changed, (Ids{ 1, 2, 3 }));
  for (const auto &channel : plans.back ().channels)
    EXPECT_EQ (channel.second.flags, (uint32_t) CENOTE_CHANNEL_STALE);
  EXPECT_EQ (plan ().changed, Ids ());
}

TEST_F (ViewTest, TheFirstDeadlineIsKept)
{
  gint64 start_us;

  open_many (1);
  start_us = now ();
  cenote_pool_pause (pool);
  acquire (300);
  Acquire &first = acquire (100);
  acquire (200);
  acquire ();
  settle ();
  EXPECT_EQ (plan ().view.oldest_deadline_us, start_us + 100 * SIM_MS);
  EXPECT_EQ (plans.back ().view.n_waiters, 4u);
  EXPECT_TRUE (cenote_pool_cancel (pool, first.id));
  EXPECT_EQ (plan ().view.oldest_deadline_us, start_us + 200 * SIM_MS);
  run (250 * SIM_MS);
  EXPECT_EQ (plan ().view.oldest_deadline_us, start_us + 300 * SIM_MS);
  run (SIM_S);
  EXPECT_EQ (plan ().view.oldest_deadline_us, G_MAXINT64);
  cenote_pool_resume (pool);
}

/* What a plan costs follows what changed, not how much there is. */
TEST_F (ViewTest, APlanReadsAndWritesOnlyWhatChanged)
{
  SimCounts before;
  CenoteLease lease;

  open_many (1000);
  run (SIM_S);
  before = sim_count (sim, 0);
  connection_lose (peer_nth_up (peer, 500), "gone");
  settle ();
  EXPECT_LE (sim_count (sim, 0).view_writes - before.view_writes, 4u);
  EXPECT_LE (sim_count (sim, 0).view_reads - before.view_reads, 4u);
  run (SIM_S);
  lease = get ();
  run (100 * SIM_MS);
  before = sim_count (sim, 0);
  plan ();
  EXPECT_LE (sim_count (sim, 0).view_reads - before.view_reads, 10u) << "one channel is leased, and no get came";
  cenote_lease_release (&lease);
}

/* ------------------------------------------------------------- at random */

/* Stands before `persistent` and holds each view against the one before. */
class Watcher
{
public:
  std::map<guint64, CenoteChannelView> before;
  std::string fault;
  guint n_plans = 0, n_listed = 0, n_rows = 0;

  void
  look (const CenoteConnectorView *view)
  {
    std::map<guint64, CenoteChannelView> now;
    std::vector<bool> listed (view->n_channels);

    for (uint32_t i = 0; i < view->n_changed; i++)
      listed[view->changed[i]] = true;
    for (uint32_t i = 0; i < view->n_channels; i++) {
      const CenoteChannelView *row = cenote_view_channel (view, i);
      auto old = before.find (row->id);

      now[row->id] = *row;
      if (row->peak < row->in_flight || row->in_flight < 0)
        fault = "a peak below what is in flight";
      if (!listed[i] && (old == before.end () || differs (old->second, *row)))
        fault = "channel " + std::to_string (row->id) + " changed and is not listed";
    }
    n_plans++;
    n_listed += view->n_changed;
    n_rows += view->n_channels;
    before = now;
  }

private:
  static bool
  differs (const CenoteChannelView &a, const CenoteChannelView &b)
  {
    return a.state != b.state || a.flags != b.flags || a.replaces != b.replaces || a.in_flight != b.in_flight ||
           a.ready_since_us != b.ready_since_us || a.last_use_us != b.last_use_us || b.peak != b.in_flight;
  }
};

class ViewWalk : public ViewTest, public testing::WithParamInterface<int>
{
protected:
  const CenoteConnectorOps *ops = static_cast<const CenoteConnectorOps *> (static_persistent (0)->ops);
  void *state = nullptr;
  Watcher watcher;
  std::vector<CenoteLease> leases;

  void
  TearDown () override
  {
    ViewTest::TearDown ();
    ops->destroy (state);
  }

  void
  open_watched ()
  {
    static const CenoteHost no_host = {};

    state = ops->create (&no_host, nullptr, nullptr);
    spies::planner = [this] (const CenoteConnectorView *view, CenotePlan *plan) {
      watcher.look (view);
      ops->plan (state, view, plan);
    };
    sim = sim_new_empty (static_cast<guint64> (GetParam ()));
    sim_add_plugin (sim, &spies::connector);
    make ("connector=spy\nsize=6\ntargets=sim:a;sim:b");
    listen (CENOTE_EVENT_BIT (CENOTE_EVENT_PLUGIN_FAILED));
    sim_start (sim);
  }

  guint
  pick (guint n)
  {
    return static_cast<guint> (sim_luck (sim) % n);
  }

  void
  step ()
  {
    CenoteLease lease = CENOTE_LEASE_INIT;

    switch (pick (8)) {
    case 0:
      peer_lose_all (peer, "gone");
      break;
    case 1:
      cenote_pool_reconnect (pool);
      break;
    case 2:
      cenote_pool_resize (pool, 1 + static_cast<int> (pick (12)), nullptr);
      break;
    case 3:
    case 4:
    case 5:
      if (cenote_pool_get_channel (pool, &lease, nullptr))
        leases.push_back (lease);
      break;
    default:
      if (!leases.empty ()) {
        cenote_lease_release (&leases.back ());
        leases.pop_back ();
      }
    }
    run (pick (4) * pick (20) * SIM_MS);
  }
};

TEST_P (ViewWalk, WhatChangedIsListed)
{
  const unsigned n = scaled_down (2000, 500);

  open_watched ();
  for (unsigned i = 0; i < n && watcher.fault.empty (); i++)
    step ();
  EXPECT_EQ (watcher.fault, "");
  EXPECT_GT (watcher.n_plans, n / 2);
  EXPECT_EQ (count (CENOTE_EVENT_PLUGIN_FAILED), 0u) << last (CENOTE_EVENT_PLUGIN_FAILED)->error;
  EXPECT_LT (watcher.n_listed, watcher.n_rows) << "not everything each time";
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
}

INSTANTIATE_TEST_SUITE_P (Seeds, ViewWalk, testing::Range (1, 6));

} // namespace
