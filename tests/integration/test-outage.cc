/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real server that is killed and comes back, over and over: what the pool shows
 * meanwhile, and what it holds in the end.  Times are printed; the bars that are
 * asserted are what no working machine misses.
 */
#include <gtest/gtest.h>

#include "tests/servers/client.h"
#include "tests/servers/command.h"
#include "tests/servers/gauges.h"
#include "tests/servers/servers.h"

namespace {

const unsigned size = 5;

/* C-core keeps what is left of a failed attempt for the connect-timeout: a short one, so that this is soon level. */
const char *const five_quick_keys = "size=5\nbackoff=quick\nconnect-timeout=500ms\n";

/* Established connections of this process to PORT, as ss sees them. */
unsigned
established (unsigned port)
{
  g_autofree char *command = g_strdup_printf (
    "ss -Htnp state established dst 127.0.0.1:%u | grep -c 'pid=%d,'", port, static_cast<int> (getpid ()));

  return command_number (command);
}

/* Where there is no ss nobody looks. */
void
expect_established (unsigned port, unsigned n)
{
  g_autofree char *ss = g_find_program_in_path ("ss");

  if (ss != nullptr) {
    EXPECT_EQ (established (port), n);
  }
}

gint64
last_time (const std::vector<Event> &events)
{
  return events.empty () ? 0 : events.back ().time_us;
}

/* Of each outage. */
struct Times {
  std::vector<gint64> down_us; /* from the kill until no channel was left */
  std::vector<gint64> up_us;   /* from the first channel until all were there */
};

/* Kills the server under a pool that has all its channels. */
template <typename Server>
void
kill_and_expect_down (Server *server, Client *client, Times *times)
{
  client->events.forget ();
  gint64 killed_us = g_get_monotonic_time ();
  server->kill ();
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, size));
  times->down_us.push_back (last_time (client->events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED)) - killed_us);
  EXPECT_FALSE (client->gets ());
  auto status = client->status ();
  EXPECT_EQ (status->current_size, 0);
  EXPECT_EQ (status->state, CENOTE_POOL_DOWN);
  EXPECT_EQ (status->n_channels, size);
  EXPECT_FALSE (client->gets ());
}

/* Starts it, and has all channels back. */
template <typename Server>
void
start_and_expect_up (Server *server, Client *client, Times *times)
{
  ASSERT_TRUE (server->start ());
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, size));
  std::vector<Event> connected = client->events.of (CENOTE_EVENT_CHANNEL_CONNECTED);
  times->up_us.push_back (last_time (connected) - connected.front ().time_us);
  auto status = client->status ();
  EXPECT_EQ (status->current_size, size);
  EXPECT_EQ (status->state, CENOTE_POOL_HEALTHY);
  EXPECT_TRUE (client->gets ());
}

template <typename Server>
void
one_outage (Server *server, Client *client, Times *times)
{
  kill_and_expect_down (server, client, times);
  if (!::testing::Test::HasFatalFailure ())
    start_and_expect_up (server, client, times);
}

void
report (const char *what, std::vector<gint64> times_us)
{
  std::sort (times_us.begin (), times_us.end ());
  printf ("%s: median %.1f ms, longest %.1f ms of %zu\n", what, times_us[times_us.size () / 2] / 1000.0,
          times_us.back () / 1000.0, times_us.size ());
  EXPECT_LT (times_us.back (), 5 * G_USEC_PER_SEC);
}

void
report (const Times &times)
{
  report ("from the kill until no channel was left", times.down_us);
  report ("from the first channel until all were back", times.up_us);
}

TEST (Outage, FiveChannelsAreFiveConnections)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), five_quick_keys);

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, size));
  expect_established (server.port (), size);
  EXPECT_EQ (cenote_pool_resize (client.pool, 8, nullptr), 8);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 8));
  expect_established (server.port (), 8);
  EXPECT_EQ (cenote_pool_resize (client.pool, 2, nullptr), 2);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DRAINED, 6));
  expect_established (server.port (), 2);
}

TEST (Outage, PoolsOfOneTargetShareNoConnection)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  std::string keyfile = Client::text (server.port (), "size=3\n");
  std::string second = keyfile.substr (keyfile.find ("[pool:test]"));

  Client client (keyfile + second.replace (0, strlen ("[pool:test]"), "[pool:twin]"), CENOTE_EVENT_MASK_ALL);
  g_autoptr (CenotePool) twin = cenote_runtime_get_pool (client.runtime, "twin", nullptr);
  client.connect ();
  cenote_pool_connect (twin, 0, nullptr);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 6));
  expect_established (server.port (), 6);
}

TEST (Outage, ManyOutagesLeaveNothing)
{
  const unsigned n_first = 10, n_more = scaled (100, 10);
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), five_quick_keys);
  Times times;

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, size));
  for (unsigned i = 0; i < n_first && !HasFatalFailure (); i++)
    one_outage (&server, &client, &times);
  Gauges before = Gauges::read_with_connections (size);
  for (unsigned i = 0; i < n_more && !HasFatalFailure (); i++)
    one_outage (&server, &client, &times);
  Gauges after = Gauges::read_with_connections (size);

  report (times);
  std::cout << "before: " << before << "\nafter:  " << after << std::endl;
  EXPECT_EQ (after.descriptors, before.descriptors);
  EXPECT_LE (after.threads, before.threads + 2) << "C-core starts some of its own as it needs them";
  EXPECT_TRUE (!Gauges::memory_tells () || after.allocated_kb < before.allocated_kb + 512);
  expect_established (server.port (), size);
}

/* Each time it takes a second or two to serve again, and takes connections before: an attempt that was given up, and
 * whose SETTINGS come in the last moment that C-core waits for them, is never closed (core/grpc/link.c). */
TEST (Outage, EtcdsManyOutagesLeaveNothing)
{
  const unsigned n_first = 2, n_more = scaled (100, 2) < 100 ? 2 : 100;

  if (!Etcd::is_there ())
    GTEST_SKIP () << "no etcd";
  Etcd server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), five_quick_keys);
  Times times;

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, size)) << "see " << server.log ();
  expect_established (server.port (), size);
  for (unsigned i = 0; i < n_first && !HasFatalFailure (); i++)
    one_outage (&server, &client, &times);
  Gauges before = Gauges::read_with_connections (size);
  for (unsigned i = 0; i < n_more && !HasFatalFailure (); i++)
    one_outage (&server, &client, &times);
  Gauges after = Gauges::read_with_connections (size);

  report (times);
  std::cout << "before: " << before << "\nafter:  " << after << std::endl;
  EXPECT_LE (after.descriptors, before.descriptors + 1) << "but for one whose peer answered in the last moment";
  EXPECT_LE (after.threads, before.threads + 2) << "C-core starts some of its own as it needs them";
  EXPECT_TRUE (!Gauges::memory_tells () || after.allocated_kb < before.allocated_kb + 512);
  expect_established (server.port (), size);
}

} // namespace
