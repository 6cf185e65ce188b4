/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GrpcConnectionPool 0.3: its events under our names, each with its measurements and
 * metadata, as a sink of the program is told them.
 */
#include <cenote/event-text.h>
#include <gtest/gtest.h>

#include "a2.h"

namespace {

const char *const two = "size=2\nbackoff=quick\n";

/* Waits for the Nth event of KIND, from 1. */
Event
nth (Client *client, CenoteEventKind kind, size_t n)
{
  EXPECT_TRUE (client->events.await (kind, n)) << cenote_event_kind_to_string (kind);
  std::vector<Event> all = client->events.of (kind);

  return all.size () < n ? Event () : all[n - 1];
}

std::string
address_of (unsigned port)
{
  return "ipv4:127.0.0.1:" + std::to_string (port);
}

void
expect_channel_event (const Event &event, unsigned port)
{
  EXPECT_EQ (event.pool, "test");
  EXPECT_EQ (event.address, address_of (port));
  EXPECT_GE (event.channel, 1u);
  EXPECT_GT (event.time_us, 0);
  EXPECT_GT (event.raw.wall_us, G_GINT64_CONSTANT (1500000000) * G_USEC_PER_SEC);
}

/* [pool, init]: pool_size; pool_name, endpoint.  No sink of a program can be there before its pools are. */
TEST (SeedA2, C2_Telemetry_Init)
{
  Port nobody;
  Client client (nobody.number (), two, CENOTE_EVENT_MASK_ALL);
  Event init = nth (&client, CENOTE_EVENT_POOL_INIT, 1);

  EXPECT_EQ (init.pool, "test");
  EXPECT_EQ (init.address, address_of (nobody.number ()));
  EXPECT_EQ (init.raw.expected_size, 2);
}

TEST (SeedA2, C2_Telemetry_EachSinkIsToldOfEachPoolOnce)
{
  EventLog late, uninterested;
  Port nobody;
  std::string keyfile = Client::text (nobody.number (), two);
  std::string twin = keyfile.substr (keyfile.find ("[pool:test]"));
  Client client (keyfile + twin.replace (0, strlen ("[pool:test]"), "[pool:twin]"),
                 CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT));

  cenote_pool_resize (client.pool, 7, nullptr);
  cenote_runtime_add_sink (client.runtime, CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS), EventLog::take, &uninterested,
                           nullptr);
  cenote_runtime_add_sink (client.runtime, CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT), EventLog::take, &late, nullptr);
  ASSERT_TRUE (late.await (CENOTE_EVENT_POOL_INIT, 2));
  EXPECT_EQ (late.of (CENOTE_EVENT_POOL_INIT)[0].pool, "test");
  EXPECT_EQ (late.of (CENOTE_EVENT_POOL_INIT)[0].raw.expected_size, 7) << "as it is now";
  EXPECT_EQ (late.of (CENOTE_EVENT_POOL_INIT)[1].pool, "twin");
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_INIT).size (), 2u);
  EXPECT_EQ (late.of (CENOTE_EVENT_POOL_INIT).size (), 2u);
  EXPECT_EQ (uninterested.of (CENOTE_EVENT_POOL_INIT).size (), 0u);
}

/* A pool whose channels come from dial() wants none at first, from the first moment on. */
TEST (SeedA2, A2_Telemetry_InitOfAPoolThatWantsNone)
{
  for (unsigned i = 0; i < 50; i++) {
    Client client ("[cenote]\ntelemetry=\n[pool:test]\nprofile=test\nconnector=caching\n", CENOTE_EVENT_MASK_ALL);

    ASSERT_EQ (nth (&client, CENOTE_EVENT_POOL_INIT, 1).raw.expected_size, 0);
  }
}

/* [pool, scale_up]: duration, requested, succeeded, failed, new_size. */
TEST (SeedA2, C2_Telemetry_ScaleUp)
{
  Port nobody;
  Client client (nobody.number (), two);

  ASSERT_EQ (cenote_pool_scale_up (client.pool, 5, nullptr), 7);
  Event event = nth (&client, CENOTE_EVENT_POOL_SCALE_UP, 1);
  EXPECT_EQ (event.pool, "test");
  EXPECT_GT (event.raw.duration_ns, 0) << "from the call on";
  EXPECT_LT (event.raw.duration_ns, 60 * G_GINT64_CONSTANT (1000000000));
  EXPECT_EQ (event.raw.requested, 5);
  EXPECT_EQ (event.raw.succeeded, 5);
  EXPECT_EQ (event.raw.failed, 0);
  EXPECT_EQ (event.raw.new_size, 7);
}

/* [pool, scale_down]: duration, requested, terminated, new_size; a resize is the one or the other. */
TEST (SeedA2, C2_Telemetry_ScaleDown)
{
  Port nobody;
  Client client (nobody.number (), "size=9\nbackoff=quick\n");

  ASSERT_EQ (cenote_pool_scale_down (client.pool, 3, nullptr), 6);
  ASSERT_EQ (cenote_pool_resize (client.pool, 4, nullptr), 4);
  ASSERT_EQ (cenote_pool_scale_down (client.pool, 4, nullptr), -1);
  ASSERT_EQ (cenote_pool_resize (client.pool, 5, nullptr), 5);
  Event event = nth (&client, CENOTE_EVENT_POOL_SCALE_DOWN, 1);
  EXPECT_EQ (event.pool, "test");
  EXPECT_GT (event.raw.duration_ns, 0);
  EXPECT_EQ (event.raw.requested, 3);
  EXPECT_EQ (event.raw.succeeded, 3);
  EXPECT_EQ (event.raw.new_size, 6);
  EXPECT_EQ (event.reason, "scale_down");
  event = nth (&client, CENOTE_EVENT_POOL_SCALE_DOWN, 2);
  EXPECT_EQ (event.raw.requested, 2);
  EXPECT_EQ (event.raw.new_size, 4);
  EXPECT_EQ (event.reason, "resize");
  event = nth (&client, CENOTE_EVENT_POOL_SCALE_UP, 1);
  EXPECT_EQ (event.raw.requested, 1);
  EXPECT_EQ (event.raw.new_size, 5);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_SCALE_DOWN).size (), 2u) << "what was refused is no event";
}

/* [pool, status]: expected_size, current_size.  There expected_size was the start's for ever. */
TEST (SeedA2, Reading_StatusEventHasTheCurrentExpectedSize)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=2\nbackoff=quick\nstatus-interval=100ms\n", CENOTE_EVENT_MASK_ALL);
  auto await_told = [&] (gint64 expected, gint64 current) {
    for (size_t n = 1; n < 600; n++) {
      Event event = nth (&client, CENOTE_EVENT_POOL_STATUS, n);

      if (event.raw.expected_size == expected && event.raw.current_size == current)
        return event.pool == "test" && event.raw.in_flight == 0 && event.raw.waiters == 0;
    }
    return false;
  };

  EXPECT_TRUE (await_told (2, 0));
  ASSERT_TRUE (connect_all (&client, 2));
  EXPECT_TRUE (await_told (2, 2));
  ASSERT_EQ (cenote_pool_resize (client.pool, 5, nullptr), 5);
  EXPECT_TRUE (await_told (5, 5));
  ASSERT_EQ (cenote_pool_scale_down (client.pool, 4, nullptr), 1);
  EXPECT_TRUE (await_told (1, 1));
  server.kill ();
  EXPECT_TRUE (await_told (1, 0));
}

/* [channel, connected]: duration; [channel, disconnected]: duration, reason, of gun_down and gun_error too. */
TEST (SeedA2, C2_Telemetry_ConnectedAndDisconnected)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=1\nbackoff=quick\n");

  client.connect ();
  Event connected = nth (&client, CENOTE_EVENT_CHANNEL_CONNECTED, 1);
  expect_channel_event (connected, server.port ());
  EXPECT_GT (connected.raw.duration_ns, 0);
  EXPECT_EQ (connected.raw.attempt, 1);
  server.kill ();
  Event lost = nth (&client, CENOTE_EVENT_CHANNEL_DISCONNECTED, 1);
  expect_channel_event (lost, server.port ());
  EXPECT_EQ (lost.channel, connected.channel);
  EXPECT_NE (lost.reason, "");
  EXPECT_EQ (lost.raw.duration_ns / 1000 / 1000000, (lost.time_us - connected.time_us) / 1000000)
    << "the time that it was connected";
  EXPECT_GT (lost.raw.duration_ns, 0);
}

/* [channel, connection_failed]: duration, error. */
TEST (SeedA2, C2_Telemetry_ConnectionFailed)
{
  Port nobody;
  Client client (nobody.number (), "size=1\nbackoff=quick\n");

  client.connect ();
  for (size_t n = 1; n <= 3; n++) {
    Event failed = nth (&client, CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, n);

    expect_channel_event (failed, nobody.number ());
    EXPECT_GT (failed.raw.duration_ns, 0);
    EXPECT_NE (failed.error.find ("Connection refused"), std::string::npos) << failed.error;
    EXPECT_EQ (failed.raw.attempt, static_cast<gint64> (n));
  }
}

/* [channel, reconnect_scheduled]: delay_ms, attempt; reason.  There only after a loss, here after each failure too. */
TEST (SeedA2, C2_Telemetry_ReconnectScheduled)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=1\nbackoff=constant\n[backoff:constant]\nplugin=constant\ndelay=30ms\n");

  ASSERT_TRUE (connect_all (&client, 1));
  ASSERT_EQ (call_once (&client), GRPC_STATUS_OK);
  server.kill ();
  std::string why;
  for (size_t n = 1; n <= 4; n++) {
    Event scheduled = nth (&client, CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, n);

    EXPECT_EQ (scheduled.pool, "test");
    EXPECT_EQ (scheduled.address, address_of (server.port ()));
    EXPECT_EQ (scheduled.raw.attempt, static_cast<gint64> (n));
    EXPECT_EQ (scheduled.delay_ms, n == 1 ? 0 : 30) << "what was healthy is dialled at once";
    why = n == 1 ? nth (&client, CENOTE_EVENT_CHANNEL_DISCONNECTED, 1).reason
                 : nth (&client, CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, n - 1).error;
    EXPECT_EQ (scheduled.reason, why.substr (0, scheduled.reason.size ()));
    EXPECT_NE (scheduled.reason, "");
  }
}

/* Of two disconnects in a row the second is attempt 2: there was nothing good between them. */
TEST (SeedA2, C2_Telemetry_AttemptGrowsWithTheSecondDisconnect)
{
  Peer greeting ("greet");
  Client client (greeting.port (), "size=1\nbackoff=quick\n");

  client.connect ();
  Event first = nth (&client, CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 1);
  Event second = nth (&client, CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 2);
  EXPECT_GT (first.delay_ms, 0);
  EXPECT_EQ (second.raw.attempt, first.raw.attempt + 1);
}

/* ------------------------------------------------------------------- sampling */

const guint64 gets_mask = CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_GET_CHANNEL) |
                          CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET) | CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_SCALE_UP);

/* The pool.get_channel events of N gets at RATE, each of which GIVES a lease or not. */
std::vector<Event>
sample_gets (Client *client, unsigned n, bool gives)
{
  for (unsigned i = 0; i < n; i++)
    EXPECT_EQ (client->gets (), gives);
  /* Comes after all that was told before. */
  size_t before = client->events.of (CENOTE_EVENT_POOL_SCALE_UP).size ();
  EXPECT_GT (cenote_pool_scale_up (client->pool, 1, nullptr), 0);
  EXPECT_TRUE (client->events.await (CENOTE_EVENT_POOL_SCALE_UP, before + 1));
  return client->events.of (CENOTE_EVENT_POOL_GET_CHANNEL);
}

Client *
sampling_client (std::unique_ptr<Client> *client, unsigned port, const char *rate)
{
  *client = std::make_unique<Client> (port, std::string ("size=2\nbackoff=quick\ntelemetry-sample-rate=") + rate + "\n",
                                      gets_mask);
  return client->get ();
}

/* [pool, get_channel]: pool_name, available_channels, and the duration that its README promised. */
TEST (SeedA2, A2_Sampling_EachGet)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  std::unique_ptr<Client> owner;
  Client *client = sampling_client (&owner, server.port (), "1");

  ASSERT_TRUE (connect_all (client, 2));
  std::vector<Event> told = sample_gets (client, 100, true);
  ASSERT_EQ (told.size (), 100u);
  for (const Event &event : told) {
    EXPECT_EQ (event.pool, "test");
    EXPECT_EQ (event.raw.ok, 1);
    EXPECT_GE (event.raw.duration_ns, 0);
    EXPECT_EQ (event.raw.current_size, 2);
  }
  EXPECT_EQ (client->events.of (CENOTE_EVENT_CHANNEL_GET).size (), 100u);
}

TEST (SeedA2, A2_Sampling_AMissIsToldToo)
{
  Port nobody;
  std::unique_ptr<Client> owner;
  Client *client = sampling_client (&owner, nobody.number (), "1");

  ASSERT_TRUE (await_status (client, [] (const CenotePoolStatus &status) { return status.expected_size == 2; }));
  std::vector<Event> told = sample_gets (client, 20, false);
  ASSERT_EQ (told.size (), 20u);
  EXPECT_EQ (told[0].raw.ok, 0);
  EXPECT_EQ (told[0].raw.current_size, 0);
}

TEST (SeedA2, A2_Sampling_OneInN)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  std::unique_ptr<Client> owner;
  Client *client = sampling_client (&owner, server.port (), "10");

  ASSERT_TRUE (connect_all (client, 2));
  size_t told = sample_gets (client, 10000, true).size ();
  printf ("%zu of 10000 at 1 in 10\n", told);
  EXPECT_GE (told, 800u);
  EXPECT_LE (told, 1200u);
}

TEST (SeedA2, A2_Sampling_None)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  std::unique_ptr<Client> owner;
  Client *client = sampling_client (&owner, server.port (), "0");

  ASSERT_TRUE (connect_all (client, 2));
  EXPECT_EQ (sample_gets (client, 10000, true).size (), 0u);
}

/* [channel, ping]: silent where nothing is connected; what a ping tells is with the pings' own tests. */
TEST (SeedA2, C2_Telemetry_NoPingWhereNothingIsConnected)
{
  Port nobody;
  Client client (nobody.number (), "size=2\nbackoff=quick\nping-interval=1s\n");
  gint64 until_us = g_get_monotonic_time () + 2 * G_USEC_PER_SEC;

  client.connect ();
  for (size_t n = 1; g_get_monotonic_time () < until_us; n++)
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, n));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_PING).size (), 0u);
}

/* Its list of event shapes: every event of its table has a kind here. */
TEST (SeedA2, C2_Telemetry_EveryEventHasAKind)
{
  for (const char *name :
       { "pool.init", "pool.get_channel", "pool.scale_up", "pool.scale_down", "pool.status", "channel.connected",
         "channel.connection_failed", "channel.disconnected", "channel.ping", "channel.reconnect_scheduled" }) {
    CenoteEventKind kind;

    EXPECT_TRUE (cenote_event_kind_from_string (name, &kind)) << name;
  }
}

} // namespace
