/* SPDX-License-Identifier: Apache-2.0 */
/* The tracked path of a pool: hard-stream-limit, whose waiters are served in order, and leak-threshold. */
#include "sim-test.h"

namespace {

const char limited[] = "size=2\nmax-streams-per-channel=3\nhard-stream-limit=yes\n";

class TrackingTest : public SimTest
{
protected:
  std::vector<CenoteLease> held;

  void
  connect_all ()
  {
    run (2 * SIM_S);
    ASSERT_EQ (Status (pool)->current_size, Status (pool)->expected_size);
  }

  void
  hold (int n)
  {
    for (; n > 0; n--)
      held.push_back (get ());
  }

  void
  release (int n)
  {
    for (; n > 0; n--) {
      cenote_lease_release (&held.back ());
      held.pop_back ();
    }
  }

  void
  TearDown () override
  {
    release (static_cast<int> (held.size ()));
    SimTest::TearDown ();
  }
};

/* -------------------------------------------------------------------- limits */

TEST_F (TrackingTest, AtTheLimitAGetSaysWhatThereIsAndWhatWouldHelp)
{
  open (limited);
  connect_all ();
  hold (6);
  auto status = Status (pool);
  for (gsize i = 0; i < status->n_channels; i++)
    EXPECT_EQ (status->channels[i]->in_flight, 3);
  EXPECT_EQ (get_error (CENOTE_ERROR_LIMIT),
             "Pool p has no room for another lease (2 of 2 ready, 0 connecting, 6 in flight, 0 waiting; hard-stream-limit "
             "with max-streams-per-channel=3): raise size, or the limit here and at the server; cenote_pool_acquire() "
             "waits its turn");
  release (1);
  EXPECT_TRUE (can_get ());
}

TEST_F (TrackingTest, ThoseWhoWaitAreServedInOrderAsLeasesAreReleased)
{
  open (limited);
  connect_all ();
  hold (6);
  Acquire &first = acquire (), &second = acquire (), &third = acquire ();
  settle ();
  EXPECT_FALSE (first.answered);
  EXPECT_EQ (Status (pool)->waiters, 3);
  release (1);
  EXPECT_FALSE (can_get ()) << "nobody overtakes";
  settle ();
  EXPECT_TRUE (first.got ());
  EXPECT_FALSE (second.answered);
  release (2);
  settle ();
  EXPECT_TRUE (second.got ());
  EXPECT_TRUE (third.got ());
  EXPECT_EQ (Status (pool)->in_flight, 6);
  EXPECT_EQ (get_error (CENOTE_ERROR_LIMIT).find ("Pool p has no room"), 0u);
  cenote_lease_release (&first.lease);
  EXPECT_TRUE (can_get ());
}

TEST_F (TrackingTest, ANewChannelIsRoom)
{
  open (limited);
  connect_all ();
  hold (6);
  Acquire &made = acquire ();
  settle ();
  EXPECT_EQ (cenote_pool_resize (pool, 3, nullptr), 3);
  run (SIM_S);
  EXPECT_TRUE (made.got ());
  hold (2);
  EXPECT_FALSE (can_get ());
}

TEST_F (TrackingTest, WhoWaitsForReadinessNeedsNoRoom)
{
  open (limited);
  connect_all ();
  hold (6);
  acquire ();
  settle ();
  EXPECT_TRUE (cenote_pool_await_ready (pool, 0, nullptr));
}

TEST_F (TrackingTest, WhoWaitsInVainIsToldTheCounts)
{
  open (limited);
  connect_all ();
  hold (6);
  Acquire &made = acquire (250);
  run (SIM_S);
  EXPECT_EQ (made.code, CENOTE_ERROR_TIMEOUT);
  EXPECT_EQ (made.message,
             "No channel within 250 ms: Pool p has no room (2 of 2 ready, 0 connecting, 6 in flight, 1 waiting): every ready "
             "channel has its max-streams-per-channel of leases: raise size, or that and the server's limit");
  EXPECT_EQ (Status (pool)->waiters, 0);
  release (1);
  EXPECT_TRUE (can_get ()) << "it holds nobody up any more";
}

TEST_F (TrackingTest, WithoutTheLimitMaxStreamsIsAHint)
{
  open ("size=1\nmax-streams-per-channel=3\n");
  connect_all ();
  hold (10);
  EXPECT_TRUE (can_get ());
}

TEST_F (TrackingTest, LeasesOutliveALimitedPool)
{
  open (limited + std::string ("leak-threshold=1s\n"));
  connect_all ();
  hold (6);
  acquire ();
  cenote_pool_stop (pool);
  run (3 * SIM_S);
  EXPECT_EQ (acquires.back ().code, CENOTE_ERROR_STOPPED);
}

/* --------------------------------------------------------------------- leaks */

TEST_F (TrackingTest, ALeaseThatIsHeldTooLongIsToldOfOnce)
{
  open ("size=1\nleak-threshold=5s\n");
  connect_all ();
  hold (1);
  run (5 * SIM_S - SIM_MS);
  EXPECT_EQ (count (CENOTE_EVENT_LEASE_LEAK), 0u);
  EXPECT_EQ (Status (pool)->leaks, 0);
  run (2 * SIM_MS);
  ASSERT_EQ (count (CENOTE_EVENT_LEASE_LEAK), 1u);
  const ToldEvent *told = last (CENOTE_EVENT_LEASE_LEAK);
  EXPECT_EQ (told->event.channel, 1u);
  EXPECT_EQ (told->address, "sim:a");
  EXPECT_EQ (told->event.duration_ns / 1000000000, 5);
  EXPECT_NE (told->reason.find ("taken at "), std::string::npos);
  EXPECT_NE (told->reason.find ("sim-tests"), std::string::npos) << told->reason;
  EXPECT_EQ (Status (pool)->leaks, 1);
  run (60 * SIM_S);
  EXPECT_EQ (count (CENOTE_EVENT_LEASE_LEAK), 1u);
  release (1);
  EXPECT_EQ (Status (pool)->leaks, 0);
}

TEST_F (TrackingTest, EachLeaseHasItsOwnTime)
{
  open ("size=2\nleak-threshold=5s\n");
  connect_all ();
  hold (1);
  run (3 * SIM_S);
  hold (2);
  run (2 * SIM_S + SIM_MS);
  EXPECT_EQ (count (CENOTE_EVENT_LEASE_LEAK), 1u);
  release (1);
  run (3 * SIM_S);
  EXPECT_EQ (count (CENOTE_EVENT_LEASE_LEAK), 2u) << "one of the two was released in time";
}

TEST_F (TrackingTest, WhoWaitedIsNamedAndNotWhoServed)
{
  open ("size=1\nleak-threshold=1s\ninitialization=manual\n");
  acquire (60 * 1000);
  cenote_pool_connect (pool, 0, nullptr);
  run (5 * SIM_S);
  ASSERT_TRUE (acquires.back ().got ());
  ASSERT_EQ (count (CENOTE_EVENT_LEASE_LEAK), 1u);
  EXPECT_NE (last (CENOTE_EVENT_LEASE_LEAK)->reason.find ("sim-tests"), std::string::npos);
}

TEST_F (TrackingTest, WithoutTheThresholdNothingIsToldAndNoTimerRuns)
{
  open ("size=1\nstatus-interval=off\n");
  connect_all ();
  hold (1);
  run (60 * SIM_S);
  EXPECT_EQ (count (CENOTE_EVENT_LEASE_LEAK), 0u);
}

} // namespace
