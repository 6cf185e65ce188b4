/* SPDX-License-Identifier: Apache-2.0 */
/* counters: exact from many threads, and a name for each. */
#include "core/telemetry/counters.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

struct CountersFree {
  void operator() (Counters *counters) const { counters_free (counters); }
};

class CountersTest : public ::testing::Test {
protected:
  std::unique_ptr<Counters, CountersFree> counters{ counters_new () };
};

TEST_F (CountersTest, BeginAtZeroAndAreApart)
{
  for (guint id = 0; id < N_OWN_COUNTERS; id++)
    EXPECT_EQ (counters_sum (counters.get (), (CounterId) id), 0u);
  counters_add (counters.get (), COUNTER_REFRESHES_RECONNECT, 3);
  counters_add (counters.get (), COUNTER_REFRESHES_RECONNECT, 4);
  for (guint id = 0; id < N_OWN_COUNTERS; id++)
    EXPECT_EQ (counters_sum (counters.get (), (CounterId) id), id == COUNTER_REFRESHES_RECONNECT ? 7u : 0u);
}

/* More threads than shards, so that some share one. */
TEST_F (CountersTest, AreExactFromManyThreads)
{
  const guint64 n_threads = 40, n = 5000;
  std::vector<std::thread> threads;

  for (guint64 t = 0; t < n_threads; t++)
    threads.emplace_back ([this] {
      for (guint64 i = 0; i < n; i++) {
        counters_add (counters.get (), COUNTER_EJECTIONS, 1);
        counters_add (counters.get (), COUNTER_REFRESHES_RECONNECT, 2);
      }
    });
  guint64 last = 0;
  for (int i = 0; i < 100; i++) {
    guint64 sum = counters_sum (counters.get (), COUNTER_EJECTIONS);
    EXPECT_GE (sum, last) << "never goes down";
    last = sum;
  }
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (counters_sum (counters.get (), COUNTER_EJECTIONS), n_threads * n);
  EXPECT_EQ (counters_sum (counters.get (), COUNTER_REFRESHES_RECONNECT), n_threads * n * 2);
}

TEST_F (CountersTest, EachHasANameOfItsOwn)
{
  std::set<std::string> names;

  for (guint id = 0; id < N_COUNTERS; id++) {
    const CounterInfo *info = counter_get_info ((CounterId) id);
    std::string name;

    ASSERT_NE (info->metric.name, nullptr) << id;
    EXPECT_TRUE (g_str_has_prefix (info->metric.name, "cenote."));
    EXPECT_TRUE (id >= N_OWN_COUNTERS || info->scope == COUNTER_OF_POOL) << info->metric.name;
    EXPECT_TRUE (id >= N_OWN_COUNTERS || info->breakdown == nullptr) << info->metric.name;
    EXPECT_TRUE (g_str_has_suffix (info->metric.summary, "."));
    name = info->metric.name;
    for (const CenoteLabel &label : info->metric.labels) {
      EXPECT_EQ (label.name == nullptr, label.value == nullptr);
      name += label.value != nullptr ? std::string (" ") + label.value : "";
    }
    EXPECT_TRUE (names.insert (name).second) << name;
  }
}

/* Readers take them in the order of their ids. */
TEST_F (CountersTest, ThoseOfOneMetricStandTogether)
{
  std::set<std::string> seen;
  std::string last;

  for (guint id = 0; id < N_COUNTERS; id++) {
    const CounterInfo *info = counter_get_info ((CounterId) id);

    if (last != info->metric.name) {
      EXPECT_TRUE (seen.insert (info->metric.name).second) << info->metric.name;
    }
    last = info->metric.name;
  }
}

TEST_F (CountersTest, ACallCountsByItsStatus)
{
  EXPECT_STREQ (counter_get_info (counter_of_call (0))->metric.labels[0].value, "OK");
  EXPECT_STREQ (counter_get_info (counter_of_call (14))->metric.labels[0].value, "UNAVAILABLE");
  EXPECT_STREQ (counter_get_info (counter_of_call (16))->metric.labels[0].value, "UNAUTHENTICATED");
  EXPECT_STREQ (counter_get_info (counter_of_call (17))->metric.labels[0].value, "UNKNOWN") << "gRPC has no such status";
  EXPECT_STREQ (counter_get_info (counter_of_call (-1))->metric.labels[0].value, "NO_CHANNEL");
}

TEST_F (CountersTest, AThreadKeepsItsShard)
{
  guint own = counters_shard (16);

  EXPECT_LT (own, 16u);
  EXPECT_EQ (counters_shard (16), own);
  EXPECT_EQ (counters_shard (4), own % 4);
  EXPECT_EQ (counters_shard (1), 0u);
}

}  // namespace
