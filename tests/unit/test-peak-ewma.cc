// SPDX-License-Identifier: Apache-2.0
// picker/peak-ewma: of two places the one that is likely to answer sooner.
#include "picker-test.h"

#include <atomic>
#include <thread>

namespace {

constexpr int64_t ms = 1000;
constexpr int64_t s = 1000 * ms;

class PeakEwma : public PickerTest
{
protected:
  PeakEwma () : PickerTest ("peak-ewma") { fixture->now_us = 100 * s; }

  // A lease of PLACE that was held for LATENCY_US ended now, with STATUS.
  void end (guint place, int64_t latency_us, int status = 0)
  {
    fixture->plugin->ops.picker.done (fixture->state, place, status, latency_us);
  }

  // N leases, one each millisecond from the next on.
  void ends (guint place, int64_t latency_us, int n, int status = 0)
  {
    for (int i = 0; i < n; i++) {
      wait (ms);
      end (place, latency_us, status);
    }
  }

  void wait (int64_t span_us) { fixture->now_us += span_us; }

  // The most leases on place 0 with which it is still preferred to place 1, on which ONE is held.
  int64_t most_before (int64_t one)
  {
    hold (1, one);
    for (int64_t n = 0; n < 100000; n++) {
      hold (0, n);
      if (pick_first () != 0)
        return n - 1;
    }
    return 100000;
  }

  // Which of two is picked; luck decides nothing where costs differ.
  guint pick_first () { return pick (2); }
};

TEST_F (PeakEwma, NeedsLoadsAndLatencies)
{
  EXPECT_EQ (fixture->plugin->ops.picker.flags, CENOTE_PICKER_NEEDS_LOAD | CENOTE_PICKER_NEEDS_LATENCY);
}

TEST_F (PeakEwma, KnowingNothingItGoesByLoads)
{
  hold (0, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  hold (1, 2);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
  hold (0, 2);
  for (int times : shares (2, 4000))
    EXPECT_NEAR (times, 2000, 250);
}

TEST_F (PeakEwma, TakesTheQuickerOfTwo)
{
  end (0, 50 * ms);
  end (1, 5 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

// Cost = latency × (leases + 1): a place ten times as quick may hold ten times as many.
TEST_F (PeakEwma, LatencyTimesLeases)
{
  end (0, 5 * ms);
  end (1, 50 * ms);
  EXPECT_NEAR (most_before (0), 9, 1);
  EXPECT_NEAR (most_before (3), 39, 1);
}

TEST_F (PeakEwma, OneLongSampleCountsAtOnce)
{
  ends (0, 5 * ms, 1000);
  ends (1, 5 * ms, 1000);
  end (0, 500 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  EXPECT_NEAR (most_before (99), 0, 1);
}

TEST_F (PeakEwma, ShortSamplesComeToBeBelievedOverTheDecay)
{
  end (0, 100 * ms);
  end (1, 100 * ms);
  for (int i = 0; i < 1000; i++) { // 10 s, the decay
    ends (0, 10 * ms, 10);
    end (1, 100 * ms);
  }
  // 10 ms and a part of e^-1 of the 90 above it
  EXPECT_NEAR (static_cast<double> (most_before (99)) + 1, 100 * 100 / (10 + 90 * 0.368), 12);
}

TEST_F (PeakEwma, AFewShortSamplesDoNotHideALongOne)
{
  ends (1, 10 * ms, 1);
  ends (0, 200 * ms, 1);
  ends (0, 10 * ms, 50);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwma, WhatIsNotHeardOfFades)
{
  end (0, 50 * ms);
  for (int second = 1; second <= 30; second++) { // 50 ms come to be 5 ms in 2.3 decays
    wait (s);
    end (1, 5 * ms);
    if (second == 20 || second == 26) {
      EXPECT_EQ (pick_first (), second == 20 ? 1u : 0u);
    }
  }
}

TEST_F (PeakEwma, AFailedCallNeverMakesAPlaceLookQuicker)
{
  end (0, 20 * ms);
  end (1, 10 * ms);
  ends (0, 1, 20, 14);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  ends (1, 30 * s, 1, 4);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "and may make it look slower";
}

TEST_F (PeakEwma, OfAPlaceWhoseCallsAllFailNothingIsKnown)
{
  end (1, 10 * ms);
  ends (0, 1, 20, 14);
  hold (0, 1);
  hold (1, 2);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "as quick as the other: by loads";
  hold (0, 3);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwma, ALeaseWithoutAStatusCounts)
{
  end (0, 50 * ms, -1);
  end (1, 5 * ms, -1);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwma, ANewConnectionBeginsAnew)
{
  end (0, 5 * s);
  end (1, 5 * ms);
  EXPECT_EQ (pick_first (), 1u);
  wait (s);
  places[0].ready_since_us = fixture->now_us;
  hold (1, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "nothing is known of it";
  wait (s);
  end (0, 5 * s);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "a lease that began on the connection before it";
  end (0, 900 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwma, AChannelThatWarmsUpCountsWithItsPenalty)
{
  end (0, 10 * ms);
  end (1, 10 * ms);
  places[0].penalty = 5;
  tallies[0].others = 11; // as the host adds them
  hold (1, 4);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  hold (1, 6);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
}

TEST_F (PeakEwma, AvoidsAPlaceWhereThereAreOthers)
{
  end (0, 1);
  ends (1, s, 1);
  view.attempt = 1;
  view.avoid = 0;
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  EXPECT_EQ (picks (1, 100), Picks (100, 0));
}

// A view of a host that is older than the time in it.
TEST_F (PeakEwma, ReadsTheClockWhereTheHostDidNot)
{
  end (0, 50 * ms);
  view.struct_size = offsetof (CenotePickView, now_us);
  wait (30 * s);
  end (1, 20 * ms);
  EXPECT_EQ (picks (2, 10), Picks (10, 0)) << "faded";
}

TEST_F (PeakEwma, ClocksThatDifferBetweenThreadsDoNoHarm)
{
  end (0, 50 * ms);
  wait (-20 * ms);
  end (0, 5 * ms);
  end (1, 20 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1)) << "what is late weighs nothing";
}

// No sample is lost that is longer than what all others tell at the same time.
TEST_F (PeakEwma, ManyThreadsTellOfOnePlace)
{
  std::vector<std::thread> threads;

  end (1, 900 * ms);
  for (int t = 0; t < 4; t++)
    threads.emplace_back ([&, t] {
      for (int i = 0; i < 10000; i++)
        end (0, t == 0 && i == 5000 ? s : 5 * ms);
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

// A channel that answers ten times as slowly as each of the others gets a tenth of what they get, when
// what is held is what Little's law says.
TEST_F (PeakEwma, TheSlowOneOfManyGetsLess)
{
  std::vector<std::pair<int64_t, guint>> ending; // when, whose
  std::vector<int> times (4);

  for (int k = 0; k < 20000; k++) {
    wait (100);
    for (auto it = ending.begin (); it != ending.end ();) {
      if (it->first <= fixture->now_us) {
        tallies[it->second].released++;
        end (it->second, it->second == 3 ? 50 * ms : 5 * ms);
        it = ending.erase (it);
      } else {
        ++it;
      }
    }
    guint place = pick (4);
    tallies[place].taken++;
    times[place]++;
    ending.emplace_back (fixture->now_us + (place == 3 ? 50 * ms : 5 * ms), place);
  }
  EXPECT_LT (times[3] * 5, times[0]);
  EXPECT_GT (times[3], 20) << "and is not forgotten";
  for (guint i = 0; i < 3; i++)
    EXPECT_NEAR (times[i], 20000 / 3.1, 1000);
}

} // namespace
