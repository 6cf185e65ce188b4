/* SPDX-License-Identifier: Apache-2.0 */
/* Views published, parked and reclaimed, also under the eyes of gets (core/slots/slot-view.c). */
#include <condition_variable>
#include <mutex>

#include "slot-fixture.h"

/* A place to stop a thread at, and to let it go on from. */
class PickGate
{
public:
  /* The thread: waits here to be let go. */
  void
  pass ()
  {
    std::unique_lock<std::mutex> hold (lock_);

    n_arrived_++;
    changed_.notify_all ();
    changed_.wait (hold, [&] { return open_; });
  }
  /* The test: until N threads wait. */
  void
  await (int n = 1)
  {
    std::unique_lock<std::mutex> hold (lock_);

    changed_.wait (hold, [&] { return n_arrived_ >= n; });
  }
  void
  open ()
  {
    std::lock_guard<std::mutex> hold (lock_);

    open_ = true;
    changed_.notify_all ();
  }

private:
  std::mutex lock_;
  std::condition_variable changed_;
  int n_arrived_ = 0;
  bool open_ = false;
};

class SlotViewsTest : public SlotTest
{
protected:
  PickGate gate;

  /* Stops the first pick at the gate, inside its get. */
  void
  stop_first_pick ()
  {
    picker.choose = [this, first = std::make_shared<std::atomic<bool>> (true)] (const CenotePickView *view) {
      if (first->exchange (false))
        gate.pass ();
      return FakePicker::round_robin (view);
    };
  }
};

/* ------------------------------------------------------------------ reclaiming */

TEST_P (SlotViewsTest, QuietViewsAreReclaimedAtOnce)
{
  show (3);
  EXPECT_EQ (try_get (), LEASE_GOT);
  for (int i = 0; i < 100; i++)
    publish ();
  EXPECT_FALSE (slot_table_reclaim (table));
}

TEST_P (SlotViewsTest, AViewLastsWhileAGetIsInside)
{
  show (2);
  stop_first_pick ();
  std::thread getter ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  gate.await ();
  publish ();
  publish ();
  EXPECT_TRUE (slot_table_reclaim (table));
  EXPECT_TRUE (slot_table_reclaim (table));
  gate.open ();
  getter.join ();
  EXPECT_FALSE (slot_table_reclaim (table));
}

TEST_P (SlotViewsTest, AViewLastsWhileAPickerIsTold)
{
  picker_flags = CENOTE_PICKER_NEEDS_OUTCOME;
  picker.on_done = [&] { gate.pass (); };
  show (1);
  CenoteLease lease = get ();
  std::thread releaser ([&] { lease_release (&lease, 0); });
  gate.await ();
  publish ();
  EXPECT_TRUE (slot_table_reclaim (table));
  gate.open ();
  releaser.join ();
  EXPECT_FALSE (slot_table_reclaim (table));
}

TEST_P (SlotViewsTest, ALaterGetDoesNotHoldAnOlderView)
{
  show (1);
  publish ();
  stop_first_pick ();
  std::thread getter ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  gate.await ();
  EXPECT_FALSE (slot_table_reclaim (table));
  gate.open ();
  getter.join ();
}

TEST_P (SlotViewsTest, NewThreadsDoNotCrowdOutAnOldOne)
{
  std::vector<std::thread> getters;
  std::atomic<int> n_inside{ 0 };
  PickGate crowd;

  show (2);
  picker.choose = [&] (const CenotePickView *view) {
    (n_inside++ == 0 ? gate : crowd).pass ();
    return FakePicker::round_robin (view);
  };
  getters.emplace_back ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  gate.await ();
  publish ();
  for (int i = 1; i < 6; i++)
    getters.emplace_back ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  crowd.await (5);
  publish ();
  crowd.open ();
  for (int i = 1; i < 6; i++)
    getters[i].join ();
  EXPECT_TRUE (slot_table_reclaim (table));
  gate.open ();
  getters[0].join ();
  EXPECT_FALSE (slot_table_reclaim (table));
}

/* -------------------------------------------------------------------- searching */

TEST_P (SlotViewsTest, AGetFindsTheViewThatReplacedItsOwn)
{
  show (1);
  stop_first_pick ();
  LeaseResult result = LEASE_STOPPED;
  std::thread getter ([&] { result = try_get (); });
  gate.await ();
  slot_show (open ());
  publish_places ({ slots[1] });
  slot_close (slots[0]);
  EXPECT_TRUE (slot_try_free (slots[0]));
  slots[0] = nullptr;
  gate.open ();
  getter.join ();
  EXPECT_EQ (result, LEASE_GOT);
  EXPECT_EQ (slot_calls (slots[1]), 1);
}

TEST_P (SlotViewsTest, AGetHeedsTheFlagsOfTheViewThatReplacedItsOwn)
{
  show (1);
  stop_first_pick ();
  LeaseResult result = LEASE_GOT;
  std::thread getter ([&] { result = try_get (); });
  gate.await ();
  publish_places ({}, VIEW_STOPPED);
  slot_close (slots[0]);
  gate.open ();
  getter.join ();
  EXPECT_EQ (result, LEASE_STOPPED);
  slot_reopen (slots[0]);
}

/* One of two slots is shown at any instant: the new one first, then the old one
 * hidden.  No get may find neither, in one view or from view to view. */
TEST_P (SlotViewsTest, AGetSucceedsWhileAnySlotIsShown)
{
  std::atomic<bool> over{ false };
  std::atomic<int> n_failed{ 0 };
  auto body = [&] {
    while (!over)
      n_failed += try_get () != LEASE_GOT;
  };

  open ();
  open ();
  slot_show (slots[0]);
  publish ();
  std::thread first (body), second (body);
  for (int i = 0; i < 20000; i++) {
    Slot *next = slots[(i + 1) % 2], *last = slots[i % 2];

    slot_show (next);
    if (i % 3 == 0)
      publish_places ({ next });
    slot_hide (last);
    if (i % 3 == 0)
      publish_places ({ slots[0], slots[1] });
  }
  over = true;
  first.join ();
  second.join ();
  EXPECT_EQ (n_failed, 0);
}

/* --------------------------------------------------------------------- parking */

TEST_P (SlotViewsTest, TheFirstGetOnAParkedViewWakesOnce)
{
  show (1);
  EXPECT_TRUE (slot_table_park (table, slot_table_uses (table)));
  EXPECT_EQ (n_wakes, 0);
  for (int i = 0; i < 10; i++)
    EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (n_wakes, 1);
  EXPECT_TRUE (slot_table_park (table, slot_table_uses (table)));
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (n_wakes, 2);
}

TEST_P (SlotViewsTest, AMissOnAParkedViewWakesToo)
{
  publish ();
  EXPECT_TRUE (slot_table_park (table, slot_table_uses (table)));
  EXPECT_EQ (try_get (), LEASE_NONE);
  EXPECT_EQ (n_wakes, 1);
}

TEST_P (SlotViewsTest, IsNotParkedWhereAGetSlippedIn)
{
  show (1);
  guint64 uses = slot_table_uses (table);

  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_FALSE (slot_table_park (table, uses));
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (n_wakes, 0);
}

TEST_P (SlotViewsTest, IsNotParkedWhileAGetIsInside)
{
  show (1);
  stop_first_pick ();
  std::thread getter ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  gate.await ();
  EXPECT_FALSE (slot_table_park (table, slot_table_uses (table)));
  gate.open ();
  getter.join ();
}

TEST_P (SlotViewsTest, UnparkedWakesNobody)
{
  show (1);
  EXPECT_TRUE (slot_table_park (table, slot_table_uses (table)));
  slot_table_unpark (table);
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (n_wakes, 0);
}

TEST_P (SlotViewsTest, ManyThreadsWakeOnce)
{
  const int n_threads = 4, n_rounds = 200;
  std::atomic<int> round{ 0 }, n_done{ 0 };
  std::vector<std::thread> getters;

  show (1);
  for (int t = 0; t < n_threads; t++) {
    getters.emplace_back ([&] {
      for (int r = 1; r <= n_rounds; r++) {
        while (round < r)
          std::this_thread::yield ();
        EXPECT_EQ (try_get (), LEASE_GOT);
        n_done++;
      }
    });
  }
  for (int r = 1; r <= n_rounds; r++) {
    ASSERT_TRUE (slot_table_park (table, slot_table_uses (table)));
    round = r;
    while (n_done < r * n_threads)
      std::this_thread::yield ();
    ASSERT_EQ (n_wakes, r);
  }
  for (std::thread &getter : getters)
    getter.join ();
}

/* Parks again and again under gets: each get either was counted before, or wakes. */
TEST_P (SlotViewsTest, NoGetSlipsPastParking)
{
  std::atomic<bool> over{ false };
  std::atomic<guint64> n_gets{ 0 };

  show (1);
  std::thread getter ([&] {
    while (!over) {
      EXPECT_EQ (try_get (), LEASE_GOT);
      n_gets++;
      if (n_gets % 16 == 0)
        std::this_thread::yield ();
    }
  });
  for (int i = 0; i < 5000; i++) {
    guint64 uses = slot_table_uses (table);
    int wakes = n_wakes;

    if (!slot_table_park (table, uses))
      continue;
    while (slot_table_uses (table) == uses && n_wakes == wakes)
      std::this_thread::yield ();
    while (n_wakes == wakes && slot_table_uses (table) <= uses + 1)
      std::this_thread::yield ();
    ASSERT_EQ (n_wakes, wakes + 1);
  }
  over = true;
  getter.join ();
}

INSTANTIATE_TEST_SUITE_P (Barriers, SlotViewsTest, testing::Bool (),
                          [] (const auto &info) { return info.param ? "asymmetric" : "symmetric"; });
