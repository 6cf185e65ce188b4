/* SPDX-License-Identifier: Apache-2.0 */
/* Getting and releasing: what is refused, where entries go, what flags do (core/slots/lease.c, core/slots/rows.c). */
#include <malloc.h>
#include <pthread.h>

#include <set>

#include "log-capture.h"
#include "slot-fixture.h"

class LeasesTest : public SlotTest
{
protected:
  LeaseFaults before = lease_get_faults ();

  guint64 n_double () { return lease_get_faults ().double_releases - before.double_releases; }
  guint64 n_foreign () { return lease_get_faults ().foreign_leases - before.foreign_leases; }
};

/* ------------------------------------------------------------------- refusing */

TEST_P (LeasesTest, ALeaseIsEightPointersWide)
{
  EXPECT_EQ (sizeof (CenoteLease), 8 * sizeof (gpointer));
}

TEST_P (LeasesTest, ReleasingNoneDoesNothing)
{
  LogCapture log;
  CenoteLease lease = CENOTE_LEASE_INIT;

  lease_release (&lease, -1);
  lease_release (&lease, 0);
  EXPECT_TRUE (is_init (lease));
  EXPECT_EQ (log.records ().size (), 0u);
}

TEST_P (LeasesTest, TheSameLeaseTwiceIsNoneTheSecondTime)
{
  LogCapture log;

  show (1);
  CenoteLease lease = get ();
  lease_release (&lease, -1);
  lease_release (&lease, -1);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
  EXPECT_EQ (n_double (), 0u);
  EXPECT_EQ (log.records ().size (), 0u);
}

TEST_P (LeasesTest, ACopyIsRefused)
{
  LogCapture log;

  show (1);
  CenoteLease held = get (), lease = get ();
  CenoteLease copy = lease, another = lease;
  lease_release (&lease, -1);
  lease_release (&copy, -1);
  EXPECT_TRUE (is_init (copy));
  on_thread ([&] { lease_release (&another, 0); });
  EXPECT_EQ (n_double (), 2u);
  EXPECT_EQ (log.count ("a second time"), 2u);
  EXPECT_EQ (log.records ()[0].level, G_LOG_LEVEL_CRITICAL);
  EXPECT_EQ (slot_in_flight (slots[0]), 1);
  lease_release (&held, -1);
}

TEST_P (LeasesTest, ACopyIsRefusedWhileItsEntryIsUsedAgain)
{
  LogCapture log;

  show (1);
  CenoteLease lease = get ();
  CenoteLease copy = lease;
  lease_release (&lease, -1);
  CenoteLease next = get ();
  lease_release (&copy, -1);
  EXPECT_EQ (n_double (), 1u);
  EXPECT_EQ (slot_in_flight (slots[0]), 1);
  lease_release (&next, -1);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
}

TEST_P (LeasesTest, ACopyIsRefusedInTheTablesNextLife)
{
  LogCapture log;

  show (1);
  CenoteLease lease = get ();
  CenoteLease copy = lease;
  lease_release (&lease, -1);
  end_life ();
  begin_life ();
  show (1);
  CenoteLease next = get ();
  lease_release (&copy, -1);
  EXPECT_EQ (n_double (), 1u);
  EXPECT_EQ (slot_table_in_flight (table), 1);
  lease_release (&next, -1);
}

TEST_P (LeasesTest, TheOriginalIsRefusedAfterItsCopy)
{
  LogCapture log;

  show (1);
  CenoteLease lease = get ();
  CenoteLease copy = lease;
  lease_release (&copy, -1);
  lease_release (&lease, -1);
  EXPECT_EQ (n_double (), 1u);
}

TEST_P (LeasesTest, ForeignLeasesAreRefused)
{
  LogCapture log;
  CenoteLease garbage;

  show (1);
  std::memset (&garbage, 0x5a, sizeof garbage);
  lease_release (&garbage, -1);
  EXPECT_TRUE (is_init (garbage));
  std::memset (&garbage, 0x5a, sizeof garbage);
  lease_release (&garbage, 7);
  EXPECT_EQ (n_foreign (), 2u);
  EXPECT_EQ (log.count ("no pool made"), 2u);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
}

TEST_P (LeasesTest, HalfALeaseIsRefused)
{
  LogCapture log;

  show (1);
  CenoteLease lease = get ();
  for (int part = 0; part < 3; part++) {
    CenoteLease half = lease;

    half.priv[part] = nullptr;
    lease_release (&half, -1);
    EXPECT_EQ (slot_in_flight (slots[0]), 1);
  }
  EXPECT_EQ (n_foreign () + n_double (), 3u);
  lease_release (&lease, -1);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
}

TEST_P (LeasesTest, AMocksLeaseIsLeftAlone)
{
  LogCapture log;
  CenoteLease lease = CENOTE_LEASE_INIT;
  FakeChannel channel;

  lease.channel = channel.get ();
  lease_release (&lease, -1);
  EXPECT_TRUE (is_init (lease));
  EXPECT_EQ (n_foreign (), 0u);
  EXPECT_EQ (log.records ().size (), 0u);
}

TEST_P (LeasesTest, AFailedGetLeavesTheLeaseAlone)
{
  CenoteLease lease;

  publish ();
  std::memset (&lease, 0x5a, sizeof lease);
  CenoteLease was = lease;
  EXPECT_EQ (lease_get (table, &any, FALSE, &lease), LEASE_NONE);
  EXPECT_EQ (std::memcmp (&lease, &was, sizeof lease), 0);
}

/* -------------------------------------------------------------------- entries */

TEST_P (LeasesTest, AllocatesNothingAfterTheFirstGet)
{
  show (3);
  EXPECT_EQ (try_get (), LEASE_GOT);
  guint n = slot_probe_entries (table);
  gsize allocated, after;
  int tries = 0;

  /* Counted over the whole process, where a thread that another test left behind
   * may allocate now and then; an allocation by a get would be there each time. */
  do {
    allocated = mallinfo2 ().uordblks;
    for (int i = 0; i < 10000; i++)
      EXPECT_EQ (try_get (), LEASE_GOT);
    after = mallinfo2 ().uordblks;
  } while (after != allocated && ++tries < 5);
  EXPECT_EQ (after, allocated);
  EXPECT_EQ (slot_probe_entries (table), n);
}

TEST_P (LeasesTest, EntriesDoubleWithTheLeasesHeld)
{
  std::vector<CenoteLease> leases;
  std::set<guint> sizes;

  show (1);
  on_thread ([&] {
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 200; i++) {
        leases.push_back (get ());
        sizes.insert (slot_probe_entries (table));
      }
      for (CenoteLease &lease : leases)
        lease_release (&lease, -1);
      leases.clear ();
    }
  });
  guint previous = 0;
  for (guint size : sizes) {
    EXPECT_TRUE (previous == 0 || size == 2 * previous) << size;
    previous = size;
  }
  EXPECT_EQ (previous, std::max (256u, *sizes.begin ())) << "the row of an earlier test may have more";
}

/* Hands each of N leases to RELEASER, on its own thread, before the next is taken. */
static void
hand_over (guint n, std::function<CenoteLease ()> get, std::function<void (CenoteLease *)> releaser)
{
  std::atomic<CenoteLease *> handed{ nullptr };
  std::thread thread ([&] {
    for (guint i = 0; i < n; i++) {
      CenoteLease *lease;

      while ((lease = handed.load ()) == nullptr)
        std::this_thread::yield ();
      releaser (lease);
      handed = nullptr;
    }
  });

  for (guint i = 0; i < n; i++) {
    CenoteLease lease = get ();

    handed = &lease;
    while (handed != nullptr)
      std::this_thread::yield ();
  }
  thread.join ();
}

TEST_P (LeasesTest, EntriesGoHome)
{
  show (2);
  EXPECT_EQ (try_get (), LEASE_GOT);
  guint n = slot_probe_entries (table);
  std::set<guint> hoards;

  hand_over (
    5000, [&] { return get (); },
    [&] (CenoteLease *lease) {
      lease_release (lease, -1);
      hoards.insert (slot_probe_entries (table));
    });
  EXPECT_EQ (slot_probe_entries (table), n);
  EXPECT_EQ (hoards.size (), 1u);
  EXPECT_EQ (slot_table_in_flight (table), 0);
}

TEST_P (LeasesTest, EntriesGoHomeToAnEndedThreadsHeir)
{
  std::vector<CenoteLease> leases;

  show (1);
  on_thread ([&] {
    for (int i = 0; i < 8; i++)
      leases.push_back (get ());
  });
  for (CenoteLease &lease : leases)
    lease_release (&lease, -1);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
  for (int i = 0; i < 8; i++)
    leases[i] = get ();
  for (CenoteLease &lease : leases)
    lease_release (&lease, -1);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
}

TEST_P (LeasesTest, AThreadThatOnlyReleasesHasARow)
{
  show (1);
  CenoteLease lease = get ();
  gboolean quick = TRUE;

  on_thread ([&] {
    lease_release (&lease, -1);
    quick = slot_probe_is_quick (table);
  });
  EXPECT_EQ (quick, GetParam ());
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
}

TEST_P (LeasesTest, TheSecondGetIsQuick)
{
  show (1);
  on_thread ([&] {
    EXPECT_FALSE (slot_probe_is_quick (table));
    EXPECT_EQ (try_get (), LEASE_GOT);
    EXPECT_EQ (slot_probe_is_quick (table), GetParam ());
  });
}

/* ------------------------------------------------------------- ending threads */

TEST_P (LeasesTest, AnEndingThreadReleases)
{
  CenoteLease lease = CENOTE_LEASE_INIT;
  Epilogue epilogue ([&] { lease_release (&lease, 5); });

  show (1);
  on_thread ([&] {
    lease = get ();
    epilogue.arm ();
  });
  EXPECT_TRUE (is_init (lease));
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
  EXPECT_EQ (slot_failures (slots[0]), 1);
  publish_places ({});
  slot_close (slots[0]);
  EXPECT_TRUE (slot_try_free (slots[0]));
  slots[0] = nullptr;
}

TEST_P (LeasesTest, AnEndingThreadReleasesAnOrphan)
{
  CenoteLease lease = CENOTE_LEASE_INIT;
  Epilogue epilogue ([&] { lease_release (&lease, -1); });

  show (1);
  lease = get ();
  slot_orphan (slots[0]);
  slots[0] = nullptr;
  on_thread ([&] {
    EXPECT_EQ (try_get (), LEASE_NONE);
    epilogue.arm ();
  });
  EXPECT_EQ (channels[0]->destroyed, 1);
}

TEST_P (LeasesTest, AnEndingThreadGets)
{
  Epilogue epilogue ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });

  show (1);
  on_thread ([&] {
    EXPECT_EQ (try_get (), LEASE_GOT);
    epilogue.arm ();
  });
  EXPECT_EQ (slot_table_uses (table), 2u);
  EXPECT_EQ (slot_in_flight (slots[0]), 0);
}

/* ---------------------------------------------------------------------- flags */

TEST_P (LeasesTest, HeedsFlags)
{
  show (1);
  publish (VIEW_PAUSED);
  EXPECT_EQ (try_get (), LEASE_PAUSED);
  publish (VIEW_MOCKED | VIEW_PAUSED);
  EXPECT_EQ (try_get (), LEASE_MOCKED);
  publish (VIEW_STOPPED | VIEW_MOCKED | VIEW_PAUSED | VIEW_PARKED);
  EXPECT_EQ (try_get (), LEASE_STOPPED);
  EXPECT_EQ (n_wakes, 0);
  EXPECT_EQ (slot_table_misses (table), 0u);
  EXPECT_EQ (slot_table_in_flight (table), 0);
  publish ();
  EXPECT_EQ (try_get (), LEASE_GOT);
}

TEST_P (LeasesTest, APausedParkedPoolWakes)
{
  show (1);
  publish (VIEW_PARKED | VIEW_PAUSED);
  EXPECT_EQ (try_get (), LEASE_PAUSED);
  EXPECT_EQ (n_wakes, 1);
}

TEST_P (LeasesTest, SamplesOneGetInSoMany)
{
  guint64 n_gets = 0;

  show (1);
  for (guint32 rate : { 3u, 4u, 5u, 64u }) {
    guint32 n_samples = 0;

    publish (VIEW_SAMPLED, rate);
    for (guint32 i = 0; i < 10 * rate; i++, n_gets++) {
      CenoteLease lease = CENOTE_LEASE_INIT;
      LeaseResult result = lease_get (table, &any, FALSE, &lease);

      if (result == LEASE_SAMPLE) {
        n_samples++;
        result = lease_get (table, &any, TRUE, &lease);
      }
      EXPECT_EQ (result, LEASE_GOT);
      lease_release (&lease, -1);
    }
    EXPECT_EQ (n_samples, 10u) << rate;
    EXPECT_EQ (slot_table_uses (table), n_gets);
  }
  EXPECT_EQ (slot_table_misses (table), 0u);
}

TEST_P (LeasesTest, SamplesNoneUnlessAsked)
{
  show (1);
  publish (0, 1);
  for (int i = 0; i < 100; i++)
    EXPECT_EQ (try_get (), LEASE_GOT);
}

TEST_P (LeasesTest, SamplesEachGetAtARateOfOne)
{
  show (1);
  publish (VIEW_SAMPLED, 1);
  for (int i = 0; i < 3; i++)
    EXPECT_EQ (try_get (), LEASE_SAMPLE);
  EXPECT_EQ (slot_table_uses (table), 0u);
}

INSTANTIATE_TEST_SUITE_P (Barriers, LeasesTest, testing::Bool (),
                          [] (const auto &info) { return info.param ? "asymmetric" : "symmetric"; });
