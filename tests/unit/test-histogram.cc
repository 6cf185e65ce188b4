/* SPDX-License-Identifier: Apache-2.0 */
/* histogram: exact counts and sums, values within 1 %, merging, many threads. */
#include "core/telemetry/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace {

struct HistogramFree {
  void operator() (Histogram *histogram) const { histogram_free (histogram); }
};
struct ReadingFree {
  void operator() (HistogramReading *reading) const { histogram_reading_free (reading); }
};
typedef std::unique_ptr<HistogramReading, ReadingFree> ReadingPtr;

class HistogramTest : public ::testing::Test {
protected:
  ReadingPtr read () const { return ReadingPtr (histogram_read (histogram.get ())); }

  gint64
  only_value (gint64 ns)
  {
    std::unique_ptr<Histogram, HistogramFree> one (histogram_new ());
    histogram_record (one.get (), ns);
    return histogram_reading_quantile (ReadingPtr (histogram_read (one.get ())).get (), 0.5);
  }

  std::unique_ptr<Histogram, HistogramFree> histogram{ histogram_new () };
};

TEST_F (HistogramTest, IsEmptyAtFirst)
{
  ReadingPtr reading = read ();

  EXPECT_EQ (histogram_reading_count (reading.get ()), 0u);
  EXPECT_EQ (histogram_reading_sum (reading.get ()), 0u);
  EXPECT_EQ (histogram_reading_quantile (reading.get (), 0.5), -1);
  EXPECT_EQ (histogram_reading_count_up_to (reading.get (), G_MAXINT64), 0u);
}

TEST_F (HistogramTest, SmallValuesAreExact)
{
  for (gint64 ns = 0; ns < 256; ns++)
    EXPECT_EQ (only_value (ns), ns);
}

TEST_F (HistogramTest, EveryValueIsWithinOnePercent)
{
  for (double exact = 100; exact < (double) HISTOGRAM_LIMIT_NS; exact *= 1.003) {
    gint64 ns = (gint64) exact;
    ASSERT_LE (std::abs ((double) (only_value (ns) - ns)), 0.01 * (double) ns) << ns;
  }
  for (int bits = 7; bits < 54; bits++)
    for (gint64 ns : { (G_GINT64_CONSTANT (1) << bits) - 1, G_GINT64_CONSTANT (1) << bits })
      ASSERT_LE (std::abs ((double) (only_value (ns) - ns)), 0.01 * (double) ns) << ns;
}

TEST_F (HistogramTest, OutOfRangeValuesAreCountedAtTheEnds)
{
  histogram_record (histogram.get (), -5);
  histogram_record (histogram.get (), HISTOGRAM_LIMIT_NS);
  histogram_record (histogram.get (), G_MAXINT64 / 2);
  ReadingPtr reading = read ();
  EXPECT_EQ (histogram_reading_count (reading.get ()), 3u);
  EXPECT_EQ (histogram_reading_sum (reading.get ()), (guint64) HISTOGRAM_LIMIT_NS + G_MAXINT64 / 2);
  EXPECT_EQ (histogram_reading_quantile (reading.get (), 0), 0);
  EXPECT_NEAR ((double) histogram_reading_quantile (reading.get (), 1), (double) HISTOGRAM_LIMIT_NS,
               0.01 * (double) HISTOGRAM_LIMIT_NS);
}

TEST_F (HistogramTest, QuantilesAreThoseOfTheValues)
{
  std::mt19937_64 random (20);
  std::lognormal_distribution<double> durations (13, 2);
  std::vector<gint64> values;
  guint64 sum = 0;

  for (int i = 0; i < 20000; i++) {
    values.push_back ((gint64) durations (random));
    histogram_record (histogram.get (), values.back ());
    sum += (guint64) values.back ();
  }
  std::sort (values.begin (), values.end ());
  ReadingPtr reading = read ();
  EXPECT_EQ (histogram_reading_count (reading.get ()), values.size ());
  EXPECT_EQ (histogram_reading_sum (reading.get ()), sum);
  for (double q : { 0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0 }) {
    double exact = (double) values[(size_t) std::ceil (q * (double) values.size ()) - 1];
    EXPECT_NEAR ((double) histogram_reading_quantile (reading.get (), q), exact, 0.01 * exact + 1) << q;
  }
}

TEST_F (HistogramTest, CountsUpToABound)
{
  for (gint64 ns : { 10, 20, 30, 1000, 1000000 })
    histogram_record (histogram.get (), ns);
  ReadingPtr reading = read ();
  EXPECT_EQ (histogram_reading_count_up_to (reading.get (), -1), 0u);
  EXPECT_EQ (histogram_reading_count_up_to (reading.get (), 9), 0u);
  EXPECT_EQ (histogram_reading_count_up_to (reading.get (), 10), 1u);
  EXPECT_EQ (histogram_reading_count_up_to (reading.get (), 100), 3u);
  EXPECT_EQ (histogram_reading_count_up_to (reading.get (), 500000), 4u);
  EXPECT_EQ (histogram_reading_count_up_to (reading.get (), G_MAXINT64), 5u);
}

/* Sinks see the upper bounds alone: each is within 1 % of all that its bucket holds, and they ascend. */
TEST_F (HistogramTest, ListsTheBucketsThatAreNotEmpty)
{
  g_autoptr (GArray) buckets = g_array_new (FALSE, FALSE, sizeof (CenoteBucket));
  const gint64 values[] = { 0, 100, 100, 1000, 12345678, G_GINT64_CONSTANT (1) << 40 };
  const guint64 counts[] = { 1, 2, 1, 1, 1 };

  histogram_reading_list (read ().get (), buckets);
  EXPECT_EQ (buckets->len, 0u);
  for (gint64 ns : values)
    histogram_record (histogram.get (), ns);
  histogram_reading_list (read ().get (), buckets);
  ASSERT_EQ (buckets->len, 5u);
  for (guint i = 0; i < 5; i++) {
    const CenoteBucket &bucket = g_array_index (buckets, CenoteBucket, i);
    double exact = (double) values[i < 2 ? i : i + 1];

    EXPECT_EQ (bucket.count, counts[i]);
    EXPECT_GE ((double) bucket.upper_ns, exact);
    EXPECT_LE ((double) bucket.upper_ns, exact * 1.01);
  }
}

TEST_F (HistogramTest, MergingAddsUp)
{
  std::unique_ptr<Histogram, HistogramFree> second (histogram_new ());
  ReadingPtr sum (histogram_reading_new ());

  for (gint64 ns = 1; ns <= 100; ns++)
    histogram_record (ns <= 50 ? histogram.get () : second.get (), ns);
  histogram_reading_merge (sum.get (), read ().get ());
  histogram_reading_merge (sum.get (), ReadingPtr (histogram_read (second.get ())).get ());
  EXPECT_EQ (histogram_reading_count (sum.get ()), 100u);
  EXPECT_EQ (histogram_reading_sum (sum.get ()), 5050u);
  EXPECT_EQ (histogram_reading_quantile (sum.get (), 0.5), 50);
  EXPECT_EQ (histogram_reading_quantile (sum.get (), 0.75), 75);
}

TEST_F (HistogramTest, IsExactFromManyThreads)
{
  const int n_threads = 8;
  const gint64 n = 10000;
  std::vector<std::thread> threads;

  for (int t = 0; t < n_threads; t++)
    threads.emplace_back ([this] {
      for (gint64 ns = 1; ns <= n; ns++)
        histogram_record (histogram.get (), ns);
    });
  EXPECT_LE (histogram_reading_count (read ().get ()), (guint64) n_threads * n);
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (histogram_reading_count (read ().get ()), (guint64) n_threads * n);
  EXPECT_EQ (histogram_reading_sum (read ().get ()), (guint64) n_threads * n * (n + 1) / 2);
}

}  // namespace
