/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the heavy barrier is one (core/base/world-barrier.c). */
#include "core/base/world-barrier.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

TEST (WorldBarrierTest, AnswersTheSameEachTime)
{
  gboolean answer = barrier_available ();

  for (int i = 0; i < 3; i++)
    EXPECT_EQ (barrier_available (), answer);
}

TEST (WorldBarrierTest, MayBeAskedByManyAtOnce)
{
  std::thread first ([] { barrier_available (); }), second ([] { barrier_available (); });

  first.join ();
  second.join ();
}

/* Two threads each store their word and load the other's, one of them with plain
 * steps and the other with the barrier between: at least one sees the other's. */
TEST (WorldBarrierTest, OrdersAThreadThatTakesPlainSteps)
{
  const int n_rounds = 3000;
  std::atomic<int> light{ 0 }, heavy{ 0 }, round{ 0 }, n_done{ 0 };
  int light_saw = 0, heavy_saw = 0;

  if (!barrier_available ())
    GTEST_SKIP () << "this kernel has no membarrier";
  std::thread thread ([&] {
    for (int r = 1; r <= n_rounds; r++) {
      while (round.load (std::memory_order_acquire) < r)
        std::this_thread::yield ();
      light.store (r, std::memory_order_relaxed);
      std::atomic_signal_fence (std::memory_order_seq_cst);
      light_saw = heavy.load (std::memory_order_relaxed);
      n_done.store (r, std::memory_order_release);
    }
  });
  for (int r = 1; r <= n_rounds; r++) {
    round.store (r, std::memory_order_release);
    heavy.store (r, std::memory_order_relaxed);
    barrier_heavy (nullptr);
    heavy_saw = light.load (std::memory_order_relaxed);
    while (n_done.load (std::memory_order_acquire) < r)
      std::this_thread::yield ();
    ASSERT_TRUE (light_saw == r || heavy_saw == r) << "round " << r;
  }
  thread.join ();
}
