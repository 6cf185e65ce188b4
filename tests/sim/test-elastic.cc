// SPDX-License-Identifier: Apache-2.0
/* An elastic pool under a load that comes and goes, in virtual time: its sizes, and what it says of them. */
#include "sim-test.h"

#include <algorithm>

namespace {

class ElasticTest : public SimTest
{
protected:
  std::vector<CenoteLease> leases;

  void
  open_elastic (const std::string &keys = "", const std::string &options = "")
  {
    open ("connector=sized\nmax-streams-per-channel=10\nstatus-interval=off\n" + keys,
          "[connector:sized]\nplugin=elastic\ncheck-interval=100ms\nquiet-checks=10\n" + options);
    run (SIM_S);
  }

  void
  TearDown () override
  {
    hold (0);
    SimTest::TearDown ();
  }

  /* N leases are held from now on. */
  void
  hold (size_t n)
  {
    while (leases.size () < n)
      leases.push_back (get ());
    while (leases.size () > n) {
      cenote_lease_release (&leases.back ());
      leases.pop_back ();
    }
  }

  /* Callers that come and go: each 10 ms the oldest of N leases is released, and another taken. */
  void
  hold_for (size_t n, gint64 span_us)
  {
    for (gint64 i = 0; i < span_us; i += 10 * SIM_MS) {
      hold (n);
      if (n > 0) {
        cenote_lease_release (&leases.front ());
        leases.erase (leases.begin ());
        leases.push_back (get ());
      }
      run (10 * SIM_MS);
    }
  }

  /* The sizes that it was told to have, in their order. */
  std::vector<gint64>
  sizes ()
  {
    std::vector<gint64> all;

    for (const ToldEvent &told : events)
      if (told.event.kind == CENOTE_EVENT_POOL_SCALE_UP || told.event.kind == CENOTE_EVENT_POOL_SCALE_DOWN)
        all.push_back (told.event.new_size);
    events.clear ();
    return all;
  }
};

using Sizes = std::vector<gint64>;

TEST_F (ElasticTest, BeginsWithTheLeastAndSleeps)
{
  open_elastic ("min-channels=2\nsize=7\n");
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (Status (pool)->expected_size, 2);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_INIT)->event.expected_size, 2);
  run (3600 * SIM_S);
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64) << "nothing is due, ever";
  EXPECT_EQ (sizes (), Sizes ());
}

TEST_F (ElasticTest, GrowsWithTheLoadAndReturnsWithoutBreathing)
{
  open_elastic ();
  hold_for (36, 20 * SIM_S);
  Sizes up = sizes ();
  EXPECT_TRUE (std::is_sorted (up.begin (), up.end ()));
  ASSERT_FALSE (up.empty ());
  EXPECT_GE (up.back (), 7) << "36 at 5 a channel";
  EXPECT_EQ (current (), up.back ());
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_HEALTHY);
  hold_for (36, 20 * SIM_S);
  EXPECT_EQ (sizes (), Sizes ()) << "and rests";
  hold (0);
  run (60 * SIM_S);
  Sizes down = sizes ();
  EXPECT_TRUE (std::is_sorted (down.rbegin (), down.rend ()));
  EXPECT_EQ (down.back (), 1);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64) << "and sleeps";
}

/* Whatever happens between two looks: it wakes with the first call. */
TEST_F (ElasticTest, WakesWithTheFirstCall)
{
  open_elastic ("", "cool-down=100ms\n");
  for (int i = 0; i < 5; i++) {
    run (3600 * SIM_S);
    hold (30);
    run (5 * SIM_S);
    EXPECT_GE (current (), 6) << i;
    hold (0);
    run (60 * SIM_S);
    EXPECT_EQ (current (), 1) << i;
  }
}

TEST_F (ElasticTest, SaysWhy)
{
  open_elastic ("", "grow-step=1\n");
  hold_for (6, SIM_S);
  ASSERT_EQ (count (CENOTE_EVENT_POOL_SCALE_UP), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_UP)->reason, "upper-mark");
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_UP)->event.requested, 1);
  EXPECT_EQ (sim_counter (sim, COUNTER_SCALING_UP), 1u);
  hold (0);
  run (10 * SIM_S);
  ASSERT_EQ (count (CENOTE_EVENT_POOL_SCALE_DOWN), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_DOWN)->reason, "lower-mark");
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "lower-mark");
  EXPECT_EQ (sim_counter (sim, COUNTER_SCALING_DOWN), 1u);
}

TEST_F (ElasticTest, ItsSizeIsItsOwn)
{
  g_autoptr (GError) error = nullptr;

  open_elastic ();
  EXPECT_EQ (cenote_pool_resize (pool, 3, &error), -1);
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_INVALID));
  EXPECT_NE (std::string (error->message).find ("connector elastic"), std::string::npos) << error->message;
  EXPECT_EQ (cenote_pool_scale_up (pool, 1, nullptr), -1);
  EXPECT_EQ (cenote_pool_scale_down (pool, 1, nullptr), -1);
}

TEST_F (ElasticTest, WhatStillDrainsIsTakenBack)
{
  open_elastic ("min-channels=2\ndrain-timeout=1h\n", "cool-down=0\n");
  hold_for (30, 10 * SIM_S);
  gint64 grown = current ();
  guint dials = peer_n_dials (peer);
  std::vector<CenoteLease> stay; /* one on each channel, for as long as a stream lasts */
  for (guint64 number = 1; number <= static_cast<guint64> (grown); number++)
    stay.push_back (get_on (number));
  hold (0);
  run (60 * SIM_S);
  EXPECT_LT (current (), grown);
  EXPECT_GT (Status (pool).count (CENOTE_CHANNEL_DRAINING), 0u);
  hold_for (30, 10 * SIM_S);
  EXPECT_GE (current (), grown);
  EXPECT_EQ (Status (pool).count (CENOTE_CHANNEL_DRAINING), 0u);
  EXPECT_EQ (peer_n_dials (peer), dials + current () - grown) << "those that were there are back";
  for (CenoteLease &lease : stay)
    cenote_lease_release (&lease);
}

TEST_F (ElasticTest, ADisconnectedPoolBeginsAnew)
{
  open_elastic ("min-channels=2\n");
  hold_for (30, 10 * SIM_S);
  hold (0);
  cenote_pool_disconnect (pool);
  run (SIM_S);
  EXPECT_EQ (current (), 0);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DOWN);
  cenote_pool_connect (pool, 0, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (Status (pool)->expected_size, 2);
}

} // namespace
