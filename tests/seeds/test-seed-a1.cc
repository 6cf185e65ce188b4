/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ConnGRPC 0.3: one channel, or a few, that are kept connected, and told about.
 *
 * A name says which of its rows a test stands for: C1 a case of its own test suite,
 * B a defect that it has, A a feature.
 */
#include <gtest/gtest.h>

#include "tests/servers/client.h"
#include "tests/servers/connects.h"
#include "tests/servers/gauges.h"
#include "tests/servers/servers.h"

namespace {

const char *const one = "size=1\nbackoff=quick\n";

class SeedA1 : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    ASSERT_TRUE (server.start ());
  }

  EchoServer server;
};

TEST_F (SeedA1, C1_GetGivesAChannelWhenUp)
{
  Client client (server.port (), one);
  g_autoptr (GError) error = nullptr;

  EXPECT_FALSE (client.gets ());
  ASSERT_TRUE (cenote_pool_connect (client.pool, 10000, &error)) << error->message;
  EXPECT_TRUE (cenote_pool_is_connected (client.pool));
  EXPECT_TRUE (client.gets ());
}

TEST_F (SeedA1, C1_GetSaysNotConnectedWhenDown)
{
  Client client (server.port (), one);
  CenoteLease lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) error = nullptr;

  server.kill ();
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 1));
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED)) << error->message;
}

} // namespace
