/* SPDX-License-Identifier: Apache-2.0 */
/* drops: sums by kind and pool, and counting from many threads while pools are added. */
#include "core/telemetry/drops.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

const guint64 INIT = CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT);
const guint64 RELOAD = CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_RELOAD);

struct DropsFree {
  void operator() (Drops *drops) const { drops_free (drops); }
};

class DropsTest : public ::testing::Test {
protected:
  void
  count (const char *pool, CenoteEventKind kind, int times)
  {
    for (int i = 0; i < times; i++)
      drops_count (drops.get (), pool, kind);
  }

  std::unique_ptr<Drops, DropsFree> drops{ drops_new () };
};

TEST_F (DropsTest, BeginWithNothing)
{
  EXPECT_EQ (drops_total (drops.get ()), 0u);
  EXPECT_EQ (drops_sum (drops.get (), CENOTE_EVENT_MASK_ALL, nullptr), 0u);
}

TEST_F (DropsTest, SumsByKind)
{
  count ("users", CENOTE_EVENT_POOL_INIT, 3);
  count (nullptr, CENOTE_EVENT_POOL_RELOAD, 4);
  EXPECT_EQ (drops_sum (drops.get (), INIT, nullptr), 3u);
  EXPECT_EQ (drops_sum (drops.get (), RELOAD, nullptr), 4u);
  EXPECT_EQ (drops_sum (drops.get (), INIT | RELOAD, nullptr), 7u);
  EXPECT_EQ (drops_total (drops.get ()), 7u);
}

TEST_F (DropsTest, SumsByPool)
{
  const char *const users[] = { "users", nullptr };
  const char *const both[] = { "users", "orders", nullptr };

  for (const char *pool : { "users", "orders", "users" })
    drops_add_pool (drops.get (), pool);
  count ("users", CENOTE_EVENT_POOL_INIT, 1);
  count ("orders", CENOTE_EVENT_POOL_INIT, 10);
  count ("billing", CENOTE_EVENT_POOL_INIT, 100);
  count (nullptr, CENOTE_EVENT_POOL_INIT, 1000);
  EXPECT_EQ (drops_sum (drops.get (), INIT, users), 1001u);
  EXPECT_EQ (drops_sum (drops.get (), INIT, both), 1011u);
  EXPECT_EQ (drops_sum (drops.get (), INIT, nullptr), 1111u);
  EXPECT_EQ (drops_sum (drops.get (), RELOAD, nullptr), 0u);
}

TEST_F (DropsTest, StayExactWhilePoolsAreAdded)
{
  const int n_threads = 3, n = 20000;
  std::vector<std::thread> threads;

  for (int t = 0; t < n_threads; t++)
    threads.emplace_back ([this] { count ("users", CENOTE_EVENT_POOL_INIT, n); });
  for (int i = 0; i < 50; i++)
    drops_add_pool (drops.get (), i == 25 ? "users" : std::to_string (i).c_str ());
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (drops_sum (drops.get (), INIT, nullptr), (guint64) n_threads * n);
  EXPECT_EQ (drops_total (drops.get ()), (guint64) n_threads * n);
}

}  // namespace
