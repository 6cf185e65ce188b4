// SPDX-License-Identifier: Apache-2.0
// connector/elastic: as many channels as the load wants, and no breathing.
#include "planner-test.h"
#include "tests/scale.h"

#include <algorithm>

namespace {

// Checks each 100 ms, 5 of them quiet, 1 s to cool down: marks at 50 and 20 of 100 streams.
class Elastic : public ::testing::Test
{
protected:
  void make (guint least, guint most, std::vector<const char *> more = {})
  {
    more.insert (more.end (), { "check-interval=100ms", "quiet-checks=5" }); // of a key the first counts
    planner = std::make_unique<Planner> ("elastic", more);
    pool = planner->pool;
    planner->add_address ();
    pool->wanted = 5; // size, which says nothing
    pool->min = least;
    pool->max = most;
    planner->go ();
  }

  // Each channel in rotation holds its part of LOAD; the fuller ones first.
  void spread (gint64 load)
  {
    gint64 n = planner->ready (), given = 0;

    for (guint i = 0; i < pool->channels->len && n > 0; i++) {
      auto *channel = static_cast<CenoteChannelView *> (pool->channels->pdata[i]);

      if (channel->state != CENOTE_CHANNEL_READY)
        continue;
      channel->in_flight = load * (given + 1) / n - load * given / n;
      given++;
    }
    pool->acquired = static_cast<guint64> (load);
  }

  // A check with LOAD held.
  std::string check (gint64 load)
  {
    spread (load);
    planner->wait (100 * ms);
    return planner->go ();
  }

  // SPAN of checks with LOAD held; the sizes that were expected, each once as it came.
  std::vector<int64_t> sizes (gint64 load, int64_t span_us)
  {
    std::vector<int64_t> all;

    for (int64_t i = 0; i < span_us; i += 100 * ms) {
      check (load);
      if (all.empty () || all.back () != pool->expected)
        all.push_back (pool->expected);
    }
    return all;
  }

  guint ready () { return planner->ready (); }

  std::unique_ptr<Planner> planner;
  FakePool *pool = nullptr;
};

using Sizes = std::vector<int64_t>;

TEST_F (Elastic, ItsFlags)
{
  make (1, 10);
  EXPECT_EQ (planner->fixture->plugin->ops.connector.flags,
             CENOTE_CONNECTOR_SIZES_ITSELF | CENOTE_CONNECTOR_MINDS_USE);
}

TEST_F (Elastic, BeginsWithTheLeast)
{
  make (3, 10);
  EXPECT_EQ (ready (), 3u);
  EXPECT_EQ (pool->expected, 3);
  EXPECT_EQ (planner->why (), "min-channels");
}

TEST_F (Elastic, SleepsAtTheLeastWhileNobodyUsesIt)
{
  make (2, 10);
  planner->wait (s);
  EXPECT_EQ (planner->go (), "");
  EXPECT_EQ (pool->wake_at_us, 0);
  spread (1);
  planner->wait (s);
  EXPECT_EQ (planner->go (), "");
  EXPECT_EQ (pool->wake_at_us, pool->now_us - 1 + 100 * ms) << "the next check";
}

TEST_F (Elastic, GrowsAboveTheUpperMark)
{
  make (1, 10);
  EXPECT_EQ (check (50), "");
  EXPECT_EQ (check (51), "open 1 x1") << "to the middle of the marks: 35 a channel";
  EXPECT_EQ (pool->expected, 2);
  EXPECT_EQ (planner->why (), "upper-mark");
}

TEST_F (Elastic, GrowsByItsStepAndCoolsDown)
{
  make (1, 10);
  EXPECT_EQ (check (400), "open 1 x2");
  for (int i = 0; i < 9; i++)
    EXPECT_EQ (check (400), "") << "what was opened must first take its part";
  EXPECT_EQ (check (400), "open 1 x2");
  EXPECT_EQ (sizes (400, 10 * s), (Sizes{ 5, 7, 9 })) << "44 on each of 9";
}

TEST_F (Elastic, GrowsToTheMostAndNoFurther)
{
  make (1, 4);
  EXPECT_EQ (sizes (100000, 20 * s), (Sizes{ 3, 4 }));
  EXPECT_EQ (ready (), 4u);
}

TEST_F (Elastic, AFullChannelMakesItGrow)
{
  make (3, 10);
  for (guint64 id = 1; id <= 3; id++)
    planner->channel (id)->in_flight = 0;
  planner->channel (2)->in_flight = 99;
  planner->wait (100 * ms);
  EXPECT_EQ (planner->go (), "");
  planner->channel (2)->in_flight = 100;
  planner->wait (100 * ms);
  EXPECT_EQ (planner->go (), "open 1 x1");
  EXPECT_EQ (planner->why (), "max-streams-per-channel");
}

TEST_F (Elastic, MarksAreSharesOfTheStreamsOfAConnection)
{
  make (1, 10);
  pool->max_streams = 10;
  EXPECT_EQ (check (5), "");
  EXPECT_EQ (check (6), "open 1 x1");
}

TEST_F (Elastic, WaitersAreLoad)
{
  make (1, 10);
  pool->waiters = 200;
  EXPECT_EQ (check (0), "open 1 x2");
}

TEST_F (Elastic, GrowsNotWhileNoChannelIsReady)
{
  make (2, 10);
  static_cast<CenoteAddressView *> (pool->addresses->pdata[0])->gate = CENOTE_GATE_DOWN;
  for (guint64 id = 1; id <= 2; id++)
    fake_pool_set_state (pool, planner->channel (id), CENOTE_CHANNEL_CONNECTING);
  pool->waiters = 1000;
  EXPECT_EQ (check (0), "") << "more channels would not get through either";
}

// A peak between two checks counts, however many plans there were.
TEST_F (Elastic, APeakBetweenChecksCounts)
{
  make (1, 10);
  check (10);
  planner->channel (1)->peak = 90;
  planner->wait (10 * ms);
  EXPECT_EQ (planner->go (), "");
  planner->wait (10 * ms);
  EXPECT_EQ (planner->go (), "");
  planner->wait (80 * ms);
  EXPECT_EQ (planner->go (), "open 1 x2") << "90 at 35 a channel";
}

TEST_F (Elastic, ShrinksAfterSeveralQuietChecks)
{
  make (1, 10);
  sizes (400, 10 * s);
  ASSERT_EQ (ready (), 9u);
  EXPECT_EQ (check (100), "") << "it was more since the check before";
  for (int i = 0; i < 4; i++)
    EXPECT_EQ (check (100), "");
  EXPECT_EQ (check (100), "drain 8 (lower-mark)") << "which holds 11, as others hold 12";
  EXPECT_EQ (planner->why (), "lower-mark");
  for (int i = 0; i < 4; i++)
    EXPECT_EQ (check (100), "") << "a few at a time";
  EXPECT_NE (check (100), "");
}

TEST_F (Elastic, OneCheckThatIsNotQuietBeginsAnew)
{
  make (1, 10);
  sizes (400, 10 * s);
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 4; i++)
      EXPECT_EQ (check (100), "");
    EXPECT_EQ (check (300), "");
  }
}

TEST_F (Elastic, ReturnsToTheLeastWhenTheLoadEnds)
{
  make (2, 10);
  sizes (400, 10 * s);
  EXPECT_EQ (sizes (0, 30 * s), (Sizes{ 8, 7, 6, 5, 4, 3, 2 }));
  EXPECT_EQ (ready (), 2u);
  EXPECT_EQ (pool->wake_at_us, 0) << "and sleeps";
}

TEST_F (Elastic, TheOneWithTheLeastLoadGoes)
{
  make (3, 10, { "quiet-checks=1" });
  pool->min = 2;
  planner->channel (1)->in_flight = 3;
  planner->channel (2)->in_flight = 1;
  planner->channel (3)->in_flight = 2;
  planner->wait (100 * ms);
  EXPECT_EQ (planner->plan (), "drain 2 (lower-mark)");
}

TEST_F (Elastic, WhatDrainsIsRevivedFirst)
{
  make (2, 10, { "quiet-checks=1", "cool-down=0" });
  pool->min = 1;
  planner->channel (2)->in_flight = 1; // so it drains for long
  planner->channel (1)->in_flight = 5;
  planner->wait (100 * ms);
  EXPECT_EQ (planner->go (), "drain 2 (lower-mark)");
  planner->channel (1)->in_flight = 100;
  planner->wait (100 * ms);
  EXPECT_EQ (planner->go (), "revive 2; open 1 x1");
}

// Whatever load stays, the pool moves towards it and rests: no size comes back.
TEST_F (Elastic, NoLoadMakesItBreathe)
{
  const gint64 step = 1200 / scaled_down (171, 57);

  for (const char *lower : { "lower-mark=20%", "lower-mark=49%", "lower-mark=0%" })
    for (gint64 load = 0; load < 1200; load += step) {
      make (1, 20, { lower, "grow-step=4", "shrink-step=3", "cool-down=200ms" });
      Sizes up = sizes (load, 10 * s);
      EXPECT_TRUE (std::is_sorted (up.begin (), up.end ())) << load << ", " << lower;
      EXPECT_EQ (sizes (load, 10 * s).size (), 1u) << load << ", " << lower;
      sizes (100000, 10 * s);
      ASSERT_EQ (ready (), 20u);
      Sizes down = sizes (load, 20 * s);
      EXPECT_TRUE (std::is_sorted (down.rbegin (), down.rend ())) << load << ", " << lower;
      EXPECT_EQ (sizes (load, 10 * s).size (), 1u) << load << ", " << lower;
    }
}

// One channel that is full beside idle ones: more of them do not help, and fewer would bring it back.
TEST_F (Elastic, AChannelThatStaysFullDoesNotMakeItBreathe)
{
  make (1, 6);
  Sizes all;
  for (int i = 0; i < 300; i++) {
    planner->channel (1)->in_flight = 100;
    planner->wait (100 * ms);
    planner->go ();
    if (all.empty () || all.back () != pool->expected)
      all.push_back (pool->expected);
  }
  EXPECT_EQ (all.back (), 6);
  EXPECT_TRUE (std::is_sorted (all.begin (), all.end ()));
}

TEST_F (Elastic, BoundsMayChange)
{
  make (2, 10);
  pool->min = 4;
  EXPECT_EQ (planner->go (), "open 1 x2");
  pool->min = 1;
  pool->max = 3;
  EXPECT_EQ (planner->go (), "drain 4 (max-channels)");
}

TEST_F (Elastic, ADisconnectedPoolBeginsAnew)
{
  make (2, 10);
  sizes (400, 5 * s);
  spread (0);
  pool->wanted = 0;
  planner->go ();
  EXPECT_EQ (ready (), 0u);
  EXPECT_EQ (pool->expected, -1);
  pool->wanted = 5;
  EXPECT_EQ (planner->go (), "open 1 x2");
}

TEST_F (Elastic, StaleAndEjectedChannelsAreReplaced)
{
  make (3, 10);
  planner->channel (1)->flags = CENOTE_CHANNEL_STALE;
  planner->channel (2)->flags = CENOTE_CHANNEL_EJECTED;
  EXPECT_EQ (planner->go (), "open 1 for 2");
  EXPECT_EQ (planner->go (), "open 1 for 1");
  EXPECT_EQ (ready (), 3u);
}

TEST (ElasticOptions, MarksThatCrossAreRefused)
{
  g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_CONNECTOR, "elastic");

  for (const char *lower : { "lower-mark=50%", "lower-mark=60%" }) {
    const char *settings[] = { lower, nullptr };
    g_autoptr (Fixture) fixture = fixture_new (plugin, settings, nullptr);
    g_autoptr (GError) error = nullptr;

    ASSERT_NE (fixture, nullptr);
    EXPECT_FALSE (fixture_create (fixture, &error));
    EXPECT_TRUE (contains (error->message, "lower-mark is not below upper-mark"));
  }
}

} // namespace
