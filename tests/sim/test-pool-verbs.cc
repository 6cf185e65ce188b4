/* SPDX-License-Identifier: Apache-2.0 */
/* pool: what it is told to do besides: pause, connect, disconnect, mocks, stop. */
#include "pool-test.h"

namespace {

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

/* The first whom it answers takes it away: the other, sent to it too, waits on, for an answer where it asked. */
TEST_F (PoolTest, AMockThatIsGoneWhenItsTurnComesLeavesTheWaiterItsContext)
{
  Mock mock;

  make ("size=1");
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  sim_start (sim);
  cenote_pool_acquire_async (
    pool, nullptr, G_MAXINT64, sim_context (sim),
    [] (CenotePool *asked, CenoteLease *, const GError *, gpointer) {
      cenote_pool_set_mock (asked, nullptr, nullptr, nullptr);
    },
    nullptr, nullptr);
  Acquire &patient = acquire ();
  settle ();
  cenote_pool_set_mock (pool, Mock::answer, &mock, Mock::notify);
  settle ();
  EXPECT_EQ (mock.n_calls, 1);
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

} // namespace
