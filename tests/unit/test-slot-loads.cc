/* SPDX-License-Identifier: Apache-2.0 */
/* What pickers are told of loads (core/slots/slot-loads.c). */
#include <future>
#include <mutex>

#include "slot-fixture.h"

class SlotLoadsTest : public SlotTest
{
protected:
  void
  SetUp () override
  {
    SlotTest::SetUp ();
    picker_flags = CENOTE_PICKER_NEEDS_LOAD;
  }

  /* F of each place, as a pick of this thread on PLACE sees it; the lease is given back. */
  template <typename F>
  std::vector<int64_t>
  look (F of, guint32 place = 0)
  {
    std::vector<int64_t> seen;

    picker.choose = [&] (const CenotePickView *view) {
      for (uint32_t i = 0; i < view->n_places; i++)
        seen.push_back (of (view, i));
      return place;
    };
    EXPECT_EQ (try_get (), LEASE_GOT);
    return seen;
  }

  std::vector<int64_t> loads () { return look (cenote_pick_load); }
  std::vector<int64_t> burdens () { return look (cenote_pick_burden); }

  std::vector<int64_t>
  penalties ()
  {
    return look ([] (const CenotePickView *view, uint32_t i) {
      return cenote_pick_read (&cenote_pick_place (view, i)->penalty);
    });
  }

  CenoteLease
  take (guint32 place)
  {
    picker.choose = [=] (const CenotePickView *) { return place; };
    return get ();
  }

  std::vector<CenoteLease>
  take (guint32 place, guint n)
  {
    std::vector<CenoteLease> leases;

    while (leases.size () < n)
      leases.push_back (take (place));
    return leases;
  }

  static void
  release (std::vector<CenoteLease> leases)
  {
    for (CenoteLease &lease : leases)
      lease_release (&lease, -1);
  }

  void tick () { slot_table_publish_loads (table); }
};

using Loads = std::vector<int64_t>;

/* --------------------------------------------------------------------- loads */

TEST_P (SlotLoadsTest, WhatThisThreadDidIsSeenAtOnce)
{
  show (2);
  std::vector<CenoteLease> leases = take (1, 3);
  EXPECT_EQ (loads (), (Loads{ 0, 3 }));
  lease_release (&leases[0], -1);
  EXPECT_EQ (loads (), (Loads{ 0, 2 }));
  tick ();
  EXPECT_EQ (loads (), (Loads{ 0, 2 })) << "counted twice";
  lease_release (&leases[1], -1);
  lease_release (&leases[2], -1);
  EXPECT_EQ (loads (), (Loads{ 0, 0 }));
  tick ();
  EXPECT_EQ (loads (), (Loads{ 0, 0 }));
}

TEST_P (SlotLoadsTest, WhatOthersDidIsSeenAfterATick)
{
  std::vector<CenoteLease> leases;

  show (2);
  std::vector<CenoteLease> own = take (0, 1);
  on_thread ([&] { leases = take (1, 5); });
  EXPECT_EQ (loads (), (Loads{ 1, 0 }));
  tick ();
  EXPECT_EQ (loads (), (Loads{ 1, 5 }));
  on_thread ([&] { release (leases); });
  EXPECT_EQ (loads (), (Loads{ 1, 5 }));
  tick ();
  EXPECT_EQ (loads (), (Loads{ 1, 0 }));
  release (own);
}

/* A thread that takes what others release balances loads, not what it has ever taken. */
TEST_P (SlotLoadsTest, LeasesReleasedElsewhereDoNotAddUp)
{
  show (2);
  for (int round = 0; round < 50; round++) {
    std::vector<CenoteLease> leases = take (0, 20);

    EXPECT_EQ (loads (), (Loads{ 20, 0 }));
    on_thread ([&] { release (leases); });
    tick ();
    ASSERT_EQ (loads (), (Loads{ 0, 0 })) << "round " << round;
  }
}

TEST_P (SlotLoadsTest, AThreadThatReleasesForOthersSeesTheirLoadToo)
{
  std::vector<CenoteLease> leases;

  show (1);
  on_thread ([&] { leases = take (0, 4); });
  tick ();
  lease_release (&leases[0], -1);
  EXPECT_EQ (loads (), (Loads{ 3 }));
  tick ();
  EXPECT_EQ (loads (), (Loads{ 3 }));
  leases.erase (leases.begin ());
  release (leases);
  EXPECT_EQ (loads (), (Loads{ 0 }));
}

TEST_P (SlotLoadsTest, ANewThreadKnowsTheLoadsOfNow)
{
  show (2);
  std::vector<CenoteLease> leases = take (1, 7);
  tick ();
  std::vector<CenoteLease> later = take (0, 2);
  std::thread ([&] { EXPECT_EQ (loads (), (Loads{ 2, 7 })); }).join ();
  release (leases);
  release (later);
}

/* There it would have too much to read. */
TEST_P (SlotLoadsTest, OfALargeTableANewThreadKnowsTheLoadsOfTheLastTick)
{
  show (1025);
  std::vector<CenoteLease> leases = take (1, 7);
  tick ();
  std::vector<CenoteLease> later = take (0, 2);
  std::thread ([&] {
    std::vector<int64_t> seen = loads ();

    EXPECT_EQ (seen[0], 0);
    EXPECT_EQ (seen[1], 7);
  }).join ();
  release (leases);
  release (later);
}

/* The less loaded of two, as p2c has it.  The threads come one after the other and are all there at the end, so that
 * each has a row of its own; what the first ones hold is told, and that the others go by what was told then would
 * leave some channel with half as much again as the mean. */
TEST_P (SlotLoadsTest, NewThreadsSpreadTheirLeasesBetweenTwoTicks)
{
  const int n_threads = 40, n_each = 10;
  std::mutex end;
  std::unique_lock<std::mutex> not_yet (end);
  std::vector<CenoteLease> leases;
  std::vector<std::thread> threads;

  show (8);
  picker.choose = [] (const CenotePickView *view) {
    guint64 luck = cenote_pick_luck (view);
    guint32 i = luck % 8, j = (i + 1 + (luck >> 32) % 7) % 8;

    return cenote_pick_burden (view, j) < cenote_pick_burden (view, i) ? j : i;
  };
  for (int t = 0; t < n_threads; t++) {
    std::promise<void> taken;
    std::future<void> turn = taken.get_future ();

    threads.emplace_back ([&, taken = std::move (taken)] () mutable {
      for (int i = 0; i < n_each; i++)
        leases.push_back (get ());
      taken.set_value ();
      std::lock_guard<std::mutex> wait (end);
    });
    turn.wait ();
    if (t == 4)
      tick ();
  }
  for (Slot *slot : slots) {
    EXPECT_LE (slot_in_flight (slot), 55);
    EXPECT_GE (slot_in_flight (slot), 45);
  }
  not_yet.unlock ();
  for (std::thread &thread : threads)
    thread.join ();
  release (leases);
}

/* Rows are handed on with their counts. */
TEST_P (SlotLoadsTest, AThreadWithTheRowOfAnEarlierOneKnowsTheLoads)
{
  std::vector<CenoteLease> leases;

  show (2);
  on_thread ([&] { leases = take (1, 3); });
  on_thread ([&] { EXPECT_EQ (loads (), (Loads{ 0, 3 })); });
  tick ();
  on_thread ([&] { EXPECT_EQ (loads (), (Loads{ 0, 3 })); });
  release (leases);
  tick ();
  on_thread ([&] { EXPECT_EQ (loads (), (Loads{ 0, 0 })); });
}

TEST_P (SlotLoadsTest, ReleasesOfEndingThreadsCount)
{
  CenoteLease lease = CENOTE_LEASE_INIT;
  Epilogue epilogue ([&] { lease_release (&lease, -1); });

  show (1);
  std::vector<CenoteLease> own = take (0, 2);
  on_thread ([&] {
    lease = take (0);
    epilogue.arm ();
  });
  tick ();
  EXPECT_EQ (loads (), (Loads{ 2 }));
  release (own);
}

TEST_P (SlotLoadsTest, ASlotsNextChannelBeginsWithoutLoad)
{
  show (2);
  std::vector<CenoteLease> leases = take (1, 3);
  on_thread ([&] { release (leases); });
  publish_places ({ slots[0] });
  slot_close (slots[1]);
  ASSERT_TRUE (slot_try_free (slots[1]));
  slots.pop_back ();
  show (1);
  EXPECT_EQ (loads (), (Loads{ 0, 0 }));
}

/* ---------------------------------------------------------------------- views */

TEST_P (SlotLoadsTest, ANewViewBringsFreshLoads)
{
  std::vector<CenoteLease> leases;

  show (1);
  EXPECT_EQ (try_get (), LEASE_GOT);
  on_thread ([&] { leases = take (0, 4); });
  show (1);
  EXPECT_EQ (loads (), (Loads{ 4, 0 }));
  release (leases);
}

/* Pickers are exchanged by a view alone. */
TEST_P (SlotLoadsTest, APickerThatNeedsLoadsHasThemFromItsFirstView)
{
  std::vector<CenoteLease> leases;

  picker_flags = 0;
  show (2);
  const Loads before = loads (); /* of an earlier life of the table, maybe */
  on_thread ([&] { leases = take (1, 6); });
  tick ();
  EXPECT_EQ (loads (), before) << "kept for nobody";
  picker_flags = CENOTE_PICKER_NEEDS_LOAD;
  publish ();
  EXPECT_EQ (loads (), (Loads{ 0, 6 }));
  release (leases);
}

TEST_P (SlotLoadsTest, LoadsFollowTheirChannelsThroughViews)
{
  show (3);
  std::vector<CenoteLease> leases = take (2, 5);
  publish_places ({ slots[2], slots[0] });
  EXPECT_EQ (loads (), (Loads{ 5, 0 }));
  release (leases);
}

/* Of a view that is too large for one tick, the rest comes at the next ones: how many there are
 * depends on the rows, of which a table that had another life before keeps those. */
TEST_P (SlotLoadsTest, ALargeViewTakesSomeTicks)
{
  const guint n = 9000;
  std::vector<CenoteLease> leases;

  show (n);
  EXPECT_EQ (try_get (), LEASE_GOT);
  on_thread ([&] {
    for (guint32 place : { 0u, n - 1 })
      leases.push_back (take (place));
  });
  tick ();
  EXPECT_EQ (loads ()[0], 1);
  EXPECT_EQ (loads ()[n - 1], 0);
  for (int ticks = 0; ticks < 1000 && loads ()[n - 1] == 0; ticks++)
    tick ();
  EXPECT_EQ (loads ()[0], 1);
  EXPECT_EQ (loads ()[n - 1], 1);
  release (leases);
}

/* ------------------------------------------------------------------- penalties */

TEST_P (SlotLoadsTest, AColdConnectionCountsAsOneMoreThanTheMean)
{
  show (1);
  std::vector<CenoteLease> leases = take (0, 8);
  ready_since_us = now_us;
  open ();
  slot_show (slots[1]);
  publish_places ({ slots[0], slots[1] });
  EXPECT_EQ (penalties (), (Loads{ 5, 5 })) << "here all are as new as the view says";
  EXPECT_EQ (loads (), (Loads{ 8, 0 }));
  EXPECT_EQ (burdens (), (Loads{ 2 * 13 + 1, 2 * 5 + 1 }));
  release (leases);
}

TEST_P (SlotLoadsTest, ThePenaltyFallsToNothingWithinTheWarmUp)
{
  ready_since_us = now_us;
  show (2);
  std::vector<CenoteLease> leases = take (0, 18);
  tick ();
  EXPECT_EQ (penalties (), (Loads{ 10, 10 }));
  for (int64_t tenth = 9; tenth > 0; tenth--) {
    now_us += CENOTE_WARM_UP_US / 10;
    tick ();
    EXPECT_EQ (penalties (), (Loads{ tenth, tenth }));
    EXPECT_EQ (loads (), (Loads{ 18, 0 }));
  }
  now_us += CENOTE_WARM_UP_US / 10 - 1;
  tick ();
  EXPECT_EQ (penalties (), (Loads{ 1, 1 })) << "rounded up";
  now_us += 1;
  tick ();
  EXPECT_EQ (penalties (), (Loads{ 0, 0 }));
  EXPECT_EQ (burdens (), (Loads{ 2 * 18, 0 }));
  release (leases);
}

TEST_P (SlotLoadsTest, ANewThreadKnowsThePenaltiesToo)
{
  ready_since_us = now_us;
  show (1);
  on_thread ([&] { EXPECT_EQ (burdens (), (Loads{ 3 })); });
}

/* Of two with the same sum the one that is warm is less burdened. */
TEST_P (SlotLoadsTest, ATieOfSumsGoesToTheWarmOne)
{
  std::vector<SlotPlace> places;
  SlotPicker how = { FakePicker::pick, FakePicker::done, &picker, picker_flags };

  slot_show (open ());
  slot_show (open ());
  places = { { slots[0], 1, 0, 1, nullptr, now_us }, { slots[1], 2, 1, 1, nullptr, 0 } };
  slot_table_publish (table, places.data (), 2, &how, 0, 0);
  std::vector<CenoteLease> leases = take (1, 1);
  EXPECT_EQ (burdens (), (Loads{ 3, 2 }));
  release (leases);
}

/* -------------------------------------------------------------------- threads */

/* Whatever others do, a thread that has all its leases back sees no load once all have. */
TEST_P (SlotLoadsTest, LoadsOfManyThreadsComeToNothing)
{
  std::atomic<int> n_running{ 4 };
  std::vector<std::thread> threads;

  show (3);
  for (int t = 0; t < 4; t++)
    threads.emplace_back ([&] {
      for (int i = 0; i < 5000; i++) {
        CenoteLease first = get (), second = get ();
        lease_release (&first, -1);
        lease_release (&second, -1);
      }
      n_running--;
    });
  while (n_running > 0) {
    tick ();
    std::this_thread::yield ();
  }
  for (std::thread &thread : threads)
    thread.join ();
  tick ();
  EXPECT_EQ (loads (), (Loads{ 0, 0, 0 }));
}

INSTANTIATE_TEST_SUITE_P (Barriers, SlotLoadsTest, testing::Bool (),
                          [] (const auto &info) { return info.param ? "asymmetric" : "symmetric"; });
