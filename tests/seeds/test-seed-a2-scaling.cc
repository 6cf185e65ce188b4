/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GrpcConnectionPool 0.3: pools that change their size: its defect B2, its cases of
 * scaling and of their edges, and what reading it showed.
 */
#include <gtest/gtest.h>

#include "a2.h"

namespace {

/* Nobody is there, and no case of its own needs somebody: what is wanted counts. */
class Nobody {
public:
  explicit Nobody (int size) : client (port_.number (), "size=" + std::to_string (size) + "\nbackoff=quick\n")
  {
    client.connect ();
  }

  void
  expect_size (int size)
  {
    auto status = client.status ();

    EXPECT_EQ (status->expected_size, size);
    EXPECT_EQ (status->current_size, 0);
    EXPECT_EQ (status->state, CENOTE_POOL_DOWN);
  }

private:
  Port port_;

public:
  Client client;
};

typedef int (*Verb) (CenotePool *pool, int n, GError **error);

void
expect_refused (Client *client, Verb verb, int n, CenoteError code, const char *text)
{
  gint64 before = expected_size (client);
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (verb (client->pool, n, &error), -1) << n;
  ASSERT_TRUE (g_error_matches (error, CENOTE_ERROR, code))
    << n << ": " << (error == nullptr ? "taken" : error->message);
  EXPECT_NE (strstr (error->message, text), nullptr) << error->message;
  EXPECT_NE (strstr (error->message, "test"), nullptr) << error->message << ": of which pool?";
  EXPECT_EQ (expected_size (client), before);
}

/* ------------------------------------------------------------------- verbs */

TEST (SeedA2, C2_Scaling_UpDownAndResize)
{
  Nobody five (5);
  CenotePool *pool = five.client.pool;

  EXPECT_EQ (cenote_pool_scale_up (pool, 3, nullptr), 8);
  five.expect_size (8);
  EXPECT_EQ (cenote_pool_scale_down (pool, 2, nullptr), 6);
  five.expect_size (6);
  EXPECT_EQ (cenote_pool_scale_up (pool, 4, nullptr), 10);
  five.expect_size (10);
  EXPECT_EQ (cenote_pool_resize (pool, 5, nullptr), 5);
  five.expect_size (5);
  EXPECT_EQ (cenote_pool_scale_down (pool, 2, nullptr), 3);
  five.expect_size (3);
  EXPECT_EQ (cenote_pool_resize (pool, 50, nullptr), 50);
  five.expect_size (50);
  EXPECT_EQ (cenote_pool_resize (pool, 20, nullptr), 20);
  EXPECT_EQ (cenote_pool_resize (pool, 3, nullptr), 3);
  five.expect_size (3);
}

TEST (SeedA2, C2_Scaling_ResizeToTheSameSizeChangesNothing)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=5\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 5));
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 5));
  client.events.forget ();
  EXPECT_EQ (cenote_pool_resize (client.pool, 5, nullptr), 5);
  EXPECT_EQ (cenote_pool_resize (client.pool, 6, nullptr), 6);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED).size (), 1u);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_SCALE_UP).size (), 1u) << "of the second alone";
  EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_SCALE_DOWN).size (), 0u);
}

TEST (SeedA2, C2_Scaling_WouldEmptyThePool)
{
  Nobody five (5);
  Client *client = &five.client;

  expect_refused (client, cenote_pool_scale_down, 10, CENOTE_ERROR_LIMIT, "empty the pool of 5");
  expect_refused (client, cenote_pool_scale_down, 5, CENOTE_ERROR_LIMIT, "empty the pool of 5");
  expect_refused (client, cenote_pool_scale_down, G_MAXINT, CENOTE_ERROR_LIMIT, "empty the pool of 5");
  EXPECT_EQ (cenote_pool_scale_down (client->pool, 4, nullptr), 1);
  expect_refused (client, cenote_pool_scale_down, 1, CENOTE_ERROR_LIMIT, "empty the pool of 1");
  five.expect_size (1);
}

TEST (SeedA2, C2_Edge_ZeroAndLessAreRefused)
{
  Nobody five (5);

  for (int n : { 0, -5, G_MININT }) {
    expect_refused (&five.client, cenote_pool_scale_up, n, CENOTE_ERROR_INVALID, "scale_up");
    expect_refused (&five.client, cenote_pool_scale_down, n, CENOTE_ERROR_INVALID, "scale_down");
    expect_refused (&five.client, cenote_pool_resize, n, CENOTE_ERROR_INVALID, "resize");
  }
}

TEST (SeedA2, C2_Edge_AboveTheMaximumIsRefused)
{
  Nobody five (5);

  expect_refused (&five.client, cenote_pool_scale_up, G_MAXINT, CENOTE_ERROR_LIMIT, "10000");
  expect_refused (&five.client, cenote_pool_resize, 10001, CENOTE_ERROR_LIMIT, "10000");
}

TEST (SeedA2, C2_Edge_AStoppedPoolSaysSo)
{
  Nobody five (5);
  Client *client = &five.client;

  cenote_pool_stop (client->pool);
  for (Verb verb : { cenote_pool_scale_up, cenote_pool_scale_down, cenote_pool_resize }) {
    g_autoptr (GError) error = nullptr;

    EXPECT_EQ (verb (client->pool, 1, &error), -1);
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_STOPPED));
  }
}

TEST (SeedA2, C2_Edge_ManySizesInARow)
{
  Nobody ten (10);
  CenotePool *pool = ten.client.pool;

  EXPECT_EQ (cenote_pool_scale_up (pool, 10, nullptr), 20);
  EXPECT_EQ (cenote_pool_scale_down (pool, 5, nullptr), 15);
  EXPECT_EQ (cenote_pool_scale_up (pool, 5, nullptr), 20);
  EXPECT_EQ (cenote_pool_scale_down (pool, 10, nullptr), 10);
  for (int size : { 20, 5, 15, 1 }) {
    EXPECT_EQ (cenote_pool_resize (pool, size, nullptr), size);
    ten.expect_size (size);
  }
  EXPECT_EQ (cenote_pool_scale_up (pool, 9, nullptr), 10);
  EXPECT_EQ (cenote_pool_scale_down (pool, 5, nullptr), 5);
  EXPECT_EQ (cenote_pool_scale_up (pool, 10, nullptr), 15);
  ten.expect_size (15);
}

/* The sizes come true as well. */
TEST (SeedA2, C2_Edge_StatusFollowsTheSizes)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=5\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 5));
  for (int size : { 10, 15, 7, 12, 1, 20, 3 }) {
    ASSERT_EQ (cenote_pool_resize (client.pool, size, nullptr), size);
    EXPECT_EQ (expected_size (&client), size);
    ASSERT_TRUE (await_whole (&client, size));
    EXPECT_EQ (client.status ()->state, CENOTE_POOL_HEALTHY);
  }
}

TEST (SeedA2, C2_Edge_AHundredChannelsAndAGet)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=1\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 1));
  ASSERT_EQ (cenote_pool_resize (client.pool, 100, nullptr), 100);
  EXPECT_TRUE (client.gets ());
  ASSERT_TRUE (await_whole (&client, 100));
  std::vector<CenoteLease> leases = lease_all (&client, 100);
  for (const CenoteLease &lease : leases)
    ASSERT_EQ (echo (lease.channel), GRPC_STATUS_OK);
  release_all (&leases);
}

/* --------------------------------------------------------------------- status */

TEST (SeedA2, C2_Status_DownDegradedHealthy)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Peer proxy ("forward", server.port ());
  Client client (proxy.port (), "size=2\nbackoff=constant\n[backoff:constant]\nplugin=constant\ndelay=1h\n");

  EXPECT_EQ (client.status ()->state, CENOTE_POOL_DOWN);
  ASSERT_TRUE (connect_all (&client, 2));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_HEALTHY);
  /* Too young to be taken for healthy, so each of these losses waits for the hour to be over. */
  ASSERT_GE (proxy.reset (0), 0);
  ASSERT_TRUE (await_status (&client, [] (const CenotePoolStatus &status) { return status.current_size == 1; }));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_DEGRADED);
  EXPECT_TRUE (client.gets ());
  ASSERT_GE (proxy.reset (0), 0);
  ASSERT_TRUE (await_status (&client, [] (const CenotePoolStatus &status) { return status.current_size == 0; }));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_DOWN);
  EXPECT_FALSE (client.gets ());
}

/* More than wanted is healthy too, as it is there. */
TEST (SeedA2, C2_Status_AfterScaling)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=4\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 4));
  server.kill ();
  ASSERT_TRUE (await_status (&client, [] (const CenotePoolStatus &status) { return status.current_size == 0; }));
  ASSERT_EQ (cenote_pool_scale_down (client.pool, 2, nullptr), 2);
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_DOWN);
  ASSERT_TRUE (server.start ());
  ASSERT_TRUE (await_whole (&client, 2));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_HEALTHY);
}

/* ------------------------------------------------------------------ concurrent */

/* There all but one were told that scaling is in progress. */
TEST (SeedA2, C2_Edge_ConcurrentScaleUpsAllSucceed)
{
  Nobody five (5);
  std::mutex lock;
  std::set<int> answers;

  at_once (5, [&] (int) {
    int size = cenote_pool_scale_up (five.client.pool, 1, nullptr);
    std::lock_guard<std::mutex> hold (lock);
    answers.insert (size);
  });
  EXPECT_EQ (answers, (std::set<int>{ 6, 7, 8, 9, 10 })) << "each call has a result of its own";
  five.expect_size (10);
}

/* Its resize read the size, then acted on what it had read; its lock could be released by another than its owner. */
TEST (SeedA2, Reading_ResizeAndScalingAreOneStepEach)
{
  Nobody many (401);
  CenotePool *pool = many.client.pool;
  std::atomic<int> refused{ 0 };

  at_once (8, [&] (int i) {
    for (int k = 0; k < 100; k++)
      refused += (i % 2 == 0 ? cenote_pool_scale_up : cenote_pool_scale_down) (pool, 1, nullptr) < 0;
  });
  EXPECT_EQ (refused, 0) << "four up and four down, from where they cannot empty it";
  many.expect_size (401);
  at_once (8, [&] (int i) {
    for (unsigned k = 0; k < scaled (1000, 100); k++)
      refused += cenote_pool_resize (pool, i + 1, nullptr) != i + 1;
  });
  EXPECT_EQ (refused, 0) << "a resize answers with what it was asked for";
}

TEST (SeedA2, C2_Edge_ConcurrentUpAndDownWithGets)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=10\nbackoff=quick\n");
  std::atomic<bool> over{ false };
  std::atomic<unsigned> misses{ 0 }, gets{ 0 };

  ASSERT_TRUE (connect_all (&client, 10));
  std::thread caller ([&] {
    while (!over) {
      misses += !client.gets ();
      gets++;
    }
  });
  at_once (4, [&] (int) {
    for (unsigned k = 0; k < scaled (300, 30); k++) {
      EXPECT_GT (cenote_pool_scale_up (client.pool, 2, nullptr), 0);
      EXPECT_GT (cenote_pool_scale_down (client.pool, 2, nullptr), 0);
    }
  });
  over = true;
  caller.join ();
  EXPECT_EQ (misses, 0u) << "of " << gets;
  ASSERT_TRUE (await_whole (&client, 10));
}

/* A slot in the middle that is freed leaves the others in turn, without a gap. */
TEST (SeedA2, C2_State_AFreedSlotLeavesNoGap)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Peer proxy ("forward", server.port ());
  Client client (proxy.port (),
                 "size=5\npicker=round-robin\nbackoff=constant\n[backoff:constant]\nplugin=constant\ndelay=1h\n");

  ASSERT_TRUE (connect_all (&client, 5));
  for (gint64 left : { 4, 3 }) {
    ASSERT_GE (proxy.reset (1), 0);
    ASSERT_TRUE (
      await_status (&client, [left] (const CenotePoolStatus &status) { return status.current_size == left; }));
    EXPECT_EQ (count_distinct (&client, left), static_cast<size_t> (left));
    EXPECT_EQ (count_distinct (&client, 3 * left), static_cast<size_t> (left));
  }
}

TEST (SeedA2, C2_State_ConcurrentFreesLeaveWhatIsConsistent)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=20\npicker=round-robin\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 20));
  at_once (10, [&] (int) { EXPECT_GE (cenote_pool_scale_down (client.pool, 1, nullptr), 10); });
  ASSERT_TRUE (await_whole (&client, 10));
  EXPECT_EQ (count_distinct (&client, 10), 10u);
}

/* ---------------------------------------------------------------------- B2 */

/* Callers that call without a pause, and count what fails. */
class Load {
public:
  Load (Client *client, int n) : client_ (client)
  {
    for (int i = 0; i < n; i++)
      threads_.emplace_back ([this] { run (); });
  }

  ~Load () { stop (); }

  void
  stop ()
  {
    over_ = true;
    for (std::thread &thread : threads_)
      thread.join ();
    threads_.clear ();
  }

  /* Waits until N more calls have ended, begun after this. */
  void
  await_calls (unsigned n)
  {
    unsigned until = calls + n + static_cast<unsigned> (threads_.size ());

    while (calls < until)
      std::this_thread::yield ();
  }

  std::atomic<unsigned> calls{ 0 }, misses{ 0 }, failures{ 0 };

private:
  void
  run ()
  {
    g_autoptr (RawCaller) caller = raw_caller_new ();

    while (!over_) {
      CenoteLease lease;

      if (client_->get (&lease)) {
        failures += echo (caller, lease.channel) != GRPC_STATUS_OK;
        cenote_lease_release (&lease);
      } else {
        misses++;
      }
      calls++;
    }
  }

  Client *client_;
  std::atomic<bool> over_{ false };
  std::vector<std::thread> threads_;
};

/* There dead channels stayed in rotation: of 5 less 3, 12 of 20 calls failed. */
TEST (SeedA2, B2_ScaleDownUnderLoadFailsNoCall)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Peer proxy ("forward", server.port ());
  Client client (proxy.port (), "size=10\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 10));
  Load load (&client, 4);
  for (unsigned i = 0; i < scaled (100, 10) && !HasFailure (); i++) {
    EXPECT_EQ (cenote_pool_scale_down (client.pool, 3, nullptr), 7);
    EXPECT_EQ (cenote_pool_scale_down (client.pool, 6, nullptr), 1);
    load.await_calls (100);
    ASSERT_TRUE (await_whole (&client, 1));
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DRAINED, 9 * (i + 1)));
    EXPECT_EQ (cenote_pool_scale_up (client.pool, 9, nullptr), 10);
    ASSERT_TRUE (await_whole (&client, 10));
    load.await_calls (100);
  }
  load.stop ();
  printf ("%u calls, %u failed, %u misses\n", load.calls.load (), load.failures.load (), load.misses.load ());
  EXPECT_EQ (load.failures, 0u);
  EXPECT_EQ (load.misses, 0u);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), 0u);
}

TEST (SeedA2, B2_AfterScaleDownOnlyLiveChannelsAreGot)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=5\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 5));
  EXPECT_EQ (cenote_pool_scale_down (client.pool, 3, nullptr), 2);
  for (int i = 0; i < 20; i++)
    EXPECT_EQ (call_once (&client), GRPC_STATUS_OK);
  ASSERT_TRUE (await_whole (&client, 2));
  EXPECT_EQ (client.status ()->current_size, 2) << "and not 5";
}

/* Its scale_down killed at once. */
TEST (SeedA2, B2_DrainingChannelClosesAfterItsCall)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Peer proxy ("forward", server.port ());
  Client client (proxy.port (), "size=3\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 3));
  std::vector<CenoteLease> leases = lease_all (&client, 3);
  {
    std::vector<std::unique_ptr<OpenCall>> calls;

    for (const CenoteLease &lease : leases)
      calls.push_back (std::make_unique<OpenCall> (lease.channel));
    EXPECT_EQ (cenote_pool_scale_down (client.pool, 2, nullptr), 1);
    ASSERT_TRUE (await_status (&client, [] (const CenotePoolStatus &status) { return status.draining == 2; }));
    EXPECT_EQ (client.status ()->current_size, 1);
    EXPECT_EQ (proxy.alive (), 3);
    for (auto &call : calls)
      EXPECT_EQ (call->finish (), GRPC_STATUS_OK);
  }
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_DRAINED).size (), 0u) << "they are leased still";
  release_all (&leases);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DRAINED, 2));
  ASSERT_TRUE (await_whole (&client, 1));
  while (proxy.alive () > 1)
    std::this_thread::yield ();
  EXPECT_EQ (proxy.count (), 3);
}

/* Its count was too big for a moment, and a slot being removed was a miss. */
TEST (SeedA2, Reading_CountIsWhatIsThereAndNoSlotIsMissed)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=8\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 8));
  Load load (&client, 2);
  for (unsigned i = 0; i < scaled (300, 30); i++) {
    cenote_pool_resize (client.pool, 1 + static_cast<int> (i * 5 % 8), nullptr);
    auto status = client.status ();
    gint64 ready = 0;

    for (gsize k = 0; k < status->n_channels; k++)
      ready += status->channels[k]->state == CENOTE_CHANNEL_READY;
    EXPECT_EQ (status->current_size, ready);
    EXPECT_LE (status->current_size, 8);
  }
  load.stop ();
  EXPECT_EQ (load.misses + load.failures, 0u) << "of " << load.calls;
}

} // namespace
