/* SPDX-License-Identifier: Apache-2.0 */
/* A slot's life, what is counted of it, and the lives of tables (core/slots/slots.c, core/slots/slot-table.c). */
#include "core/runtime/process.h"
#include "log-capture.h"
#include "slot-fixture.h"
#include "tests/scale.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>

using SlotsTest = SlotTest;

/* ------------------------------------------------------------ showing, hiding */

TEST_P (SlotsTest, GivesNoLeaseBeforeItIsShown)
{
  open ();
  publish ();
  EXPECT_EQ (try_get (), LEASE_NONE);
  EXPECT_FALSE (slot_table_has_ready (table));
  EXPECT_FALSE (slot_is_shown (slots[0]));
}

TEST_P (SlotsTest, GivesLeasesOnItsChannelWhileShown)
{
  show (1);
  CenoteLease lease = get ();

  EXPECT_EQ (lease.channel, channels[0]->get ());
  EXPECT_EQ (slot_channel (slots[0]), channels[0]->get ());
  EXPECT_TRUE (slot_table_has_ready (table));
  lease_release (&lease, -1);
  EXPECT_TRUE (is_init (lease));
}

TEST_P (SlotsTest, GivesNoLeaseWithoutAView)
{
  slot_show (open ());
  EXPECT_EQ (try_get (), LEASE_NONE);
  publish ();
  EXPECT_EQ (try_get (), LEASE_GOT);
}

TEST_P (SlotsTest, HidingLeavesLeasesGood)
{
  show (1);
  CenoteLease lease = get ();

  EXPECT_TRUE (slot_hide (slots[0]));
  EXPECT_EQ (try_get (), LEASE_NONE);
  EXPECT_EQ (slot_in_flight (slots[0]), 1);
  lease_release (&lease, -1);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
  EXPECT_EQ (channels[0]->destroyed, 0);
}

TEST_P (SlotsTest, HidingTellsWhetherItWasShown)
{
  Slot *slot = open ();

  EXPECT_FALSE (slot_hide (slot));
  slot_show (slot);
  EXPECT_TRUE (slot_hide (slot));
  EXPECT_FALSE (slot_hide (slot));
}

TEST_P (SlotsTest, HidingDoesNotUndoClosing)
{
  show (1);
  slot_close (slots[0]);
  EXPECT_FALSE (slot_hide (slots[0]));
  EXPECT_TRUE (slot_try_free (slots[0]));
  slots[0] = nullptr;
}

TEST_P (SlotsTest, IsShownAgain)
{
  show (1);
  slot_hide (slots[0]);
  slot_show (slots[0]);
  EXPECT_EQ (try_get (), LEASE_GOT);
}

TEST_P (SlotsTest, AnyShownSlotIsFound)
{
  show (7);
  for (guint shown = 0; shown < 7; shown++) {
    for (guint i = 0; i < 7; i++)
      i == shown ? slot_show (slots[i]) : (void) slot_hide (slots[i]);
    for (guint k = 0; k < 20; k++) {
      CenoteLease lease = get ();

      EXPECT_EQ (lease.channel, channels[shown]->get ());
      lease_release (&lease, -1);
    }
  }
}

/* ------------------------------------------------------------------- closing */

TEST_P (SlotsTest, ClosesOnlyWithItsLastLease)
{
  show (1);
  CenoteLease first = get (), second = get ();

  publish_places ({});
  slot_close (slots[0]);
  EXPECT_FALSE (slot_try_free (slots[0]));
  lease_release (&first, -1);
  EXPECT_FALSE (slot_try_free (slots[0]));
  EXPECT_EQ (channels[0]->destroyed, 0);
  lease_release (&second, -1);
  EXPECT_TRUE (slot_try_free (slots[0]));
  EXPECT_EQ (channels[0]->destroyed, 1);
  slots[0] = nullptr;
}

TEST_P (SlotsTest, GivesNoLeaseOnceClosedEvenFromAnOldView)
{
  show (1);
  slot_close (slots[0]);
  EXPECT_EQ (try_get (), LEASE_NONE);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
}

TEST_P (SlotsTest, IsNotFreedUnlessClosed)
{
  show (1);
  slot_hide (slots[0]);
  LogCapture log;
  EXPECT_FALSE (slot_try_free (slots[0]));
  EXPECT_EQ (log.records ().size (), 1u);
  EXPECT_EQ (channels[0]->destroyed, 0);
}

TEST_P (SlotsTest, ReopensWithItsLeases)
{
  show (1);
  CenoteLease lease = get ();

  slot_close (slots[0]);
  slot_reopen (slots[0]);
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (slot_in_flight (slots[0]), 1);
  lease_release (&lease, -1);
}

TEST_P (SlotsTest, AFreedSlotBeginsAnew)
{
  show (1);
  Slot *old = slots[0];
  CenoteLease lease = get ();

  lease_release (&lease, 14);
  publish_places ({});
  slot_close (old);
  ASSERT_TRUE (slot_try_free (old));
  slots[0] = nullptr;
  show (1);
  EXPECT_EQ (slots[1], old);
  EXPECT_EQ (slot_calls (old), 0);
  EXPECT_EQ (slot_failures (old), 0);
  EXPECT_FALSE (slot_is_proved (old));
  lease = get ();
  EXPECT_EQ (lease.channel, channels[1]->get ());
  EXPECT_EQ (slot_calls (old), 1);
  lease_release (&lease, -1);
}

/* ------------------------------------------------------------------- orphans */

TEST_P (SlotsTest, AnOrphanGoesWithItsLastLease)
{
  show (1);
  CenoteLease first = get (), second = get ();

  publish_places ({}, VIEW_STOPPED);
  slot_close (slots[0]);
  slot_orphan (slots[0]);
  slots[0] = nullptr;
  lease_release (&first, -1);
  EXPECT_EQ (channels[0]->destroyed, 0);
  lease_release (&second, -1);
  EXPECT_EQ (channels[0]->destroyed, 1);
}

TEST_P (SlotsTest, AnOrphanWithoutLeasesGoesAtOnce)
{
  show (1);
  publish_places ({}, VIEW_STOPPED);
  slot_close (slots[0]);
  slot_orphan (slots[0]);
  slots[0] = nullptr;
  EXPECT_EQ (channels[0]->destroyed, 1);
}

TEST_P (SlotsTest, AnOrphanGoesOnAnyThread)
{
  show (1);
  CenoteLease lease = get ();

  slot_close (slots[0]);
  slot_orphan (slots[0]);
  on_thread ([&] { lease_release (&lease, 0); });
  EXPECT_EQ (channels[0]->destroyed, 1);
  slots[0] = nullptr;
}

TEST_P (SlotsTest, AGetFromAnOldViewLeavesAnOrphanAlone)
{
  show (1);
  CenoteLease lease = get ();

  slot_close (slots[0]);
  slot_orphan (slots[0]);
  EXPECT_EQ (try_get (), LEASE_NONE);
  EXPECT_EQ (channels[0]->destroyed, 0);
  lease_release (&lease, -1);
  EXPECT_EQ (channels[0]->destroyed, 1);
  EXPECT_EQ (try_get (), LEASE_NONE);
  EXPECT_EQ (channels[0]->destroyed, 1);
  slots[0] = nullptr;
}

/* Spins, so as to go on at the very instant, but not for ever. */
static void
await_round (const std::atomic<int> &round, int wanted)
{
  for (int i = 0; round.load (std::memory_order_acquire) < wanted; i++) {
    if (i > 20000)
      std::this_thread::yield ();
  }
}

static void
spin (int n)
{
  while (n-- > 0)
    std::atomic_signal_fence (std::memory_order_seq_cst);
}

/* Each round two threads release the last two leases of an orphan at nearly the
 * same instant: one of them, and only one, must find that it was the last. */
TEST_P (SlotsTest, OneOfTheLastReleasesDestroys)
{
  const int n_rounds = static_cast<int> (scaled_down (20000, 4000));
  CenoteLease mine, others;
  std::atomic<int> round{ 0 }, n_released{ 0 };
  std::thread thread ([&] {
    for (int r = 1; r <= n_rounds; r++) {
      await_round (round, r);
      lease_release (&others, -1);
      n_released++;
    }
  });
  int n_left = 0;

  for (int r = 1; r <= n_rounds; r++) {
    FakeChannel channel;
    Slot *slot = slot_open (table, channel.get (), FakeChannel::destroy, nullptr);

    slot_show (slot);
    publish_places ({ slot });
    mine = get ();
    others = get ();
    publish_places ({});
    slot_orphan (slot);
    round = r;
    spin (r % 4000);
    lease_release (&mine, -1);
    await_round (n_released, r);
    n_left += channel.destroyed != 1;
  }
  thread.join ();
  EXPECT_EQ (n_left, 0);
}

/* ------------------------------------------------------------------- counting */

TEST_P (SlotsTest, CountsLeases)
{
  show (3);
  std::vector<CenoteLease> leases;

  for (int i = 0; i < 9; i++)
    leases.push_back (get ());
  EXPECT_EQ (slot_table_in_flight (table), 9);
  for (Slot *slot : slots)
    EXPECT_EQ (slot_in_flight (slot), 3);
  on_thread ([&] {
    for (CenoteLease &lease : leases)
      lease_release (&lease, -1);
  });
  EXPECT_EQ (slot_table_in_flight (table), 0);
  for (Slot *slot : slots) {
    EXPECT_EQ (slot_in_flight (slot), 0);
    EXPECT_EQ (slot_calls (slot), 3);
  }
}

TEST_P (SlotsTest, CountsUsesAndMisses)
{
  show (1);
  EXPECT_EQ (try_get (), LEASE_GOT);
  slot_hide (slots[0]);
  EXPECT_EQ (try_get (), LEASE_NONE);
  on_thread ([&] { EXPECT_EQ (try_get (), LEASE_NONE); });
  EXPECT_EQ (slot_table_uses (table), 3u);
  EXPECT_EQ (slot_table_misses (table), 2u);
}

TEST_P (SlotsTest, CountsOutcomes)
{
  show (1);
  CenoteLease ok = get (), failed = get (), odd = get (), untold = get ();

  lease_release (&untold, -1);
  lease_release (&failed, 14);
  lease_release (&odd, 1000);
  EXPECT_EQ (slot_failures (slots[0]), 2);
  EXPECT_FALSE (slot_is_proved (slots[0]));
  lease_release (&ok, 0);
  EXPECT_EQ (slot_failures (slots[0]), 2);
  EXPECT_TRUE (slot_is_proved (slots[0]));
}

TEST_P (SlotsTest, ACallOfAnOlderConnectionProvesNothing)
{
  show (1);
  CenoteLease proof = get (), old = get (), older = get ();

  lease_release (&proof, 0);
  EXPECT_TRUE (slot_is_proved (slots[0]));
  slot_hide (slots[0]);
  slot_begin_connection (slots[0]);
  slot_show (slots[0]);
  lease_release (&old, 0);
  lease_release (&older, 0);
  EXPECT_FALSE (slot_is_proved (slots[0]));
  proof = get ();
  lease_release (&proof, 0);
  EXPECT_TRUE (slot_is_proved (slots[0]));
}

/* Leases are handed from thread to thread while others read the counts. */
TEST_P (SlotsTest, InFlightIsNeverNegative)
{
  const guint n_leases = 20000;
  std::atomic<bool> over{ false };
  std::atomic<CenoteLease *> handed{ nullptr };

  show (3);
  std::thread releaser ([&] {
    for (guint i = 0; i < n_leases; i++) {
      CenoteLease *lease;

      while ((lease = handed.exchange (nullptr)) == nullptr)
        std::this_thread::yield ();
      lease_release (lease, -1);
      delete lease;
    }
  });
  std::thread reader ([&] {
    while (!over) {
      EXPECT_GE (slot_table_in_flight (table), 0);
      EXPECT_GE (slot_in_flight (slots[0]), 0);
    }
  });
  for (guint i = 0; i < n_leases; i++) {
    auto *lease = new CenoteLease (get ());

    while (handed != nullptr)
      std::this_thread::yield ();
    handed = lease;
  }
  releaser.join ();
  over = true;
  reader.join ();
  EXPECT_EQ (slot_table_in_flight (table), 0);
}

/* ------------------------------------------------------------------ many slots */

TEST_P (SlotsTest, GrowsPastItsBlocks)
{
  for (guint n : { 1u, 15u, 1u, 15u, 1u, 31u, 1u, 135u }) {
    std::set<grpc_channel *> seen;
    std::vector<CenoteLease> leases;

    show (n);
    for (guint i = 0; i < slots.size (); i++) {
      leases.push_back (get ());
      seen.insert (leases.back ().channel);
    }
    EXPECT_EQ (seen.size (), slots.size ());
    for (Slot *slot : slots)
      EXPECT_EQ (slot_in_flight (slot), 1);
    EXPECT_EQ (slot_table_in_flight (table), static_cast<gint64> (slots.size ()));
    on_thread ([&] {
      for (CenoteLease &lease : leases)
        lease_release (&lease, -1);
    });
  }
  EXPECT_EQ (std::set<Slot *> (slots.begin (), slots.end ()).size (), 200u);
  EXPECT_EQ (slot_table_in_flight (table), 0);
}

TEST_P (SlotsTest, GrowsUnderGets)
{
  std::atomic<bool> over{ false };

  show (1);
  std::thread getter ([&] {
    while (!over)
      EXPECT_EQ (try_get (), LEASE_GOT);
  });
  std::thread reader ([&] {
    while (!over) {
      EXPECT_GE (slot_table_in_flight (table), 0);
      EXPECT_TRUE (slot_table_has_ready (table));
    }
  });
  for (int i = 0; i < 70; i++)
    show (1);
  over = true;
  getter.join ();
  reader.join ();
}

TEST_P (SlotsTest, NumbersOfPlacesAreThePools)
{
  std::vector<guint32> numbers;

  show (3);
  picker.choose = [&] (const CenotePickView *view) {
    numbers.clear ();
    for (guint32 i = 0; i < view->n_places; i++)
      numbers.push_back (cenote_pick_place (view, i)->number);
    return 0u;
  };
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (numbers, (std::vector<guint32>{ 100, 101, 102 }));
}

/* ---------------------------------------------------------------- tables' lives */

TEST_P (SlotsTest, ATableOutlivesItsPoolWithItsOrphans)
{
  show (2);
  CenoteLease lease = get ();
  guint held = lease.channel == channels[0]->get () ? 0 : 1;

  end_life ();
  EXPECT_EQ (channels[held]->destroyed, 0);
  EXPECT_EQ (channels[1 - held]->destroyed, 1);
  on_thread ([&] { lease_release (&lease, -1); });
  EXPECT_EQ (channels[held]->destroyed, 1);
}

TEST_P (SlotsTest, CountsBeginAnewWithEachLife)
{
  for (int life = 0; life < 3; life++) {
    show (1);
    EXPECT_EQ (slot_table_uses (table), 0u);
    EXPECT_EQ (slot_table_misses (table), 0u);
    EXPECT_EQ (try_get (), LEASE_GOT);
    slot_hide (slots[0]);
    EXPECT_EQ (try_get (), LEASE_NONE);
    end_life ();
    begin_life ();
  }
}

/* Threads that stay keep what they knew of a table's former lives; threads that
 * come and go leave rows to adopt. */
TEST_P (SlotsTest, IsUsedAgainOverAThousandLives)
{
  guint n_rows = slot_probe_rows (table);
  std::atomic<int> life{ 0 }, n_done{ 0 };
  std::set<SlotTable *> seen;
  auto stay = [&] {
    for (int mine = 1; mine <= 1000; mine++) {
      while (life < mine)
        std::this_thread::yield ();
      EXPECT_EQ (try_get (), LEASE_GOT);
      n_done++;
    }
  };
  std::thread first (stay), second (stay);

  for (int mine = 1; mine <= 1000; mine++) {
    seen.insert (table);
    show (2);
    EXPECT_EQ (slot_table_in_flight (table), 0);
    life = mine;
    if (mine % 50 == 0)
      on_thread ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
    EXPECT_EQ (try_get (), LEASE_GOT);
    while (n_done < 2 * mine)
      std::this_thread::yield ();
    end_life ();
    for (auto &channel : channels)
      ASSERT_EQ (channel->destroyed, 1);
    channels.clear ();
    begin_life ();
  }
  first.join ();
  second.join ();
  EXPECT_EQ (seen.size (), 1u);
  EXPECT_LE (slot_probe_rows (table), n_rows + 4);
}

TEST_P (SlotsTest, RowsOfEndedThreadsAreAdopted)
{
  guint n_rows = slot_probe_rows (table);

  show (1);
  for (int i = 0; i < 100; i++)
    on_thread ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  EXPECT_EQ (slot_table_uses (table), 100u);
  EXPECT_EQ (slot_table_in_flight (table), 0);
  EXPECT_LE (slot_probe_rows (table), n_rows + 1);
}

TEST_P (SlotsTest, ManyTablesAtOnce)
{
  std::vector<SlotTable *> others;
  SlotWorld w = world ();

  show (1);
  for (int i = 0; i < 40; i++)
    others.push_back (slot_table_new (&w, wake, this));
  for (int round = 0; round < 3; round++) {
    for (SlotTable *other : others) {
      CenoteLease lease = CENOTE_LEASE_INIT;

      EXPECT_EQ (lease_get (other, &any, FALSE, &lease), LEASE_NONE);
      EXPECT_EQ (try_get (), LEASE_GOT);
    }
  }
  for (SlotTable *other : others) {
    EXPECT_EQ (slot_table_misses (other), 3u);
    slot_table_unref (other);
  }
}

/* ------------------------------------------------------------------------ fork */

TEST_P (SlotsTest, AForkedChildIsStopped)
{
  show (2);
  CenoteLease lease = get ();
  CenoteLease copy = lease;
  guint64 n_double = lease_get_faults ().double_releases;
  pid_t child;
  int how = 0;

  process_watch_fork ();
  child = fork ();
  if (child == 0) {
    bool good = try_get () == LEASE_STOPPED;
    lease_release (&lease, 0);
    lease_release (&copy, -1);
    good = good && is_init (lease) && is_init (copy) && slot_table_in_flight (table) == 1 && channels[0]->destroyed == 0
           && lease_get_faults ().double_releases == n_double;
    std::thread ([&] { good = good && try_get () == LEASE_STOPPED; }).join ();
    _exit (good ? 0 : 1);
  }
  ASSERT_GT (child, 0);
  ASSERT_EQ (waitpid (child, &how, 0), child);
  EXPECT_TRUE (WIFEXITED (how) && WEXITSTATUS (how) == 0) << how;
  EXPECT_EQ (slot_table_in_flight (table), 1);
  lease_release (&lease, -1);
  EXPECT_EQ (try_get (), LEASE_GOT);
}

INSTANTIATE_TEST_SUITE_P (Barriers, SlotsTest, testing::Bool (),
                          [] (const auto &info) { return info.param ? "asymmetric" : "symmetric"; });
