/* SPDX-License-Identifier: Apache-2.0 */
/* bus, with its thread: many producers, sinks that block, and the end. */
#include "test-bus.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "log-capture.h"

namespace {

const gint64 FOR_EVER_US = 600 * G_USEC_PER_SEC;

class BusThreadsTest : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    bus = bus_new (64, TestClock::now, TestClock::wall, &clock);
    bus_set_patience (bus, FOR_EVER_US);
    ASSERT_TRUE (bus_start (bus));
  }

  void TearDown () override { bus_free (bus); }

  /* Waits until SINK's hook has been entered, then has the clock run over the budget. */
  void
  let_it_block (Gate *entered)
  {
    entered->pass ();
    clock.now_us += BUS_CALL_BUDGET_US + 1;
  }

  BusStatistics
  statistics ()
  {
    BusStatistics result;
    bus_get_statistics (bus, &result);
    return result;
  }

  RecordingSink sink, other;
  TestClock clock;
  Bus *bus = nullptr;
};

TEST_F (BusThreadsTest, WakesTheThreadForEachEvent)
{
  sink.add_to (bus, "sink");
  for (size_t i = 1; i <= 200; i++) {
    emit (bus, CENOTE_EVENT_POOL_INIT);
    sink.await_seen (i);
  }
  EXPECT_EQ (statistics ().delivered, 200u);
}

TEST_F (BusThreadsTest, DeliversOnAThreadOfItsOwn)
{
  std::thread::id where;
  bool inside = false;

  sink.hook = [&] (const CenoteEvent *) {
    where = std::this_thread::get_id ();
    inside = bus_on_telemetry_thread ();
  };
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  sink.await_seen (1);
  EXPECT_NE (where, std::this_thread::get_id ());
  EXPECT_TRUE (inside);
}

/* Every event is either handed out or told as lost, and each producer's come in order. */
TEST_F (BusThreadsTest, ManyProducersLoseNothingUncounted)
{
  const int n_producers = 4, n_events = 20000;
  std::map<guint64, gint64> last;
  bool in_order = true;
  std::vector<std::thread> producers;

  sink.hook = [&] (const CenoteEvent *event) {
    if (event->kind == CENOTE_EVENT_TELEMETRY_DROPPED)
      return;
    auto before = last.find (event->channel);
    in_order = in_order && (before == last.end () || before->second < event->count);
    last[event->channel] = event->count;
  };
  sink.add_to (bus, "sink");
  for (int p = 1; p <= n_producers; p++)
    producers.emplace_back ([this, p] {
      CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_STATE);
      event.channel = (guint64) p;
      event.reason = "IDLE -connect-> CONNECTING";
      for (event.count = 0; event.count < n_events; event.count++)
        bus_emit (bus, &event);
    });
  for (std::thread &producer : producers)
    producer.join ();
  bus_stop (bus);

  EXPECT_TRUE (in_order);
  EXPECT_EQ (sink.count (CENOTE_EVENT_CHANNEL_STATE) + (guint64) sink.told (), (guint64) n_producers * n_events);
  EXPECT_EQ (statistics ().emitted, (guint64) n_producers * n_events);
  EXPECT_EQ (statistics ().dropped, (guint64) sink.told ());
}

TEST_F (BusThreadsTest, SinksComeAndGoUnderLoad)
{
  std::atomic<bool> done{ false };
  std::vector<std::unique_ptr<RecordingSink>> sinks;
  std::thread producer ([&] {
    while (!done)
      emit (bus, CENOTE_EVENT_POOL_STATUS, "users");
  });

  sink.add_to (bus, "sink");
  for (int i = 0; i < 200; i++) {
    sinks.push_back (std::make_unique<RecordingSink> ());
    guint id = sinks.back ()->add_to (bus, "guest");
    if (i % 2 == 0)
      sinks.back ()->await_seen (1);
    bus_remove_sink (bus, id);
    EXPECT_EQ (sinks.back ()->destroyed (), 1) << "no call of it runs any more";
  }
  done = true;
  producer.join ();
  bus_stop (bus);
  for (auto &guest : sinks)
    EXPECT_EQ (guest->destroyed (), 1);
}

TEST_F (BusThreadsTest, RemoveWaitsForARunningCall)
{
  Gate entered, leave;
  std::atomic<bool> removed{ false };
  bool removed_first = true;

  sink.hook = [&] (const CenoteEvent *) {
    entered.open ();
    leave.pass ();
    removed_first = removed;
  };
  guint id = sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  entered.pass ();
  std::thread remover ([&] {
    bus_remove_sink (bus, id);
    removed = true;
  });
  leave.open ();
  remover.join ();
  EXPECT_FALSE (removed_first);
  EXPECT_EQ (sink.seen ().size (), 1u);
  EXPECT_EQ (sink.destroyed (), 1);
}

TEST_F (BusThreadsTest, ABlockedSinkIsSetAsideAndDelaysNobody)
{
  LogCapture log;
  Gate entered, leave;

  sink.hook = [&] (const CenoteEvent *event) {
    if (event->kind == CENOTE_EVENT_POOL_INIT) {
      entered.open ();
      leave.pass ();
    }
  };
  sink.add_to (bus, "stuck");
  other.add_to (bus, "other");
  emit (bus, CENOTE_EVENT_POOL_INIT, "users");
  entered.pass ();
  EXPECT_GT (bus_check (bus), clock.now_us.load ()) << "its time is not over";
  EXPECT_EQ (statistics ().set_aside, 0u);

  clock.now_us += BUS_CALL_BUDGET_US + 1;
  bus_check (bus);
  for (int i = 0; i < 10; i++)
    emit (bus, CENOTE_EVENT_POOL_RELOAD, "users");
  other.await_seen (11);
  EXPECT_EQ (other.seen ().at (0).kind, (unsigned) CENOTE_EVENT_POOL_INIT) << "also the event that blocked";
  EXPECT_EQ (other.seen ().at (0).pool, "users");
  EXPECT_EQ (statistics ().set_aside, 1u);
  EXPECT_EQ (log.count ("telemetry sink stuck blocks"), 1u);
  EXPECT_TRUE (sink.seen ().empty ());

  leave.open ();
  sink.await_seen (1);
  bus_stop (bus);
  EXPECT_EQ (sink.told (), 10);
  EXPECT_EQ (sink.seen ().size (), 2u);
  EXPECT_EQ (other.seen ().size (), 11u);
  EXPECT_EQ (sink.destroyed (), 1);
}

TEST_F (BusThreadsTest, ASinkThatBlockedRestsAndIsThenHandedEventsAgain)
{
  LogCapture log;
  Gate entered, leave;
  bool first = true;

  sink.hook = [&] (const CenoteEvent *) {
    if (first) {
      first = false;
      entered.open ();
      leave.pass ();
      clock.now_us += G_USEC_PER_SEC;
    }
  };
  sink.add_to (bus, "stuck");
  other.add_to (bus, "other");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  let_it_block (&entered);
  bus_check (bus);
  leave.open ();
  sink.await_seen (1);
  while (statistics ().slow_calls == 0)
    std::this_thread::yield ();

  emit (bus, CENOTE_EVENT_POOL_RELOAD);
  emit (bus, CENOTE_EVENT_POOL_RELOAD);
  other.await_seen (3);
  EXPECT_EQ (sink.seen ().size (), 1u) << "it rests";
  clock.now_us += 12 * G_USEC_PER_SEC;
  emit (bus, CENOTE_EVENT_POOL_STATUS);
  sink.await_told (2);
  sink.await_seen (3);       /* the event may come after what was lost */
  EXPECT_EQ (sink.count (CENOTE_EVENT_POOL_STATUS), 1u);
  EXPECT_EQ (sink.count (CENOTE_EVENT_POOL_RELOAD), 0u);
  EXPECT_EQ (statistics ().lost, 2u);
  g_autoptr (GPtrArray) sinks = bus_get_sink_statistics (bus);
  EXPECT_EQ (static_cast<const SinkStatistics *> (sinks->pdata[0])->lost, 2u);
  EXPECT_EQ (static_cast<const SinkStatistics *> (sinks->pdata[0])->slow_calls, 1u);
  EXPECT_EQ (static_cast<const SinkStatistics *> (sinks->pdata[1])->lost, 0u);
}

TEST_F (BusThreadsTest, EachBlockedSinkCostsOneThreadAndGivesItBack)
{
  LogCapture log;
  const int n = 5;
  Gate entered[n], leave;
  RecordingSink stuck[n];

  for (int i = 0; i < n; i++) {
    Gate *here = &entered[i];
    stuck[i].hook = [here, &leave] (const CenoteEvent *) { here->open (); leave.pass (); };
    stuck[i].add_to (bus, "stuck", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT));
  }
  other.add_to (bus, "other");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  for (int i = 0; i < n; i++) {
    let_it_block (&entered[i]);
    bus_check (bus);
  }
  other.await_seen (1);
  EXPECT_EQ (statistics ().set_aside, (guint64) n);
  leave.open ();
  for (int i = 0; i < n; i++)
    stuck[i].await_seen (1);
  bus_stop (bus);
  for (int i = 0; i < n; i++)
    EXPECT_EQ (stuck[i].destroyed (), 1);
}

TEST_F (BusThreadsTest, ABlockedSinkCanBeRemoved)
{
  Gate entered, leave;

  bus_set_patience (bus, 1000);
  sink.hook = [&] (const CenoteEvent *) { entered.open (); leave.pass (); };
  guint id = sink.add_to (bus, "stuck");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  entered.pass ();
  bus_remove_sink (bus, id);
  EXPECT_EQ (sink.destroyed (), 0) << "its call still runs";
  leave.open ();
  sink.await_destroyed ();
  EXPECT_EQ (sink.seen ().size (), 1u);
}

/* The clock goes with its owner: who is left behind must not look at it. */
TEST_F (BusThreadsTest, StopLeavesABlockedSinkBehindAndServesTheOthers)
{
  LogCapture log;
  Gate entered, leave;
  auto own_clock = std::make_unique<TestClock> ();
  Bus *own = bus_new (4, TestClock::now, TestClock::wall, own_clock.get ());

  bus_set_patience (own, 4 * BUS_CALL_BUDGET_US);
  ASSERT_TRUE (bus_start (own));
  sink.hook = [&] (const CenoteEvent *) { entered.open (); leave.pass (); };
  sink.add_to (own, "stuck");
  other.add_to (own, "other");
  emit (own, CENOTE_EVENT_POOL_INIT);
  emit (own, CENOTE_EVENT_POOL_RELOAD);
  entered.pass ();
  bus_stop (own);
  EXPECT_EQ (other.seen ().size (), 2u);
  EXPECT_EQ (other.flushes (), 1);
  EXPECT_EQ (other.destroyed (), 1);
  EXPECT_EQ (sink.destroyed (), 0);
  EXPECT_EQ (log.count ("left behind"), 1u);
  EXPECT_EQ (log.count ("telemetry sink stuck does not return from its call: it is left behind"), 1u);

  bus_free (own);
  own_clock.reset ();
  leave.open ();
  sink.await_destroyed ();
  EXPECT_EQ (sink.seen ().size (), 1u);
}

TEST_F (BusThreadsTest, StopAwaitsABlockedSinkAndTellsItItsLosses)
{
  LogCapture log;

  for (int i = 0; i < 100; i++) {
    RecordingSink stuck;
    Gate entered, leave;
    Bus *own = bus_new (4, TestClock::now, TestClock::wall, &clock);

    bus_set_patience (own, FOR_EVER_US);
    ASSERT_TRUE (bus_start (own));
    stuck.hook = [&] (const CenoteEvent *event) {
      if (event->kind == CENOTE_EVENT_POOL_INIT) {
        entered.open ();
        leave.pass ();
      }
    };
    stuck.add_to (own, "stuck");
    emit (own, CENOTE_EVENT_POOL_INIT);
    let_it_block (&entered);
    bus_check (own);
    emit (own, CENOTE_EVENT_POOL_RELOAD);
    std::thread opener ([&] {
      for (int n = 0; n < i; n++)
        std::this_thread::yield ();
      leave.open ();
    });
    bus_free (own);
    opener.join ();
    EXPECT_EQ (stuck.told (), 1);
    EXPECT_EQ (stuck.destroyed (), 1);
  }
  EXPECT_EQ (log.count ("left behind"), 0u);
}

TEST_F (BusThreadsTest, StopWithoutPatienceLosesWhatWaitsButEnds)
{
  LogCapture log;
  Gate entered, leave;

  bus_set_patience (bus, 0);
  sink.hook = [&] (const CenoteEvent *) { entered.open (); leave.pass (); };
  sink.add_to (bus, "stuck");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  emit (bus, CENOTE_EVENT_POOL_INIT);
  entered.pass ();
  bus_free (g_steal_pointer (&bus));
  EXPECT_EQ (log.count ("left behind"), 1u);
  leave.open ();
  sink.await_destroyed ();
  EXPECT_EQ (sink.seen ().size (), 1u);
}

TEST_F (BusThreadsTest, ASinkMayOnlyBeginTheStop)
{
  sink.hook = [this] (const CenoteEvent *) {
    bus_stop (bus);
    EXPECT_EQ (sink.destroyed (), 0);
  };
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  sink.await_seen (1);
  bus_stop (bus);
  EXPECT_EQ (sink.destroyed (), 1);
}

TEST_F (BusThreadsTest, StopDeliversAllThatWaits)
{
  Gate entered, leave;
  bool first = true;

  sink.hook = [&] (const CenoteEvent *) {
    if (first) {
      first = false;
      entered.open ();
      leave.pass ();
    }
  };
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  entered.pass ();
  for (int i = 0; i < 64 + 7; i++)
    emit (bus, CENOTE_EVENT_POOL_INIT);
  leave.open ();
  bus_stop (bus);
  EXPECT_EQ (sink.count (CENOTE_EVENT_POOL_INIT), 1u + 64u);
  EXPECT_EQ (sink.told (), 7);
  EXPECT_EQ (sink.destroyed (), 1);
}

TEST_F (BusThreadsTest, StartsAndStopsAgainAndAgain)
{
  for (int i = 0; i < 100; i++) {
    RecordingSink guest;
    Bus *short_lived = bus_new (4, TestClock::now, TestClock::wall, &clock);

    ASSERT_TRUE (bus_start (short_lived));
    guest.add_to (short_lived, "guest");
    emit (short_lived, CENOTE_EVENT_POOL_INIT);
    bus_free (short_lived);
    EXPECT_EQ (guest.count (CENOTE_EVENT_POOL_INIT), 1u);
    EXPECT_EQ (guest.destroyed (), 1);
  }
}

TEST_F (BusThreadsTest, AnIdleBusNeedsNoWatching)
{
  sink.add_to (bus, "sink");
  emit (bus, CENOTE_EVENT_POOL_INIT);
  sink.await_seen (1);
  while (bus_check (bus) != G_MAXINT64)
    std::this_thread::yield ();
  EXPECT_EQ (bus_check (bus), G_MAXINT64);
}

/* ----------------------------------------------------------------- polls */

/* With the real clock: nobody rings when a poll is due. */
TEST (BusPolls, TheThreadWakesByItself)
{
  static const auto now = [] (gpointer) { return g_get_monotonic_time (); };
  Bus *real = bus_new (8, now, now, nullptr);
  RecordingSink sink;
  Gate third;
  std::atomic<int> n{ 0 };
  std::atomic<bool> inside{ false };

  sink.on_poll = [&] (gint64 now_us, CenotePollReason) {
    inside = bus_on_telemetry_thread ();
    if (++n == 3)
      third.open ();
    return now_us + 5000;
  };
  ASSERT_TRUE (bus_start (real));
  sink.add_to (real, "sink");
  third.pass ();
  EXPECT_TRUE (inside);
  bus_free (real);
  EXPECT_EQ (sink.destroyed (), 1);
}

TEST_F (BusThreadsTest, APollThatBlocksIsSetAside)
{
  LogCapture log;
  Gate entered, leave;
  int polls = 0;

  sink.on_poll = [&] (gint64, CenotePollReason why) {
    polls += why == CENOTE_POLL_DUE;
    entered.open ();
    leave.pass ();
    return G_MAXINT64;
  };
  sink.add_to (bus, "sink");
  other.add_to (bus, "other");
  let_it_block (&entered);
  bus_check (bus);
  EXPECT_EQ (statistics ().set_aside, 1u);
  emit (bus, CENOTE_EVENT_POOL_INIT);
  other.await_seen (1);
  leave.open ();
  bus_free (bus);
  bus = nullptr;
  EXPECT_EQ (polls, 1);
  EXPECT_EQ (log.count ("telemetry sink sink blocks"), 1u);
}

/* The last polls are awaited, but not that of a sink that is blocked already. */
TEST_F (BusThreadsTest, TheLastPollsAreAwaited)
{
  LogCapture log;
  Gate entered, leave;
  std::atomic<int> last{ 0 };

  other.on_poll = [&] (gint64, CenotePollReason why) {
    last += why == CENOTE_POLL_LAST;
    return G_MAXINT64;
  };
  sink.on_poll = [&] (gint64, CenotePollReason) {
    entered.open ();
    leave.pass ();
    return G_MAXINT64;
  };
  other.add_to (bus, "other");
  sink.add_to (bus, "sink");
  let_it_block (&entered);
  bus_check (bus);
  bus_poll_last (bus);
  EXPECT_EQ (last, 1);
  leave.open ();
  bus_free (bus);            /* before what the polls use goes */
  bus = nullptr;
}

/* Who watches the thread comes after each poll, whether anything else happens or not. */
TEST_F (BusThreadsTest, APollIsWatched)
{
  Gate polled;

  sink.on_poll = [&] (gint64, CenotePollReason) {
    polled.open ();
    return G_GINT64_CONSTANT (1000) * G_USEC_PER_SEC;
  };
  sink.add_to (bus, "sink");
  polled.pass ();
  gint64 next_us;
  while ((next_us = bus_check (bus)) <= clock.now_us + BUS_CALL_BUDGET_US + 1)
    std::this_thread::yield ();
  EXPECT_EQ (next_us, G_GINT64_CONSTANT (1000) * G_USEC_PER_SEC + BUS_CALL_BUDGET_US + 1);
  bus_free (bus);
  bus = nullptr;
}

}  // namespace
