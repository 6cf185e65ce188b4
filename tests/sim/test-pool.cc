/* SPDX-License-Identifier: Apache-2.0 */
/* pool: what callers see of it: gets and waits, sizes, drains, replacements, errors, events. */
#include "sim-test.h"
#include "spies.h"

namespace {

class PoolTest : public SimTest
{
protected:
  static bool
  contains (const std::string &text, const std::string &part)
  {
    return text.find (part) != std::string::npos;
  }

  void
  connect_all ()
  {
    run (2 * SIM_S);
    ASSERT_EQ (current (), Status (pool)->expected_size);
    peer_forget_dials (peer);
  }

  void
  open_with_spy (const std::string &keys)
  {
    spies::places.clear ();
    sim = sim_new_empty (1);
    sim_add_plugin (sim, &spies::picker);
    open (keys + "\npicker=spy");
  }

  /* A connector that plans what PLANNER says. */
  void
  open_planned (const std::string &keys, std::function<void (const CenoteConnectorView *, CenotePlan *)> planner)
  {
    spies::planner = planner;
    sim = sim_new_empty (1);
    sim_add_plugin (sim, &spies::connector);
    sim_add_plugin (sim, &spies::sizing);
    open ((keys.find ("connector=") == std::string::npos ? "connector=spy\n" : "") + keys);
  }

  /* The error of a verb that answers -1. */
  std::string
  refusal (int (*verb) (CenotePool *, int, GError **), int n, int code)
  {
    g_autoptr (GError) error = nullptr;

    EXPECT_EQ (verb (pool, n, &error), -1);
    if (error == nullptr)
      return "";
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, code)) << error->message;
    return error->message;
  }

  /* Runs for SPAN_US, and a get succeeds all the while. */
  void
  run_with_gets (gint64 span_us)
  {
    for (gint64 left_us = span_us; left_us > 0; left_us -= SIM_MS / 2) {
      run (SIM_MS / 2);
      ASSERT_TRUE (can_get ()) << "at " << span_us - left_us << " us";
    }
  }
};

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

/* ------------------------------------------------------------------ sizing */

TEST_F (PoolTest, GrowsAndShrinks)
{
  open ("size=2");
  connect_all ();
  EXPECT_EQ (cenote_pool_resize (pool, 6, nullptr), 6);
  run (SIM_S);
  EXPECT_EQ (current (), 6);
  EXPECT_EQ (cenote_pool_scale_up (pool, 3, nullptr), 9);
  EXPECT_EQ (cenote_pool_scale_down (pool, 8, nullptr), 1);
  EXPECT_EQ (Status (pool)->expected_size, 1);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (Status (pool)->n_channels, 1u);
  EXPECT_TRUE (can_get ());
}

TEST_F (PoolTest, ManyVerbsBeforeTheirEffectsEndWhereTheLastOneSaid)
{
  open ("size=2");
  connect_all ();
  for (int n = 1; n <= 30; n++)
    EXPECT_EQ (cenote_pool_resize (pool, n, nullptr), n);
  EXPECT_EQ (cenote_pool_resize (pool, 4, nullptr), 4);
  run (SIM_S);
  EXPECT_EQ (current (), 4);
  EXPECT_EQ (peer->n_accepted, 4u);
}

TEST_F (PoolTest, WhatASizeCannotBe)
{
  open ("size=5");
  EXPECT_EQ (refusal (cenote_pool_resize, 0, CENOTE_ERROR_INVALID), "Pool p cannot resize by or to 0: 1 is the least");
  refusal (cenote_pool_resize, -3, CENOTE_ERROR_INVALID);
  refusal (cenote_pool_scale_up, 0, CENOTE_ERROR_INVALID);
  refusal (cenote_pool_scale_down, -1, CENOTE_ERROR_INVALID);
  EXPECT_EQ (refusal (cenote_pool_scale_down, 5, CENOTE_ERROR_LIMIT),
             "Pool p cannot scale_down by 5: it would empty the pool of 5");
  EXPECT_EQ (refusal (cenote_pool_resize, 10001, CENOTE_ERROR_LIMIT),
             "Pool p cannot resize to 10001 channels: the maximum is 10000");
  refusal (cenote_pool_scale_up, G_MAXINT, CENOTE_ERROR_LIMIT);
  EXPECT_EQ (Status (pool)->expected_size, 5);
}

TEST_F (PoolTest, AConnectorThatChoosesTheSizeIsNotToldOne)
{
  open_planned ("connector=sizing", nullptr);
  EXPECT_EQ (refusal (cenote_pool_resize, 3, CENOTE_ERROR_INVALID),
             "Pool p cannot resize: its connector sizing chooses its size");
  refusal (cenote_pool_scale_up, 1, CENOTE_ERROR_INVALID);
}

TEST_F (PoolTest, TellsOfItsSize)
{
  open ("size=5");
  cenote_pool_scale_up (pool, 2, nullptr);
  settle ();
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_UP)->event.requested, 2);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_UP)->event.new_size, 7);
  cenote_pool_resize (pool, 4, nullptr);
  cenote_pool_resize (pool, 4, nullptr);
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_POOL_SCALE_DOWN), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_DOWN)->event.requested, 3);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_DOWN)->event.new_size, 4);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_DOWN)->reason, "resize");
  EXPECT_GE (last (CENOTE_EVENT_POOL_SCALE_DOWN)->event.duration_ns, 0);
}

/* ---------------------------------------------------------------- draining */

TEST_F (PoolTest, ADrainWaitsForItsLeases)
{
  CenoteLease leases[2];

  open ("size=2");
  connect_all ();
  for (CenoteLease &lease : leases)
    lease = get ();
  cenote_pool_scale_down (pool, 1, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (Status (pool)->draining, 1);
  EXPECT_EQ (Status (pool).count (CENOTE_CHANNEL_DRAINING), 1u);
  EXPECT_EQ (peer->n_up, 2u);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 0u);
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
  run (20 * SIM_MS);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (Status (pool)->draining, 0);
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_DRAINED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "resize");
  EXPECT_GE (last (CENOTE_EVENT_CHANNEL_DRAINED)->event.duration_ns, SIM_S * 1000);
}

TEST_F (PoolTest, ADrainIsTakenBackWhereTheChannelIsStillConnected)
{
  CenoteLease leases[2];

  open_with_spy ("size=2");
  connect_all ();
  for (CenoteLease &lease : leases)
    lease = get ();
  cenote_pool_scale_down (pool, 1, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  cenote_pool_scale_up (pool, 1, nullptr);
  run (10 * SIM_MS);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer_n_dials (peer), 0u);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (spies::places, (std::map<uint32_t, uint64_t>{ { 0, 1 }, { 1, 2 } }));
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (current (), 2);
}

TEST_F (PoolTest, ADrainThatTakesTooLongIsTold)
{
  LogCapture log;
  CenoteLease leases[2];

  open ("size=2\ndrain-timeout=2s");
  connect_all ();
  for (CenoteLease &lease : leases)
    lease = get ();
  cenote_pool_scale_down (pool, 1, nullptr);
  run (1900 * SIM_MS);
  EXPECT_EQ (log.count ("has not drained within drain-timeout"), 0u);
  run (200 * SIM_MS);
  EXPECT_EQ (log.count ("channel 2 to sim:a has not drained within drain-timeout"), 1u);
  run (10 * SIM_S);
  EXPECT_EQ (log.count ("has not drained within drain-timeout"), 1u);
  EXPECT_EQ (Status (pool)->draining, 1);
  for (CenoteLease &lease : leases)
    cenote_lease_release (&lease);
}

TEST_F (PoolTest, AStopThatTakesTooLongIsTold)
{
  LogCapture log;
  CenoteLease lease;

  open ("size=2\ndrain-timeout=2s");
  connect_all ();
  lease = get ();
  cenote_pool_stop (pool);
  run (10 * SIM_S);
  EXPECT_EQ (log.count ("Pool p has not drained within drain-timeout (2000 ms): 1 leases are still held"), 1u);
  EXPECT_EQ (log.count ("has not drained"), 1u);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (sim_n_over (sim), 1u);
}

/* ------------------------------------------------------------- replacement */

TEST_F (PoolTest, ReconnectMakesBeforeItBreaks)
{
  std::map<uint32_t, uint64_t> before, after;

  open_with_spy ("size=3");
  connect_all ();
  EXPECT_TRUE (can_get ());
  before = spies::places;
  peer_always (peer, PEER_ACCEPTS, 20 * SIM_MS, PEER_FOREVER, nullptr);
  cenote_pool_reconnect (pool);
  for (int i = 0; i < 200; i++) {
    run (SIM_MS);
    ASSERT_GE (current (), 3);
    ASSERT_GE (peer->n_up, 3u);
    ASSERT_LE (peer->n_up, 4u) << "one at a time";
    ASSERT_TRUE (can_get ());
  }
  after = spies::places;
  EXPECT_EQ (current (), 3);
  EXPECT_EQ (peer->n_accepted, 6u);
  ASSERT_EQ (after.size (), 3u);
  for (auto [number, channel] : before) {
    EXPECT_EQ (after.count (number), 1u) << "a replacement inherits its place";
    EXPECT_GT (after[number], 3u);
  }
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "was replaced: the pool reconnects");
  cenote_pool_scale_up (pool, 4, nullptr);
  run (SIM_S);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (spies::places.size (), 7u) << "no place is given twice";
}

/* As transport tls does, when its certificates have changed. */
TEST_F (PoolTest, ATransportHasItsChannelsReplacedOneAtATime)
{
  const CenoteHost *host;

  open ("size=3");
  connect_all ();
  host = peer_nth_up (peer, 0)->host;
  peer_always (peer, PEER_ACCEPTS, 20 * SIM_MS, PEER_FOREVER, nullptr);
  host->renew (host, "its papers are new");
  for (int i = 0; i < 200; i++) {
    run (SIM_MS);
    ASSERT_GE (current (), 3);
    ASSERT_LE (peer->n_up, 4u) << "one at a time";
    ASSERT_TRUE (can_get ());
  }
  EXPECT_EQ (peer->n_accepted, 6u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "was replaced: its transport has changed");
}

TEST_F (PoolTest, WhatIsNotConnectedTriesAnewAtTheBackoffsTimes)
{
  const CenoteHost *host;

  open ("size=2");
  connect_all ();
  host = peer_nth_up (peer, 0)->host;
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_lose_all (peer, nullptr);
  run (50 * SIM_MS);
  peer_forget_dials (peer);
  for (int i = 0; i < 20; i++) {
    host->renew (host, "its papers are new");
    run (50 * SIM_MS);
  }
  EXPECT_LE (peer_n_dials (peer), 11u) << "in a second, at most one in 100 ms";
  EXPECT_GE (peer_n_dials (peer), 5u);
}

TEST_F (PoolTest, APoolOfOneIsNeverWithoutItsChannel)
{
  open ("size=1");
  connect_all ();
  for (int i = 0; i < 5; i++) {
    cenote_pool_reconnect (pool);
    run_with_gets (20 * SIM_MS);
  }
  EXPECT_EQ (peer->n_accepted, 6u);
  EXPECT_EQ (peer->n_up, 1u);
}

/* Not even at the moment that the old one is closed. */
TEST_F (PoolTest, NotEvenWhileItsReplacementIsPutIn)
{
  static CenotePool *watched;
  static int n_closed;

  open ("size=1");
  connect_all ();
  watched = pool;
  n_closed = 0;
  sim_peers (sim)->on_close = [] (Connection *) {
    CenoteLease lease = CENOTE_LEASE_INIT;

    n_closed++;
    EXPECT_TRUE (cenote_pool_get_channel (watched, &lease, nullptr));
    cenote_lease_release (&lease);
  };
  cenote_pool_reconnect (pool);
  run_with_gets (50 * SIM_MS);
  EXPECT_EQ (n_closed, 1);
  EXPECT_EQ (peer->n_accepted, 2u);
  sim_peers (sim)->on_close = nullptr;
}

TEST_F (PoolTest, WhereTheNewOneCannotConnectTheOldOneStays)
{
  open ("size=2");
  connect_all ();
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  cenote_pool_reconnect (pool);
  run_with_gets (100 * SIM_MS);
  run (600 * SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer->n_accepted, 2u);
  EXPECT_GT (peer_n_dials (peer), 5000u);
  peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer->n_accepted, 4u);
  EXPECT_EQ (peer->n_up, 2u);
}

TEST_F (PoolTest, AReplacedChannelKeepsItsLeases)
{
  CenoteLease lease;

  open ("size=1");
  connect_all ();
  lease = get ();
  cenote_pool_reconnect (pool);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (Status (pool)->draining, 1);
  EXPECT_EQ (connection_of (lease.channel)->state, CONNECTION_UP);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (peer->n_up, 1u);
}

TEST_F (PoolTest, AFailedChannelThatIsLeasedHasASuccessorInItsPlace)
{
  CenoteLease lease;
  Connection *failed;

  open_with_spy ("size=2");
  connect_all ();
  lease = get ();
  failed = connection_of (lease.channel);
  peer_always (peer, PEER_ACCEPTS, 50 * SIM_MS, PEER_FOREVER, nullptr);
  connection_fail (failed, "broken pipe");
  run (SIM_MS);
  EXPECT_EQ (Status (pool)->draining, 1);
  EXPECT_EQ (Status (pool)->expected_size, 2);
  EXPECT_TRUE (contains (Status (pool).channel (failed->number)->why, "broken pipe"));
  run (100 * SIM_MS);
  EXPECT_EQ (current (), 2);
  EXPECT_TRUE (can_get ());
  ASSERT_EQ (spies::places.size (), 2u);
  EXPECT_EQ (spies::places.count (0), 1u);
  EXPECT_EQ (spies::places.count (1), 1u);
  EXPECT_EQ (spies::places[static_cast<uint32_t> (failed->number) - 1], 3u);
  EXPECT_EQ (failed->state, CONNECTION_FAILED) << "not closed while leased";
  cenote_lease_release (&lease);
  run (20 * SIM_MS);
  EXPECT_EQ (failed->state, CONNECTION_CLOSED);
  EXPECT_EQ (Status (pool)->n_channels, 2u);
}

TEST_F (PoolTest, AnIdleChannelIsRedialledInPlaceUnderItsLeases)
{
  CenoteLease lease;
  Connection *same;

  open ("size=1");
  connect_all ();
  lease = get ();
  same = connection_of (lease.channel);
  connection_lose (same, "went away");
  run (10 * SIM_MS);
  EXPECT_EQ (same->state, CONNECTION_UP);
  EXPECT_EQ (same->n_dials, 2u);
  EXPECT_EQ (Status (pool)->channels[0]->id, 1u);
  EXPECT_EQ (Status (pool)->in_flight, 1);
  cenote_lease_release (&lease);
  EXPECT_TRUE (can_get ());
}

/* As C-core does for a call on a channel that has just lost its connection. */
TEST_F (PoolTest, AChannelThatConnectedByItselfIsTaken)
{
  CenoteLease lease;
  Connection *same;

  open ("size=1");
  run (10 * SIM_MS);
  lease = get ();
  same = connection_of (lease.channel);
  connection_lose (same, "went away");
  settle ();
  connection_dial_by_itself (same);
  run (10 * SIM_MS);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (peer_n_dials (peer), 1u);
  EXPECT_TRUE (can_get ());
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (current (), 1);
}

/* ------------------------------------------------- pause, connect, disconnect */

TEST_F (PoolTest, APausedPoolGivesNothingAndLivesOn)
{
  open ("size=2");
  connect_all ();
  cenote_pool_pause (pool);
  EXPECT_EQ (get_error (CENOTE_ERROR_NOT_CONNECTED), "Pool p is paused: cenote_pool_acquire() waits for its resume");
  Acquire &late = acquire (100);
  Acquire &patient = acquire ();
  peer_lose_all (peer, "restarted");
  run (SIM_S);
  EXPECT_EQ (late.code, CENOTE_ERROR_TIMEOUT);
  EXPECT_TRUE (contains (late.message, "paused")) << late.message;
  EXPECT_FALSE (patient.answered);
  EXPECT_EQ (current (), 2) << "supervision goes on";
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_HEALTHY);
  cenote_pool_resume (pool);
  EXPECT_TRUE (can_get ());
  settle ();
  EXPECT_TRUE (patient.got ());
}

TEST_F (PoolTest, AManualPoolDialsWhenToldTo)
{
  open ("size=2\ninitialization=manual");
  run (60 * SIM_S);
  EXPECT_EQ (peer_n_dials (peer), 0u);
  EXPECT_TRUE (contains (get_error (CENOTE_ERROR_NOT_CONNECTED), "no ready channel"));
  Acquire &hopeless = acquire ();
  settle ();
  EXPECT_EQ (hopeless.code, CENOTE_ERROR_NOT_CONNECTED);
  EXPECT_TRUE (contains (hopeless.message, "cenote_pool_connect()")) << hopeless.message;
  EXPECT_FALSE (cenote_pool_connect (pool, 0, nullptr));
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_TRUE (cenote_pool_connect (pool, 0, nullptr));
}

TEST_F (PoolTest, ADisconnectedPoolRestsUntilConnect)
{
  LogCapture log;
  CenoteLease lease;

  open ("size=3");
  connect_all ();
  lease = get ();
  cenote_pool_pause (pool);
  Acquire &waiting = acquire ();
  settle ();
  cenote_pool_disconnect (pool);
  settle ();
  EXPECT_EQ (waiting.code, CENOTE_ERROR_NOT_CONNECTED);
  EXPECT_TRUE (contains (waiting.message, "disconnected")) << waiting.message;
  cenote_pool_resume (pool);
  run (60 * SIM_S);
  EXPECT_EQ (peer->n_up, 1u) << "the leased one";
  EXPECT_EQ (peer_n_dials (peer), 0u);
  EXPECT_FALSE (can_get ());
  EXPECT_FALSE (cenote_pool_is_connected (pool));
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (peer->n_up, 0u);
  cenote_pool_connect (pool, 0, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 3);
}

TEST_F (PoolTest, ConnectCallsBackWhatStillDrains)
{
  CenoteLease lease;

  open ("size=1");
  connect_all ();
  lease = get ();
  cenote_pool_disconnect (pool);
  run (SIM_S);
  EXPECT_TRUE (cenote_pool_connect (pool, 0, nullptr) || current () == 0);
  run (10 * SIM_MS);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (peer_n_dials (peer), 0u);
  cenote_lease_release (&lease);
}

TEST_F (PoolTest, VerbsOfARestingPoolOnlyTakeNote)
{
  open ("size=3");
  connect_all ();
  cenote_pool_disconnect (pool);
  run (SIM_S);
  EXPECT_EQ (cenote_pool_resize (pool, 5, nullptr), 5);
  cenote_pool_reconnect (pool);
  run (60 * SIM_S);
  EXPECT_EQ (peer_n_dials (peer), 0u);
  cenote_pool_connect (pool, 0, nullptr);
  run (SIM_S);
  EXPECT_EQ (current (), 5);
}

/* -------------------------------------------------------------------- mock */

struct Mock {
  int n_calls = 0;
  int n_notified = 0;
  bool fails = false;
  char channel = 0;

  static gboolean
  answer (CenotePool *, CenoteLease *out_lease, gpointer data, GError **error)
  {
    auto *self = static_cast<Mock *> (data);

    self->n_calls++;
    if (self->fails) {
      g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED, "the mock says no");
      return FALSE;
    }
    out_lease->channel = reinterpret_cast<grpc_channel *> (&self->channel);
    return TRUE;
  }

  static void
  notify (gpointer data)
  {
    static_cast<Mock *> (data)->n_notified++;
  }
};

TEST_F (PoolTest, AMockAnswersInThePoolsPlace)
{
  Mock mock;
  CenoteLease lease;

  open ("size=2");
  cenote_pool_set_mock (pool, Mock::answer, &mock, Mock::notify);
  lease = get ();
  EXPECT_EQ ((void *) lease.channel, &mock.channel);
  cenote_lease_release (&lease);
  EXPECT_EQ (lease.channel, nullptr);
  Acquire &acquired = acquire ();
  settle ();
  EXPECT_EQ ((void *) acquired.lease.channel, &mock.channel);
  EXPECT_EQ (mock.n_calls, 2);
  run (SIM_S);
  EXPECT_EQ (current (), 2) << "real supervision goes on beneath";
  EXPECT_EQ (Status (pool)->in_flight, 0);
  mock.fails = true;
  EXPECT_EQ (get_error (CENOTE_ERROR_NOT_CONNECTED), "the mock says no");
  cenote_pool_set_mock (pool, nullptr, nullptr, nullptr);
  EXPECT_EQ (mock.n_notified, 1);
  lease = get ();
  EXPECT_NE ((void *) lease.channel, &mock.channel);
  cenote_lease_release (&lease);
  EXPECT_EQ (mock.n_calls, 3);
}

/* Nothing is connected: both wait. */
TEST_F (PoolTest, AMockAnswersThoseWhoWaitAlready)
{
  Mock mock;

  make ("size=1\nmax-waiters=2");
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  sim_start (sim);
  Acquire &first = acquire (), &second = acquire (1000);
  settle ();
  EXPECT_EQ (Status (pool)->waiters, 2);
  cenote_pool_set_mock (pool, Mock::answer, &mock, Mock::notify);
  EXPECT_EQ (mock.n_calls, 0) << "it is asked on the callers' own context";
  settle ();
  EXPECT_TRUE (first.got () && second.got ());
  EXPECT_EQ ((void *) first.lease.channel, &mock.channel);
  EXPECT_EQ (mock.n_calls, 2);
  EXPECT_EQ (Status (pool)->waiters, 0);
  mock.fails = true;
  Acquire &third = acquire ();
  settle ();
  EXPECT_EQ (third.code, CENOTE_ERROR_NOT_CONNECTED);
  EXPECT_EQ (third.message, "the mock says no");
}

/* Set and taken away again before the waiter's own loop has run: it waits on, as long as it was to. */
TEST_F (PoolTest, AMockThatWentAgainLeavesTheWaiterWaiting)
{
  Mock mock;
  gint64 begun_us;

  make ("size=1");
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  sim_start (sim);
  Acquire &late = acquire (500), &patient = acquire ();
  settle ();
  begun_us = now ();
  cenote_pool_set_mock (pool, Mock::answer, &mock, Mock::notify);
  cenote_pool_set_mock (pool, nullptr, nullptr, nullptr);
  EXPECT_EQ (mock.n_notified, 1);
  run (SIM_S);
  EXPECT_EQ (mock.n_calls, 0);
  EXPECT_EQ (late.code, CENOTE_ERROR_TIMEOUT);
  EXPECT_EQ (late.answered_us - begun_us, 500 * SIM_MS);
  EXPECT_FALSE (patient.answered);
  peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  run (SIM_S);
  EXPECT_TRUE (patient.got ());
}

TEST_F (PoolTest, AReplacedMockIsToldOnce)
{
  Mock first, second;

  open ("size=1");
  cenote_pool_set_mock (pool, Mock::answer, &first, Mock::notify);
  cenote_pool_set_mock (pool, Mock::answer, &second, Mock::notify);
  EXPECT_EQ (first.n_notified, 1);
  EXPECT_TRUE (can_get ());
  EXPECT_EQ (first.n_calls, 0);
  EXPECT_EQ (second.n_calls, 1);
  EXPECT_TRUE (sim_end (sim, SIM_S));
  EXPECT_EQ (second.n_notified, 0) << "the pool has a reference still";
  sim_free (sim);
  sim = nullptr;
  EXPECT_EQ (first.n_notified, 1);
  EXPECT_EQ (second.n_notified, 1);
}

/* -------------------------------------------------------------------- stop */

TEST_F (PoolTest, AStoppedPoolSaysSo)
{
  open ("size=3");
  peer_always (peer, PEER_HANGS, 0, 0, nullptr);
  Acquire &waiting = acquire ();
  settle ();
  cenote_pool_stop (pool);
  cenote_pool_stop (pool);
  settle ();
  EXPECT_EQ (waiting.code, CENOTE_ERROR_STOPPED);
  EXPECT_EQ (get_error (CENOTE_ERROR_STOPPED), "Pool p was stopped, or this is a forked child: open a new runtime");
  refusal (cenote_pool_resize, 3, CENOTE_ERROR_STOPPED);
  run (SIM_S);
  EXPECT_EQ (sim_n_over (sim), 1u);
  get_error (CENOTE_ERROR_STOPPED);
  refusal (cenote_pool_resize, 3, CENOTE_ERROR_STOPPED);
  cenote_pool_connect (pool, 0, nullptr);
  cenote_pool_reconnect (pool);
  cenote_pool_pause (pool);
  cenote_pool_disconnect (pool);
  Acquire &late = acquire ();
  run (SIM_S);
  EXPECT_EQ (late.code, CENOTE_ERROR_STOPPED);
  EXPECT_EQ (peer_n_dials (peer), 1u);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_STOPPED);
  EXPECT_EQ (Status (pool)->expected_size, 0);
  EXPECT_STREQ (cenote_pool_get_name (pool), "p");
}

TEST_F (PoolTest, LeasesMayOutliveTheStop)
{
  CenoteLease leases[4];
  Connection *shared;

  open ("size=2");
  connect_all ();
  for (CenoteLease &lease : leases)
    lease = get ();
  shared = connection_of (leases[0].channel);
  EXPECT_TRUE (sim_end (sim, 100 * SIM_MS));
  EXPECT_EQ (sim_n_over (sim), 1u);
  EXPECT_EQ (sim_peers (sim)->n_open, 2u);
  EXPECT_EQ (shared->state, CONNECTION_UP);
  connection_lose (shared, "nobody listens any more");
  for (int i = 0; i < 4; i++) {
    EXPECT_EQ (sim_peers (sim)->n_open, i < 3 ? 2u : 1u);
    cenote_lease_release (&leases[i]);
  }
  EXPECT_EQ (sim_peers (sim)->n_open, 0u);
}

/* The transport's timers end with the pool, though a lease keeps the transport. */
TEST_F (PoolTest, ATransportThatIsLeasedToTheEndHasNoTimersAnyMore)
{
  CenoteLease lease;

  open ("size=1");
  peer_always (peer, PEER_ACCEPTS, SIM_MS, 3600 * SIM_S, "its hour is over");
  connect_all ();
  lease = get ();
  EXPECT_TRUE (sim_end (sim, 100 * SIM_MS));
  EXPECT_EQ (sim_peers (sim)->n_states, 1u);
  run (2 * 3600 * SIM_S);
  EXPECT_EQ (connection_of (lease.channel)->state, CONNECTION_UP);
  cenote_lease_release (&lease);
  EXPECT_EQ (sim_peers (sim)->n_states, 0u);
}

TEST_F (PoolTest, ASecondReleaseIsRefused)
{
  LogCapture log;
  CenoteLease lease, copy;

  open ("size=1");
  connect_all ();
  lease = copy = get ();
  cenote_lease_release (&lease);
  cenote_lease_release (&copy);
  EXPECT_EQ (log.count ("second time"), 1u);
  EXPECT_EQ (Status (pool)->in_flight, 0);
}

TEST_F (PoolTest, APoolThatNeverStartedEnds)
{
  make ("size=5");
  EXPECT_TRUE (sim_end (sim, SIM_S));
  EXPECT_EQ (peer_n_dials (peer), 0u);
}

/* ------------------------------------------------------------------ status */

TEST_F (PoolTest, StatusOfAPool)
{
  CenoteLease lease;

  open ("size=3\ntargets=sim:a;sim:b");
  peer_always (peers_get (sim_peers (sim), "sim:b"), PEER_REFUSES, 0, 0, "refused");
  run (2050 * SIM_MS);
  lease = get ();
  Status status (pool);
  EXPECT_STREQ (status->name, "p");
  EXPECT_STREQ (status->target, "sim:a;sim:b");
  EXPECT_EQ (status->state, CENOTE_POOL_HEALTHY);
  EXPECT_EQ (status->expected_size, 3);
  EXPECT_EQ (status->current_size, 3);
  EXPECT_EQ (status->connecting, 0);
  EXPECT_EQ (status->draining, 0);
  EXPECT_EQ (status->in_flight, 1);
  EXPECT_EQ (status->waiters, 0);
  EXPECT_STREQ (status->last_error, "refused");
  EXPECT_EQ (status->last_error_age_ms, 50);
  ASSERT_EQ (status->n_channels, 4u) << "one tries sim:b";
  for (gsize i = 0; i < status->n_channels; i++) {
    const CenoteChannelStatus *channel = status->channels[i];
    bool good = channel->state == CENOTE_CHANNEL_READY;

    EXPECT_GT (channel->id, i == 0 ? 0 : status->channels[i - 1]->id);
    EXPECT_STREQ (channel->address, good ? "sim:a" : "sim:b");
    EXPECT_EQ (channel->attempts, good ? 1 : 20) << "the first attempt was another channel's";
    EXPECT_EQ (channel->age_ms >= 0, good);
    EXPECT_EQ (channel->next_attempt_ms, good ? -1 : 50);
    EXPECT_EQ (channel->last_error == nullptr, good);
  }
  EXPECT_EQ (status->channels[0]->in_flight + status->channels[1]->in_flight + status->channels[2]->in_flight, 1);
  cenote_lease_release (&lease);
}

TEST_F (PoolTest, TheStateOfAPool)
{
  open ("size=2\nmax-concurrent-dials=1");
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DOWN);
  run (1500);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DEGRADED);
  EXPECT_EQ (Status (pool)->connecting, 1);
  run (SIM_S);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_HEALTHY);
  cenote_pool_stop (pool);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_STOPPED);
}

TEST_F (PoolTest, StatusAsJson)
{
  g_autofree char *json = nullptr;

  open ("size=1");
  connect_all ();
  json = cenote_pool_status_to_json (Status (pool).raw);
  EXPECT_TRUE (contains (json, "\"state\":\"healthy\"")) << json;
  EXPECT_TRUE (contains (json, "\"last_error\":null")) << json;
  EXPECT_TRUE (contains (json, "\"channels\":[{\"id\":1")) << json;
}

/* --------------------------------------------------------------- observers */

struct Watcher {
  std::vector<std::string> told;
  int n_notified = 0;

  static CenoteObserver
  observer ()
  {
    CenoteObserver funcs = CENOTE_OBSERVER_INIT;

    funcs.connect_requested = [] (CenotePool *, const char *address, gpointer data) {
      say (data, std::string ("dial ") + address);
    };
    funcs.connected = [] (CenotePool *, guint64 id, const char *, gpointer data) {
      say (data, "connected " + std::to_string (id));
    };
    funcs.disconnected = [] (CenotePool *, guint64 id, const char *, gpointer data) {
      say (data, "lost " + std::to_string (id));
    };
    funcs.connection_failed = [] (CenotePool *, guint64 id, const char *, const GError *error, gpointer data) {
      say (data, "failed " + std::to_string (id) + " " + error->message);
    };
    return funcs;
  }

  static void
  say (gpointer data, const std::string &what)
  {
    static_cast<Watcher *> (data)->told.push_back (what);
  }
  static void
  notify (gpointer data)
  {
    static_cast<Watcher *> (data)->n_notified++;
  }
};

TEST_F (PoolTest, ObserversAreToldInOrder)
{
  Watcher watcher;
  CenoteObserver funcs = Watcher::observer ();
  guint id;

  make ("size=1");
  id = cenote_pool_add_observer (pool, &funcs, &watcher, Watcher::notify);
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_next (peer, PEER_ACCEPTS, SIM_MS, 1500 * SIM_MS, "went away");
  sim_start (sim);
  run (1700 * SIM_MS);
  EXPECT_EQ (watcher.told, (std::vector<std::string>{ "dial sim:a", "failed 1 refused", "dial sim:a", "connected 1",
                                                      "lost 1", "dial sim:a", "connected 1" }));
  cenote_pool_remove_observer (pool, id);
  peer_lose_all (peer, "gone");
  run (SIM_S);
  EXPECT_EQ (watcher.told.size (), 7u);
  EXPECT_EQ (watcher.n_notified, 1);
}

TEST_F (PoolTest, ObserversAreGivenUpWithThePool)
{
  Watcher watcher, late;
  CenoteObserver funcs = Watcher::observer ();

  open ("size=1");
  EXPECT_NE (cenote_pool_add_observer (pool, &funcs, &watcher, Watcher::notify), 0u);
  run (SIM_S);
  EXPECT_TRUE (sim_end (sim, SIM_S));
  EXPECT_EQ (watcher.n_notified, 1);
  cenote_pool_add_observer (pool, &funcs, &late, Watcher::notify);
  EXPECT_EQ (late.n_notified, 0) << "that is for the callback thread, not for the caller's";
  settle ();
  EXPECT_EQ (late.n_notified, 1);
}

/* Resizes, gets and stops from inside of a callback. */
TEST_F (PoolTest, AnObserverMayCallBack)
{
  static CenotePool *watched;
  CenoteObserver funcs = CENOTE_OBSERVER_INIT;

  make ("size=1");
  watched = pool;
  funcs.connected = [] (CenotePool *told, guint64 id, const char *, gpointer) {
    EXPECT_EQ (told, watched);
    if (id < 6)
      EXPECT_EQ (cenote_pool_scale_up (told, 1, nullptr), (int) id + 1);
    else
      cenote_pool_stop (told);
  };
  cenote_pool_add_observer (pool, &funcs, nullptr, nullptr);
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (peer->n_accepted, 6u);
  EXPECT_EQ (sim_n_over (sim), 1u);
}

/* --------------------------------------------------------------- telemetry */

TEST_F (PoolTest, TellsWhatHappensToAChannel)
{
  open ("size=1");
  peer_next (peer, PEER_ACCEPTS, 5 * SIM_MS, 3 * SIM_S, "went away");
  run (2 * SIM_S);
  ASSERT_NE (last (CENOTE_EVENT_POOL_INIT), nullptr);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_INIT)->event.expected_size, 1);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_INIT)->address, "sim:a");
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_CONNECTED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTED)->event.duration_ns, 5 * SIM_MS * 1000);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTED)->event.attempt, 1);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTED)->event.channel, 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTED)->address, "sim:a");
  run (1500 * SIM_MS);
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->event.duration_ns, 3 * SIM_S * 1000);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason, "went away");
}

TEST_F (PoolTest, TellsEachStepOfAChannel)
{
  std::vector<std::string> steps;

  open ("size=1");
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_next (peer, PEER_ACCEPTS, SIM_MS, 2 * SIM_S, "gone");
  run (2300 * SIM_MS);
  cenote_pool_stop (pool);
  settle ();
  for (const ToldEvent &told : events)
    if (told.event.kind == CENOTE_EVENT_CHANNEL_STATE)
      steps.push_back (told.reason);
  EXPECT_EQ (steps, (std::vector<std::string>{ "idle -dial-> connecting", "connecting -failed-> transient_failure",
                                               "transient_failure -dial-> connecting", "connecting -ready-> ready",
                                               "ready -lost-> idle", "idle -dial-> connecting",
                                               "connecting -ready-> ready", "ready -drain-> shutdown" }));
}

TEST_F (PoolTest, TellsItsStatusAtItsInterval)
{
  open ("size=2\nstatus-interval=10s");
  run (60500 * SIM_MS);
  EXPECT_EQ (count (CENOTE_EVENT_POOL_STATUS), 7u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_STATUS)->event.expected_size, 2);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_STATUS)->event.current_size, 2);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_STATUS)->event.in_flight, 0);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_STATUS)->event.waiters, 0);
}

TEST_F (PoolTest, SampledGetsAreTold)
{
  open ("size=1\ntelemetry-sample-rate=4");
  connect_all ();
  for (int i = 0; i < 40; i++)
    EXPECT_TRUE (can_get ());
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_POOL_GET_CHANNEL), 10u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_GET_CHANNEL)->event.ok, 1);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_GET_CHANNEL)->event.current_size, 1);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_GET_CHANNEL)->event.channel, 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_GET)->event.channel, 1u);
}

TEST_F (PoolTest, GetsThatFindNothingAreToldToo)
{
  make ("size=1\ntelemetry-sample-rate=1");
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  listen ();
  sim_start (sim);
  EXPECT_FALSE (can_get ());
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_GET), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_GET)->event.ok, 0);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_GET)->event.channel, 0u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_GET_CHANNEL)->event.current_size, 0);
}

TEST_F (PoolTest, NoneAreToldWithASampleRateOfZero)
{
  open ("size=1\ntelemetry-sample-rate=0");
  connect_all ();
  for (int i = 0; i < 5000; i++)
    EXPECT_TRUE (can_get ());
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_POOL_GET_CHANNEL), 0u);
}

/* ------------------------------------------------------------ rest and ticks */

TEST_F (PoolTest, AnIdlePoolSleeps)
{
  make ("size=5\nstatus-interval=off");
  sim_start (sim);
  run (5 * SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_TRUE (sim_count (sim, 0).parked);
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64);
}

TEST_F (PoolTest, AGetWakesItOnceAndItTicksWhileUsed)
{
  CenoteLease lease;

  make ("size=1\nstatus-interval=off");
  sim_start (sim);
  run (5 * SIM_S);
  lease = get ();
  settle ();
  EXPECT_FALSE (sim_count (sim, 0).parked);
  EXPECT_LE (sim_next_us (sim) - now (), 10 * SIM_MS);
  run (60 * SIM_S);
  EXPECT_FALSE (sim_count (sim, 0).parked) << "a lease is held";
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_TRUE (sim_count (sim, 0).parked);
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64);
}

/* -------------------------------------------------------------------- plans */

TEST_F (PoolTest, APlanOverTheSizeIsRefusedByName)
{
  LogCapture log;

  open_planned ("size=3", [] (const CenoteConnectorView *view, CenotePlan *plan) {
    if (view->n_channels == 0)
      plan->open (plan, cenote_view_address (view, 0)->id, 4, 0);
  });
  run (SIM_S);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  EXPECT_EQ (log.count ("the plan of connector spy was refused: it would make 4 channels, and at most 3 are allowed"),
             1u);
  ASSERT_EQ (count (CENOTE_EVENT_PLUGIN_FAILED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_PLUGIN_FAILED)->reason, "connector/spy: its plan was refused");
}

using PlanFault = std::pair<std::function<void (const CenoteConnectorView *, CenotePlan *)>, const char *>;

TEST_F (PoolTest, APlanOfNonsenseIsRefusedWhole)
{
  const std::vector<PlanFault> faults = {
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->open (plan, 77, 1, 0); }, "address 77" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->drain (plan, 99, "why"); }, "channel 99" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->close (plan, 98, nullptr); }, "channel 98" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->revive (plan, 97); }, "channel 97" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->open (plan, 0, 1, 96); }, "replaces channel 96" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->open (plan, 0, 2, 1); }, "replaces channel 1 by 2" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) { plan->open (plan, 0, UINT32_MAX, 0); }, "at most 2" },
    { [] (const CenoteConnectorView *, CenotePlan *plan) {
       plan->open (plan, 0, 1, 1);
       plan->open (plan, 0, 1, 1);
     },
      "replaces channel 1 twice" },
  };
  int n_plans = 0;

  for (const PlanFault &fault : faults) {
    LogCapture log;

    open_planned ("size=2\nstatus-interval=off", [] (const CenoteConnectorView *view, CenotePlan *plan) {
      if (view->n_channels == 0)
        plan->open (plan, cenote_view_address (view, 0)->id, 1, 0);
    });
    run (SIM_S);
    ASSERT_EQ (Status (pool)->n_channels, 1u);
    spies::planner = [&] (const CenoteConnectorView *view, CenotePlan *plan) {
      n_plans++;
      plan->drain (plan, 1, "with the rest of the plan");
      fault.first (view, plan);
    };
    cenote_pool_resize (pool, 2, nullptr);
    run (SIM_S);
    spies::planner = nullptr;
    EXPECT_EQ (n_plans, 1);
    n_plans = 0;
    EXPECT_EQ (log.count (fault.second), 1u) << fault.second;
    EXPECT_EQ (current (), 1) << fault.second;
    sim_free (sim);
    sim = nullptr;
  }
}

/* One replacement at a time for each channel, also over many plans. */
TEST_F (PoolTest, AConnectorThatReplacesWithoutEndIsStopped)
{
  LogCapture log;

  open_planned ("size=1", [] (const CenoteConnectorView *view, CenotePlan *plan) {
    if (view->n_channels == 0)
      plan->open (plan, cenote_view_address (view, 0)->id, 1, 0);
    else if (view->now_us % 2 == 0 || view->n_channels < 100)
      plan->open (plan, cenote_view_address (view, 0)->id, 1, 1);
    plan->wake_at (plan, view->now_us);
  });
  peer_next (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
  peer_always (peer, PEER_HANGS, 0, 0, nullptr);
  run (100 * SIM_MS);
  EXPECT_EQ (Status (pool)->n_channels, 2u);
  EXPECT_GE (log.count ("replaces channel 1 twice"), 10u);
  spies::planner = nullptr;
}

TEST_F (PoolTest, ARestingPoolWantsNothing)
{
  LogCapture log;
  guint32 wanted = 99;

  open_planned ("size=2\ninitialization=manual", [&] (const CenoteConnectorView *view, CenotePlan *plan) {
    wanted = view->wanted;
    plan->open (plan, cenote_view_address (view, 0)->id, 1, 0);
  });
  cenote_pool_resize (pool, 3, nullptr);
  run (SIM_S);
  EXPECT_EQ (wanted, 0u);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  spies::planner = nullptr;
}

TEST_F (PoolTest, ThePlanIsAskedAtTheTimeThatItSet)
{
  std::vector<gint64> times;
  gint64 start_us;

  make ("size=1\nstatus-interval=off");
  sim_free (sim);
  open_planned ("size=1\nstatus-interval=off", [&] (const CenoteConnectorView *view, CenotePlan *plan) {
    times.push_back (view->now_us);
    if (times.size () < 4)
      plan->wake_at (plan, view->now_us + 100 * SIM_MS);
  });
  start_us = now ();
  run (10 * SIM_S);
  ASSERT_EQ (times.size (), 4u);
  for (gint64 &time : times)
    time -= start_us;
  EXPECT_EQ (times, (std::vector<gint64>{ 0, 100000, 200000, 300000 }));
  spies::planner = nullptr;
}

TEST_F (PoolTest, ThePlannerSeesWhatThereIs)
{
  CenoteConnectorView seen = {};
  std::vector<CenoteChannelView> channels;
  CenoteLease lease;

  open_planned ("size=2", [&] (const CenoteConnectorView *view, CenotePlan *plan) {
    seen = *view;
    channels.clear ();
    for (uint32_t i = 0; i < view->n_channels; i++)
      channels.push_back (*cenote_view_channel (view, i));
    if (view->n_channels == 0)
      plan->open (plan, cenote_view_address (view, 0)->id, 2, 0);
  });
  run (SIM_S);
  lease = get ();
  cenote_pool_pause (pool);
  Acquire &waiting = acquire (500);
  settle ();
  EXPECT_EQ (seen.wanted, 2u);
  EXPECT_EQ (seen.n_waiters, 1u);
  EXPECT_EQ (seen.oldest_deadline_us, now () + 500 * SIM_MS);
  EXPECT_EQ (seen.acquired, 1u);
  ASSERT_EQ (channels.size (), 2u);
  EXPECT_EQ (channels[0].in_flight + channels[1].in_flight, 1);
  EXPECT_EQ (channels[0].state, (uint32_t) CENOTE_CHANNEL_READY);
  EXPECT_GT (channels[0].ready_since_us, 0);
  cenote_pool_reconnect (pool);
  settle ();
  run (SIM_MS);
  EXPECT_EQ (seen.verb, (uint32_t) CENOTE_VERB_ROTATE);
  EXPECT_NE (channels[0].flags & CENOTE_CHANNEL_STALE, 0u);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_TRUE (waiting.answered);
  spies::planner = nullptr;
}

/* ---------------------------------------------------------- several pools */

TEST_F (PoolTest, PoolsDoNotDisturbEachOther)
{
  g_autoptr (GError) error = nullptr;
  CenotePool *other;

  sim = sim_new (
    "[cenote]\ntelemetry=\n[pool:p]\ntarget=sim:a\ntransport=peers\n[pool:q]\ntarget=sim:b\ntransport=peers\nsize=2\n",
    1, &error);
  ASSERT_NE (sim, nullptr) << error->message;
  pool = sim_pool (sim, 0);
  other = sim_pool (sim, 1);
  peer = peers_get (sim_peers (sim), "sim:a");
  sim_start (sim);
  run (2 * SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_EQ (Status (other)->current_size, 2);
  cenote_pool_stop (pool);
  run (SIM_S);
  EXPECT_EQ (sim_n_over (sim), 1u);
  EXPECT_EQ (Status (other)->current_size, 2);
  EXPECT_EQ (Status (other)->state, CENOTE_POOL_HEALTHY);
}

} // namespace
