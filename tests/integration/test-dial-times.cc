/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the pool dials: every connect() of the process is seen.  What holds of any
 * machine is asserted (none too early, none too many); how late they were is printed.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/connects.h"
#include "tests/servers/servers.h"

namespace {

/* The plugin's delays, again and again. */
const gint64 schedule_ms[] = { 100, 200, 400, 50 };
const size_t n_delays = G_N_ELEMENTS (schedule_ms);

const char *const keys = "size=5\nbackoff=schedule\nconnect-timeout=300ms\n";

std::vector<gint64>
gaps_us (const std::vector<gint64> &times)
{
  std::vector<gint64> gaps;

  for (size_t i = 1; i < times.size (); i++)
    gaps.push_back (times[i] - times[i - 1]);
  return gaps;
}

/* An attempt begins before its connect(), which a busy machine puts off: then the gap that
 * follows is shorter by as much.  This is half of what tells two delays of the schedule apart. */
const gint64 put_off_us = 25 * 1000;

/* How late each connect() was that followed a delay, where an attempt itself takes ATTEMPT_MS. */
void
expect_schedule (const std::vector<gint64> &times, gint64 attempt_ms)
{
  std::vector<gint64> gaps = gaps_us (times);
  gint64 latest_us = 0;

  for (size_t i = 0; i < gaps.size (); i++) {
    gint64 due_us = (schedule_ms[i % n_delays] + attempt_ms) * 1000;

    EXPECT_GE (gaps[i], due_us - put_off_us) << "dialled too early, after delay " << i;
    latest_us = std::max (latest_us, gaps[i] - due_us);
  }
  printf ("%zu connects, the latest %.2f ms after its time\n", times.size (), latest_us / 1000.0);
  ::testing::Test::RecordProperty ("latest_us", static_cast<int> (latest_us));
}

/* The plugin was asked for a delay after each attempt, and nobody else chose one. */
void
expect_delays (const std::vector<Event> &scheduled)
{
  for (size_t i = 0; i < scheduled.size (); i++)
    EXPECT_EQ (scheduled[i].delay_ms, schedule_ms[i % n_delays]);
}

/* Dials for N_ATTEMPTS and stops.  The connect()s of those. */
std::vector<gint64>
dial (unsigned port, size_t n_attempts)
{
  Client client (port, keys);

  client.connect ();
  EXPECT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, n_attempts));
  cenote_pool_disconnect (client.pool);
  expect_delays (client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED).size (), 0u);
  cenote_runtime_stop (client.runtime);
  return connects_to (port);
}

TEST (DialTimes, ClosedPortIsDialledAtThePluginsTimesByOneChannelOfFive)
{
  Port port;
  std::vector<gint64> times = dial (port.number (), 2 * n_delays + 1);

  EXPECT_EQ (times.size (), 2 * n_delays + 1);
  expect_schedule (times, 0);
}

TEST (DialTimes, PeerThatClosesAtOnceIsNotDialledInALoop)
{
  Peer peer ("close");
  std::vector<gint64> times = dial (peer.port (), n_delays + 1);

  EXPECT_EQ (times.size (), n_delays + 1);
  EXPECT_EQ (peer.count (), static_cast<gint64> (times.size ()));
  expect_schedule (times, 0);
}

/* The attempt takes connect-timeout, and its delay begins after it. */
TEST (DialTimes, PeerThatSaysNothingIsGivenUpAtTheConnectTimeout)
{
  Peer peer ("silent");
  std::vector<gint64> times = dial (peer.port (), n_delays + 1);

  EXPECT_EQ (times.size (), n_delays + 1);
  expect_schedule (times, 300);
}

/* Its queue is full: even SYNs get no answer. */
TEST (DialTimes, BlackHoleIsGivenUpAtTheConnectTimeout)
{
  Port port;
  Client client (port.number (), keys);

  port.swallow ();
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 3));
  for (const Event &event : client.events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED))
    EXPECT_NE (event.error.find ("connect-timeout"), std::string::npos) << event.error;
  EXPECT_EQ (client.status ()->current_size, 0);
}

/* READY each time, and lost at once: that is a failed attempt (SPEC 9.3), so the four
 * that follow the prober are all that a delay of the plugin's allows. */
TEST (DialTimes, PeerThatGreetsAndClosesIsNotDialledInALoop)
{
  const size_t n_rounds = n_delays + 1;
  Peer peer ("greet");
  Client client (peer.port (), keys);

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, n_rounds));
  cenote_pool_disconnect (client.pool);
  expect_delays (client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED));
  cenote_runtime_stop (client.runtime);

  size_t n = connects_to (peer.port ()).size ();
  size_t n_scheduled = client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED).size ();
  printf ("%zu connects in %zu rounds\n", n, n_scheduled);
  EXPECT_GE (n, n_rounds);
  EXPECT_LE (n, 5 * (n_scheduled + 1));
}

/* C-core keeps for good a connection whose channel is destroyed between connect() and
 * SETTINGS: such a channel has to be kept until it has become something. */
TEST (DialTimes, AttemptThatIsGivenUpLeavesNoConnection)
{
  gint64 until_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  Peer peer ("silent");
  Client client (peer.port (), "size=1\nconnect-timeout=20s\n");

  client.connect ();
  while (peer.alive () < 1)
    std::this_thread::yield ();
  cenote_pool_disconnect (client.pool);
  EXPECT_EQ (client.status ()->n_channels, 0u);
  peer.greet ();
  while (peer.alive () > 0 && g_get_monotonic_time () < until_us)
    std::this_thread::yield ();
  EXPECT_EQ (peer.alive (), 0);
}

/* Nor where its runtime has ended before, and another one goes on. */
TEST (DialTimes, AttemptThatIsLeftAtTheStopLeavesNoConnection)
{
  gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client other (server.port ());
  Peer peer ("silent");

  ASSERT_TRUE (cenote_pool_connect (other.pool, G_MAXINT64, nullptr));
  {
    Client client (peer.port (), "size=1\nconnect-timeout=20s\n");

    client.connect ();
    while (peer.alive () < 1)
      std::this_thread::yield ();
  }
  EXPECT_EQ (peer.alive (), 1);
  peer.greet ();
  while (peer.alive () > 0 && g_get_monotonic_time () < until_us)
    std::this_thread::yield ();
  EXPECT_EQ (peer.alive (), 0);
}

/* However long an attempt may take, the end of the runtime does not wait for it. */
TEST (DialTimes, StopDoesNotWaitForAnAttempt)
{
  Peer peer ("silent");
  Client client (peer.port (), "size=5\nconnect-timeout=20s\ndrain-timeout=20s\n");

  client.connect ();
  while (peer.alive () < 1)
    std::this_thread::yield ();
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
  EXPECT_EQ (peer.alive (), 1) << "or it did";
}

/* Callers that take what they can get do not make it dial more often. */
TEST (DialTimes, CallersDoNotChangeTheTimes)
{
  Port port;
  Client client (port.number (), keys);

  client.connect ();
  while (client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED).size () <= n_delays)
    EXPECT_FALSE (client.gets ());
  cenote_pool_disconnect (client.pool);
  cenote_runtime_stop (client.runtime);
  expect_schedule (connects_to (port.number ()), 0);
}

} // namespace
