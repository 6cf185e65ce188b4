/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GrpcConnectionPool 0.3: what servers that go and come back do to a pool: its
 * defects B1 and B3 to B6, and its cases of broken connections.
 */
#include <gtest/gtest.h>

#include "a2.h"
#include "tests/servers/connects.h"
#include "tests/servers/gauges.h"

namespace {

/* C-core keeps what is left of a failed attempt for the connect-timeout: a short one, so that this is soon level. */
const char *const five = "size=5\nbackoff=quick\nconnect-timeout=500ms\n";
const char *const one = "size=1\nbackoff=quick\nconnect-timeout=500ms\n";

/* ---------------------------------------------------------------------- B1 */

/* What the pool shows, at each failed attempt, while its server is away. */
void
expect_alive_and_down (Client *client, unsigned size)
{
  auto status = client->status ();

  ASSERT_EQ (status->state, CENOTE_POOL_DOWN);
  ASSERT_EQ (status->expected_size, size);
  ASSERT_EQ (status->current_size, 0);
  ASSERT_EQ (status->n_channels, size);
  ASSERT_FALSE (client->gets ());
}

/* The attempts that failed until then. */
size_t
watch_outage (Client *client, unsigned size, gint64 seconds)
{
  gint64 until_us = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  size_t n = 0;

  while (g_get_monotonic_time () < until_us && !::testing::Test::HasFatalFailure ()) {
    n++;
    EXPECT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, n)) << "it has stopped trying";
    expect_alive_and_down (client, size);
  }
  return n;
}

/* 36 s of it were the end of a pool of 20 for good, after five failures of each worker. */
TEST (SeedA2, B1_OutageNeverKillsThePool)
{
  const unsigned size = 20, seconds = scaled (60, 4);
  const char *backoff = has_plugin (CENOTE_PLUGIN_BACKOFF, "decorrelated")
                          ? "[backoff:brisk]\nplugin=decorrelated\nmin=100ms\nmax=500ms\n"
                          : "[backoff:brisk]\nplugin=exponential\ninitial=100ms\nmax=500ms\n";
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), std::string ("size=20\nbackoff=brisk\n") + backoff);

  ASSERT_TRUE (connect_all (&client, size));
  server.kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, size));
  size_t attempts = watch_outage (&client, size, seconds);
  EXPECT_GT (attempts, seconds) << "each is at most 600 ms after the one before";
  client.events.forget ();
  ASSERT_TRUE (server.start ());
  gint64 serving_us = g_get_monotonic_time ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, size));
  std::vector<Event> connected = client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED);
  printf (
    "%u s without a server, %zu attempts; the first of %u channels was back after %.1f ms, the last after %.1f ms\n",
    seconds, attempts, size, (connected.front ().time_us - serving_us) / 1000.0,
    (connected.back ().time_us - serving_us) / 1000.0);
  ASSERT_TRUE (await_whole (&client, size));
  std::vector<CenoteLease> leases = lease_all (&client, size);
  for (const CenoteLease &lease : leases)
    EXPECT_EQ (echo (lease.channel), GRPC_STATUS_OK);
  release_all (&leases);
}

/* ---------------------------------------------------------------------- B3 */

/* What the pool counts can be got, from the first moment on: there the count was 5, and fewer places were filled. */
TEST (SeedA2, B3_AllSlotsFoundRightAfterStart)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());

  for (unsigned i = 0; i < scaled (500, 100) && !HasFailure (); i++) {
    Client client (server.port (), "size=5\npicker=round-robin\n");

    client.connect ();
    ASSERT_TRUE (await_status (&client, [&] (const CenotePoolStatus &status) {
      EXPECT_TRUE (status.current_size == 0 || client.gets ()) << status.current_size << " are there";
      return status.current_size == 5;
    }));
    EXPECT_EQ (count_distinct (&client, 5), 5u);
  }
}

/* Who is told that a channel is there can get it. */
TEST (SeedA2, B3_ChannelIsFoundByWhoIsToldOfIt)
{
  struct Told {
    std::atomic<unsigned> connected{ 0 }, misses{ 0 };

    static void
    on_connected (CenotePool *pool, guint64, const char *, gpointer data)
    {
      Told *self = static_cast<Told *> (data);
      g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

      self->misses += !cenote_pool_get_channel (pool, &lease, nullptr);
      self->connected++;
    }
  } told;
  CenoteObserver observer = CENOTE_OBSERVER_INIT;
  EchoServer server;
  ASSERT_TRUE (server.start ());

  observer.connected = Told::on_connected;
  for (unsigned i = 0; i < scaled (500, 100); i++) {
    Client client (server.port (), "size=5\n");

    cenote_pool_add_observer (client.pool, &observer, &told, nullptr);
    ASSERT_TRUE (connect_all (&client, 5));
    while (told.connected < 5 * (i + 1))
      std::this_thread::yield ();
  }
  EXPECT_EQ (told.misses, 0u) << "of " << told.connected;
}

TEST (SeedA2, C2_ManyChannelsThatConnectAtOnceAreCountedOnceEach)
{
  const gint64 size = 25;
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=25\npicker=round-robin\nmax-concurrent-dials=25\n");
  std::set<guint64> ids;

  ASSERT_TRUE (connect_all (&client, size));
  auto status = client.status ();
  for (gsize i = 0; i < status->n_channels; i++) {
    ids.insert (status->channels[i]->id);
    EXPECT_EQ (status->channels[i]->state, CENOTE_CHANNEL_READY);
  }
  EXPECT_EQ (ids.size (), 25u);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 25));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED).size (), 25u);
  EXPECT_EQ (count_distinct (&client, size), 25u);
}

/* ---------------------------------------------------------------------- B4 */

/* A drop may be heard of twice, as GOAWAY and as RST, and was dialled twice there: a channel leaked, every other
 * get missed. */
TEST (SeedA2, B4_OneDropIsOneDial)
{
  const unsigned n_drops = 10;
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Peer proxy ("forward", server.port ());
  Client client (proxy.port (), one);

  ASSERT_TRUE (connect_all (&client, 1));
  for (unsigned i = 1; i <= n_drops; i++) {
    ASSERT_EQ (call_once (&client), GRPC_STATUS_OK);
    ASSERT_GE (i % 2 == 0 ? proxy.reset (0) : proxy.goaway (0), 0);
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, i));
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, i + 1));
    ASSERT_TRUE (await_whole (&client, 1));
    for (int k = 0; k < 100; k++)
      ASSERT_TRUE (client.gets ());
  }
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), n_drops);
  EXPECT_EQ (connects_to (proxy.port ()).size (), n_drops + 1u);
  EXPECT_EQ (proxy.count (), n_drops + 1);
  EXPECT_EQ (proxy.alive (), 1);
  EXPECT_EQ (client.status ()->channels[0]->id, 1u) << "it is the same channel still";
}

/* ---------------------------------------------------------------------- B5 */

/* There, who owned the table could die alone: workers said connected, the pool said down. */
TEST (SeedA2, B5_TableOutlivesTheThreadsThatMadeAndUsedIt)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  std::unique_ptr<Client> client;
  std::vector<CenoteLease> leases;

  std::thread ([&] {
    client = std::make_unique<Client> (server.port (), five);
    EXPECT_TRUE (connect_all (client.get (), 5));
  }).join ();
  for (int i = 0; i < 20; i++)
    std::thread ([&] {
      std::vector<CenoteLease> own = lease_all (client.get (), 5);

      leases.insert (leases.end (), own.begin (), own.end ());
    }).join ();
  auto status = client->status ();
  EXPECT_EQ (status->state, CENOTE_POOL_HEALTHY);
  EXPECT_EQ (status->current_size, 5);
  EXPECT_EQ (status->in_flight, 100);
  for (gsize i = 0; i < status->n_channels; i++)
    EXPECT_EQ (status->channels[i]->in_flight, 20);
  for (const CenoteLease &lease : leases)
    ASSERT_EQ (echo (lease.channel), GRPC_STATUS_OK);
  release_all (&leases);
  EXPECT_EQ (client->status ()->in_flight, 0);
}

/* A sink and an observer that are blocked take nothing with them either. */
TEST (SeedA2, B5_WhatIsBlockedBesideThePoolDoesNotTakeItAlong)
{
  struct Stuck {
    std::mutex lock;
    static void
    hold (gpointer data)
    {
      std::lock_guard<std::mutex> wait (static_cast<Stuck *> (data)->lock);
    }
    static void
    told (const CenoteEvent *, gpointer data)
    {
      hold (data);
    }
    static void
    connected (CenotePool *, guint64, const char *, gpointer data)
    {
      hold (data);
    }
  } stuck;
  CenoteObserver observer = CENOTE_OBSERVER_INIT;
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), five);

  observer.connected = Stuck::connected;
  {
    std::lock_guard<std::mutex> hold (stuck.lock);

    cenote_runtime_add_sink (client.runtime, CENOTE_EVENT_MASK_ALL, Stuck::told, &stuck, nullptr);
    cenote_pool_add_observer (client.pool, &observer, &stuck, nullptr);
    ASSERT_TRUE (connect_all (&client, 5));
    server.kill ();
    ASSERT_TRUE (
      await_status (&client, [] (const CenotePoolStatus &status) { return status.state == CENOTE_POOL_DOWN; }));
    EXPECT_FALSE (client.gets ());
    ASSERT_TRUE (server.start ());
    ASSERT_TRUE (await_whole (&client, 5));
    EXPECT_TRUE (client.gets ());
  }
}

/* ---------------------------------------------------------------------- B6 */

TEST (SeedA2, B6_ManyReconnectsLeaveNothing)
{
  const unsigned n_first = 20, n_more = 200;
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Peer proxy ("forward", server.port ());
  Client client (proxy.port (), five);
  unsigned n = 0;
  auto reconnect_all = [&] {
    for (int i = 0; i < 5; i++)
      ASSERT_GE (proxy.reset (0), 0);
    n++;
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 5));
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 5));
    ASSERT_TRUE (await_whole (&client, 5));
    client.events.forget ();
  };

  ASSERT_TRUE (connect_all (&client, 5));
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 5));
  client.events.forget ();
  while (n < n_first && !HasFatalFailure ())
    reconnect_all ();
  Gauges before = Gauges::read_with_connections (5);
  while (n < n_first + n_more && !HasFatalFailure ())
    reconnect_all ();
  Gauges after = Gauges::read_with_connections (5);

  std::cout << n_more << " times five reconnects\nbefore: " << before << "\nafter:  " << after << std::endl;
  EXPECT_EQ (after.descriptors, before.descriptors);
  EXPECT_LE (after.threads, before.threads + 2) << "C-core starts some of its own as it needs them";
  EXPECT_TRUE (!Gauges::memory_tells () || after.allocated_kb < before.allocated_kb + 1024);
  EXPECT_EQ (proxy.alive (), 5);
}

/* -------------------------------------------------------- broken connections */

TEST (SeedA2, C2_StopsWhileTheServerIsUnreachable)
{
  Port nobody;
  Client client (nobody.number (), five);

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 2));
  gint64 begun_us = g_get_monotonic_time ();
  cenote_runtime_stop (client.runtime);
  EXPECT_LT (g_get_monotonic_time () - begun_us, 10 * G_USEC_PER_SEC);
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
}

TEST (SeedA2, C2_StopsWhileTheServerIsSilent)
{
  Peer silent ("silent");
  Client client (silent.port (), "size=5\nbackoff=quick\nconnect-timeout=30s\n");

  client.connect ();
  ASSERT_TRUE (connects_await (silent.port (), 1));
  while (silent.alive () < 1)
    std::this_thread::yield ();
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (silent.alive (), 1) << "or it waited for the attempt";
}

/* A peer that accepts and closes, and one that is READY for a moment: tried at the plugin's times, for ever. */
TEST (SeedA2, C2_SurvivesPeersThatCloseAtOnce)
{
  for (const char *mode : { "close", "greet" }) {
    Peer peer (mode);
    Client client (peer.port (), five);

    client.connect ();
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 30)) << mode;
    auto status = client.status ();
    EXPECT_EQ (status->n_channels, 5u) << mode;
    EXPECT_EQ (status->expected_size, 5) << mode;
    EXPECT_EQ (cenote_pool_resize (client.pool, 3, nullptr), 3) << mode;
  }
}

/* RST, GOAWAY, a FIN and the server's death, over and over and one upon the other. */
TEST (SeedA2, C2_SurvivesRepeatedAndMixedLosses)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Peer proxy ("forward", server.port ());
  Client client (proxy.port (), five);

  ASSERT_TRUE (connect_all (&client, 5));
  for (unsigned i = 0; i < scaled (30, 5); i++) {
    for (unsigned k = 0; k < 3; k++) {
      proxy.reset (0);
      proxy.goaway (0);
    }
    server.kill ();
    proxy.reset (0);
    ASSERT_TRUE (await_status (&client, [] (const CenotePoolStatus &status) { return status.current_size == 0; }));
    EXPECT_FALSE (client.gets ());
    ASSERT_TRUE (server.start ());
    ASSERT_TRUE (await_whole (&client, 5));
    EXPECT_TRUE (client.gets ());
  }
  std::vector<CenoteLease> leases = lease_all (&client, 5);
  for (const CenoteLease &lease : leases)
    EXPECT_EQ (echo (lease.channel), GRPC_STATUS_OK);
  release_all (&leases);
  EXPECT_EQ (proxy.alive (), 5);
}

/* Its own test had no server to lose. */
TEST (SeedA2, C2_LiveServer_ThreeChannelsConnect)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=3\nbackoff=quick\n");

  ASSERT_TRUE (connect_all (&client, 3));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_HEALTHY);
  EXPECT_EQ (call_once (&client), GRPC_STATUS_OK);
}

TEST (SeedA2, C2_LiveServer_DropIsToldAndMended)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Peer proxy ("forward", server.port ());
  Client client (proxy.port (), one);

  ASSERT_TRUE (connect_all (&client, 1));
  ASSERT_GE (proxy.reset (0), 0);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 1));
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  ASSERT_TRUE (await_whole (&client, 1));
  EXPECT_EQ (call_once (&client), GRPC_STATUS_OK);
}

TEST (SeedA2, C2_LiveServer_CleanupAfterADropIsIdempotent)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), five);

  ASSERT_TRUE (connect_all (&client, 5));
  server.kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 5));
  for (int i = 0; i < 3; i++) {
    cenote_pool_disconnect (client.pool);
    cenote_pool_stop (client.pool);
    cenote_runtime_stop (client.runtime);
    EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
    EXPECT_EQ (client.status ()->n_channels, 0u);
  }
}

/* A reconnect of what is connected replaces it, and the count stays. */
TEST (SeedA2, C2_RefreshingAConnectedChannelCountsItOnce)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), one);

  ASSERT_TRUE (connect_all (&client, 1));
  for (guint64 id = 2; id < 5; id++) {
    cenote_pool_reconnect (client.pool);
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, id));
    ASSERT_TRUE (await_whole (&client, 1));
    EXPECT_EQ (client.status ()->channels[0]->id, id);
    EXPECT_TRUE (client.gets ());
  }
}

} // namespace
