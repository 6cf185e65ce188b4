/* SPDX-License-Identifier: Apache-2.0 */
/* What costs and is opt-in: limits that hold exactly, and leases that are watched (core/slots/slot-tracking.c). */
#include "log-capture.h"
#include "slot-fixture.h"

#include <pthread.h>

#include <map>

namespace {

class SlotTrackingTest : public SlotTest
{
protected:
  std::atomic<int> n_rooms{ 0 };
  std::vector<LeaseLeak> leaks;

  void
  track (guint32 limit, bool watches)
  {
    SlotTracking tracking = { limit, watches, [] (gpointer data) { static_cast<SlotTrackingTest *> (data)->n_rooms++; } };

    slot_table_track (table, &tracking);
  }

  gint64
  find_leaks (gint64 before_us)
  {
    return slot_table_find_leaks (
      table, before_us,
      [] (const LeaseLeak *leak, gpointer data) { static_cast<SlotTrackingTest *> (data)->leaks.push_back (*leak); }, this);
  }

  LeaseResult
  try_get_with (const LeaseWish &wish)
  {
    CenoteLease lease = CENOTE_LEASE_INIT;
    LeaseResult result = lease_get (table, &wish, TRUE, &lease);

    lease_release (&lease, -1);
    return result;
  }

  static void
  release_all (std::vector<CenoteLease> *leases)
  {
    for (CenoteLease &lease : *leases)
      lease_release (&lease, 0);
    leases->clear ();
  }
};

/* ------------------------------------------------------------------- limits */

TEST_P (SlotTrackingTest, AChannelHasAtMostSoManyLeases)
{
  std::map<grpc_channel *, int> held;
  std::vector<CenoteLease> leases;

  track (2, false);
  show (3);
  for (int i = 0; i < 6; i++) {
    leases.push_back (get ());
    held[leases.back ().channel]++;
  }
  for (auto &channel : channels)
    EXPECT_EQ (held[channel->get ()], 2);
  EXPECT_EQ (try_get (), LEASE_FULL);
  grpc_channel *freed = leases[3].channel;
  lease_release (&leases[3], -1);
  CenoteLease next = get ();
  EXPECT_EQ (next.channel, freed) << "wherever the picker would have it";
  EXPECT_EQ (try_get (), LEASE_FULL);
  lease_release (&next, 0);
  release_all (&leases);
  EXPECT_EQ (slot_table_in_flight (table), 0);
  EXPECT_EQ (slot_table_misses (table), 0u) << "a full pool is no pool without channels";
}

TEST_P (SlotTrackingTest, AFullChannelThatIsHiddenIsNoFullOne)
{
  track (1, false);
  show (1);
  CenoteLease lease = get ();
  EXPECT_EQ (try_get (), LEASE_FULL);
  slot_hide (slots[0]);
  EXPECT_EQ (try_get (), LEASE_NONE);
  lease_release (&lease, -1);
}

TEST_P (SlotTrackingTest, ARefusedStepLeavesNothingBehind)
{
  track (1, false);
  show (1);
  slot_hide (slots[0]);
  for (int i = 0; i < 10; i++)
    EXPECT_EQ (try_get (), LEASE_NONE);
  slot_show (slots[0]);
  EXPECT_EQ (try_get (), LEASE_GOT);
}

TEST_P (SlotTrackingTest, ASlotsNextChannelBeginsEmpty)
{
  track (1, false);
  show (1);
  CenoteLease lease = get ();
  publish_places ({});
  slot_close (slots[0]);
  EXPECT_FALSE (slot_try_free (slots[0]));
  lease_release (&lease, -1);
  EXPECT_TRUE (slot_try_free (slots[0]));
  slots.clear ();
  show (1);
  lease = get ();
  EXPECT_EQ (try_get (), LEASE_FULL);
  lease_release (&lease, -1);
}

TEST_P (SlotTrackingTest, AnotherThreadsReleaseMakesRoomToo)
{
  track (1, true);
  show (1);
  CenoteLease lease = get ();
  on_thread ([&] { lease_release (&lease, 0); });
  EXPECT_EQ (try_get (), LEASE_GOT);
}

TEST_P (SlotTrackingTest, WhoComesLaterDoesNotOvertakeThoseWhoWait)
{
  track (2, false);
  show (1);
  slot_table_set_waiting (table, 1);
  EXPECT_EQ (try_get (), LEASE_FULL);
  LeaseWish turn = {};
  turn.in_turn = TRUE;
  EXPECT_EQ (try_get_with (turn), LEASE_GOT);
  EXPECT_EQ (try_get (), LEASE_FULL) << "the turn was that one's alone";
  slot_table_set_waiting (table, 0);
  EXPECT_EQ (try_get (), LEASE_GOT);
}

TEST_P (SlotTrackingTest, AReleaseTellsOfRoomWhereSomebodyWaits)
{
  track (1, false);
  show (1);
  CenoteLease lease = get ();
  lease_release (&lease, -1);
  EXPECT_EQ (n_rooms, 0);
  lease = get ();
  slot_table_set_waiting (table, 1);
  lease_release (&lease, -1);
  EXPECT_EQ (n_rooms, 1);
}

TEST_P (SlotTrackingTest, AfterItsPoolNothingIsToldOfRoom)
{
  track (1, true);
  show (1);
  CenoteLease lease = get ();
  slot_table_set_waiting (table, 1);
  publish_places ({}, VIEW_STOPPED);
  lease_release (&lease, -1);
  EXPECT_EQ (n_rooms, 0);
}

TEST_P (SlotTrackingTest, LimitsHoldWithManyThreads)
{
  const int limit = 3;
  std::map<grpc_channel *, std::atomic<int>> held;
  std::atomic<int> n_over{ 0 }, n_got{ 0 };
  std::vector<std::thread> threads;

  track (limit, true);
  show (2);
  for (auto &channel : channels)
    held[channel->get ()] = 0;
  for (int t = 0; t < 4; t++)
    threads.emplace_back ([&] {
      for (int i = 0; i < 3000; i++) {
        CenoteLease leases[3] = { CENOTE_LEASE_INIT, CENOTE_LEASE_INIT, CENOTE_LEASE_INIT };

        for (CenoteLease &lease : leases) {
          if (lease_get (table, &any, FALSE, &lease) != LEASE_GOT)
            continue;
          n_got++;
          n_over += ++held.at (lease.channel) > limit;
        }
        for (CenoteLease &lease : leases) {
          if (lease.channel != nullptr)
            held.at (lease.channel)--;
          lease_release (&lease, i % 2 == 0 ? -1 : 0);
        }
      }
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (n_over, 0);
  EXPECT_GT (n_got, 0);
  std::vector<CenoteLease> leases;
  for (int i = 0; i < 2 * limit; i++)
    leases.push_back (get ());
  EXPECT_EQ (try_get (), LEASE_FULL);
  release_all (&leases);
}

TEST_P (SlotTrackingTest, ASecondReleaseIsRefusedAndMakesNoRoom)
{
  LogCapture log;

  track (1, true);
  show (1);
  CenoteLease lease = get (), copy = lease;
  lease_release (&lease, -1);
  lease = get ();
  lease_release (&copy, -1);
  EXPECT_EQ (try_get (), LEASE_FULL);
  EXPECT_EQ (log.count ("released a second time"), 1u);
  lease_release (&lease, -1);
}

/* -------------------------------------------------------------------- leaks */

TEST_P (SlotTrackingTest, ALeaseThatIsHeldLongIsToldOfOnce)
{
  track (0, true);
  show (1);
  CenoteLease lease = get ();
  gint64 taken_us = now_us;

  EXPECT_EQ (find_leaks (taken_us - 1), taken_us) << "the oldest of those that may become one";
  now_us += 7 * G_USEC_PER_SEC;
  EXPECT_EQ (find_leaks (taken_us), G_MAXINT64);
  ASSERT_EQ (leaks.size (), 1u);
  EXPECT_EQ (leaks[0].channel_id, 1u);
  EXPECT_EQ (leaks[0].held_us, 7 * G_USEC_PER_SEC);
  EXPECT_EQ (slot_table_leaks (table), 1u);
  EXPECT_EQ (find_leaks (now_us), G_MAXINT64);
  EXPECT_EQ (leaks.size (), 1u);
  lease_release (&lease, -1);
  EXPECT_EQ (slot_table_leaks (table), 0u);
}

TEST_P (SlotTrackingTest, WhatWasReleasedInTimeIsNoLeak)
{
  track (0, true);
  show (2);
  CenoteLease first = get ();
  now_us += 10;
  CenoteLease second = get ();
  now_us += 10;
  CenoteLease third = get ();

  lease_release (&first, 0);
  EXPECT_EQ (find_leaks (now_us - 10), now_us) << "the third";
  ASSERT_EQ (leaks.size (), 1u);
  EXPECT_EQ (leaks[0].held_us, 10);
  lease_release (&second, 0);
  lease_release (&third, 0);
  EXPECT_EQ (find_leaks (G_MAXINT64), G_MAXINT64);
  EXPECT_EQ (leaks.size (), 1u);
}

TEST_P (SlotTrackingTest, ALeakIsReleasedByAnyThreadAndAfterThePool)
{
  track (0, true);
  show (1);
  CenoteLease lease = get ();
  find_leaks (now_us);
  end_life ();
  on_thread ([&] { lease_release (&lease, 0); });
  EXPECT_EQ (channels[0]->destroyed, 1);
}

TEST_P (SlotTrackingTest, TheNextPoolOnATableIsNotTracked)
{
  track (1, true);
  show (1);
  get ();                    /* and never released: the table is not used again */
  end_life ();
  begin_life ();
  channels.clear ();
  show (1);
  CenoteLease one = get (), two = get ();
  lease_release (&one, -1);
  lease_release (&two, -1);
}

/* ------------------------------------------------------------------- origins */

TEST_P (SlotTrackingTest, AnOriginNamesTheProgramAndTheThread)
{
  LeaseOrigin origin;

  on_thread ([&] {
    pthread_setname_np (pthread_self (), "borrower");
    lease_origin_here (&origin);
  });
  g_autofree char *text = lease_origin_describe (&origin);
  EXPECT_NE (std::string (text).find ("unit-tests"), std::string::npos) << text;
  EXPECT_NE (std::string (text).find (" on thread borrower"), std::string::npos) << text;
  EXPECT_NE (std::string (text).find ("+0x"), std::string::npos) << text;
}

TEST_P (SlotTrackingTest, WhoWaitedElsewhereIsTheOrigin)
{
  LeaseOrigin origin = {};
  LeaseWish wish = {};

  track (0, true);
  show (1);
  strcpy (origin.thread, "waiter");
  wish.origin = &origin;
  CenoteLease lease = CENOTE_LEASE_INIT;
  ASSERT_EQ (lease_get (table, &wish, FALSE, &lease), LEASE_GOT);
  find_leaks (now_us);
  ASSERT_EQ (leaks.size (), 1u);
  EXPECT_STREQ (leaks[0].origin.thread, "waiter");
  lease_release (&lease, 0);
}

} // namespace

INSTANTIATE_TEST_SUITE_P (Barriers, SlotTrackingTest, testing::Bool (),
                          [] (const auto &info) { return info.param ? "Asymmetric" : "Own"; });
