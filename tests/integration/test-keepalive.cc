/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keepalive pings that a server punishes: it is noticed, told, and remembered for
 * channels that are made later.
 */
#include <gtest/gtest.h>

#include "tests/servers/client.h"
#include "tests/servers/servers.h"

namespace {

const char *const pinging_keys = "size=1\nbackoff=quick\nkeepalive-time=1s\nkeepalive-permit-without-calls=yes\n";

void
expect_calm (const std::vector<Event> &events)
{
  for (const Event &event : events)
    EXPECT_NE (event.reason.find ("ENHANCE_YOUR_CALM"), std::string::npos)
      << event.reason << " after " << event.raw.duration_ns / 1e9 << " s";
}

/* C-core's own server, which bears a ping every 1.5 s. */
TEST (Keepalive, PunishmentIsRecognisedByItsTime)
{
  HealthServer server;
  ASSERT_TRUE (server.start ({ "min-ping=1500" }));
  Client client (server.port (), pinging_keys);

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  expect_calm (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED));
  EXPECT_TRUE (cenote_pool_await_ready (client.pool, 10000, nullptr));
}

/* With a stream open it comes one ping earlier. */
TEST (Keepalive, AndWithAWatchOpen)
{
  HealthServer server;
  ASSERT_TRUE (server.start ({ "min-ping=1500" }));
  Client client (server.port (), std::string (pinging_keys) + "health-check=grpc\n");

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  expect_calm (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED));
}

/* While a call is in flight, here a Watch, etcd bears a ping every 5 s.  The first channel
 * is ended while it doubles its interval, 1 s, 2 s, 4 s; one that is made then begins where
 * that ended. */
TEST (Keepalive, EtcdIsLeftInPeaceBySuccessors)
{
  if (!Etcd::is_there ())
    GTEST_SKIP () << "no etcd";
  if (scaled (10, 1) < 10)
    GTEST_SKIP () << "takes a minute: make check-long";
  Etcd server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), std::string (pinging_keys) + "health-check=grpc\nstatus-interval=1s\n", CENOTE_EVENT_MASK_ALL);

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1)) << "see " << server.log ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 3));
  expect_calm (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED));
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 4));
  cenote_pool_reconnect (client.pool);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DRAINED, 1));
  client.events.forget ();
  /* Four pings of 8 s and a little; without memory it would be ended after 3 s and 9 s. */
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_POOL_STATUS, 34));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), 0u);
}

} // namespace
