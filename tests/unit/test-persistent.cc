// SPDX-License-Identifier: Apache-2.0
// connector/persistent: which channels a pool should have, view by view.
#include "plugin-files.h"
#include "tools/conformance/fake-pool.h"
#include "tools/conformance/fixture.h"

using std::string;

namespace {

class Persistent : public ::testing::Test
{
protected:
  Persistent () : pool (fake_pool_new (0))
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_CONNECTOR, "persistent");

    fixture = fixture_new (plugin, nullptr, nullptr);
    EXPECT_TRUE (fixture_create (fixture, nullptr));
  }

  ~Persistent () override
  {
    EXPECT_STREQ (pool->faults->str, "");
    fake_pool_free (pool);
    fixture_free (fixture);
  }

  string plan ()
  {
    g_autofree char *text = fake_pool_plan (pool, &fixture->plugin->ops.connector, fixture->state);

    return text;
  }

  guint run () { return fake_pool_run (pool, &fixture->plugin->ops.connector, fixture->state, 100); }

  // A pool of WANTED channels over ADDRESSES, all READY.
  void settle (guint wanted, guint addresses)
  {
    for (guint i = 0; i < addresses; i++)
      fake_pool_add_address (pool, "dns:///somewhere:1");
    pool->wanted = wanted;
    EXPECT_LT (run (), 100u);
    EXPECT_EQ (ready (), wanted);
  }

  CenoteChannelView *channel (guint64 id) { return fake_pool_find_channel (pool, id); }
  CenoteAddressView *address (guint i) { return static_cast<CenoteAddressView *> (pool->addresses->pdata[i]); }
  void set (guint64 id, CenoteChannelState state) { fake_pool_set_state (pool, channel (id), state); }
  guint ready () { return fake_pool_count (pool, CENOTE_CHANNEL_READY); }
  guint ready_at (guint32 id) { return fake_pool_count_at (pool, id, CENOTE_CHANNEL_READY); }

  FakePool *pool;
  Fixture *fixture;
};

// -------------------------------------------------------------------- size

TEST_F (Persistent, OpensWhatIsWanted)
{
  fake_pool_add_address (pool, "dns:///one:1");
  pool->wanted = 5;
  EXPECT_EQ (plan (), "open 1 x5");
  fake_pool_apply (pool);
  EXPECT_EQ (plan (), "") << "channels that connect count";
}

TEST_F (Persistent, SpreadsOverTheAddresses)
{
  for (const char *name : { "dns:///one:1", "dns:///two:2", "dns:///three:3" })
    fake_pool_add_address (pool, name);
  pool->wanted = 5;
  EXPECT_EQ (plan (), "open 1 x2; open 2 x2; open 3 x1");
}

TEST_F (Persistent, CountsChannelsInEveryStateButTheLastTwo)
{
  fake_pool_add_address (pool, "dns:///one:1");
  for (CenoteChannelState state :
       { CENOTE_CHANNEL_IDLE, CENOTE_CHANNEL_CONNECTING, CENOTE_CHANNEL_READY, CENOTE_CHANNEL_TRANSIENT_FAILURE,
         CENOTE_CHANNEL_SHUTDOWN, CENOTE_CHANNEL_DRAINING })
    fake_pool_add_channel (pool, 1, state);
  pool->wanted = 6;
  EXPECT_EQ (plan (), "open 1 x2");
}

TEST_F (Persistent, NeedsAnAddress)
{
  pool->wanted = 3;
  EXPECT_EQ (plan (), "");
}

TEST_F (Persistent, DrainsTheSurplusWithoutWaitingForLeases)
{
  settle (4, 1);
  for (guint64 id = 1; id <= 4; id++)
    channel (id)->in_flight = (gint64) id;
  pool->wanted = 2;
  EXPECT_EQ (plan (), "drain 1 (resize); drain 2 (resize)");
  fake_pool_apply (pool);
  EXPECT_EQ (plan (), "");
}

TEST_F (Persistent, DrainsTheLeastUsefulFirst)
{
  settle (5, 1);
  set (2, CENOTE_CHANNEL_CONNECTING);
  channel (3)->flags = CENOTE_CHANNEL_EJECTED;
  channel (3)->in_flight = 9;
  channel (4)->in_flight = 1;
  channel (5)->in_flight = 1;
  channel (1)->in_flight = 3;
  pool->wanted = 4;
  EXPECT_EQ (plan ().substr (0, 30), "open 1 for 3; close 2 (resize)");
  pool->wanted = 3;
  EXPECT_EQ (plan (), "drain 3 (resize); close 2 (resize)");
  pool->wanted = 2;
  EXPECT_EQ (plan (), "drain 3 (resize); drain 5 (resize); close 2 (resize)");
  pool->wanted = 1;
  EXPECT_EQ (plan (), "drain 3 (resize); drain 5 (resize); drain 4 (resize); close 2 (resize)");
}

TEST_F (Persistent, StaysEvenWhenItShrinks)
{
  settle (6, 3);
  pool->wanted = 3;
  EXPECT_LT (run (), 100u);
  for (guint32 id = 1; id <= 3; id++)
    EXPECT_EQ (ready_at (id), 1u);
}

TEST_F (Persistent, EndsAllWhenNothingIsWanted)
{
  settle (3, 2);
  set (2, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  pool->wanted = 0;
  EXPECT_EQ (plan (), "drain 3 (resize); drain 1 (resize); close 2 (resize)");
  pool->wanted = 3;
  pool->verb = CENOTE_VERB_DISCONNECT;
  EXPECT_EQ (plan (), "drain 3 (disconnect); drain 1 (disconnect); close 2 (disconnect)");
}

TEST_F (Persistent, HasNothingToDoForTheVerbsOfOthers)
{
  settle (3, 1);
  for (CenoteVerb verb : { CENOTE_VERB_EXPIRE, CENOTE_VERB_CLOSE_ON_RELEASE, CENOTE_VERB_ROTATE }) {
    pool->verb = verb;
    EXPECT_EQ (plan (), "");
  }
}

// ------------------------------------------------------------------ revive

TEST_F (Persistent, RevivesBeforeItOpens)
{
  settle (4, 1);
  for (guint64 id = 1; id <= 4; id++)
    channel (id)->in_flight = 1;
  pool->wanted = 2;
  plan ();
  fake_pool_apply (pool);
  pool->wanted = 5;
  EXPECT_EQ (plan (), "revive 3; revive 4; open 1 x1");
  fake_pool_apply (pool);
  EXPECT_EQ (fake_pool_count (pool, CENOTE_CHANNEL_READY), 4u);
}

TEST_F (Persistent, RevivesNothingThatHasSomethingAgainstIt)
{
  settle (5, 2);
  for (guint64 id = 1; id <= 5; id++) {
    channel (id)->in_flight = 1;
    channel (id)->state = CENOTE_CHANNEL_DRAINING;
  }
  channel (1)->flags = CENOTE_CHANNEL_STALE;
  channel (2)->flags = CENOTE_CHANNEL_EJECTED;
  channel (3)->ready_since_us = -1; // it was drained before it ever connected
  ASSERT_EQ (channel (4)->address, 2u);
  address (1)->removed = 1;
  channel (5)->address = 1;
  fake_pool_add_channel (pool, 1, CENOTE_CHANNEL_READY)->replaces = 5;
  pool->wanted = 3;
  EXPECT_EQ (plan (), "open 1 x2");
}

// ------------------------------------------------------------- replacement

TEST_F (Persistent, AReplacementCountsWithWhatItReplaces)
{
  settle (2, 1);
  fake_pool_add_channel (pool, 1, CENOTE_CHANNEL_CONNECTING)->replaces = 1;
  EXPECT_EQ (plan (), "");
  g_ptr_array_remove_index (pool->channels, 0); // 1 is gone before 3 took its place
  EXPECT_EQ (plan (), "");
}

TEST_F (Persistent, ReplacesStaleChannelsOneAtATime)
{
  settle (3, 1);
  for (guint64 id = 1; id <= 3; id++)
    channel (id)->flags = CENOTE_CHANNEL_STALE;
  EXPECT_EQ (plan (), "open 1 for 1");
  fake_pool_apply (pool);
  EXPECT_EQ (ready (), 3u) << "the old one stays until the new one is ready";
  EXPECT_EQ (plan (), "") << "one at a time";
  fake_pool_settle (pool);
  EXPECT_EQ (plan (), "open 1 for 2");
  fake_pool_apply (pool);
  fake_pool_settle (pool);
  EXPECT_LT (run (), 100u);
  EXPECT_EQ (ready (), 3u);
  for (guint64 id = 1; id <= 3; id++)
    EXPECT_EQ (channel (id), nullptr);
}

TEST_F (Persistent, StaleChannelsStayWhileTheirAddressIsDown)
{
  settle (2, 2);
  channel (1)->flags = channel (2)->flags = CENOTE_CHANNEL_STALE;
  ASSERT_EQ (channel (1)->address, 1u);
  address (0)->gate = CENOTE_GATE_DOWN;
  EXPECT_EQ (plan (), "open 2 for 2") << "one address holds up no other";
}

TEST_F (Persistent, AReplacementThatCannotConnectHoldsUpOnlyItsAddress)
{
  settle (2, 2);
  channel (1)->flags = channel (2)->flags = CENOTE_CHANNEL_STALE;
  EXPECT_EQ (plan (), "open 1 for 1");
  fake_pool_apply (pool);
  address (0)->gate = CENOTE_GATE_DOWN;
  EXPECT_EQ (plan (), "open 2 for 2");
  fake_pool_apply (pool);
  fake_pool_settle (pool);
  EXPECT_EQ (plan (), "");
  EXPECT_EQ (ready (), 2u);
  EXPECT_NE (channel (1), nullptr) << "if the replacement cannot connect, the old channel stays";
}

TEST_F (Persistent, WhatIsStaleAndNotConnectedIsOpenedAnewAtOnce)
{
  settle (3, 1);
  set (1, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  set (2, CENOTE_CHANNEL_IDLE);
  channel (1)->flags = channel (2)->flags = CENOTE_CHANNEL_STALE;
  EXPECT_EQ (plan (), "open 1 x2; close 1 (stale); close 2 (stale)");
}

TEST_F (Persistent, AStaleReplacementIsReplacedAnew)
{
  settle (2, 1);
  channel (1)->flags = channel (2)->flags = CENOTE_CHANNEL_STALE;
  plan ();
  fake_pool_apply (pool);
  channel (3)->flags = CENOTE_CHANNEL_STALE; // made, and then there was another reload
  EXPECT_EQ (plan (), "open 1 for 1; close 3 (stale)");
}

TEST_F (Persistent, ReplacesEjectedChannelsAllAtOnce)
{
  settle (4, 1);
  channel (2)->flags = channel (3)->flags = CENOTE_CHANNEL_EJECTED;
  EXPECT_EQ (plan (), "open 1 for 2; open 1 for 3");
  fake_pool_apply (pool);
  EXPECT_EQ (plan (), "");
}

TEST_F (Persistent, ShrinkingTakesAReplacementWithWhatItReplaces)
{
  settle (2, 1);
  channel (1)->flags = CENOTE_CHANNEL_EJECTED;
  plan ();
  fake_pool_apply (pool);
  pool->wanted = 1;
  EXPECT_EQ (plan (), "drain 1 (resize); close 3 (resize)");
  fake_pool_apply (pool);
  fake_pool_settle (pool);
  EXPECT_EQ (plan (), "");
  EXPECT_EQ (ready (), 1u);
}

// --------------------------------------------------------------- addresses

TEST_F (Persistent, MovesAwayFromARemovedAddress)
{
  settle (4, 2);
  address (0)->removed = 1;
  EXPECT_EQ (plan (), "open 2 for 1; open 2 for 2");
  fake_pool_apply (pool);
  EXPECT_EQ (ready (), 4u);
  fake_pool_settle (pool);
  EXPECT_LT (run (), 100u);
  EXPECT_EQ (ready_at (2), 4u);
  EXPECT_EQ (pool->addresses->len, 1u) << "it was not forgotten";
}

TEST_F (Persistent, WhatIsNotConnectedToARemovedAddressIsOpenedElsewhereAtOnce)
{
  settle (2, 2);
  set (1, CENOTE_CHANNEL_CONNECTING);
  address (0)->removed = 1;
  EXPECT_EQ (plan (), "open 2 x1; close 1 (address removed)");
}

TEST_F (Persistent, StaysWhereItIsWhenEveryAddressWasRemoved)
{
  settle (2, 1);
  set (2, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  address (0)->removed = 1;
  EXPECT_EQ (plan (), "");
}

TEST_F (Persistent, ForgetsARemovedAddressWithItsLastChannel)
{
  settle (2, 2);
  channel (1)->in_flight = 1;
  address (0)->removed = 1;
  EXPECT_LT (run (), 100u);
  EXPECT_EQ (pool->addresses->len, 2u) << "a lease is held on a channel to it";
  channel (1)->in_flight = 0;
  fake_pool_settle (pool);
  EXPECT_EQ (plan (), "forget 1");
}

TEST_F (Persistent, MovesToANewAddressOneAtATime)
{
  settle (6, 1);
  fake_pool_add_address (pool, "dns:///new:1");
  EXPECT_EQ (plan (), "open 2 for 6");
  fake_pool_apply (pool);
  EXPECT_EQ (plan (), "");
  fake_pool_settle (pool);
  EXPECT_LT (run (), 100u);
  EXPECT_EQ (ready_at (2), 1u) << "one shows that the address can be relied on";
  EXPECT_EQ (pool->wake_at_us, pool->now_us + G_USEC_PER_SEC);
  pool->now_us += G_USEC_PER_SEC;
  EXPECT_LT (run (), 100u);
  EXPECT_EQ (ready_at (1), 3u);
  EXPECT_EQ (ready_at (2), 3u);
}

// -------------------------------------------------------------- what is down

TEST_F (Persistent, SendsOneScoutToAnAddressThatIsDown)
{
  settle (6, 1);
  fake_pool_add_address (pool, "dns:///new:1")->gate = CENOTE_GATE_DOWN;
  EXPECT_EQ (plan (), "open 2 for 6");
  fake_pool_apply (pool);
  EXPECT_EQ (plan (), "");
}

TEST_F (Persistent, LeavesAnAddressThatIsDown)
{
  settle (4, 2);
  address (1)->gate = CENOTE_GATE_DOWN;
  set (3, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  set (4, CENOTE_CHANNEL_IDLE);
  EXPECT_EQ (plan (), "open 1 x2; close 3 (another address may be reached sooner); "
                      "close 4 (another address may be reached sooner)");
  fake_pool_apply (pool);
  EXPECT_EQ (plan (), "open 2 for 6");
}

TEST_F (Persistent, LetsAnAttemptEndThere)
{
  settle (2, 2);
  address (1)->gate = CENOTE_GATE_DOWN;
  set (2, CENOTE_CHANNEL_CONNECTING);
  EXPECT_EQ (plan (), "");
}

TEST_F (Persistent, WhereAllAreDownItGoesWhereTheNextAttemptIsDue)
{
  settle (1, 3);
  address (0)->gate = address (1)->gate = address (2)->gate = CENOTE_GATE_DOWN;
  address (0)->next_attempt_us = 3000;
  address (1)->next_attempt_us = 2000;
  address (2)->next_attempt_us = INT64_MAX;
  set (1, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  EXPECT_EQ (plan (), "open 2 x1; close 1 (another address may be reached sooner)");
  address (1)->next_attempt_us = 4000;
  EXPECT_EQ (plan (), "") << "here it is due first";
}

TEST_F (Persistent, AScoutIsInNobodysWay)
{
  settle (3, 1);
  fake_pool_add_address (pool, "dns:///new:1")->gate = CENOTE_GATE_DOWN;
  EXPECT_EQ (plan (), "open 2 for 3");
  fake_pool_apply (pool);
  set (4, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  channel (3)->flags = CENOTE_CHANNEL_STALE;
  EXPECT_EQ (plan (), "open 1 for 3; close 4 (the channel that it was to replace is replaced for another reason)");
}

TEST_F (Persistent, AnUnevennessOfOneIsLeftAlone)
{
  settle (5, 2);
  EXPECT_EQ (ready_at (1), 3u);
  EXPECT_EQ (plan (), "");
}

// ------------------------------------------------------------------ random

// Whatever happens, what is wanted comes about once things calm down.
TEST_F (Persistent, ComesToRestAfterAnything)
{
  guint64 luck = 1;

  settle (4, 3);
  for (int round = 0; round < 2000; round++) {
    guint64 dice = fixture_random (&luck);
    CenoteChannelView *any =
      pool->channels->len ? static_cast<CenoteChannelView *> (pool->channels->pdata[(dice >> 8) % pool->channels->len])
                          : nullptr;

    switch (dice % 8) {
    case 0:
      pool->wanted = (guint) (dice >> 8) % 12;
      break;
    case 1:
      address ((dice >> 8) % pool->addresses->len)->gate = (dice >> 16) % 3;
      break;
    case 2:
      if (any && any->state != CENOTE_CHANNEL_DRAINING)
        fake_pool_set_state (pool, any, (CenoteChannelState) ((dice >> 16) % 4));
      break;
    case 3:
      if (any)
        any->flags ^= 1u << (dice >> 16) % 2;
      break;
    case 4:
      if (any)
        any->in_flight = (gint64) (dice >> 16) % 3;
      break;
    case 5:
      address ((dice >> 8) % pool->addresses->len)->removed ^= 1;
      if (pool->addresses->len < 4)
        fake_pool_add_address (pool, "dns:///more:1");
      break;
    default:
      plan ();
      fake_pool_apply (pool);
      if (dice & 256)
        fake_pool_settle (pool);
    }
    ASSERT_STREQ (pool->faults->str, "") << "round " << round;
  }
  for (guint i = 0; i < pool->addresses->len; i++)
    address (i)->gate = CENOTE_GATE_OPEN, address (i)->removed = 0;
  for (guint i = 0; i < pool->channels->len; i++)
    static_cast<CenoteChannelView *> (pool->channels->pdata[i])->in_flight = 0;
  pool->wanted = 7;
  fake_pool_settle (pool);
  EXPECT_LT (run (), 100u);
  EXPECT_EQ (ready (), 7u);
  EXPECT_EQ (pool->channels->len, 7u);
}

} // namespace
