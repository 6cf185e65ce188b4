// SPDX-License-Identifier: Apache-2.0
/*
 * Pools that size themselves, against servers: one that grows with its calls and returns
 * when they end, without a turn between, and one that begins when somebody calls.
 */
#include <gtest/gtest.h>

#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/servers.h"

namespace {

constexpr guint64 what_scales = CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_SCALE_UP) | CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_SCALE_DOWN) |
                                 CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTED);

/* N calls in flight, each followed by another. */
class CallLoad
{
public:
  CallLoad (CenotePool *pool_, unsigned n) : pool (pool_)
  {
    context = g_main_context_new ();
    message = g_bytes_new_static ("hello", 5);
    while (n-- > 0)
      begin ();
  }

  ~CallLoad ()
  {
    goes_on = false;
    while (in_flight > 0)
      g_main_context_iteration (context, TRUE);
    g_bytes_unref (message);
    g_main_context_unref (context);
  }

  CallLoad (const CallLoad &) = delete;
  CallLoad &operator= (const CallLoad &) = delete;

  void
  run (unsigned n_calls)
  {
    for (unsigned until = n_ended + n_calls; n_ended < until;)
      g_main_context_iteration (context, TRUE);
  }

private:
  static void
  ended (CenotePool *, GBytes *, const GError *error, gpointer data)
  {
    CallLoad *self = static_cast<CallLoad *> (data);

    EXPECT_EQ (error, nullptr) << error->message;
    self->in_flight--;
    self->n_ended++;
    if (self->goes_on)
      self->begin ();
  }

  void
  begin ()
  {
    in_flight++;
    cenote_call_unary_async (pool, WORK_ECHO_METHOD, message, nullptr, context, ended, this, nullptr);
  }

  CenotePool *pool;
  GMainContext *context;
  GBytes *message;
  unsigned in_flight = 0, n_ended = 0;
  bool goes_on = true;
};

std::vector<gint64>
sizes_of (EventLog &events, CenoteEventKind kind)
{
  std::vector<gint64> sizes;

  for (const Event &event : events.of (kind))
    sizes.push_back (event.raw.new_size);
  return sizes;
}

/* The wait is for what is to come, and ends the test if it does not. */
void
await_size (Client *client, gint64 size, CallLoad *load)
{
  gint64 until_us = g_get_monotonic_time () + G_TIME_SPAN_MINUTE;

  while (client->status ()->current_size != size && g_get_monotonic_time () < until_us) {
    if (load != nullptr)
      load->run (100);
    else
      std::this_thread::yield ();
  }
  ASSERT_EQ (client->status ()->current_size, size);
}

TEST (ElasticPool, GrowsWithItsCallsAndReturnsWithoutOscillation)
{
  HealthServer server;
  ASSERT_TRUE (server.start ({ "delay=5", "streams=100" }));
  Client client ("[cenote]\ntelemetry=\n[connector:sized]\nplugin=elastic\ncheck-interval=50ms\nquiet-checks=5\ncool-down=100ms\n"
                 "[pool:test]\nprofile=local\nconnector=sized\nmax-channels=8\ntarget=ipv4:127.0.0.1:" +
                   std::to_string (server.port ()) + "\n",
                 what_scales);
  std::vector<gint64> up, down;

  await_size (&client, 1, nullptr);
  {
    CallLoad load (client.pool, 400);

    await_size (&client, 8, &load);
    load.run (4000);
    up = sizes_of (client.events, CENOTE_EVENT_POOL_SCALE_UP);
    EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_SCALE_DOWN).size (), 0u) << "400 at 20 to 50 a channel";
  }
  await_size (&client, 1, nullptr);
  down = sizes_of (client.events, CENOTE_EVENT_POOL_SCALE_DOWN);
  EXPECT_EQ (sizes_of (client.events, CENOTE_EVENT_POOL_SCALE_UP), up) << "none after the load";
  EXPECT_EQ (up, (std::vector<gint64>{ 3, 5, 7, 8 }));
  EXPECT_EQ (down, (std::vector<gint64>{ 7, 6, 5, 4, 3, 2, 1 }));
}

TEST (LazyPool, BeginsWithTheFirstCall)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());
  Client client ("[cenote]\ntelemetry=\n[pool:test]\nprofile=local\nconnector=lazy\nidle-timeout=100ms\ntarget=ipv4:127.0.0.1:" +
                   std::to_string (server.port ()) + "\n",
                 what_scales);

  EXPECT_EQ (client.status ()->current_size, 0);
  EXPECT_FALSE (client.gets ());
  {
    CallLoad load (client.pool, 10);

    await_size (&client, 3, &load);
    load.run (100);
  }
  await_size (&client, 0, nullptr);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_POOL_SCALE_UP, 1));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_SCALE_UP).front ().reason, "asked-for");
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_POOL_SCALE_DOWN, 1));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_POOL_SCALE_DOWN).front ().reason, "idle-timeout");
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_HEALTHY);
}

} // namespace
