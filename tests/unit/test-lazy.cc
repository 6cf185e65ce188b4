// SPDX-License-Identifier: Apache-2.0
// connector/lazy: nothing until somebody asks, and nothing any more when nobody has for long.
#include "planner-test.h"

namespace {

class Lazy : public ::testing::Test
{
protected:
  Lazy ()
  {
    planner.add_address ();
    pool->wanted = 3;
    pool->idle_timeout_us = 60 * s;
  }

  // Awake, with three channels READY.
  void wake ()
  {
    pool->refused = 1;
    EXPECT_EQ (planner.go (), "open 1 x3");
    EXPECT_EQ (planner.ready (), 3u);
  }

  void use (guint64 id) { planner.channel (id)->last_use_us = pool->now_us; }

  Planner planner { "lazy" };
  FakePool *pool = planner.pool;
};

TEST_F (Lazy, IsToldWhenSomebodyUsesThePool)
{
  EXPECT_EQ (planner.fixture->plugin->ops.connector.flags, CENOTE_CONNECTOR_MINDS_USE);
}

TEST_F (Lazy, DoesNothingUntilAsked)
{
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ (planner.go (), "");
    EXPECT_EQ (pool->expected, 0);
    EXPECT_EQ (pool->wake_at_us, 0) << "and sleeps";
    planner.wait (3600 * s);
  }
}

TEST_F (Lazy, WhoWaitsAsks)
{
  pool->waiters = 1;
  EXPECT_EQ (planner.plan (), "open 1 x3");
  EXPECT_EQ (pool->expected, 3);
  EXPECT_EQ (planner.why (), "asked-for");
}

TEST_F (Lazy, AGetThatFoundNothingHasAsked)
{
  pool->refused = 1;
  EXPECT_EQ (planner.plan (), "open 1 x3");
  fake_pool_apply (pool);
  EXPECT_EQ (planner.plan (), "") << "the others join what is under way";
  EXPECT_EQ (pool->expected, 3);
}

TEST_F (Lazy, ClosesAllWhenNoneWasUsedForIdleTimeout)
{
  wake ();
  use (2);
  EXPECT_EQ (planner.plan (), "");
  int64_t used_us = planner.channel (2)->last_use_us;
  EXPECT_EQ (pool->wake_at_us, used_us + 60 * s);
  pool->now_us = pool->wake_at_us - 1;
  EXPECT_EQ (planner.plan (), "");
  pool->now_us = used_us + 60 * s;
  EXPECT_EQ (planner.go (), "drain 3 (idle-timeout); drain 2 (idle-timeout); drain 1 (idle-timeout)");
  EXPECT_EQ (pool->expected, 0);
  EXPECT_EQ (planner.why (), "idle-timeout");
  EXPECT_EQ (pool->channels->len, 0u);
  EXPECT_EQ (planner.plan (), "");
  EXPECT_EQ (pool->wake_at_us, 0);
  pool->waiters = 1;
  EXPECT_EQ (planner.plan (), "open 1 x3") << "and anew";
}

TEST_F (Lazy, WhatIsLeasedIsInUse)
{
  wake ();
  planner.channel (3)->in_flight = 1;
  for (int i = 0; i < 5; i++) {
    planner.wait (100 * s);
    EXPECT_EQ (planner.plan (), "");
  }
  planner.channel (3)->in_flight = 0;
  use (3);
  planner.wait (59 * s);
  EXPECT_EQ (planner.plan (), "");
  planner.wait (2 * s);
  EXPECT_NE (planner.plan (), "");
}

TEST_F (Lazy, WhoeverAsksKeepsItAwake)
{
  wake ();
  for (int i = 0; i < 5; i++) {
    planner.wait (50 * s);
    pool->refused = 1;
    EXPECT_EQ (planner.plan (), "");
  }
}

TEST_F (Lazy, WithoutIdleTimeoutItStays)
{
  pool->idle_timeout_us = CENOTE_OFF;
  wake ();
  planner.wait (INT64_C (365) * 86400 * s);
  EXPECT_EQ (planner.plan (), "");
  EXPECT_EQ (pool->wake_at_us, 0);
}

// Attempts that nobody needs any more end too.
TEST_F (Lazy, GivesUpAttemptsThatNobodyWaitsFor)
{
  static_cast<CenoteAddressView *> (pool->addresses->pdata[0])->gate = CENOTE_GATE_DOWN;
  pool->waiters = 1;
  EXPECT_EQ (planner.go (), "open 1 x3");
  pool->waiters = 0;
  EXPECT_EQ (planner.plan (), "");
  planner.wait (60 * s);
  EXPECT_EQ (planner.plan (), "close 3 (idle-timeout); close 2 (idle-timeout); close 1 (idle-timeout)");
}

TEST_F (Lazy, RevivesWhatStillDrains)
{
  wake ();
  planner.wait (61 * s);
  planner.plan ();
  fake_pool_apply (pool); // drains begin; a lease was taken just before
  for (guint64 id = 1; id <= 3; id++)
    planner.channel (id)->in_flight = 1;
  pool->refused = 1;
  EXPECT_EQ (planner.plan (), "revive 1; revive 2; revive 3");
}

TEST_F (Lazy, SizeIsWhatItHasWhenAwake)
{
  pool->wanted = 5;
  EXPECT_EQ (planner.plan (), "");
  pool->refused = 1;
  EXPECT_EQ (planner.go (), "open 1 x5");
  pool->wanted = 4;
  EXPECT_EQ (planner.go (), "drain 5 (resize)");
  EXPECT_EQ (pool->expected, 4);
}

TEST_F (Lazy, ADisconnectedPoolSleeps)
{
  wake ();
  pool->wanted = 0;
  EXPECT_EQ (planner.go (), "drain 3 (disconnect); drain 2 (disconnect); drain 1 (disconnect)");
  EXPECT_EQ (pool->expected, -1) << "what it would have when connected is not asked for";
  pool->wanted = 3;
  EXPECT_EQ (planner.plan (), "") << "as at first";
}

TEST_F (Lazy, StaleAndEjectedChannelsAreReplaced)
{
  wake ();
  planner.channel (1)->flags = CENOTE_CHANNEL_STALE;
  planner.channel (2)->flags = CENOTE_CHANNEL_EJECTED;
  EXPECT_EQ (planner.go (), "open 1 for 2");
  EXPECT_EQ (planner.go (), "open 1 for 1");
}

TEST_F (Lazy, AHostThatKnowsNoIdleTimeoutHasNone)
{
  wake ();
  CenoteConnectorView view {};
  CenotePlan plan {}; // nothing may be called

  view.struct_size = offsetof (CenoteConnectorView, idle_timeout_us);
  view.wanted = 3;
  view.now_us = pool->now_us + 3600 * s;
  view.address_size = sizeof (CenoteAddressView);
  view.channel_size = sizeof (CenoteChannelView);
  std::vector<CenoteChannelView> rows;
  CenoteAddressView address = { "dns:///somewhere:1", 1, 0, 0, 0, -1, 0 };
  for (guint64 id = 1; id <= 3; id++)
    rows.push_back (*planner.channel (id));
  view.n_addresses = 1;
  view.addresses = &address;
  view.n_channels = 3;
  view.channels = rows.data ();
  plan.struct_size = offsetof (CenotePlan, expect);
  planner.fixture->plugin->ops.connector.plan (planner.fixture->state, &view, &plan);
}

} // namespace
