/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that come and go while calls are made, for one reason and another: no call is lost for it. */
#include "tests/servers/load.h"
#include "tests/servers/servers.h"

namespace {

/* How many channels have drained for WHY. */
size_t
count_drained (Client *client, const char *why)
{
  size_t n = 0;

  for (const Event &event : client->events.of (CENOTE_EVENT_CHANNEL_DRAINED))
    n += event.reason.find (why) != std::string::npos;
  return n;
}

void
connect (Client *client)
{
  client->connect ();
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 3));
}

/* Three pools at once, so that it takes a third of the time. */
TEST (Rotation, AgeRecyclingAndResizesLoseNoCall)
{
  const unsigned seconds = scaled (60, 5);
  HealthServer steady, recycling;
  ASSERT_TRUE (steady.start () && recycling.start ({ "max-age=300" }));
  Client aging (steady.port (), "size=3\nmax-connection-age=2s\n");
  Client recycled (recycling.port (), "size=3\nbackoff=quick\n");
  Client resized (steady.port (), "size=3\n");

  for (Client *client : { &aging, &recycled, &resized })
    connect (client);
  Load on_aging (aging.pool, WORK_ECHO_METHOD);
  Load on_recycled (recycled.pool, WORK_ECHO_METHOD, Load::OWN_CALLS);
  Load on_resized (resized.pool, WORK_ECHO_METHOD);
  for (unsigned i = 0; i < seconds; i++) {
    EXPECT_GT (cenote_pool_resize (resized.pool, 1 + (i * 3) % 5, nullptr), 0);
    g_usleep (G_USEC_PER_SEC);
  }
  on_aging.expect_no_failure ("with max-connection-age=2s");
  on_recycled.expect_no_failure ("with a server that recycles its connections");
  on_resized.expect_no_failure ("with a resize every second");
  EXPECT_GE (count_drained (&aging, "max-connection-age"), 3 * (seconds / 2 - 1));
  EXPECT_EQ (aging.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), 0u);
  EXPECT_GE (recycled.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), 3 * seconds);
  EXPECT_GE (count_drained (&resized, "resize"), seconds);
}

} // namespace
