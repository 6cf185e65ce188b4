/* SPDX-License-Identifier: Apache-2.0 */
/* pool: gets and acquires: what they give, how long they wait, what their errors say. */
#include "pool-test.h"

namespace {

/* --------------------------------------------------------------------- get */

TEST_F (PoolTest, AGetBeforeAnyChannelSaysHowManyThereAre)
{
  make ("size=5");
  EXPECT_EQ (get_error (CENOTE_ERROR_NOT_CONNECTED),
             "Pool p has no ready channel (0 of 5 ready, 0 connecting, 0 in flight, 0 waiting): cenote_pool_acquire() waits for one");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  sim_start (sim);
  run (10 * SIM_MS);
  EXPECT_EQ (get_error (CENOTE_ERROR_NOT_CONNECTED),
             "Pool p has no ready channel (0 of 5 ready, 0 connecting, 0 in flight, 0 waiting; last error: refused): "
             "cenote_pool_acquire() waits for one");
}

TEST_F (PoolTest, GetsTakeTheChannelsInTurnWhereThePickerDoes)
{
  std::map<guint64, int> taken;

  open ("size=3\npicker=round-robin");
  connect_all ();
  for (int i = 0; i < 30; i++) {
    CenoteLease lease = get ();

    taken[connection_of (lease.channel)->number]++;
    cenote_lease_release (&lease);
  }
  EXPECT_EQ (taken, (std::map<guint64, int>{ { 1, 10 }, { 2, 10 }, { 3, 10 } }));
}

TEST_F (PoolTest, ByDefaultGetsTakeTheLessLoadedOfTwo)
{
  open ("size=2");
  connect_all ();
  run (2 * SIM_S);
  CenoteLease first = get (), second = get ();
  EXPECT_NE (first.channel, second.channel);
  for (int i = 0; i < 100; i++) {
    grpc_channel *freed = second.channel;

    cenote_lease_release (&second);
    second = get ();
    ASSERT_EQ (second.channel, freed);
  }
  cenote_lease_release (&first);
  cenote_lease_release (&second);
}

/* One that has just come back counts as loaded as the others, less and less for a second. */
TEST_F (PoolTest, AChannelThatIsNewToALoadedPoolIsNotFlooded)
{
  std::map<guint64, int> taken;
  std::vector<CenoteLease> leases;
  auto take = [&] (int n) {
    for (; n > 0; n--) {
      leases.push_back (get ());
      taken[connection_of (leases.back ().channel)->number]++;
    }
  };

  open ("size=2");
  connect_all ();
  run (2 * SIM_S);
  connection_lose (peer_nth_up (peer, 1), "lost");
  take (10);
  ASSERT_EQ (taken.size (), 1u);
  run (SIM_MS);
  ASSERT_EQ (current (), 2);
  take (4);
  EXPECT_EQ (taken.begin ()->second, 10) << "4 and its penalty, 10 / 2 + 1, are as many";
  take (1);
  EXPECT_EQ (taken.begin ()->second, 11) << "a tie goes to the warmer one";
  run (2 * SIM_S);
  take (7);
  EXPECT_EQ (taken.begin ()->second, 11) << "now it is warm";
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
}

/* The moment that a transport tells of a loss no get finds that channel, before anything is handled. */
TEST_F (PoolTest, ALostConnectionIsNotGivenOutAnyMore)
{
  open ("size=2");
  connect_all ();
  connection_lose (peer_nth_up (peer, 0), "gone");
  for (int i = 0; i < 10; i++) {
    CenoteLease lease = get ();

    EXPECT_EQ (connection_of (lease.channel)->state, CONNECTION_UP);
    cenote_lease_release (&lease);
  }
  connection_lose (peer_nth_up (peer, 0), "gone too");
  EXPECT_FALSE (can_get ());
  EXPECT_FALSE (cenote_pool_is_connected (pool));
}

/* Also where the pool publishes anew before it has handled the news. */
TEST_F (PoolTest, NewsThatAreNotHandledYetAreHeeded)
{
  open ("size=1");
  connect_all ();
  connection_lose (peer_nth_up (peer, 0), "gone");
  cenote_pool_pause (pool);
  cenote_pool_resume (pool);
  EXPECT_FALSE (can_get ());
  run (10 * SIM_MS);
  EXPECT_TRUE (can_get ());
}

TEST_F (PoolTest, AConnectionThatIsGoneAsSoonAsItIsThereIsNeverShown)
{
  open ("size=1");
  peer_next (peer, PEER_ACCEPTS, SIM_MS, PEER_INSIDE, "closed");
  run (SIM_MS);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_CONNECTED), 1u);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 1u);
  EXPECT_FALSE (can_get ());
}

/* Whoever is told that the pool is connected can get. */
TEST_F (PoolTest, ConnectedMeansThatAGetSucceeds)
{
  static CenotePool *watched;
  static int n_connected;
  CenoteObserver observer = CENOTE_OBSERVER_INIT;

  make ("size=3");
  watched = pool;
  n_connected = 0;
  observer.connected = [] (CenotePool *, guint64, const char *, gpointer) {
    CenoteLease lease = CENOTE_LEASE_INIT;

    n_connected++;
    EXPECT_TRUE (cenote_pool_is_connected (watched));
    EXPECT_TRUE (cenote_pool_get_channel (watched, &lease, nullptr));
    cenote_lease_release (&lease);
  };
  cenote_pool_add_observer (pool, &observer, nullptr, nullptr);
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (n_connected, 3);
}

TEST_F (PoolTest, LeasesMayBeReleasedWithAnyStatus)
{
  open ("size=1");
  connect_all ();
  for (int status : { 0, 14, 4, 0 }) {
    CenoteLease lease = get ();

    cenote_lease_release_with_status (&lease, status);
    EXPECT_EQ (lease.channel, nullptr);
  }
  EXPECT_EQ (Status (pool)->channels[0]->calls, 4);
  EXPECT_EQ (Status (pool)->channels[0]->failures, 2);
  EXPECT_EQ (Status (pool)->in_flight, 0);
}

/* ----------------------------------------------------------------- acquire */

TEST_F (PoolTest, WaitersAreServedFirstComeFirstServed)
{
  open ("size=1");
  peer_always (peer, PEER_ACCEPTS, 50 * SIM_MS, PEER_FOREVER, nullptr);
  for (int i = 0; i < 5; i++)
    acquire ();
  settle ();
  EXPECT_EQ (Status (pool)->waiters, 5);
  EXPECT_EQ (count (CENOTE_EVENT_POOL_WAITING), 5u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_WAITING)->event.waiters, 5);
  run (100 * SIM_MS);
  for (Acquire &acquire : acquires) {
    EXPECT_TRUE (acquire.got ()) << acquire.message;
    EXPECT_TRUE (acquire.notified);
  }
  EXPECT_EQ (Status (pool)->waiters, 0);
  EXPECT_EQ (Status (pool)->in_flight, 5);
}

TEST_F (PoolTest, AnAcquireThatNeedsNoWaitIsAnsweredOnItsContext)
{
  open ("size=1");
  connect_all ();
  Acquire &made = acquire (0);
  settle ();
  EXPECT_TRUE (made.got ());
}

TEST_F (PoolTest, AWaiterIsLateAtItsTime)
{
  gint64 begun_us;

  open ("size=5");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  run (10 * SIM_MS);
  begun_us = now ();
  Acquire &made = acquire (250);
  run (SIM_S);
  EXPECT_EQ (made.answered_us - begun_us, 250 * SIM_MS);
  EXPECT_EQ (made.code, CENOTE_ERROR_TIMEOUT);
  EXPECT_EQ (made.message, "No channel within 250 ms: Pool p has no ready channel (0 of 5 ready, 0 connecting, 0 in flight, 1 "
                           "waiting; last error: refused): acquire-timeout says how long to wait; the last error, what to wait for");
}

TEST_F (PoolTest, TheTimeoutOfThePoolIsTheDefault)
{
  gint64 begun_us;

  open ("size=1\nacquire-timeout=3s");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  begun_us = now ();
  Acquire &made = acquire (-1);
  run (10 * SIM_S);
  EXPECT_EQ (made.answered_us - begun_us, 3 * SIM_S);
  EXPECT_EQ (made.code, CENOTE_ERROR_TIMEOUT);
}

TEST_F (PoolTest, AnotherNegativeTimeoutIsInvalid)
{
  CenoteLease lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) error = nullptr;

  open ("size=1");
  Acquire &made = acquire (-2);
  settle ();
  EXPECT_EQ (made.code, CENOTE_ERROR_INVALID);
  EXPECT_FALSE (cenote_pool_acquire (pool, -2, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_INVALID));
  EXPECT_FALSE (cenote_pool_await_ready (pool, G_MININT64, nullptr));
}

TEST_F (PoolTest, WhoDoesNotWaitIsAnsweredAtOnce)
{
  CenoteLease lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) error = nullptr;

  open ("size=1");
  EXPECT_FALSE (cenote_pool_acquire (pool, 0, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED));
  g_clear_error (&error);
  EXPECT_FALSE (cenote_pool_await_ready (pool, 0, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_TIMEOUT));
  connect_all ();
  EXPECT_TRUE (cenote_pool_await_ready (pool, 0, nullptr));
  EXPECT_TRUE (cenote_pool_acquire (pool, 0, &lease, nullptr));
  cenote_lease_release (&lease);
}

TEST_F (PoolTest, SoManyMayWaitAndNoMore)
{
  open ("size=1\nmax-waiters=3");
  peer_always (peer, PEER_ACCEPTS, 50 * SIM_MS, PEER_FOREVER, nullptr);
  for (int i = 0; i < 3; i++)
    acquire ();
  run (10 * SIM_MS);
  acquire ();
  settle ();
  EXPECT_EQ (acquires.back ().code, CENOTE_ERROR_LIMIT);
  EXPECT_EQ (acquires.back ().message, "Pool p has 3 waiters already (0 of 1 ready, 1 connecting, 0 in flight, 3 waiting): raise "
                                      "max-waiters, or what they wait for");
  run (100 * SIM_MS);
  EXPECT_TRUE (acquires.front ().got ());
}

TEST_F (PoolTest, ACancelledWaiterIsNotAnswered)
{
  open ("size=1");
  peer_always (peer, PEER_ACCEPTS, 50 * SIM_MS, PEER_FOREVER, nullptr);
  Acquire &first = acquire ();
  Acquire &second = acquire ();
  settle ();
  EXPECT_TRUE (cenote_pool_cancel (pool, first.id));
  EXPECT_FALSE (cenote_pool_cancel (pool, first.id));
  EXPECT_FALSE (cenote_pool_cancel (pool, 4711));
  settle ();
  EXPECT_TRUE (first.notified);
  run (SIM_S);
  EXPECT_FALSE (first.answered);
  EXPECT_TRUE (second.got ());
  EXPECT_FALSE (cenote_pool_cancel (pool, second.id));
}

/* A callback may ask again, and may stop the pool. */
TEST_F (PoolTest, ACallbackMayCallBack)
{
  static CenotePool *asked;
  static GMainContext *context;
  static int n_answers;

  open ("size=1");
  connect_all ();
  asked = pool;
  context = sim_context (sim);
  n_answers = 0;
  struct Again {
    static void
    answer (CenotePool *, CenoteLease *, const GError *, gpointer)
    {
      if (++n_answers < 5)
        cenote_pool_acquire_async (asked, nullptr, -1, context, answer, nullptr, nullptr);
      else
        cenote_pool_stop (asked);
    }
  };
  cenote_pool_acquire_async (pool, nullptr, -1, context, Again::answer, nullptr, nullptr);
  run (SIM_S);
  EXPECT_EQ (n_answers, 5);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_STOPPED);
}

TEST_F (PoolTest, ALeaseThatACallbackLeavesIsReleased)
{
  open ("size=1");
  connect_all ();
  cenote_pool_acquire_async (
    pool, "key", -1, sim_context (sim),
    [] (CenotePool *, CenoteLease *lease, const GError *, gpointer) { EXPECT_NE (lease->channel, nullptr); }, nullptr,
    nullptr);
  settle ();
  EXPECT_EQ (Status (pool)->channels[0]->calls, 1);
  EXPECT_EQ (Status (pool)->in_flight, 0);
}

TEST_F (PoolTest, ExecuteTellsTheOutcome)
{
  g_autoptr (GError) error = nullptr;

  open ("size=1");
  EXPECT_FALSE (cenote_pool_execute (
    pool,
    [] (grpc_channel *, gpointer, GError **) -> gboolean {
      ADD_FAILURE ();
      return TRUE;
    },
    nullptr, 0, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED));
  g_clear_error (&error);
  connect_all ();
  EXPECT_TRUE (cenote_pool_execute (
    pool, [] (grpc_channel *, gpointer, GError **) -> gboolean { return TRUE; }, nullptr, 0, &error));
  EXPECT_FALSE (cenote_pool_execute (
    pool, [] (grpc_channel *, gpointer, GError **) -> gboolean { return FALSE; }, nullptr, 0, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_INVALID));
  g_clear_error (&error);
  EXPECT_FALSE (cenote_pool_execute (
    pool,
    [] (grpc_channel *, gpointer, GError **why) -> gboolean {
      g_set_error_literal (why, CENOTE_STATUS, 14, "down");
      return FALSE;
    },
    nullptr, 0, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_STATUS, 14));
  EXPECT_EQ (Status (pool)->channels[0]->failures, 1);
  EXPECT_EQ (Status (pool)->in_flight, 0);
}

} // namespace
