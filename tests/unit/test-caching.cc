// SPDX-License-Identifier: Apache-2.0
// connector/caching: which channels a cache should have, view by view.
#include "plugin-files.h"
#include "tests/scale.h"
#include "tools/conformance/fake-pool.h"
#include "tools/conformance/fixture.h"

#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

using std::string;

namespace {

class Caching : public ::testing::Test
{
protected:
  Caching () : pool (fake_pool_new (0)) { make ({}); }

  ~Caching () override
  {
    EXPECT_STREQ (pool->faults->str, "");
    fake_pool_free (pool);
    fixture_free (fixture);
  }

  void make (std::vector<const char *> settings)
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_CONNECTOR, "caching");

    settings.push_back (nullptr);
    fixture_free (fixture);
    fixture = fixture_new (plugin, settings.data (), nullptr);
    ASSERT_NE (fixture, nullptr);
    EXPECT_TRUE (fixture_create (fixture, nullptr));
  }

  string plan ()
  {
    g_autofree char *text = fake_pool_plan (pool, &fixture->plugin->ops.connector, fixture->state);

    pool->now_us += 1000;
    return text;
  }

  // Plans and carries out.
  string go ()
  {
    string text = plan ();

    fake_pool_apply (pool);
    fake_pool_settle (pool);
    return text;
  }

  string sweep ()
  {
    pool->verb = CENOTE_VERB_EXPIRE;
    return go ();
  }

  string close_on_release (guint32 id)
  {
    pool->verb = CENOTE_VERB_CLOSE_ON_RELEASE;
    pool->verb_address = id;
    return go ();
  }

  CenoteAddressView *dial (guint waiters = 1)
  {
    CenoteAddressView *address = fake_pool_add_address (pool, "dns:///somewhere:1");

    address->waiters = waiters;
    address->last_use_us = pool->now_us;
    return address;
  }

  // N addresses, each with a READY channel that was used N, N - 1, … ms ago.
  void fill (guint n)
  {
    for (guint i = 0; i < n; i++) {
      CenoteAddressView *address = dial (0);

      fake_pool_add_channel (pool, address->id, CENOTE_CHANNEL_READY);
      pool->now_us += 1000;
    }
  }

  CenoteChannelView *channel (guint64 id) { return fake_pool_find_channel (pool, id); }
  CenoteAddressView *address (guint i) { return static_cast<CenoteAddressView *> (pool->addresses->pdata[i]); }

  FakePool *pool;
  Fixture *fixture = nullptr;
};

// -------------------------------------------------------------------- open

TEST_F (Caching, OpensOneForWhoeverWaits)
{
  dial (100);
  dial (1);
  EXPECT_EQ (plan (), "open 1 x1; open 2 x1");
  fake_pool_apply (pool);
  EXPECT_EQ (plan (), "") << "an attempt is under way";
}

TEST_F (Caching, HasNothingToDoForAnEmptyCache)
{
  EXPECT_EQ (go (), "");
  EXPECT_EQ (sweep (), "");
}

TEST_F (Caching, KeepsWhatIsConnectedAndEndsWhatIsNotWantedAndNotConnected)
{
  struct {
    CenoteChannelState state;
    guint waiters;
    const char *plan;
  } cases[] = {
    { CENOTE_CHANNEL_READY, 0, "" },
    { CENOTE_CHANNEL_READY, 1, "" },
    { CENOTE_CHANNEL_CONNECTING, 0, "" },
    { CENOTE_CHANNEL_CONNECTING, 1, "" },
    { CENOTE_CHANNEL_IDLE, 0, "close 1 (is not connected, and nobody waits for it)" },
    { CENOTE_CHANNEL_IDLE, 1, "" },
    { CENOTE_CHANNEL_TRANSIENT_FAILURE, 0, "close 1 (is not connected, and nobody waits for it)" },
    { CENOTE_CHANNEL_TRANSIENT_FAILURE, 1, "" },
    { CENOTE_CHANNEL_DRAINING, 0, "" },
    { CENOTE_CHANNEL_DRAINING, 1, "open 1 x1" },
  };

  for (const auto &one : cases) {
    g_ptr_array_set_size (pool->addresses, 0);
    g_ptr_array_set_size (pool->channels, 0);
    pool->next_address = 1;
    pool->next_channel = 1;
    dial (one.waiters);
    fake_pool_add_channel (pool, 1, one.state)->in_flight = 1;
    EXPECT_EQ (plan (), one.plan) << one.state << ", " << one.waiters << " wait";
  }
}

TEST_F (Caching, ForgetsWhatHasNoChannelAndNoCallers)
{
  dial (0);
  EXPECT_EQ (plan (), "forget 1");
}

TEST_F (Caching, RemembersAnAddressThatIsDownForItsBackoff)
{
  dial (0)->gate = CENOTE_GATE_DOWN;
  EXPECT_EQ (go (), "");
  EXPECT_EQ (sweep (), "");
  EXPECT_EQ (sweep (), "forget 1");
  EXPECT_EQ (pool->addresses->len, 0u);
}

// ------------------------------------------------------------------ sweeps

TEST_F (Caching, TheSecondSweepSinceTheLastUseCloses)
{
  fill (2);
  EXPECT_EQ (sweep (), "");
  address (1)->last_use_us = pool->now_us;
  EXPECT_EQ (sweep (), "drain 1 (was not used for two sweeps)");
  EXPECT_EQ (sweep (), "drain 2 (was not used for two sweeps); forget 1");
  EXPECT_EQ (go (), "forget 2");
}

TEST_F (Caching, NoSweepClosesWhatIsLeasedOrWaitedFor)
{
  fill (2);
  channel (1)->in_flight = 1;
  address (1)->waiters = 1;
  for (int i = 0; i < 5; i++)
    EXPECT_EQ (sweep (), "");
}

TEST_F (Caching, AConnectionThatCameAfterItsCallersCountsFromThen)
{
  dial (1);
  go ();
  sweep ();
  address (0)->waiters = 0;
  fake_pool_set_state (pool, channel (1), CENOTE_CHANNEL_READY);
  EXPECT_EQ (sweep (), "");
  EXPECT_EQ (sweep (), "drain 1 (was not used for two sweeps)");
}

TEST_F (Caching, SweepsByItselfAtItsInterval)
{
  make ({ "expire-interval=1s" });
  EXPECT_EQ (go (), "");
  EXPECT_EQ (pool->wake_at_us, 0) << "an empty cache sleeps";
  fill (1);
  EXPECT_EQ (go (), "");
  EXPECT_EQ (pool->wake_at_us, pool->now_us - 1000 + 1000000);
  for (int i = 0; i < 2; i++) {
    pool->now_us += 500000;
    EXPECT_EQ (go (), "");
  }
  pool->now_us += 1000000;
  EXPECT_EQ (go (), "drain 1 (was not used for two sweeps)");
}

// -------------------------------------------------------- close on release

TEST_F (Caching, CloseOnReleaseDrainsALeasedChannelAndNoOther)
{
  fill (2);
  channel (2)->in_flight = 3;
  EXPECT_EQ (close_on_release (2), "drain 2 (close on release)");
  EXPECT_EQ (close_on_release (2), "") << "it has left already";
  EXPECT_EQ (close_on_release (77), "");
  address (1)->waiters = 1;
  EXPECT_EQ (go (), "open 2 x1") << "the next dial makes a new one";
}

TEST_F (Caching, CloseOnReleaseLeavesAnAttemptAlone)
{
  dial (1);
  go ();
  fake_pool_set_state (pool, channel (1), CENOTE_CHANNEL_CONNECTING);
  EXPECT_EQ (close_on_release (1), "");
}

// ------------------------------------------------------------------- bound

TEST_F (Caching, TheLongestUnusedMakesRoom)
{
  make ({ "max-addresses=3" });
  fill (3);
  address (0)->last_use_us = pool->now_us;
  dial ();
  EXPECT_EQ (plan (), "open 4 x1; drain 2 (made room for another address)");
}

TEST_F (Caching, RefusesTheNewestWhereNothingIsIdle)
{
  make ({ "max-addresses=2" });
  fill (1);
  channel (1)->in_flight = 1;
  dial ();
  dial ();
  dial (7);
  EXPECT_EQ (go (), "open 2 x1; refuse 4 (2 addresses are in use already (max-addresses)); "
                    "refuse 3 (2 addresses are in use already (max-addresses)); forget 3; forget 4");
}

TEST_F (Caching, WhatDrainsTakesNoRoom)
{
  make ({ "max-addresses=1" });
  fill (1);
  channel (1)->in_flight = 1;
  close_on_release (1);
  dial ();
  EXPECT_EQ (plan (), "open 2 x1");
}

TEST_F (Caching, RememberedAddressesMakeRoomToo)
{
  make ({ "max-addresses=1" });
  dial (0)->gate = CENOTE_GATE_DOWN;
  EXPECT_EQ (go (), "");
  pool->now_us += 1000;
  dial ();
  EXPECT_EQ (plan (), "open 2 x1; forget 1");
}

// ----------------------------------------------------------------- rotation

TEST_F (Caching, AStaleChannelIsReplacedOnce)
{
  fill (1);
  channel (1)->flags = CENOTE_CHANNEL_STALE;
  EXPECT_EQ (plan (), "open 1 for 1");
  fake_pool_apply (pool);
  EXPECT_EQ (plan (), "");
}

TEST_F (Caching, AStaleAttemptBeginsAnew)
{
  dial (1);
  fake_pool_add_channel (pool, 1, CENOTE_CHANNEL_CONNECTING)->flags = CENOTE_CHANNEL_STALE;
  EXPECT_EQ (plan (), "open 1 x1; close 1 (stale)");
}

TEST_F (Caching, ADisconnectEndsAll)
{
  fill (2);
  pool->verb = CENOTE_VERB_DISCONNECT;
  EXPECT_EQ (plan (), "drain 1 (disconnect); drain 2 (disconnect)");
}

// ------------------------------------------------------------ random views

// Any view, and what no plan for it may do.
class RandomView
{
public:
  RandomView (FakePool *pool_, guint64 *luck_, guint max_) : pool (pool_), luck (luck_), max (max_)
  {
    for (guint n = pick (12); n > 0; n--)
      add_address ();
    switch (pick (4)) {
    case 0:
      pool->verb = CENOTE_VERB_EXPIRE;
      break;
    case 1:
      pool->verb = CENOTE_VERB_CLOSE_ON_RELEASE;
      pool->verb_address = pick (14);
      break;
    }
  }

  // What is wrong with PLAN, in words; "" is nothing.
  string fault (const string &text)
  {
    std::istringstream in (text);
    string step;

    while (fault_.empty () && std::getline (in, step, ';'))
      heed (step.substr (step.find_first_not_of (' ')));
    if (fault_.empty ())
      look_at_the_end ();
    return fault_;
  }

private:
  FakePool *pool;
  guint64 *luck;
  guint max;
  string fault_;
  std::set<guint64> ended;
  std::set<guint32> opened, refused, forgotten;

  guint pick (guint n) { return static_cast<guint> (fixture_random (luck) % n); }

  void add_address ()
  {
    CenoteAddressView *address = fake_pool_add_address (pool, "dns:///somewhere:1");

    address->waiters = pick (2) ? 0 : pick (4);
    address->gate = pick (3);
    address->last_use_us = pick (5) == 0 ? -1 : pool->now_us - pick (5000);
    if (pick (4) == 0)
      fake_pool_add_channel (pool, address->id, CENOTE_CHANNEL_DRAINING)->in_flight = 1 + pick (3);
    if (pick (3) > 0)
      add_channel (address->id);
  }

  void add_channel (guint32 address)
  {
    static const CenoteChannelState states[] = { CENOTE_CHANNEL_IDLE, CENOTE_CHANNEL_CONNECTING, CENOTE_CHANNEL_READY,
                                                 CENOTE_CHANNEL_READY, CENOTE_CHANNEL_TRANSIENT_FAILURE };
    CenoteChannelView *channel = fake_pool_add_channel (pool, address, states[pick (G_N_ELEMENTS (states))]);
    bool ready = channel->state == CENOTE_CHANNEL_READY;

    channel->in_flight = pick (2) ? 0 : pick (3);
    channel->flags = pick (5) == 0 ? (guint32) CENOTE_CHANNEL_STALE : 0u;
    if (ready && channel->flags && pick (2))
      fake_pool_add_channel (pool, address, CENOTE_CHANNEL_CONNECTING)->replaces = channel->id;
  }

  static bool lives (const CenoteChannelView *channel)
  {
    return channel->state != CENOTE_CHANNEL_DRAINING && channel->state != CENOTE_CHANNEL_SHUTDOWN;
  }

  const CenoteAddressView *address_of (guint32 id)
  {
    for (guint i = 0; i < pool->addresses->len; i++)
      if (static_cast<CenoteAddressView *> (pool->addresses->pdata[i])->id == id)
        return static_cast<CenoteAddressView *> (pool->addresses->pdata[i]);
    return nullptr;
  }

  void heed (const string &step)
  {
    guint64 id = 0, old = 0;
    char why[100] = "";

    if (std::sscanf (step.c_str (), "open %" G_GUINT64_FORMAT " for %" G_GUINT64_FORMAT, &id, &old) == 2)
      heed_replace (old);
    else if (std::sscanf (step.c_str (), "open %" G_GUINT64_FORMAT " x1", &id) == 1)
      heed_open (static_cast<guint32> (id));
    else if (std::sscanf (step.c_str (), "drain %" G_GUINT64_FORMAT " (%99[^)]", &id, why) == 2 ||
             std::sscanf (step.c_str (), "close %" G_GUINT64_FORMAT " (%99[^)]", &id, why) == 2)
      heed_end (id, why);
    else if (std::sscanf (step.c_str (), "refuse %" G_GUINT64_FORMAT, &id) == 1)
      refused.insert (static_cast<guint32> (id));
    else if (std::sscanf (step.c_str (), "forget %" G_GUINT64_FORMAT, &id) == 1)
      heed_forget (static_cast<guint32> (id));
  }

  void heed_replace (guint64 old)
  {
    const CenoteChannelView *channel = fake_pool_find_channel (pool, old);

    if (!(channel->flags & CENOTE_CHANNEL_STALE) || channel->state != CENOTE_CHANNEL_READY || ended.count (old))
      fault_ = "replaces what need not be";
  }

  void heed_open (guint32 id)
  {
    if (address_of (id)->waiters == 0)
      fault_ = "opens what nobody waits for";
    if (!opened.insert (id).second)
      fault_ = "opens twice";
  }

  void heed_end (guint64 id, const string &why)
  {
    const CenoteChannelView *channel = fake_pool_find_channel (pool, id);
    bool asked = why == "close on release" && channel->address == pool->verb_address;

    if (!ended.insert (id).second || !lives (channel))
      fault_ = "ends what has ended";
    if (channel->state == CENOTE_CHANNEL_READY && !asked &&
        (channel->in_flight > 0 || address_of (channel->address)->waiters > 0))
      fault_ = "ends what is in use";
  }

  void heed_forget (guint32 id)
  {
    forgotten.insert (id);
    for (guint i = 0; i < pool->channels->len; i++)
      if (static_cast<CenoteChannelView *> (pool->channels->pdata[i])->address == id)
        fault_ = "forgets what has a channel";
    if (address_of (id)->waiters > 0 && !refused.count (id))
      fault_ = "forgets what is waited for";
  }

  // Of ADDRESS after the plan: how many channels it will have, and whether one is in use.
  void count (guint32 id, guint *out_live, bool *out_idle)
  {
    *out_live = opened.count (id) ? 1 : 0;
    *out_idle = *out_live == 0;
    for (guint i = 0; i < pool->channels->len; i++) {
      const auto *channel = static_cast<CenoteChannelView *> (pool->channels->pdata[i]);

      if (channel->address != id || !lives (channel) || ended.count (channel->id))
        continue;
      *out_live += channel->replaces == 0;
      *out_idle = *out_idle && channel->state == CENOTE_CHANNEL_READY && channel->in_flight == 0;
    }
  }

  void look_at_the_end ()
  {
    guint n_kept = 0, n_idle = 0;

    for (guint i = 0; i < pool->addresses->len; i++) {
      const CenoteAddressView *address = static_cast<CenoteAddressView *> (pool->addresses->pdata[i]);
      bool waited = address->waiters > 0 && !refused.count (address->id), idle;
      guint live;

      count (address->id, &live, &idle);
      if (live > 1)
        fault_ = "leaves an address with two channels";
      if (waited && live == 0)
        fault_ = "leaves callers without a channel on its way";
      n_kept += live > 0 || waited;
      n_idle += live > 0 && !waited && address->waiters == 0 && idle;
    }
    if (n_kept > max && !opened.empty ())
      fault_ = "opens above its bound";
    if (n_idle > 0 && !refused.empty ())
      fault_ = "refuses while something is idle";
    if (n_kept > max && n_idle > 0)
      fault_ = "keeps what is idle above its bound";
  }
};

// CENOTE_TEST_SEED=LUCK plans for that one view again.
TEST_F (Caching, NoViewHasAPlanThatNoCacheMayHave)
{
  const char *given = getenv ("CENOTE_TEST_SEED");
  unsigned n = given != nullptr ? 1 : scaled (100000, 1000);
  guint64 luck = given != nullptr ? g_ascii_strtoull (given, nullptr, 10) : 4711;

  make ({ "max-addresses=4" });
  for (unsigned i = 0; i < n; i++) {
    guint64 before = luck;

    g_ptr_array_set_size (pool->addresses, 0);
    g_ptr_array_set_size (pool->channels, 0);
    pool->next_address = 1;
    pool->next_channel = 1;
    pool->verb = CENOTE_VERB_NONE;
    RandomView view (pool, &luck, 4);
    string text = plan ();

    ASSERT_EQ (view.fault (text), "") << "CENOTE_TEST_SEED=" << before << ": " << text;
    fake_pool_apply (pool);
    fake_pool_settle (pool);
    ASSERT_LT (fake_pool_run (pool, &fixture->plugin->ops.connector, fixture->state, 50), 50u)
      << "CENOTE_TEST_SEED=" << before << " does not come to rest";
  }
}

} // namespace
