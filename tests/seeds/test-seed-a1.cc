/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ConnGRPC 0.3: one channel, or a few, that are kept connected and told about.
 *
 * A name says what a test stands for: C1 a case of that system's own tests, B a
 * defect that it has, A a feature.  Its channel is a pool of one here.  What its
 * pools do is in test-seed-a1-pool.cc.
 */
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/seeds/watcher.h"
#include "tests/servers/client.h"
#include "tests/servers/connects.h"
#include "tests/servers/servers.h"
#include "tests/unit/log-capture.h"

namespace {

const char *const one = "size=1\nbackoff=quick\nconnect-timeout=500ms\n";

class SeedA1 : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    ASSERT_TRUE (server.start ());
  }

  static std::string
  address (unsigned port)
  {
    return "ipv4:127.0.0.1:" + std::to_string (port);
  }

  /* Dials, and returns when the pool is connected. */
  static void
  connect (Client *client)
  {
    g_autoptr (GError) error = nullptr;

    ASSERT_TRUE (cenote_pool_connect (client->pool, 60000, &error)) << error->message;
  }

  EchoServer server;
};

/* ------------------------------------------------------ start, connect, stop */

TEST_F (SeedA1, C1_StartGivesARunningPoolByItsName)
{
  Client client (server.port (), one);
  g_autoptr (CenotePool) by_name = cenote_runtime_get_pool (client.runtime, "test", nullptr);
  g_autoptr (CenotePool) only = cenote_runtime_get_pool (client.runtime, nullptr, nullptr);

  EXPECT_EQ (by_name, client.pool);
  EXPECT_EQ (only, client.pool);
  EXPECT_STREQ (cenote_pool_get_name (client.pool), "test");
}

TEST_F (SeedA1, A_OneChannelIsAPoolOfOne)
{
  Client client (server.port (), one);
  Watcher watcher (client.pool);

  EXPECT_FALSE (cenote_pool_is_connected (client.pool));
  EXPECT_FALSE (client.gets ());
  connect (&client);
  EXPECT_TRUE (cenote_pool_is_connected (client.pool));
  EXPECT_TRUE (client.gets ());
  cenote_pool_disconnect (client.pool);
  EXPECT_FALSE (cenote_pool_is_connected (client.pool));
  EXPECT_FALSE (client.gets ());
  EXPECT_EQ (client.status ()->n_channels, 0u);
  connect (&client);
  EXPECT_TRUE (client.gets ());
  ASSERT_TRUE (watcher.await ("connected", 2));
}

TEST_F (SeedA1, C1_TransportIsGivenTheAddressAndArgumentsVerbatim)
{
  LogCapture log;
  Client client (server.port (), std::string (one) + "transport=recorder\n"
                                   "channel-args=grpc.primary_user_agent=seed a1 (x=y);acme.number=42\n");

  connect (&client);
  EXPECT_EQ (log.count ("address " + address (server.port ())), 1u);
  EXPECT_EQ (log.count ("grpc.primary_user_agent=seed a1 (x=y)"), 1u);
  EXPECT_EQ (log.count ("acme.number=42"), 1u);
}

/* ------------------------------------------------------- observers, telemetry */

TEST_F (SeedA1, C1_ConnectedIsToldOnceWithItsDuration)
{
  Client client (server.port (), one);
  Watcher watcher (client.pool);

  connect (&client);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1));
  ASSERT_TRUE (watcher.await ("connected", 1));
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (watcher.count ("connected"), 1u);
  EXPECT_EQ (watcher.of ("connected")[0].id, 1u);
  EXPECT_EQ (watcher.of ("connected")[0].address, address (server.port ()));
  EXPECT_EQ (watcher.count ("failed"), 0u);

  std::vector<Event> events = client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED);
  ASSERT_EQ (events.size (), 1u);
  EXPECT_GT (events[0].raw.duration_ns, 0);
  EXPECT_EQ (events[0].channel, 1u);
  EXPECT_EQ (events[0].pool, "test");
  EXPECT_EQ (events[0].address, address (server.port ()));
}

TEST_F (SeedA1, C1_ConnectWhileConnectedDialsNoMore)
{
  Client client (server.port (), one);

  for (int i = 0; i < 5; i++)
    connect (&client);
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED).size (), 1u);
  EXPECT_EQ (connects_to (server.port ()).size (), 1u);
}

TEST_F (SeedA1, C1_FailedConnectIsToldWithItsErrorAndAsNoConnection)
{
  server.kill ();
  Client client (server.port (), one);
  Watcher watcher (client.pool);

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 3));
  ASSERT_TRUE (watcher.await ("failed", 3));
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (watcher.count ("connected") + watcher.count ("disconnected"), 0u);
  EXPECT_NE (watcher.of ("failed")[0].error.find ("refused"), std::string::npos) << watcher.of ("failed")[0].error;

  Event event = client.events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED)[0];
  EXPECT_GT (event.raw.duration_ns, 0);
  EXPECT_NE (event.error.find ("refused"), std::string::npos) << event.error;
  EXPECT_EQ (event.pool, "test");
  EXPECT_EQ (event.channel, 1u);
  EXPECT_EQ (event.raw.attempt, 1);
}

/* The gun and Mint cases: gone, not back while it is gone, and back. */
TEST_F (SeedA1, C1_LossIsToldAndTheChannelComesBackWithTheServer)
{
  Client client (server.port (), one);
  Watcher watcher (client.pool);

  connect (&client);
  ASSERT_TRUE (watcher.await ("connected", 1));
  server.kill ();
  ASSERT_TRUE (watcher.await ("disconnected", 1));
  ASSERT_TRUE (watcher.await ("failed", 3));
  EXPECT_EQ (watcher.count ("connected"), 1u);
  EXPECT_FALSE (client.gets ());
  ASSERT_TRUE (server.start ());
  ASSERT_TRUE (watcher.await ("connected", 2));
  EXPECT_TRUE (client.gets ());
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (watcher.count ("disconnected"), 1u);
}

TEST_F (SeedA1, C1_DisconnectedIsToldWithTheTimeConnectedAndAReason)
{
  Client client (server.port (), one);

  gint64 before_us = g_get_monotonic_time ();
  connect (&client);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1));
  gint64 connected_us = g_get_monotonic_time ();
  EXPECT_EQ (client.status ()->current_size, 1);
  gint64 killed_us = g_get_monotonic_time ();
  server.kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  gint64 after_us = g_get_monotonic_time ();

  Event connected = client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED)[0];
  Event lost = client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED)[0];
  EXPECT_GE (lost.raw.duration_ns, (killed_us - connected_us) * 1000);
  EXPECT_LE (lost.raw.duration_ns, (after_us - before_us) * 1000);
  EXPECT_FALSE (lost.reason.empty ());
  EXPECT_EQ (lost.pool, "test");
  EXPECT_EQ (lost.channel, connected.channel);
}

/* Cases of 0.3.1 on, and the half of issue 22 that crashed the channel. */
TEST_F (SeedA1, B14_DisconnectWhileNeverConnectedHarmsNobody)
{
  Peer peer ("close");
  Client client (peer.port (), one);
  Watcher watcher (client.pool);

  cenote_pool_disconnect (client.pool);
  client.connect ();
  ASSERT_TRUE (watcher.await ("failed", 3));
  cenote_pool_disconnect (client.pool);
  cenote_pool_reconnect (client.pool);
  client.connect ();
  ASSERT_TRUE (watcher.await ("failed", 4));
  EXPECT_EQ (watcher.count ("connected") + watcher.count ("disconnected"), 0u);
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_DOWN);
}

/* on_connect runs before the channel is kept there, where no get can come between. */
TEST_F (SeedA1, A_WhoIsToldConnectedCanGet)
{
  Client client (server.port (), one);
  std::atomic<unsigned> misses{ 0 };
  Watcher watcher (client.pool, [&] (CenotePool *, const Told &told) {
    misses += told.what == "connected" && !client.gets ();
  });

  client.connect ();
  for (size_t i = 1; i <= scaled (100, 10); i++) {
    ASSERT_TRUE (watcher.await ("connected", i));
    server.kill ();
    ASSERT_TRUE (watcher.await ("disconnected", i));
    ASSERT_TRUE (server.start ());
  }
  EXPECT_EQ (misses, 0u);
}

TEST_F (SeedA1, A_ObserversMayCallBackIntoThePool)
{
  Client client (server.port (), one);
  std::vector<std::string> seen;
  Watcher watcher (client.pool, [&] (CenotePool *pool, const Told &told) {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);

    if (told.what != "connected")
      return;
    seen.push_back (status->name);
    seen.push_back (cenote_pool_acquire (pool, 60000, &lease, nullptr) ? "acquired" : "not acquired");
    seen.push_back (std::to_string (cenote_pool_resize (pool, 2, nullptr)));
    seen.push_back (cenote_pool_await_ready (pool, 60000, nullptr) ? "ready" : "not ready");
    cenote_pool_disconnect (pool);
  });

  connect (&client);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DRAINED, 1));
  cenote_runtime_stop (client.runtime);
  ASSERT_GE (seen.size (), 4u);
  EXPECT_EQ (std::vector<std::string> (seen.begin (), seen.begin () + 4),
             (std::vector<std::string>{ "test", "acquired", "2", "ready" }));
}

/* ------------------------------------------------------------------- backoff */

class SeedA1Backoff : public SeedA1 {
protected:
  /* What the plugin was asked: "new 1000 30000", "next 1", … */
  std::vector<std::string>
  calls () const
  {
    std::vector<std::string> result;

    for (const LogRecord &record : log.records ())
      if (record.field ("CENOTE_PLUGIN") == "backoff/recorder")
        result.push_back (record.message ().substr (strlen ("pool test: backoff/recorder: ")));
    return result;
  }

  LogCapture log;
};

TEST_F (SeedA1Backoff, C1_BackoffIsMadeWithItsOptions)
{
  Client defaults (server.port (), "size=1\nbackoff=recorder\n");
  EXPECT_EQ (calls (), (std::vector<std::string>{ "new 1000 30000" }));
  Client custom (server.port (), "size=1\nbackoff=mine\n[backoff:mine]\nplugin=recorder\nmin=20ms\nmax=2s\n");
  EXPECT_EQ (calls ().back (), "new 20 2000");
}

TEST_F (SeedA1Backoff, C1_RetryStepsTheBackoffAndSuccessResetsIt)
{
  Client client (server.port (), "size=1\nbackoff=mine\n[backoff:mine]\nplugin=recorder\nmin=20ms\n");
  std::vector<std::string> expected = { "new 20 30000", "next 1", "next 2", "next 3" };

  server.kill ();
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 3));
  std::vector<std::string> begun = calls ();
  ASSERT_GE (begun.size (), 4u);
  begun.resize (4);
  EXPECT_EQ (begun, expected);
  for (const Event &event : client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED))
    EXPECT_EQ (event.delay_ms, 20);

  /* A success counts once the connection has been healthy for a second. */
  ASSERT_TRUE (server.start ());
  gint64 until_us = g_get_monotonic_time () + G_USEC_PER_SEC * 60;
  while (log.count ("reset") == 0 && g_get_monotonic_time () < until_us)
    std::this_thread::yield ();
  EXPECT_EQ (log.count ("reset"), 1u);
  size_t n_before = calls ().size ();
  server.kill ();
  client.events.forget ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 2));
  std::vector<std::string> after = calls ();
  after.erase (after.begin (), after.begin () + static_cast<long> (n_before));
  ASSERT_GE (after.size (), 2u);
  EXPECT_EQ (after[0].substr (0, 5), "reset") << "lost, and dialled at once";
  EXPECT_EQ (after[1], "next 1");
}

/* Its default backoff (jitter of ferd/backoff), whose arithmetic is exact in tests/unit/test-decorrelated.cc. */
TEST_F (SeedA1, C1_DelaysGrowAtRandomWithinTheirBounds)
{
  Client client (server.port (), "size=1\nbackoff=theirs\n"
                                 "[backoff:theirs]\nplugin=decorrelated\nmin=1ms\nmax=30ms\n");
  gint64 last_ms = 1;

  server.kill ();
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 20));
  for (const Event &event : client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED)) {
    EXPECT_GE (event.delay_ms, 1);
    EXPECT_LE (event.delay_ms, 30);
    EXPECT_TRUE (event.delay_ms >= last_ms || event.delay_ms >= 30 / 3) << event.delay_ms << " after " << last_ms;
    EXPECT_LE (event.delay_ms, 3 * last_ms);
    last_ms = event.delay_ms;
  }
}

/* Its only way to end is to be told to. */
TEST_F (SeedA1, A_NobodyGivesUp)
{
  const unsigned n = scaled (1000, 100);
  Client client (server.port (), "size=1\nbackoff=brisk\nconnect-timeout=500ms\n"
                                 "[backoff:brisk]\nplugin=constant\ndelay=1ms\n");

  server.kill ();
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, n));
  ASSERT_TRUE (server.start ());
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1));
  EXPECT_TRUE (client.gets ());
}

/* ----------------------------------------------------------------------- get */

TEST_F (SeedA1, C1_GetGivesAChannelWhenUp)
{
  Client client (server.port (), one);

  connect (&client);
  EXPECT_TRUE (client.gets ());
}

TEST_F (SeedA1, C1_GetSaysNotConnectedWhenDown)
{
  Client client (server.port (), one);
  CenoteLease lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) error = nullptr;

  server.kill ();
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 1));
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED)) << error->message;
  EXPECT_EQ (lease.channel, nullptr);
}

TEST_F (SeedA1, C1_GetIsToldWhenUpAndWhenDown)
{
  const guint64 gets = CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET) | CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_GET_CHANNEL);
  Client client (Client::text (server.port (), std::string (one) + "telemetry-sample-rate=1\n"), gets);

  client.status (); /* the sink is heeded from here on */
  EXPECT_FALSE (client.gets ());
  connect (&client);
  for (int i = 0; i < 3; i++)
    EXPECT_TRUE (client.gets ());
  for (CenoteEventKind kind : { CENOTE_EVENT_CHANNEL_GET, CENOTE_EVENT_POOL_GET_CHANNEL }) {
    ASSERT_TRUE (client.events.await (kind, 4));
    std::vector<Event> events = client.events.of (kind);
    for (const Event &event : events) {
      EXPECT_GT (event.raw.duration_ns, 0);
      EXPECT_EQ (event.pool, "test");
    }
    EXPECT_EQ (events[0].raw.ok, 0);
    EXPECT_EQ (events[0].channel, 0u);
    EXPECT_EQ (events[1].raw.ok, 1);
    EXPECT_EQ (events[1].channel, 1u);
    EXPECT_EQ (events.size (), 4u);
  }
}

/* A dial to a peer from which nothing comes: its process is busy for five seconds
 * there, and whoever asks it dies of the wait. */
TEST_F (SeedA1, B15_GetDuringADialToADeadPortReturnsAtOnce)
{
  Port dead;
  Client client (dead.number (), "size=1\nconnect-timeout=1min\n");
  CenoteLease lease = CENOTE_LEASE_INIT;

  dead.swallow ();
  client.connect ();
  while (client.status ()->connecting == 0)
    std::this_thread::yield ();
  for (int i = 0; i < 1000; i++) {
    g_autoptr (GError) error = nullptr;

    EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &error));
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED));
  }
  g_autoptr (GError) late = nullptr;
  EXPECT_FALSE (cenote_pool_acquire (client.pool, 10, &lease, &late));
  EXPECT_TRUE (g_error_matches (late, CENOTE_ERROR, CENOTE_ERROR_TIMEOUT)) << late->message;
  EXPECT_EQ (client.status ()->connecting, 1) << "all in the time of one dial";
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED).size (), 0u);
}

/* No second loop of retries beneath the one of the backoff. */
TEST_F (SeedA1, B15_OneAttemptIsOneConnect)
{
  Client client (server.port (), one);

  server.kill ();
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 5));
  cenote_pool_disconnect (client.pool);
  cenote_runtime_stop (client.runtime);
  size_t connects = connects_to (server.port ()).size ();
  size_t failed = client.events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED).size ();
  EXPECT_GE (connects, failed);
  EXPECT_LE (connects, failed + 1) << "the last one may have been given up";
}

/* ---------------------------------------------------------------------- mock */

struct Mock {
  std::atomic<int> n_calls{ 0 };
  std::atomic<CenotePool *> asked{ nullptr };
  char channel = 0;

  static gboolean
  answer (CenotePool *pool, CenoteLease *out_lease, gpointer data, GError **)
  {
    Mock *self = static_cast<Mock *> (data);

    self->asked = pool;
    self->n_calls++;
    out_lease->channel = self->raw ();
    return TRUE;
  }

  grpc_channel *raw () { return reinterpret_cast<grpc_channel *> (&channel); }
};

TEST_F (SeedA1, C1_MockIsGivenThePoolAndItsAnswerIsReturned)
{
  Client client (server.port (), one);
  CenoteLease lease = CENOTE_LEASE_INIT;
  Mock mock;

  cenote_pool_set_mock (client.pool, Mock::answer, &mock, nullptr);
  ASSERT_TRUE (cenote_pool_get_channel (client.pool, &lease, nullptr));
  EXPECT_EQ (lease.channel, mock.raw ());
  EXPECT_EQ (mock.asked, client.pool);
  cenote_lease_release (&lease);
  EXPECT_EQ (mock.n_calls, 1);
}

TEST_F (SeedA1, A_MockReplacesEveryGetWhileSupervisionGoesOn)
{
  Client client (server.port (), one);
  Watcher watcher (client.pool);
  Mock mock;

  auto is_mocked = [&] {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
    return client.get (&lease) && lease.channel == mock.raw ();
  };
  cenote_pool_set_mock (client.pool, Mock::answer, &mock, nullptr);
  EXPECT_TRUE (is_mocked ()) << "also where nothing was ever connected";
  connect (&client);
  EXPECT_TRUE (is_mocked ());
  server.kill ();
  ASSERT_TRUE (watcher.await ("disconnected", 1));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_DOWN);
  EXPECT_FALSE (cenote_pool_is_connected (client.pool));
  EXPECT_TRUE (is_mocked ());
  ASSERT_TRUE (server.start ());
  ASSERT_TRUE (watcher.await ("connected", 2));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_HEALTHY);
  EXPECT_TRUE (is_mocked ());
  cenote_pool_set_mock (client.pool, nullptr, nullptr, nullptr);
  EXPECT_TRUE (client.gets ());
  EXPECT_FALSE (is_mocked ());
}

/* Acquire, its asynchronous form and execute, each of which waits before there is a mock. */
TEST_F (SeedA1, A_MockAnswersThoseWhoWaitForAChannel)
{
  struct Answer {
    GMainLoop *loop;
    grpc_channel *channel;
  };
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  Answer answer = { loop, nullptr };
  grpc_channel *acquired = nullptr, *executed = nullptr;
  Mock mock;

  server.kill ();
  Client client (server.port (), one);
  client.connect ();
  std::thread acquirer ([&] {
    CenoteLease lease = CENOTE_LEASE_INIT;
    EXPECT_TRUE (cenote_pool_acquire (client.pool, G_MAXINT64, &lease, nullptr));
    acquired = lease.channel;
    cenote_lease_release (&lease);
  });
  std::thread executor ([&] {
    auto note = [] (grpc_channel *channel, gpointer data, GError **) -> gboolean {
      *static_cast<grpc_channel **> (data) = channel;
      return TRUE;
    };
    EXPECT_TRUE (cenote_pool_execute (client.pool, note, &executed, G_MAXINT64, nullptr));
  });
  cenote_pool_acquire_async (
    client.pool, nullptr, G_MAXINT64, context,
    [] (CenotePool *, CenoteLease *lease, const GError *, gpointer data) {
      static_cast<Answer *> (data)->channel = lease == nullptr ? nullptr : lease->channel;
      g_main_loop_quit (static_cast<Answer *> (data)->loop);
    },
    &answer, nullptr);
  while (client.status ()->waiters < 3)
    std::this_thread::yield ();
  cenote_pool_set_mock (client.pool, Mock::answer, &mock, nullptr);
  acquirer.join ();
  executor.join ();
  g_main_loop_run (loop);
  EXPECT_EQ (acquired, mock.raw ());
  EXPECT_EQ (executed, mock.raw ());
  EXPECT_EQ (answer.channel, mock.raw ());
  EXPECT_EQ (mock.n_calls, 3);
  EXPECT_EQ (client.status ()->waiters, 0);
}

} // namespace
