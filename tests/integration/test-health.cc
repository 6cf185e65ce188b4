/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pings and health checks against servers that answer, are silent, flip, break off,
 * or know of no such thing.
 */
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/servers.h"
#include "tools/demo-server.h"
#include "tools/raw-call.h"

namespace {

/* The status of an echo over CHANNEL. */
int
call (RawCaller *caller, grpc_channel *channel, const char *method = WORK_ECHO_METHOD)
{
  g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
  g_auto (RawReply) reply = {};

  raw_caller_call (caller, channel, method, request, 10000, &reply);
  return reply.status;
}

/* N echoes over leases of CLIENT's; the number of those that did not end OK. */
unsigned
call_often (Client *client, unsigned n)
{
  g_autoptr (RawCaller) caller = raw_caller_new ();
  unsigned failed = 0;

  while (n-- > 0) {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

    failed += !cenote_pool_acquire (client->pool, 10000, &lease, nullptr) || call (caller, lease.channel) != 0;
  }
  return failed;
}

/* ------------------------------------------------------------------- pings */

TEST (Ping, AServerAnswersWhateverItIsAsked)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=3\nping-interval=1s\n");

  client.connect ();
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_PING, 1, 6));
  EXPECT_EQ (client.events.count (CENOTE_EVENT_CHANNEL_PING, 0), 0u);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), 0u);
  std::vector<Event> pings = client.events.of (CENOTE_EVENT_CHANNEL_PING);
  std::sort (pings.begin (), pings.end (), [] (const Event &a, const Event &b) { return a.raw.duration_ns < b.raw.duration_ns; });
  EXPECT_GT (pings.front ().raw.duration_ns, 0);
  printf ("a ping takes %.0f us (median of %zu)\n", pings[pings.size () / 2].raw.duration_ns / 1000.0, pings.size ());
}

TEST (Ping, EtcdAnswers)
{
  if (!Etcd::is_there ())
    GTEST_SKIP () << "no etcd";
  Etcd server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=2\nbackoff=quick\nping-interval=1s\nhealth-check=grpc\n");

  client.connect ();
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_PING, 1, 2)) << "see " << server.log ();
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 2));
  EXPECT_TRUE (client.gets ());
  EXPECT_EQ (client.events.count (CENOTE_EVENT_CHANNEL_PING, 0), 0u);
}

/* Its kernel keeps the connections open: nothing else than a ping notices. */
TEST (Ping, AFrozenServerIsNoticedAndLeft)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=2\nbackoff=quick\nping-interval=1s\nkeepalive-timeout=2s\nconnect-timeout=1s\n");

  client.connect ();
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_PING, 1, 4));
  server.freeze ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 2));
  for (const Event &event : client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED))
    EXPECT_EQ (event.reason, "ping failed: no answer within 2000 ms");
  EXPECT_FALSE (client.gets ());
  EXPECT_EQ (client.status ()->current_size, 0);
  server.thaw ();
  EXPECT_TRUE (cenote_pool_await_ready (client.pool, 60000, nullptr));
  EXPECT_EQ (call_often (&client, 10), 0u);
}

/* What is in flight on a channel that left may still end well. */
TEST (Ping, ACallInFlightIsNotCut)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=1\nbackoff=quick\nping-interval=1s\nkeepalive-timeout=2s\nconnect-timeout=1s\n");
  CenoteLease lease = CENOTE_LEASE_INIT;
  std::atomic<int> status{ -1 };

  ASSERT_TRUE (cenote_pool_connect (client.pool, 10000, nullptr));
  ASSERT_TRUE (client.get (&lease));
  std::thread caller ([&] {
    g_autoptr (RawCaller) raw = raw_caller_new ();
    status = call (raw, lease.channel, WORK_HOLD_METHOD);
  });
  while (server.holding () < 1)
    std::this_thread::yield ();
  server.freeze ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  EXPECT_EQ (client.status ()->draining, 1);
  server.thaw ();
  EXPECT_EQ (server.release (), 1);
  caller.join ();
  EXPECT_EQ (status, 0);
  cenote_lease_release (&lease);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DRAINED, 1));
}

/* ------------------------------------------------------------------ health */

/* Two servers, two channels to each. */
class HealthPair : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    ASSERT_TRUE (steady.start () && flipping.start ());
    std::string keyfile = "[cenote]\ntelemetry=\n[pool:test]\nprofile=local\nsize=4\nhealth-check=grpc\n"
                          "initialization=manual\ntargets=" + address (steady) + ";" + address (flipping) + "\n";
    client = std::make_unique<Client> (keyfile, CENOTE_EVENT_MASK_ALL);
    client->connect ();
    ASSERT_TRUE (client->events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 4));
  }

  static std::string
  address (const HealthServer &server)
  {
    return "ipv4:127.0.0.1:" + std::to_string (server.port ());
  }

  /* Returns when the pool has taken note. */
  void
  flip (bool serves)
  {
    client->events.forget ();
    EXPECT_EQ (flipping.serve (serves ? 1 : 2), 2);
    ASSERT_TRUE (client->events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, serves, 2));
    EXPECT_EQ (client->status ()->current_size, serves ? 4 : 2);
  }

  HealthServer steady, flipping;
  std::unique_ptr<Client> client;
};

TEST_F (HealthPair, NoCallReachesAServerThatDoesNotServe)
{
  for (unsigned i = 0; i < scaled (50, 5); i++) {
    flip (false);
    gint64 before = flipping.echoes ();
    EXPECT_EQ (call_often (client.get (), 40), 0u);
    EXPECT_EQ (flipping.echoes (), before);
    EXPECT_EQ (client->status ()->state, CENOTE_POOL_DEGRADED);
    flip (true);
    EXPECT_EQ (call_often (client.get (), 40), 0u);
    EXPECT_GT (flipping.echoes (), before);
  }
  EXPECT_EQ (client->events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), 0u);
}

/* Callers who never pause: what they had begun before ends well, and then no call comes. */
TEST_F (HealthPair, NoneUnderLoadEither)
{
  std::atomic<bool> stop{ false };
  std::atomic<unsigned> failed{ 0 };
  std::vector<std::thread> callers;

  for (int i = 0; i < 2; i++)
    callers.emplace_back ([&] {
      while (!stop)
        failed += call_often (client.get (), 10);
    });
  for (unsigned i = 0; i < scaled (50, 5); i++) {
    flip (false);
    while (client->status ()->in_flight > 2)
      std::this_thread::yield ();
    /* Each caller has had a new lease when the steady one has served that many more. */
    for (gint64 until = steady.echoes () + 20; steady.echoes () < until;)
      std::this_thread::yield ();
    gint64 before = flipping.echoes ();
    for (gint64 until = steady.echoes () + 100; steady.echoes () < until;)
      std::this_thread::yield ();
    EXPECT_EQ (flipping.echoes (), before);
    flip (true);
  }
  stop = true;
  for (std::thread &caller : callers)
    caller.join ();
  EXPECT_EQ (failed, 0u);
}

TEST_F (HealthPair, StatusSaysWhy)
{
  flip (false);
  auto status = client->status ();
  unsigned n_out = 0;

  for (gsize i = 0; i < status->n_channels; i++) {
    EXPECT_EQ (status->channels[i]->state, CENOTE_CHANNEL_READY);
    if (address (flipping) == status->channels[i]->address) {
      EXPECT_STREQ (status->channels[i]->why, "is connected, and out of rotation: NOT_SERVING");
      n_out++;
    }
  }
  EXPECT_EQ (n_out, 2u);
}

TEST_F (HealthPair, ABrokenWatchIsOpenedAgain)
{
  client->events.forget ();
  EXPECT_EQ (flipping.break_watches (), 2);
  ASSERT_TRUE (client->events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 0, 2));
  ASSERT_TRUE (client->events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 2));
  EXPECT_EQ (client->status ()->current_size, 4);
  EXPECT_EQ (client->events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), 0u);
}

TEST_F (HealthPair, AServerThatDiesAndReturnsIsAskedAnew)
{
  client->events.forget ();
  flipping.kill ();
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 2));
  EXPECT_EQ (call_often (client.get (), 20), 0u);
  client->events.forget ();
  ASSERT_TRUE (flipping.start ());
  ASSERT_TRUE (client->events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 2));
  EXPECT_EQ (client->status ()->current_size, 4);
}

TEST (Health, AMuteServerIsNotShownAndWhyIsSaid)
{
  HealthServer server;
  ASSERT_TRUE (server.start ({ "mute" }));
  Client client (server.port (), "size=1\nhealth-check=grpc\nconnect-timeout=300ms\n");

  client.connect ();
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 0, 1));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_HEALTH)[0].reason, "no answer to the health watch within 300 ms");
  EXPECT_FALSE (client.gets ());
  EXPECT_EQ (client.status ()->current_size, 0);
}

TEST (Health, ChecksWhereThereIsNoWatch)
{
  HealthServer server;
  ASSERT_TRUE (server.start ({ "no-watch" }));
  Client client (server.port (), "size=1\nhealth-check=grpc\nping-interval=1s\n");

  client.connect ();
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 1));
  EXPECT_TRUE (client.gets ());
  server.serve (2);
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 0, 1));
  EXPECT_FALSE (client.gets ());
  server.serve (1);
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 2));
  EXPECT_TRUE (client.gets ());
}

TEST (Health, NoHealthServiceIsNoOpinion)
{
  HealthServer server;
  ASSERT_TRUE (server.start ({ "no-watch", "no-check" }));
  Client client (server.port (), "size=2\nhealth-check=grpc\n");

  client.connect ();
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 2));
  EXPECT_EQ (call_often (&client, 10), 0u);
  EXPECT_EQ (server.health_calls (), 4);
}

/* A pool ends at once though a Watch is open on each channel. */
TEST (Health, TheEndDoesNotWaitForAWatch)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());

  for (int i = 0; i < 10; i++) {
    Client client (server.port (), "size=5\nhealth-check=grpc\nping-interval=1s\n");

    ASSERT_TRUE (cenote_pool_connect (client.pool, 10000, nullptr));
    cenote_runtime_stop (client.runtime);
    EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
  }
}

TEST (Health, ALeaseThatOutlivesTheRuntimeIsGood)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());
  CenoteLease lease = CENOTE_LEASE_INIT;

  {
    Client client (server.port (), "size=1\nhealth-check=grpc\nping-interval=1s\ndrain-timeout=0\n");

    ASSERT_TRUE (cenote_pool_connect (client.pool, 10000, nullptr));
    ASSERT_TRUE (client.get (&lease));
    cenote_runtime_stop (client.runtime);
  }
  g_autoptr (RawCaller) caller = raw_caller_new ();
  EXPECT_EQ (call (caller, lease.channel), 0);
  cenote_lease_release (&lease);
}

} // namespace
