/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers that a channel is READY to and that are no servers: one that is silent after its
 * SETTINGS, one that answers HTTP 400.  Beside a good one they cost few calls, and with
 * priming none.
 */
#include <grpc/status.h>

#include "tests/servers/load.h"
#include "tests/servers/servers.h"

namespace {

std::string
address (unsigned port)
{
  return "ipv4:127.0.0.1:" + std::to_string (port);
}

/* Two channels to a good server and two to MODE. */
class Zombies : public ::testing::TestWithParam<const char *> {
protected:
  void
  SetUp () override
  {
    ASSERT_TRUE (server.start ());
    bad.reset (new Peer (GetParam ()));
  }

  void
  open (const std::string &keys)
  {
    client.reset (new Client ("[cenote]\ntelemetry=\n[backoff:quick]\nplugin=constant\ndelay=20ms\n[pool:test]\n"
                              "profile=local\nsize=4\nbackoff=quick\ninitialization=manual\n"
                              "targets=" + address (server.port ()) + ";" + address (bad->port ()) + "\n" + keys,
                              CENOTE_EVENT_MASK_ALL & ~CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS)));
    client->connect ();
  }

  /* N calls one after another; how many failed. */
  unsigned
  call (unsigned n, gint64 timeout_ms = 500)
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
    g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
    unsigned failed = 0;

    options.timeout_ms = timeout_ms;
    while (n-- > 0)
      failed += !cenote_call_unary (client->pool, WORK_ECHO_METHOD, request, &options, nullptr, nullptr);
    return failed;
  }

  HealthServer server;
  std::unique_ptr<Peer> bad;
  std::unique_ptr<Client> client;
};

TEST_P (Zombies, CostFiveCallsForEachChannelAndNoMore)
{
  open ("");
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 4));
  unsigned n = 0, failed = 0;
  while (client->events.of (CENOTE_EVENT_CHANNEL_EJECTED).size () < 2 && n++ < 1000)
    failed += call (1);
  EXPECT_EQ (failed, 10u) << "five on each of two channels, one after another";
  EXPECT_EQ (client->status ()->current_size, 2);
  EXPECT_EQ (call (1000, 30000), 0u) << "the pool serves on from the others";
  for (const Event &event : client->events.of (CENOTE_EVENT_CHANNEL_EJECTED))
    EXPECT_EQ (event.address, address (bad->port ()));
  EXPECT_GE (bad->count (), 2) << "and others are dialled in their place, and asked first";
}

/* Many callers: each may have one more under way when the fifth fails. */
TEST_P (Zombies, CostNoMoreThanThatAndWhatIsInFlight)
{
  const unsigned n_callers = 8;
  std::atomic<unsigned> failed{ 0 }, late{ 0 };
  std::vector<std::thread> callers;

  open ("");
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 4));
  for (unsigned i = 0; i < n_callers; i++) {
    callers.emplace_back ([&] {
      while (client->events.of (CENOTE_EVENT_CHANNEL_EJECTED).size () < 2)
        failed += call (1);
      late += call (100, 30000);
    });
  }
  for (std::thread &caller : callers)
    caller.join ();
  EXPECT_LE (failed, 2 * (5 + n_callers - 1));
  EXPECT_EQ (late, 0u);
  printf ("%s: %u of %u callers' calls failed\n", GetParam (), failed.load (), n_callers);
}

TEST_P (Zombies, CostNothingWhereChannelsArePrimed)
{
  open ("prime=headers\nprime-timeout=200ms\nprime-tries=2\n");
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 2));
  EXPECT_EQ (call (1000, 30000), 0u);
  auto status = client->status ();
  for (gsize i = 0; i < status->n_channels; i++)
    EXPECT_TRUE (status->channels[i]->state != CENOTE_CHANNEL_READY
                 || address (bad->port ()) != status->channels[i]->address)
      << "none to it is ever shown";
  EXPECT_NE (client->events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED)[0].error.find ("prime failed"), std::string::npos);
  EXPECT_EQ (client->events.of (CENOTE_EVENT_CHANNEL_EJECTED).size (), 0u);
}

INSTANTIATE_TEST_SUITE_P (OfKind, Zombies, ::testing::Values ("zombie", "refuse"),
                          [] (const ::testing::TestParamInfo<const char *> &info) { return std::string (info.param); });

/* ------------------------------------------------------------------ priming */

TEST (Prime, AServerAnswersByHeadersHealthAndItsOwnMethod)
{
  for (const char *prime : { "headers", "health", WORK_ECHO_METHOD }) {
    HealthServer server;
    ASSERT_TRUE (server.start ());
    Client client (server.port (), std::string ("size=2\nprime=") + prime + "\n");

    client.connect ();
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2)) << prime;
    EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED).size (), 0u) << prime;
    EXPECT_GE (server.echoes () + server.health_calls () + server.others (), 2) << prime;
  }
}

TEST (Prime, AServerThatDoesNotServeIsNotConnected)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());
  server.serve (2);
  Client client (server.port (), "size=1\nbackoff=quick\nprime=health\nprime-tries=1\n");

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 2));
  EXPECT_FALSE (client.gets ());
  server.serve (1);
  EXPECT_TRUE (cenote_pool_await_ready (client.pool, 60000, nullptr));
}

} // namespace
