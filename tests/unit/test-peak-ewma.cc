// SPDX-License-Identifier: Apache-2.0
// picker/peak-ewma: of two places the one that is likely to answer sooner.
#include "picker-test.h"

#include <thread>

namespace {

constexpr int64_t ms = 1000;
constexpr int64_t s = 1000 * ms;

enum { CANCELLED = 1, DEADLINE_EXCEEDED = 4, UNAVAILABLE = 14 };

class PeakEwma : public PickerTest
{
protected:
  PeakEwma () : PickerTest ("peak-ewma") { fixture_set_now (fixture, 100 * s); }

  void wait (int64_t span_us) { fixture_set_now (fixture, fixture->now_us + span_us); }

  // A lease of PLACE is taken; returns when.
  int64_t begin (guint place)
  {
    view.places = &places[place];
    pick (1);
    view.places = places;
    tallies[place].taken++;
    return fixture->now_us;
  }

  // It ends now, with STATUS.
  void end_of (guint place, int64_t begun_us, int status = 0)
  {
    tallies[place].released++;
    end (place, fixture->now_us - begun_us, status);
  }

  // One that the picker was not asked for, and that was held for LATENCY_US.
  void end (guint place, int64_t latency_us, int status = 0)
  {
    fixture->plugin->ops.picker.done (fixture->state, place, status, latency_us);
  }

  // N of them, one each millisecond from the next on.
  void ends (guint place, int64_t latency_us, int n, int status = 0)
  {
    for (int i = 0; i < n; i++) {
      wait (ms);
      end (place, latency_us, status);
    }
  }

  // From now on LATENCY_US is the average of PLACE, without a doubt.
  void know (guint place, int64_t latency_us, int status = 0)
  {
    end (place, latency_us, status);
    wait (latency_us + ms);
    end (place, latency_us, status);
  }

  // The most leases on place 0 with which it is still preferred to place 1, on which ONE is held.
  int64_t most_before (int64_t one)
  {
    hold (1, one);
    for (int64_t n = 0; n < 100000; n++) {
      hold (0, n);
      if (pick (2) != 0)
        return n - 1;
    }
    return 100000;
  }

  void expect_alike ()
  {
    for (int times : shares (2, 4000))
      EXPECT_NEAR (times, 2000, 250);
  }
};

TEST_F (PeakEwma, NeedsLoadsAndLatencies)
{
  EXPECT_EQ (fixture->plugin->ops.picker.flags, CENOTE_PICKER_NEEDS_LOAD | CENOTE_PICKER_NEEDS_LATENCY);
}

// ------------------------------------------------------------------ the choice

TEST_F (PeakEwma, KnowingNothingItGoesByLoads)
{
  hold (0, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  hold (1, 2);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
  hold (0, 2);
  expect_alike ();
}

TEST_F (PeakEwma, TakesTheQuickerOfTwo)
{
  know (0, 50 * ms);
  know (1, 5 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

// Cost = latency × (leases + 1): a place ten times as quick may hold ten times as many.
TEST_F (PeakEwma, LatencyTimesLeases)
{
  know (0, 5 * ms);
  know (1, 50 * ms);
  EXPECT_NEAR (most_before (0), 9, 1);
  EXPECT_NEAR (most_before (3), 39, 1);
}

TEST_F (PeakEwma, AChannelThatWarmsUpCountsWithItsPenalty)
{
  know (0, 10 * ms);
  know (1, 10 * ms);
  places[0].penalty = 5;
  tallies[0].others = 11; // as the host adds them
  hold (1, 4);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  hold (1, 6);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
}

TEST_F (PeakEwma, AvoidsAPlaceWhereThereAreOthers)
{
  know (0, 1);
  know (1, s);
  view.attempt = 1;
  view.avoid = 0;
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  EXPECT_EQ (picks (1, 100), Picks (100, 0));
}

TEST_F (PeakEwma, ANewConnectionBeginsAnew)
{
  know (0, 5 * s);
  know (1, 5 * ms);
  begin (0);
  wait (s);
  EXPECT_EQ (pick (2), 1u);
  places[0].ready_since_us = fixture->now_us;
  hold (0, 0);
  hold (1, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "nothing is known of it";
  wait (s);
  end (0, 5 * s);
  ends (0, 5 * s, 2);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "leases that began on the connection before it";
  know (0, 900 * ms);
  end (1, 5 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

// A view of a host that is older than the time in it.
TEST_F (PeakEwma, ReadsTheClockWhereTheHostDidNot)
{
  know (0, 50 * ms);
  view.struct_size = offsetof (CenotePickView, now_us);
  wait (30 * s);
  know (1, 20 * ms);
  EXPECT_EQ (picks (2, 10), Picks (10, 0)) << "faded";
}

// ----------------------------------------------------------------- the average

TEST_F (PeakEwma, ShortSamplesComeToBeBelievedOverTheDecay)
{
  know (0, 100 * ms);
  know (1, 100 * ms);
  for (int i = 0; i < 1000; i++) { // 10 s, the decay
    ends (0, 10 * ms, 10);
    end (1, 100 * ms);
  }
  // 10 ms and a part of e^-1 of the 90 above it
  EXPECT_NEAR (static_cast<double> (most_before (99)) + 1, 100 * 100 / (10 + 90 * 0.368), 12);
}

TEST_F (PeakEwma, AFewShortSamplesDoNotHideThatItIsSlow)
{
  know (1, 10 * ms);
  know (0, 200 * ms);
  ends (0, 10 * ms, 50);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwma, WhatIsNotHeardOfFades)
{
  know (0, 50 * ms);
  for (int second = 1; second <= 30; second++) { // 50 ms come to be 5 ms in 2.3 decays
    wait (s);
    end (1, 5 * ms);
    if (second == 20 || second == 26) {
      EXPECT_EQ (pick (2), second == 20 ? 1u : 0u);
    }
  }
}

TEST_F (PeakEwma, AFailedCallNeverMakesAPlaceLookQuicker)
{
  know (0, 20 * ms);
  know (1, 10 * ms);
  ends (0, 1, 20, UNAVAILABLE);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  end (1, 30 * s, DEADLINE_EXCEEDED);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "and may make it look slower";
}

TEST_F (PeakEwma, ACancelledCallNeverMakesAPlaceLookQuicker)
{
  know (0, 20 * ms);
  know (1, 10 * ms);
  ends (0, 1, 1000, CANCELLED);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwma, OfAPlaceWhoseCallsAllFailNothingIsKnown)
{
  know (1, 10 * ms);
  ends (0, 1, 20, UNAVAILABLE);
  hold (0, 1);
  hold (1, 2);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "as quick as the other: by loads";
  hold (0, 3);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwma, ALeaseWithoutAStatusCounts)
{
  know (0, 50 * ms, -1);
  know (1, 5 * ms, -1);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwma, ClocksThatDifferBetweenThreadsDoNoHarm)
{
  know (0, 50 * ms);
  wait (-20 * ms);
  end (0, 5 * ms);
  know (1, 20 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1)) << "what is late weighs nothing";
}

// ------------------------------------------------------------------- the doubt

class PeakEwmaDoubt : public PeakEwma
{
protected:
  PeakEwmaDoubt ()
  {
    know (0, 5 * ms);
    know (1, 5 * ms);
    end (0, 100 * ms);
  }
};

TEST_F (PeakEwmaDoubt, OneLongAnswerLeavesAPlaceAloneForTenTimesAsLong)
{
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  wait (999 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  wait (2 * ms);
  hold (1, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
}

TEST_F (PeakEwmaDoubt, ThenItIsTriedWithOneCall)
{
  wait (1001 * ms);
  hold (1, 4);
  begin (0);
  wait (1);
  EXPECT_EQ (picks (2, 100), Picks (100, 1)) << "5 × 5 ms is less than 2 × 100";
}

TEST_F (PeakEwmaDoubt, AUsualAnswerEndsIt)
{
  end (0, 5 * ms);
  hold (1, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
}

TEST_F (PeakEwmaDoubt, AFailedOrCancelledCallDoesNotEndIt)
{
  end (0, 5 * ms, CANCELLED);
  end (0, 5 * ms, UNAVAILABLE);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
}

TEST_F (PeakEwmaDoubt, ASecondLongAnswerIsBelieved)
{
  wait (81 * ms);
  end (0, 80 * ms);
  wait (2 * s);
  EXPECT_NEAR (static_cast<double> (most_before (99)) + 1, 100 * 5 / 80, 1) << "the shorter one, for the decay";
}

TEST_F (PeakEwmaDoubt, ThoseThatWereOutTogetherAreOne)
{
  for (int i = 0; i < 20; i++) {
    wait (4 * ms);
    end (0, 100 * ms);
  }
  wait (1001 * ms);
  hold (1, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
}

TEST_F (PeakEwmaDoubt, ItsFirstLongOneIsForgottenInTheEnd)
{
  wait (81 * s);
  ends (1, 5 * ms, 2);
  end (0, 100 * ms);
  wait (1001 * ms);
  hold (1, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 0)) << "the second is one alone again";
}

// ----------------------------------------------------------------- the silence

class PeakEwmaSilence : public PeakEwma
{
protected:
  PeakEwmaSilence ()
  {
    know (0, 5 * ms);
    know (1, 5 * ms);
    begun_us = begin (0);
  }

  // Would rather a fourth call be made to place 1 than one to place 0?  Place 1 answers at once.
  bool is_avoided ()
  {
    hold (1, 3);
    bool is_avoided = picks (2, 100) == Picks (100, 1);
    end (1, 0, UNAVAILABLE);
    return is_avoided;
  }

  int64_t begun_us;
};

TEST_F (PeakEwmaSilence, CountsOnceItIsLongerThanUsual)
{
  wait (9 * ms);
  EXPECT_FALSE (is_avoided ());
  wait (2 * ms);
  EXPECT_TRUE (is_avoided ()) << "2 × 11 ms is more than 4 × 5";
}

TEST_F (PeakEwmaSilence, AnAnswerEndsIt)
{
  wait (50 * ms);
  begin (0);
  wait (ms);
  ASSERT_TRUE (is_avoided ());
  end_of (0, fixture->now_us - ms);
  EXPECT_FALSE (is_avoided ()) << "what began last has come back: the other one is its own affair";
}

TEST_F (PeakEwmaSilence, BeginsAnewWhereAnEarlierCallComesBack)
{
  wait (50 * ms);
  begin (0);
  wait (ms);
  end_of (0, begun_us, UNAVAILABLE);
  end (0, 5 * ms); // no doubt is left
  EXPECT_FALSE (is_avoided ());
  wait (12 * ms);
  EXPECT_TRUE (is_avoided ());
}

TEST_F (PeakEwmaSilence, ACallThatNobodyWaitsForAnyMoreIsNoAnswer)
{
  begin (0);
  for (int status : { CANCELLED, DEADLINE_EXCEEDED }) {
    begin (0);
    wait (20 * ms);
    end_of (0, fixture->now_us - 4 * ms, status);
    EXPECT_TRUE (is_avoided ()) << status;
  }
}

TEST_F (PeakEwmaSilence, IsOverWithTheLastCall)
{
  wait (30 * ms);
  end_of (0, fixture->now_us - 4 * ms, CANCELLED);
  EXPECT_FALSE (is_avoided ());
}

TEST_F (PeakEwmaSilence, WhatAnotherThreadHoldsIsBelievedUntilItIsTold)
{
  hold (0, 0);
  hold (1, 2);
  wait (19 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 1));
  wait (2 * ms);
  end (1, 5 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
}

TEST_F (PeakEwmaSilence, TheAverageDoesNotFadeMeanwhile)
{
  end_of (0, begun_us);
  know (0, 9 * s);
  know (1, 7500 * ms);
  end (0, 9 * s);
  begin (0);
  wait (3 * s);
  end (1, 7500 * ms);
  hold (1, 1);
  EXPECT_EQ (picks (2, 100), Picks (100, 1)) << "faded it would be 6.7 s";
}

TEST_F (PeakEwmaSilence, OneOfMoreThanADecayIsTriedAgain)
{
  wait (10 * s);
  EXPECT_TRUE (is_avoided ());
  wait (1);
  EXPECT_EQ (pick (2), 0u);
  wait (12 * ms);
  EXPECT_TRUE (is_avoided ()) << "by one call";
}

TEST_F (PeakEwmaSilence, CountsWhereNothingElseIsKnown)
{
  places[0].ready_since_us = fixture->now_us;
  begin (0);
  wait (50 * ms);
  EXPECT_TRUE (is_avoided ());
}

// Of four two are silent.  One pair in six is those two; three pairs in a row are one in 216.
TEST_F (PeakEwmaSilence, OfTwoAtFaultNeitherIsTakenWhileThereAreOthers)
{
  know (2, 5 * ms);
  know (3, 5 * ms);
  begin (0);
  begin (1);
  wait (100 * ms);
  std::vector<int> times = shares (4, 4000);
  EXPECT_LT (times[0] + times[1], 60);
  EXPECT_GT (times[2], 1000);
  EXPECT_GT (times[3], 1000);
}

// --------------------------------------------------------------- many, at random

// Four places, a call each millisecond; place 3 takes OTHER for its answers, the others 5 ms.
class PeakEwmaWorld : public PeakEwma
{
protected:
  struct Call {
    guint place;
    int64_t begun_us, ends_us;
    int status;
  };

  // Calls whose time has come end.
  void end_calls ()
  {
    for (size_t k = 0; k < calls.size ();) {
      if (calls[k].ends_us > fixture->now_us) {
        k++;
        continue;
      }
      end_of (calls[k].place, calls[k].begun_us, calls[k].status);
      calls.erase (calls.begin () + static_cast<long> (k));
    }
  }

  void add (guint place, int64_t latency_us, int status)
  {
    tallies[place].taken++;
    calls.push_back ({ place, fixture->now_us, fixture->now_us + latency_us, status });
  }

  // A call each STEP_US, for SPAN_US; those of place 3 take SLOW_US and end with STATUS.  How many each got.
  std::vector<int> run (int64_t span_us, int64_t step_us, int64_t slow_us, int status = 0)
  {
    std::vector<int> times (4);

    for (int64_t until_us = fixture->now_us + span_us; fixture->now_us < until_us;) {
      wait (step_us);
      end_calls ();
      guint place = pick (4);
      times[place]++;
      add (place, place == 3 ? slow_us : 5 * ms, place == 3 ? status : 0);
    }
    return times;
  }

  std::vector<Call> calls;
};

// When what is held is what Little's law says.
TEST_F (PeakEwmaWorld, TheSlowOneOfManyGetsLess)
{
  std::vector<int> times = run (2 * s, 100, 50 * ms);

  EXPECT_LT (times[3] * 5, times[0]);
  EXPECT_GT (times[3], 20) << "and is not forgotten";
  for (guint i = 0; i < 3; i++)
    EXPECT_NEAR (times[i], 20000 / 3.1, 1000);
}

TEST_F (PeakEwmaWorld, AHoleGetsNoCallsOnceOneIsOverdue)
{
  run (s, ms, 5 * ms);
  run (10 * ms, ms, s, DEADLINE_EXCEEDED);
  EXPECT_EQ (run (9 * s, ms, s, DEADLINE_EXCEEDED)[3], 0);
}

TEST_F (PeakEwmaWorld, AHoleThatIsNoneAnyMoreIsFound)
{
  run (s, ms, 5 * ms);
  run (9 * s, ms, s, DEADLINE_EXCEEDED);
  run (3 * s, ms, 5 * ms);
  EXPECT_NEAR (run (s, ms, 5 * ms)[3], 250, 80);
}

TEST_F (PeakEwmaWorld, AChannelThatIsSlowGetsFewCalls)
{
  run (s, 4 * ms, 5 * ms);
  EXPECT_LT (run (20 * s, 4 * ms, 50 * ms)[3], 10) << "of 5000";
  run (30 * s, 4 * ms, 5 * ms);
  EXPECT_NEAR (run (4 * s, 4 * ms, 5 * ms)[3], 250, 100) << "and its share again when it is quick";
}

// Two places, of which place 1 always answers within 10 ms, and place 0 does now and then not: it is never
// taken where its silence alone makes it dearer than the other one can be.
TEST_F (PeakEwmaWorld, ASilentPlaceIsNeverTakenBeforeOneThatAnswers)
{
  constexpr int64_t longest_us = 10 * ms;
  guint64 seed = 5;
  auto below = [&] (int64_t n) { return static_cast<int64_t> (fixture_random (&seed) % static_cast<guint64> (n)); };
  int64_t waits_us = 0, last_us = 0, hole_until_us = 0, hole_from_us = 0;
  int n_silent = 0;

  for (int k = 0; k < 100000; k++) {
    wait (1 + below (3 * ms));
    for (const Call &call : calls)
      if (call.ends_us <= fixture->now_us && call.place == 0 && call.status == 0)
        waits_us = call.begun_us + 256 >= last_us ? 0 : fixture->now_us;
    end_calls ();
    if (fixture->now_us > hole_until_us) {
      hole_from_us = fixture->now_us + below (2 * s);
      hole_until_us = hole_from_us + below (4 * s);
    }
    int64_t silence_us = waits_us == 0 ? 0 : fixture->now_us - waits_us;
    int64_t held = cenote_pick_load (&view, 0), others = cenote_pick_load (&view, 1);
    bool is_silent = held > 0 && silence_us <= 10 * s && silence_us * (held + 1) > longest_us * (others + 1);
    guint place = pick (2);

    n_silent += is_silent;
    ASSERT_LT (place, 2u);
    ASSERT_FALSE (is_silent && place == 0) << k << ": silent for " << silence_us << " µs with " << held << " leases";
    if (place == 0) {
      waits_us = held <= 0 || waits_us == 0 || silence_us > 10 * s ? fixture->now_us : waits_us;
      last_us = fixture->now_us;
    }
    bool lost = place == 0 && fixture->now_us >= hole_from_us && fixture->now_us < hole_until_us;
    bool given_up = below (20) == 0;
    add (place, lost ? 50 * ms + below (3 * s) : 1 + below (longest_us),
         lost ? DEADLINE_EXCEEDED : given_up ? CANCELLED : 0);
  }
  EXPECT_GT (n_silent, 1000);
}

// ---------------------------------------------------------------- many threads

TEST_F (PeakEwma, ManyThreadsTellOfOnePlace)
{
  std::vector<std::thread> threads;

  know (0, 6 * ms);
  for (int t = 0; t < 4; t++)
    threads.emplace_back ([&, t] {
      for (int i = 0; i < 10000; i++)
        end (0, (5 + (t + i) % 3) * ms, i % 7 == 0 ? CANCELLED : 0);
    });
  for (std::thread &thread : threads)
    thread.join ();
  know (1, 8 * ms);
  EXPECT_EQ (picks (2, 100), Picks (100, 0));
}

} // namespace
