/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the pool dials: every connect() of the process is seen, and compared with what the
 * pool said it would do.  None comes too early and there are none besides; how late they
 * were is the machine's matter too, and printed.
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

const char *const dialling_keys = "size=5\nbackoff=schedule\nconnect-timeout=300ms\n";

/* The aim for how late a connect() may be, met where nobody else wants the machine. */
const gint64 aim_us = 5 * 1000;
/* What is later than this was not late, but forgotten. */
const gint64 forgotten_us = 20 * G_USEC_PER_SEC;

struct Dials {
  std::vector<gint64> connects;
  std::vector<Event> scheduled;
};

/* After the end of CLIENT's runtime, which tells all that it has to tell. */
Dials
dials_of (Client &client, unsigned port)
{
  return { connects_to (port), client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED) };
}

/* When the attempt after SCHEDULED is due. */
gint64
due_us (const Event &scheduled)
{
  return scheduled.time_us + scheduled.delay_ms * 1000;
}

/* The plugin was asked for a delay after each attempt, which took ATTEMPT_MS, and nobody else chose one. */
void
expect_delays (const std::vector<Event> &scheduled, gint64 attempt_ms)
{
  for (size_t i = 0; i < scheduled.size (); i++) {
    EXPECT_EQ (scheduled[i].delay_ms, schedule_ms[i % n_delays]);
    if (i == 0)
      continue;
    EXPECT_GE (scheduled[i].time_us, due_us (scheduled[i - 1]) + attempt_ms * 1000) << "given up too early: attempt " << i;
  }
}

/* One connect() to each attempt and none besides: each has ended before the delay that it
 * led to began, and the next came after that delay. */
void
expect_in_turn (const Dials &dials)
{
  size_t n = dials.scheduled.size ();

  ASSERT_GE (dials.connects.size (), n);
  ASSERT_LE (dials.connects.size (), n + 1) << "the last may have been under way";
  for (size_t i = 0; i < n; i++)
    EXPECT_LE (dials.connects[i], dials.scheduled[i].time_us) << "connect() " << i;
  for (size_t i = 1; i < dials.connects.size (); i++)
    EXPECT_GE (dials.connects[i], due_us (dials.scheduled[i - 1])) << "dialled too early: connect() " << i;
}

void
tell_lateness (const Dials &dials)
{
  gint64 latest_us = 0;
  size_t n_within = 0;

  for (size_t i = 1; i < dials.connects.size (); i++) {
    gint64 late_us = dials.connects[i] - due_us (dials.scheduled[i - 1]);

    EXPECT_LT (late_us, forgotten_us) << "connect() " << i;
    latest_us = std::max (latest_us, late_us);
    n_within += late_us <= aim_us;
  }
  printf ("%zu connects, %zu after a delay, of those %zu within %d ms of their time; the latest %.2f ms after it\n",
          dials.connects.size (), dials.connects.size () - 1, n_within, static_cast<int> (aim_us / 1000), latest_us / 1000.0);
  ::testing::Test::RecordProperty ("latest_us", static_cast<int> (latest_us));
}

/* The times of its connect()s are the plugin's delays and no others. */
void
expect_schedule (const Dials &dials, gint64 attempt_ms)
{
  expect_delays (dials.scheduled, attempt_ms);
  expect_in_turn (dials);
  if (!::testing::Test::HasFatalFailure ())
    tell_lateness (dials);
}

/* Dials for N_ATTEMPTS or one more, and stops. */
Dials
dial (unsigned port, size_t n_attempts)
{
  Client client (port, dialling_keys);

  client.connect ();
  EXPECT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, n_attempts));
  cenote_pool_disconnect (client.pool);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED).size (), 0u);
  cenote_runtime_stop (client.runtime);
  return dials_of (client, port);
}

TEST (DialTimes, ClosedPortIsDialledAtThePluginsTimesByOneChannelOfFive)
{
  Port port;

  expect_schedule (dial (port.number (), 2 * n_delays + 1), 0);
}

TEST (DialTimes, PeerThatClosesAtOnceIsNotDialledInALoop)
{
  Peer peer ("close");
  Dials dials = dial (peer.port (), n_delays + 1);

  EXPECT_EQ (peer.count (), static_cast<gint64> (connects_to (peer.port ()).size ()));
  expect_schedule (dials, 0);
}

/* The attempt takes connect-timeout, and its delay begins after it. */
TEST (DialTimes, PeerThatSaysNothingIsGivenUpAtTheConnectTimeout)
{
  Peer peer ("silent");

  expect_schedule (dial (peer.port (), n_delays + 1), 300);
}

/* Its queue is full: even SYNs get no answer. */
TEST (DialTimes, BlackHoleIsGivenUpAtTheConnectTimeout)
{
  Port port;
  Client client (port.number (), dialling_keys);

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
  Client client (peer.port (), dialling_keys);

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, n_rounds));
  cenote_pool_disconnect (client.pool);
  cenote_runtime_stop (client.runtime);
  expect_delays (client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED), 0);

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
  Client client (port.number (), dialling_keys);

  client.connect ();
  while (client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED).size () <= n_delays)
    EXPECT_FALSE (client.gets ());
  cenote_pool_disconnect (client.pool);
  cenote_runtime_stop (client.runtime);
  expect_schedule (dials_of (client, port.number ()), 0);
}

} // namespace
