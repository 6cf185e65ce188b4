/* SPDX-License-Identifier: Apache-2.0 */
/* bell: no ring is lost, however it falls. */
#include "core/telemetry/bell.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace {

struct Work {
  Bell bell = { 0 };
  std::atomic<unsigned> made{ 0 };
  unsigned taken = 0;
};

gboolean
has_work (gpointer data)
{
  Work *work = static_cast<Work *> (data);

  return work->made.load (std::memory_order_relaxed) != work->taken;
}

TEST (Bell, DoesNotSleepWhereThereIsWork)
{
  Work work;

  work.made = 1;
  bell_wait (&work.bell, has_work, &work, G_MAXINT64);
  EXPECT_FALSE (bell_is_asleep (&work.bell));
}

TEST (Bell, ARingBeforeTheSleepCostsNothingAndWakesNobodyLater)
{
  Work work;

  bell_ring (&work.bell);
  EXPECT_FALSE (bell_is_asleep (&work.bell));
  work.made = 1;
  bell_wait (&work.bell, has_work, &work, G_MAXINT64);
}

/* The work is made visible by the ring alone: everything else is relaxed. */
TEST (Bell, WakesTheSleeperForEachPieceOfWork)
{
  const unsigned n = 50000;
  Work work;
  std::thread sleeper ([&] {
    while (work.taken < n) {
      bell_wait (&work.bell, has_work, &work, G_MAXINT64);
      work.taken = work.made.load (std::memory_order_relaxed);
    }
  });

  for (unsigned i = 1; i <= n; i++) {
    work.made.store (i, std::memory_order_relaxed);
    bell_ring (&work.bell);
  }
  sleeper.join ();
  EXPECT_EQ (work.taken, n);
}

TEST (Bell, SleepsNoLongerThanItIsTold)
{
  Work work;
  gint64 begun_us = g_get_monotonic_time ();

  bell_wait (&work.bell, has_work, &work, 2000);
  EXPECT_GE (g_get_monotonic_time () - begun_us, 2000);
  EXPECT_FALSE (bell_is_asleep (&work.bell));
  bell_wait (&work.bell, has_work, &work, 0);
}

TEST (Bell, ManyMayRing)
{
  const unsigned n = 20000;
  Work work;
  auto ring = [&] {
    for (unsigned i = 0; i < n; i++) {
      work.made.fetch_add (1, std::memory_order_relaxed);
      bell_ring (&work.bell);
    }
  };
  std::thread first (ring), second (ring);

  while (work.taken < 2 * n) {
    bell_wait (&work.bell, has_work, &work, G_MAXINT64);
    work.taken = work.made.load (std::memory_order_relaxed);
  }
  first.join ();
  second.join ();
  EXPECT_EQ (work.taken, 2 * n);
}

}  // namespace
