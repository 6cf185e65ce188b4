/* SPDX-License-Identifier: Apache-2.0 */
/* bus, dispatched by hand: who is handed what, in which order, and who is told of losses. */
#include "test-bus.h"

#include <gtest/gtest.h>

#include "log-capture.h"

namespace {

class BusTest : public ::testing::Test {
protected:
  void SetUp () override { bus = bus_new (8, TestClock::now, TestClock::wall, &clock); }
  void TearDown () override { bus_free (bus); }

  /* Sinks live longer than the bus, which destroys them. */
  RecordingSink sink, other;
  TestClock clock;
  Bus *bus = nullptr;
};

TEST_F (BusTest, HandsOutEventsInOrderWithTheirStrings)
{
  std::string address = "dns:///users:443";
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);

  sink.add_to (bus, "sink");
  event.pool = "users";
  event.channel = 7;
  event.address = address.c_str ();
  event.error = "Connection refused";
  event.time_us = 42;
  event.wall_us = 43;
  bus_emit (bus, &event);
  address = "overwritten, because the bus keeps no pointer";
  emit (bus, CENOTE_EVENT_POOL_INIT);

  EXPECT_EQ (bus_dispatch (bus), 2u);
  auto seen = sink.seen ();
  ASSERT_EQ (seen.size (), 2u);
  EXPECT_EQ (seen[0].kind, (unsigned) CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);
  EXPECT_EQ (seen[0].pool, "users");
  EXPECT_EQ (seen[0].channel, 7u);
  EXPECT_EQ (seen[0].address, "dns:///users:443");
  EXPECT_EQ (seen[0].error, "Connection refused");
  EXPECT_EQ (seen[0].time_us, 42);
  EXPECT_EQ (seen[0].wall_us, 43);
  EXPECT_EQ (seen[1].kind, (unsigned) CENOTE_EVENT_POOL_INIT);
}

TEST_F (BusTest, StampsWhatHasNoTimeWhenItIsEmitted)
{
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  clock.now_us = 2000;
  clock.wall_us = 6000;
  bus_dispatch (bus);
  EXPECT_EQ (sink.seen ().at (0).time_us, 1000);
  EXPECT_EQ (sink.seen ().at (0).wall_us, 5000);
}

TEST_F (BusTest, WantsWhatSomeSinkWants)
{
  EXPECT_FALSE (bus_wants (bus, CENOTE_EVENT_CHANNEL_GET));
  guint first = sink.add_to (bus, "sink", CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET));
  guint second = other.add_to (bus, "other", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT));
  EXPECT_TRUE (bus_wants (bus, CENOTE_EVENT_CHANNEL_GET));
  EXPECT_TRUE (bus_wants (bus, CENOTE_EVENT_POOL_INIT));
  EXPECT_FALSE (bus_wants (bus, CENOTE_EVENT_POOL_RELOAD));
  bus_remove_sink (bus, first);
  EXPECT_FALSE (bus_wants (bus, CENOTE_EVENT_CHANNEL_GET));
  bus_remove_sink (bus, second);
  EXPECT_FALSE (bus_wants (bus, CENOTE_EVENT_POOL_INIT));
}

TEST_F (BusTest, HandsASinkTheKindsOfItsMaskAlone)
{
  sink.add_to (bus, "sink", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT));
  other.add_to (bus, "other", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_RELOAD));
  emit (bus, CENOTE_EVENT_POOL_INIT);
  emit (bus, CENOTE_EVENT_POOL_RELOAD);
  emit (bus, CENOTE_EVENT_POOL_RELOAD);
  emit (bus, CENOTE_EVENT_CHANNEL_GET);
  bus_dispatch (bus);
  EXPECT_EQ (sink.seen ().size (), 1u);
  EXPECT_EQ (other.seen ().size (), 2u);
}

TEST_F (BusTest, HandsWhatIsForOneSinkToThatOne)
{
  const CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_INIT);
  guint id = sink.add_to (bus, "sink");

  other.add_to (bus, "other");
  bus_emit_to (bus, id, &event);
  bus_dispatch (bus);
  EXPECT_EQ (sink.seen ().size (), 1u);
  EXPECT_EQ (other.seen ().size (), 0u);
  bus_remove_sink (bus, id);
  bus_emit_to (bus, id, &event);
  bus_dispatch (bus);
  EXPECT_EQ (other.seen ().size (), 0u);
  EXPECT_EQ (other.told (), 0) << "what was not for it is no loss";
}

TEST_F (BusTest, HandsASinkTheEventsOfItsPoolsAndOfNone)
{
  const char *const pools[] = { "users", "orders", nullptr };

  sink.add_to (bus, "sink", CENOTE_EVENT_MASK_ALL, pools);
  for (const char *pool : { "users", "billing", "orders", "user" })
    emit (bus, CENOTE_EVENT_POOL_INIT, pool);
  emit (bus, CENOTE_EVENT_PLUGIN_LOADED);
  bus_dispatch (bus);
  auto seen = sink.seen ();
  ASSERT_EQ (seen.size (), 3u);
  EXPECT_EQ (seen[0].pool, "users");
  EXPECT_EQ (seen[1].pool, "orders");
  EXPECT_EQ (seen[2].pool, "");
}

TEST_F (BusTest, IgnoresWhatIsNoEvent)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_N_EVENTS);

  sink.add_to (bus, "sink");
  bus_emit (bus, &event);
  event.kind = 63;
  bus_emit (bus, &event);
  event.kind = CENOTE_EVENT_POOL_INIT;
  event.struct_size = 4;
  bus_emit (bus, &event);
  EXPECT_EQ (bus_dispatch (bus), 0u);
}

TEST_F (BusTest, ASinkSeesWhatIsEmittedAfterItWasAdded)
{
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  other.add_to (bus, "other");
  emit (bus, CENOTE_EVENT_POOL_RELOAD);
  bus_dispatch (bus);
  EXPECT_EQ (sink.seen ().size (), 2u);
  ASSERT_EQ (other.seen ().size (), 1u);
  EXPECT_EQ (other.seen ()[0].kind, (unsigned) CENOTE_EVENT_POOL_RELOAD);
}

TEST_F (BusTest, TellsEachSinkItsOwnLossesToTheUnit)
{
  const char *const pools[] = { "users", nullptr };
  RecordingSink filtered, narrow;

  sink.add_to (bus, "sink");
  filtered.add_to (bus, "filtered", CENOTE_EVENT_MASK_ALL, pools);
  narrow.add_to (bus, "narrow",
                 CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_RELOAD) | CENOTE_EVENT_BIT (CENOTE_EVENT_TELEMETRY_DROPPED));
  for (int i = 0; i < 8; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT, "users");
  for (int i = 0; i < 3; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT, "users");
  for (int i = 0; i < 5; i++)
    emit (bus, CENOTE_EVENT_POOL_RELOAD, "orders");
  emit (bus, CENOTE_EVENT_PLUGIN_LOADED);
  other.add_to (bus, "other");

  EXPECT_EQ (bus_dispatch (bus), 8u);
  EXPECT_EQ (sink.count (CENOTE_EVENT_TELEMETRY_DROPPED), 1u);
  EXPECT_EQ (sink.told (), 9);
  EXPECT_EQ (filtered.told (), 4);
  EXPECT_EQ (narrow.told (), 5);
  EXPECT_EQ (other.told (), 0) << "nothing was lost since it was added";

  emit (bus, CENOTE_EVENT_POOL_INIT, "users");
  bus_dispatch (bus);
  EXPECT_EQ (sink.told (), 9) << "told once";
  bus_stop (bus);
}

TEST_F (BusTest, ALossComesBehindTheEventsThatFilledTheQueue)
{
  sink.add_to (bus, "sink");
  for (int i = 0; i < 9; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT, nullptr, i);
  bus_dispatch (bus);
  auto seen = sink.seen ();
  ASSERT_EQ (seen.size (), 9u);
  EXPECT_EQ (seen[7].count, 7);
  EXPECT_EQ (seen[8].kind, (unsigned) CENOTE_EVENT_TELEMETRY_DROPPED);
  EXPECT_EQ (seen[8].count, 1);
  EXPECT_EQ (seen[8].time_us, 1000);
}

TEST_F (BusTest, TheLogIsToldOfLossesThatASinkDoesNotWantToKnow)
{
  LogCapture log;

  sink.add_to (bus, "narrow", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT));
  for (int i = 0; i < 10; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_dispatch (bus);
  EXPECT_EQ (sink.seen ().size (), 8u);
  EXPECT_EQ (log.count ("telemetry sink narrow did not get 2 events"), 1u);
  EXPECT_EQ (log.records ().at (0).field ("CENOTE_SINK"), "narrow");

  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 9; i++)
      emit (bus, CENOTE_EVENT_POOL_INIT);
    bus_dispatch (bus);
  }
  EXPECT_EQ (log.records ().size (), 1u) << "once a minute";
  clock.now_us += 60 * G_USEC_PER_SEC;
  bus_dispatch (bus);
  EXPECT_EQ (log.records ().size (), 2u);
  for (int i = 0; i < 13; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_dispatch (bus);
  bus_stop (bus);
  EXPECT_EQ (log.count ("telemetry sink narrow did not get 2 events"), 2u);
  EXPECT_EQ (log.count ("telemetry sink narrow did not get 5 events"), 1u) << "the end tells the rest";
}

TEST_F (BusTest, FlushesWhoWasHandedSomethingWhenNothingWaits)
{
  sink.add_to (bus, "sink");
  other.add_to (bus, "other", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_RELOAD));
  emit (bus, CENOTE_EVENT_POOL_INIT);
  emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_dispatch (bus);
  EXPECT_EQ (sink.flushes (), 1);
  EXPECT_EQ (other.flushes (), 0);
  bus_dispatch (bus);
  EXPECT_EQ (sink.flushes (), 1);
}

TEST_F (BusTest, ASinkMayEmit)
{
  sink.hook = [this] (const CenoteEvent *event) {
    if (event->kind == CENOTE_EVENT_POOL_INIT)
      emit (bus, CENOTE_EVENT_POOL_RELOAD);
  };
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  EXPECT_EQ (bus_dispatch (bus), 2u);
  EXPECT_EQ (sink.count (CENOTE_EVENT_POOL_RELOAD), 1u);
}

TEST_F (BusTest, ASinkMayRemoveItselfAndOthers)
{
  guint own = 0, second = 0;

  sink.hook = [&] (const CenoteEvent *) {
    bus_remove_sink (bus, own);
    bus_remove_sink (bus, second);
    EXPECT_EQ (sink.destroyed (), 0) << "its call runs";
    EXPECT_EQ (other.destroyed (), 1);
  };
  own = sink.add_to (bus, "sink");
  second = other.add_to (bus, "other");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_dispatch (bus);
  EXPECT_EQ (sink.seen ().size (), 1u);
  EXPECT_EQ (sink.destroyed (), 1);
  EXPECT_TRUE (other.seen ().empty ());
}

TEST_F (BusTest, ASinkMayAddOne)
{
  bool added = false;

  sink.hook = [&] (const CenoteEvent *) {
    if (!added)
      other.add_to (bus, "other");
    added = true;
  };
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_dispatch (bus);
  EXPECT_TRUE (other.seen ().empty ()) << "both were emitted before it was added";
  emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_dispatch (bus);
  EXPECT_EQ (other.seen ().size (), 1u);
}

TEST_F (BusTest, RemovingTwiceOrWhatThereIsNotDoesNothing)
{
  guint id = sink.add_to (bus, "sink");

  other.add_to (bus, "other");
  bus_remove_sink (bus, id + 1000);
  bus_remove_sink (bus, 0);
  bus_remove_sink (bus, id);
  bus_remove_sink (bus, id);
  EXPECT_EQ (sink.destroyed (), 1);
  EXPECT_EQ (other.destroyed (), 0);
}

TEST_F (BusTest, KnowsWhoIsInASinksCall)
{
  bool inside = false;

  sink.hook = [&] (const CenoteEvent *) { inside = bus_on_telemetry_thread (); };
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  EXPECT_FALSE (bus_on_telemetry_thread ());
  bus_dispatch (bus);
  EXPECT_TRUE (inside);
  EXPECT_FALSE (bus_on_telemetry_thread ());
}

TEST_F (BusTest, StopDeliversFlushesAndDestroysOnce)
{
  sink.add_to (bus, "sink");
  for (int i = 0; i < 9; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_stop (bus);
  EXPECT_EQ (sink.count (CENOTE_EVENT_POOL_INIT), 8u);
  EXPECT_EQ (sink.told (), 1);
  EXPECT_EQ (sink.flushes (), 1);
  EXPECT_EQ (sink.destroyed (), 1);
  bus_stop (bus);
  EXPECT_EQ (sink.destroyed (), 1);
  EXPECT_FALSE (bus_wants (bus, CENOTE_EVENT_POOL_INIT));
  emit (bus, CENOTE_EVENT_POOL_INIT);
  EXPECT_EQ (bus_dispatch (bus), 0u);
}

TEST_F (BusTest, NamesASlowSinkOnceAMinute)
{
  LogCapture log;
  BusStatistics statistics;

  sink.hook = [this] (const CenoteEvent *) { clock.now_us += 150 * 1000; };
  sink.add_to (bus, "slow");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_dispatch (bus);
  EXPECT_EQ (log.count ("telemetry sink slow took 150 ms for one call"), 1u);
  clock.now_us += 60 * G_USEC_PER_SEC;
  emit (bus, CENOTE_EVENT_POOL_INIT);
  bus_dispatch (bus);
  EXPECT_EQ (log.count ("took 150 ms"), 2u);
  bus_get_statistics (bus, &statistics);
  EXPECT_EQ (statistics.slow_calls, 3u);
}

TEST_F (BusTest, CountsWhatPassed)
{
  BusStatistics statistics;

  sink.add_to (bus, "sink");
  other.add_to (bus, "other", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT));
  for (int i = 0; i < 6; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT);
  for (int i = 0; i < 6; i++)
    emit (bus, CENOTE_EVENT_POOL_RELOAD);
  bus_dispatch (bus);
  bus_get_statistics (bus, &statistics);
  EXPECT_EQ (statistics.emitted, 12u);
  EXPECT_EQ (statistics.dropped, 4u);
  EXPECT_EQ (statistics.lost, 4u) << "of the one sink that wanted them";
  EXPECT_EQ (statistics.delivered, 8u + 6u);
  EXPECT_EQ (statistics.slow_calls, 0u);
  EXPECT_EQ (statistics.set_aside, 0u);
}

TEST_F (BusTest, CountsTheLossesOfEachSinkForGood)
{
  BusStatistics statistics;
  guint id = sink.add_to (bus, "sink");

  other.add_to (bus, "other", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT));
  for (int i = 0; i < 10; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT);
  for (int i = 0; i < 3; i++)
    emit (bus, CENOTE_EVENT_POOL_RELOAD);
  for (int told = 0; told < 2; told++) {
    g_autoptr (GPtrArray) sinks = bus_get_sink_statistics (bus);

    ASSERT_EQ (sinks->len, 2u);
    auto first = static_cast<const SinkStatistics *> (sinks->pdata[0]);
    auto second = static_cast<const SinkStatistics *> (sinks->pdata[1]);
    EXPECT_EQ (first->id, id);
    EXPECT_STREQ (first->name, "sink");
    EXPECT_EQ (first->lost, 5u);
    EXPECT_STREQ (second->name, "other");
    EXPECT_EQ (second->lost, 2u);
    bus_dispatch (bus);
  }
  bus_remove_sink (bus, id);
  bus_get_statistics (bus, &statistics);
  EXPECT_EQ (statistics.lost, 7u);
}

TEST_F (BusTest, HasNothingToWatchWithoutAThread)
{
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  EXPECT_EQ (bus_check (bus), G_MAXINT64);
}

/* ----------------------------------------------------------------- polls */

/* A poll by a sink's own clockwork: when it was called, and when it wants to be called again. */
struct Polls {
  std::vector<gint64> due, last;
  gint64 again_us = G_MAXINT64;

  gint64
  operator() (gint64 now_us, CenotePollReason why)
  {
    (why == CENOTE_POLL_LAST ? last : due).push_back (now_us);
    return again_us;
  }
};

typedef std::vector<gint64> Times;

TEST_F (BusTest, PollsAtTheTimesThatTheSinkAnswers)
{
  Polls polls;

  EXPECT_EQ (bus_next_poll (bus), G_MAXINT64);
  sink.on_poll = std::ref (polls);
  sink.add_to (bus, "sink");
  other.add_to (bus, "other");
  EXPECT_LE (bus_next_poll (bus), clock.now_us) << "the first is due at once";
  polls.again_us = 5000;
  bus_dispatch (bus);
  EXPECT_EQ (polls.due, (Times{ 1000 }));
  EXPECT_EQ (bus_next_poll (bus), 5000);
  clock.now_us = 4999;
  bus_dispatch (bus);
  EXPECT_EQ (polls.due.size (), 1u);
  clock.now_us = 5001;
  polls.again_us = G_MAXINT64;
  bus_dispatch (bus);
  EXPECT_EQ (polls.due, (Times{ 1000, 5001 }));
  clock.now_us += G_USEC_PER_SEC;
  bus_dispatch (bus);
  EXPECT_EQ (polls.due.size (), 2u) << "not again";
  EXPECT_EQ (bus_next_poll (bus), G_MAXINT64);
}

TEST_F (BusTest, APollThatIsNeverContentDoesNotKeepTheThread)
{
  Polls polls;

  polls.again_us = 0;
  sink.on_poll = [&] (gint64 now_us, CenotePollReason why) {
    clock.now_us += 2 * BUS_POLL_LEAST_US;
    return polls (now_us, why);
  };
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  EXPECT_EQ (bus_dispatch (bus), 1u);
  EXPECT_EQ (polls.due.size (), 1u) << "once a round";
  EXPECT_EQ (bus_next_poll (bus), 1000 + BUS_POLL_LEAST_US);
}

TEST_F (BusTest, PollsEachOnceForTheLastTime)
{
  Polls polls, never;

  polls.again_us = 1000 * G_USEC_PER_SEC;
  sink.on_poll = std::ref (polls);
  other.on_poll = std::ref (never);
  sink.add_to (bus, "sink");
  other.add_to (bus, "other");
  bus_dispatch (bus);
  clock.now_us = 2000;
  polls.again_us = 3000;
  bus_poll_last (bus);
  EXPECT_EQ (polls.last, (Times{ 2000 }));
  EXPECT_EQ (never.last, (Times{ 2000 })) << "also one that wanted none";
  clock.now_us = 4000;
  bus_dispatch (bus);
  bus_poll_last (bus);
  EXPECT_EQ (polls.due.size () + polls.last.size (), 2u) << "its answer is not looked at";
  bus_stop (bus);
  EXPECT_EQ (polls.last.size (), 1u);
}

TEST_F (BusTest, ASlowPollIsASlowCall)
{
  LogCapture log;
  BusStatistics statistics;

  sink.on_poll = [&] (gint64, CenotePollReason) {
    clock.now_us += BUS_CALL_BUDGET_US + 1;
    return G_MAXINT64;
  };
  sink.add_to (bus, "sink");
  bus_dispatch (bus);
  bus_get_statistics (bus, &statistics);
  EXPECT_EQ (statistics.slow_calls, 1u);
  EXPECT_EQ (log.count ("telemetry sink sink took 100 ms"), 1u);
}

}  // namespace
