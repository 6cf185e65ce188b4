/* SPDX-License-Identifier: Apache-2.0 */
/* ConnGRPC 0.3's pools: several channels in turn, their status, their settings, and what a pool must not do. */
/* Its faces to grpc++ are tried in tests/grpcpp, which links it. */
#define CENOTE_NO_GRPCPP
#include <cenote/cenote.hpp>
#include <glib/gstdio.h>
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "tests/seeds/watcher.h"
#include "tests/servers/client.h"
#include "tests/servers/gauges.h"
#include "tests/servers/servers.h"
#include "tests/unit/log-capture.h"

namespace {

/* A server for each of SIZE channels, so that one can go alone. */
class SeedA1Pool : public ::testing::Test {
protected:
  void
  start (size_t size)
  {
    for (size_t i = 0; i < size; i++) {
      servers.push_back (std::make_unique<EchoServer> ());
      ASSERT_TRUE (servers[i]->start ());
    }
  }

  std::string
  keyfile (const std::string &keys = "")
  {
    const char *modules = g_getenv ("CENOTE_TEST_PLUGINS");
    std::string targets;

    for (const auto &server : servers)
      targets += "ipv4:127.0.0.1:" + std::to_string (server->port ()) + ";";
    return "[cenote]\ntelemetry=\nplugin-path=" + std::string (modules == nullptr ? "." : modules) +
           "\n[backoff:quick]\nplugin=constant\ndelay=20ms\n[pool:test]\nprofile=local\nbackoff=quick\n"
           "connect-timeout=500ms\npicker=round-robin\ntargets=" +
           targets + "\nsize=" + std::to_string (servers.size ()) + "\n" + keys;
  }

  static void
  await_size (Client *client, gint64 size)
  {
    while (client->status ()->current_size != size)
      std::this_thread::yield ();
  }

  /* Waits until N channels to server I are ready.  (What cannot reach one moves to the others, and returns.) */
  void
  await_ready_at (Client *client, size_t i, unsigned n)
  {
    const std::string address = "ipv4:127.0.0.1:" + std::to_string (servers[i]->port ());
    unsigned ready;

    do {
      auto status = client->status ();

      ready = 0;
      for (gsize k = 0; k < status->n_channels; k++)
        ready += status->channels[k]->state == CENOTE_CHANNEL_READY && address == status->channels[k]->address;
    } while (ready != n);
  }

  static std::string
  target_of (grpc_channel *channel)
  {
    char *text = grpc_channel_get_target (channel);
    std::string target = text;

    gpr_free (text);
    return target;
  }

  /* The channels of N gets, one after another. */
  static std::vector<grpc_channel *>
  cycle (Client *client, size_t n)
  {
    std::vector<grpc_channel *> channels;

    for (size_t i = 0; i < n; i++) {
      g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

      EXPECT_TRUE (client->get (&lease));
      channels.push_back (lease.channel);
    }
    return channels;
  }

  static std::set<guint64>
  ready_ids (Client *client)
  {
    std::set<guint64> ids;
    auto status = client->status ();

    for (gsize i = 0; i < status->n_channels; i++)
      if (status->channels[i]->state == CENOTE_CHANNEL_READY)
        ids.insert (status->channels[i]->id);
    return ids;
  }

  static const guint64 all = CENOTE_EVENT_MASK_ALL;
  std::vector<std::unique_ptr<EchoServer>> servers;
};

/* ------------------------------------------------------------------------ get */

TEST_F (SeedA1Pool, C1_ThreeChannelsAreGivenInTurn)
{
  start (3);
  Client client (keyfile (), all);

  await_size (&client, 3);
  std::vector<grpc_channel *> given = cycle (&client, 6);
  EXPECT_EQ (std::set<grpc_channel *> (given.begin (), given.end ()).size (), 3u);
  EXPECT_EQ (std::vector<grpc_channel *> (given.begin (), given.begin () + 3),
             std::vector<grpc_channel *> (given.begin () + 3, given.end ()));
}

TEST_F (SeedA1Pool, C1_NotConnectedWhenAllFail)
{
  start (3);
  for (auto &server : servers)
    server->kill ();
  Client client (keyfile (), all);
  CenoteLease lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) error = nullptr;

  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 3));
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED));
  EXPECT_EQ (std::string (error->message).find ("Pool test has no ready channel (0 of 3 ready, "), 0u)
    << error->message;
  EXPECT_NE (std::string (error->message).find ("; last error: "), std::string::npos) << error->message;
}

/* There, no address means an empty one and a pool that never connects. */
TEST_F (SeedA1Pool, C1_NoAddressIsAnErrorOfTheConfig)
{
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data ("[pool:test]\nprofile=test\n", -1, nullptr);
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (cenote_runtime_new (config, &error), nullptr);
  ASSERT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG));
  EXPECT_NE (std::string (error->message).find ("target"), std::string::npos) << error->message;
}

TEST_F (SeedA1Pool, C1_ADisconnectedChannelIsSkippedAndTakenAgainWhenItIsBack)
{
  start (3);
  Client client (keyfile (), all);

  await_size (&client, 3);
  const std::string gone = "ipv4:127.0.0.1:" + std::to_string (servers[1]->port ());
  auto is_gone = [&] (grpc_channel *channel) { return target_of (channel) == gone; };
  servers[1]->kill ();
  await_ready_at (&client, 1, 0);
  std::vector<grpc_channel *> others = cycle (&client, 60);
  EXPECT_TRUE (std::none_of (others.begin (), others.end (), is_gone));
  ASSERT_TRUE (servers[1]->start ());
  await_ready_at (&client, 1, 1);
  await_size (&client, 3);
  std::vector<grpc_channel *> three = cycle (&client, 3);
  EXPECT_EQ (std::set<grpc_channel *> (three.begin (), three.end ()).size (), 3u);
  EXPECT_EQ (std::count_if (three.begin (), three.end (), is_gone), 1);
}

/* By reading: a get whose channel has just gone fails there, although others are up. */
TEST_F (SeedA1Pool, B_AGetTriesTheNextChannelOnAMiss)
{
  start (3);
  Client client (keyfile (), all);
  std::atomic<bool> over{ false };
  std::atomic<unsigned> misses{ 0 };

  await_size (&client, 3);
  std::thread caller ([&] {
    while (!over)
      misses += !client.gets ();
  });
  for (unsigned i = 0; i < scaled (30, 3); i++) {
    servers[i % 3]->kill ();
    await_ready_at (&client, i % 3, 0);
    ASSERT_TRUE (servers[i % 3]->start ());
    await_ready_at (&client, i % 3, 1);
  }
  over = true;
  caller.join ();
  EXPECT_EQ (misses, 0u);
}

/* ---------------------------------------------------------- what there is, status */

TEST_F (SeedA1Pool, C1_TheConnectedChannelsAreListed)
{
  start (5);
  Client client (keyfile (), all);

  await_size (&client, 5);
  std::set<guint64> five = ready_ids (&client);
  EXPECT_EQ (five.size (), 5u);
  client.events.forget ();
  servers[2]->kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  guint64 lost = client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED)[0].channel;
  EXPECT_EQ (ready_ids (&client).count (lost), 0u);
  ASSERT_TRUE (servers[2]->start ());
  await_size (&client, 5);
  five.erase (lost);         /* a new one may have taken its place, at a server that was there */
  std::set<guint64> again = ready_ids (&client);
  EXPECT_TRUE (std::includes (again.begin (), again.end (), five.begin (), five.end ()));
}

/* There, a pool of none is legal, and answers not_connected for ever. */
TEST_F (SeedA1Pool, C1_APoolOfNoneIsAnErrorOfTheConfigAndOneAtRestHasNoChannels)
{
  start (1);
  g_autoptr (CenoteConfig) none =
    cenote_config_new_from_data ("[pool:test]\nprofile=test\ntarget=localhost:1\nsize=0\n", -1, nullptr);
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (cenote_runtime_new (none, &error), nullptr);
  ASSERT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG));
  EXPECT_NE (std::string (error->message).find ("size: '0' is below the minimum 1"), std::string::npos)
    << error->message;

  Client client (keyfile ("initialization=manual\n"), all);
  EXPECT_TRUE (ready_ids (&client).empty ());
  EXPECT_EQ (client.status ()->n_channels, 0u);
  EXPECT_EQ (client.status ()->expected_size, 1);
}

TEST_F (SeedA1Pool, C1_StatusIsToldAgainAndAgain)
{
  start (2);
  Client client (keyfile ("status-interval=100ms\n"), CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS));

  await_size (&client, 2);
  client.events.forget ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_POOL_STATUS, 3));
  std::vector<Event> events = client.events.of (CENOTE_EVENT_POOL_STATUS);
  for (size_t i = 1; i < 3; i++) {
    EXPECT_EQ (events[i].raw.expected_size, 2);
    EXPECT_EQ (events[i].raw.current_size, 2);
    EXPECT_EQ (events[i].pool, "test");
    EXPECT_GE (events[i].time_us - events[i - 1].time_us, 100 * 1000);
  }
  for (auto &server : servers)
    server->kill ();
  await_size (&client, 0);
  client.events.forget ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_POOL_STATUS, 2));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_STATUS)[1].raw.expected_size, 2);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_STATUS)[1].raw.current_size, 0);
}

TEST_F (SeedA1Pool, A_TheFirstStatusIsToldAtTheStart)
{
  LogCapture log;
  start (1);
  Client client (keyfile ("status-interval=24h\ntelemetry=said\n"
                          "[telemetry:said]\nplugin=log\nlevel=debug\nevents=pool.status\n"),
                 0);

  cenote_runtime_stop (client.runtime);
  unsigned n = 0;
  for (const LogRecord &record : log.records ()) {
    if (record.field ("CENOTE_EVENT") != "pool.status")
      continue;
    n++;
    EXPECT_EQ (record.field ("CENOTE_POOL"), "test");
    EXPECT_EQ (record.field ("CENOTE_EXPECTED_SIZE"), "1");
    EXPECT_EQ (record.field ("CENOTE_CURRENT_SIZE"), "0");
  }
  EXPECT_EQ (n, 1u);
}

/* ---------------------------------------------------------------- callbacks */

TEST_F (SeedA1Pool, C1_ObserversAreToldOfEachChannel)
{
  start (2);
  Client client (keyfile ("initialization=manual\n"), all);
  Watcher watcher (client.pool);
  std::set<guint64> connected, lost;

  client.connect ();
  ASSERT_TRUE (watcher.await ("connected", 2));
  for (const Told &told : watcher.of ("connected"))
    connected.insert (told.id);
  EXPECT_EQ (connected, (std::set<guint64>{ 1, 2 }));
  for (auto &server : servers)
    server->kill ();
  /* One more may have gone to the second server before that went. */
  for (size_t n = 2; lost.count (1) + lost.count (2) < 2; n++) {
    ASSERT_TRUE (watcher.await ("disconnected", n));
    for (const Told &told : watcher.of ("disconnected"))
      lost.insert (told.id);
  }
}

/* There, the pool's own membership takes the callbacks' place. */
TEST_F (SeedA1Pool, B14_UsersCallbacksAndTheRotationBothWork)
{
  start (3);
  Client client (keyfile ("initialization=manual\n"), all);
  Watcher first (client.pool), second (client.pool);

  client.connect ();
  ASSERT_TRUE (first.await ("connected", 3));
  ASSERT_TRUE (second.await ("connected", 3));
  EXPECT_EQ (ready_ids (&client).size (), 3u);
  std::vector<grpc_channel *> given = cycle (&client, 3);
  EXPECT_EQ (std::set<grpc_channel *> (given.begin (), given.end ()).size (), 3u);
}

/* There, and in 0.4.3 too, it takes its channel down. */
TEST_F (SeedA1Pool, B14_ACallbackThatThrowsHarmsNobody)
{
  LogCapture log;
  start (2);
  Client client (keyfile ("initialization=manual\n"), all);
  cenote::Pool pool (cenote_pool_ref (client.pool));
  cenote::Observer thrower;
  thrower.connected = thrower.disconnected = [] (const cenote::Pool &, std::uint64_t, const std::string &) {
    throw std::runtime_error ("raised by the user");
  };
  unsigned id = pool.add_observer (thrower);
  Watcher watcher (client.pool);

  client.connect ();
  ASSERT_TRUE (watcher.await ("connected", 2));
  servers[0]->kill ();
  ASSERT_TRUE (watcher.await ("disconnected", 1));
  EXPECT_TRUE (pool.try_get ());
  ASSERT_TRUE (watcher.await ("connected", 3)) << "to the other one";
  EXPECT_EQ (ready_ids (&client).size (), 2u);
  pool.remove_observer (id);
  EXPECT_EQ (log.count ("Pool test: observer connected threw: raised by the user"), 3u);
  EXPECT_EQ (log.count ("Pool test: observer disconnected threw: raised by the user"), 1u);
}

/* There, a process beside the channels holds who is in rotation, and takes them down with it. */
TEST_F (SeedA1Pool, B_ACallbackThatNeverEndsKeepsNoChannelFromTheRotation)
{
  start (2);
  Client client (keyfile ("initialization=manual\n"), all);
  std::mutex gate;
  gate.lock ();
  {
    Watcher watcher (client.pool, [&] (CenotePool *, const Told &) { std::lock_guard<std::mutex> pass (gate); });

    client.connect ();
    await_size (&client, 2);
    servers[0]->kill ();
    await_ready_at (&client, 0, 0);
    EXPECT_TRUE (client.gets ());
    ASSERT_TRUE (servers[0]->start ());
    await_ready_at (&client, 0, 1);
    gate.unlock ();
  }
  EXPECT_TRUE (client.gets ());
}

TEST_F (SeedA1Pool, B14_AnUnknownPoolIsAnErrorThatNamesThoseThereAre)
{
  start (1);
  Client client (keyfile (), all);
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (cenote_runtime_get_pool (client.runtime, "other", &error), nullptr);
  ASSERT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND));
  EXPECT_STREQ (error->message, "There is no pool 'other' (there is test)");
}

/* 0.4.0's get_channel!: it raises with the pool and the reason, and gives a channel where it can. */
TEST_F (SeedA1Pool, C1_GetRaisesWithThePoolAndTheReason)
{
  start (1);
  Client client (keyfile ("initialization=manual\n"), all);
  cenote::Pool pool (cenote_pool_ref (client.pool));

  try {
    pool.get ();
    ADD_FAILURE () << "it gave a channel";
  } catch (const cenote::Error &error) {
    EXPECT_TRUE (error.is (CENOTE_ERROR_NOT_CONNECTED));
    EXPECT_EQ (std::string (error.what ()).find ("Pool test has no ready channel (0 of 1 ready, "), 0u) << error.what ();
  }
  pool.connect (std::chrono::minutes (1));
  EXPECT_TRUE (pool.get ());
}

/* 0.4.2's not_started, 0.4.0's error with its pool and reason. */
TEST_F (SeedA1Pool, C1_GetsBeforeTheStartAndAfterTheStopSaySo)
{
  start (1);
  Client client (keyfile ("initialization=manual\n"), all);
  CenoteLease lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) before = nullptr, after = nullptr;

  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &before));
  EXPECT_TRUE (g_error_matches (before, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED));
  EXPECT_EQ (std::string (before->message).find ("Pool test "), 0u) << before->message;
  cenote_runtime_stop (client.runtime);
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &after));
  EXPECT_TRUE (g_error_matches (after, CENOTE_ERROR, CENOTE_ERROR_STOPPED));
  EXPECT_EQ (std::string (after->message).find ("Pool test "), 0u) << after->message;
}

/* ------------------------------------------------------------------- settings */

/* Module attributes, application environment and arguments there; a keyfile, the environment and the program here. */
TEST_F (SeedA1Pool, C1_LayersOfSettingsHaveAnOrder)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "cenote-seed-a1-XXXXXX", nullptr);
  const std::string head = "[cenote]\ntelemetry=\n[pool:test]\ninitialization=manual\n";
  struct {
    const char *keys;
    const char *program;
    gint64 size;
  } const layers[] = {
    { "transport=insecure\ntarget=localhost:1\n", nullptr, 5 },
    { "profile=local\n", nullptr, 3 },
    { "profile=local\nsize=${SEED_A1_SIZE:-4}\n", nullptr, 4 },
    { "profile=local\nsize=${SEED_A1_SIZE_SET:-4}\n", nullptr, 6 },
    { "profile=local\nsize=${SEED_A1_SIZE_SET:-4}\n", "pool:test/size=7", 7 },
  };
  int fd = g_mkstemp (path);

  ASSERT_GE (fd, 0);
  close (fd);
  g_setenv ("SEED_A1_SIZE_SET", "6", TRUE);
  for (const auto &layer : layers) {
    const char *const settings[] = { layer.program, nullptr };
    g_autoptr (GError) error = nullptr;

    ASSERT_TRUE (g_file_set_contents (path, (head + layer.keys).c_str (), -1, nullptr));
    g_autoptr (CenoteConfig) file = cenote_config_new_from_file (path, &error);
    ASSERT_NE (file, nullptr) << error->message;
    g_autoptr (CenoteConfig) config = cenote_config_new_with (file, settings, &error);
    g_autoptr (CenoteRuntime) runtime = cenote_runtime_new (config, &error);
    ASSERT_NE (runtime, nullptr) << error->message;
    g_autoptr (CenotePool) pool = cenote_runtime_get_pool (runtime, nullptr, nullptr);
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);
    EXPECT_EQ (status->expected_size, layer.size) << layer.keys;
  }
  g_unlink (path);
}

/* ------------------------------------------------------------------------- leaks */

/* There, each reconnect leaves a process and an entry behind: 5 channels and 3 restarts, 15 of them. */
TEST_F (SeedA1Pool, B6_ReconnectsLeakNothing)
{
  const unsigned n_first = 20, n = scaled (200, 20);
  start (5);
  Client client (keyfile (), all);
  auto reconnect = [&] (unsigned i) {
    client.events.forget ();
    servers[i % 5]->kill ();
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
    ASSERT_TRUE (servers[i % 5]->start ());
    await_ready_at (&client, i % 5, 1);
  };

  await_size (&client, 5);
  for (unsigned i = 0; i < n_first && !HasFatalFailure (); i++)
    reconnect (i);
  Gauges before = Gauges::read_with_connections (5);
  unsigned own_before = Gauges::own_threads ();
  for (unsigned i = 0; i < n && !HasFatalFailure (); i++)
    reconnect (i);
  Gauges after = Gauges::read_with_connections (5);

  std::cout << n << " reconnects\nbefore: " << before << "\nafter:  " << after << std::endl;
  EXPECT_EQ (after.descriptors, before.descriptors);
  EXPECT_EQ (Gauges::own_threads (), own_before);
  EXPECT_LE (after.threads - own_before, 24u) << "C-core starts and ends some of its own with the load";
  EXPECT_TRUE (!Gauges::memory_tells () || after.allocated_kb < before.allocated_kb + 512);
  EXPECT_EQ (ready_ids (&client).size (), 5u);
}

} // namespace
