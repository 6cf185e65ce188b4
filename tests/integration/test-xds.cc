/* SPDX-License-Identifier: Apache-2.0 */
/* Pools to xds:///, by C-core's own client, from a control plane that tells it of servers. */
#include <gmock/gmock.h>

#include "tests/servers/client.h"
#include "tests/servers/control-plane.h"
#include "tests/servers/load.h"
#include "tests/servers/servers.h"

namespace {

/* C-core looks at the environment from threads of its own, so it is set before there are any. */
struct Bootstrap {
  Bootstrap () { g_setenv ("GRPC_XDS_BOOTSTRAP", (folder / "bootstrap.json").c_str (), TRUE); }

  Folder folder;
} bootstrap;

class Xds : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    if (ControlPlane::missing () != nullptr)
      GTEST_SKIP () << ControlPlane::missing ();
    plane_ = std::make_unique<ControlPlane> ("users.test");
    ASSERT_NE (0u, plane_->port ());
    bootstrap.folder.write ("bootstrap.json", plane_->bootstrap ());
    ASSERT_TRUE (first_.start () && second_.start ());
  }

  static std::string
  keyfile ()
  {
    return "[cenote]\ntelemetry=\n[pool:test]\ntransport=insecure\ninitialization=manual\ntarget=xds:///users.test\n";
  }

  /* Waits until SERVER has had N more calls.  FALSE: not within a minute. */
  static bool
  await_calls (HealthServer &server, gint64 n)
  {
    const gint64 until_us = g_get_monotonic_time () + G_USEC_PER_SEC * 60, before = server.echoes ();

    while (server.echoes () < before + n)
      if (g_get_monotonic_time () > until_us)
        return false;
    return true;
  }

  /* Waits until SERVER has no more calls while OTHER has many.  FALSE: not within a minute. */
  static bool
  await_move (HealthServer &server, HealthServer &other)
  {
    const gint64 until_us = g_get_monotonic_time () + G_USEC_PER_SEC * 60;

    while (g_get_monotonic_time () < until_us) {
      gint64 before = server.echoes ();

      if (!await_calls (other, 100))
        return false;
      if (server.echoes () == before)
        return true;
    }
    return false;
  }

  std::unique_ptr<ControlPlane> plane_;
  HealthServer first_, second_;
};

TEST_F (Xds, CallsGoWhereTheControlPlaneSaysAndOnWithoutIt)
{
  ASSERT_TRUE (plane_->tell ({ first_.port () }));
  Client client (keyfile (), CENOTE_EVENT_MASK_ALL);
  g_autoptr (GError) error = nullptr;
  ASSERT_TRUE (cenote_pool_connect (client.pool, 60 * 1000, &error)) << error->message;
  EXPECT_EQ (1, client.status ()->expected_size) << "C-core balances by itself";
  Load load (client.pool, WORK_ECHO_METHOD);

  ASSERT_TRUE (await_calls (first_, 100));
  EXPECT_EQ (0, second_.echoes ());
  ASSERT_TRUE (plane_->tell ({ second_.port () }));
  ASSERT_TRUE (await_move (first_, second_));
  first_.kill ();
  ASSERT_TRUE (plane_->leave ());
  EXPECT_TRUE (await_calls (second_, 1000));
  load.expect_no_failure ("from one endpoint to another, and without the control plane");
  EXPECT_EQ (0u, client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size ());

  second_.kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 3));
  Load waiting (client.pool, WORK_ECHO_METHOD, Load::OWN_CALLS);
  ASSERT_TRUE (second_.start ());
  EXPECT_TRUE (await_calls (second_, 100)) << "what was heard is known still";
  waiting.expect_no_failure ("with everything gone, until the server returned");

  second_.kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 2));
  Load again (client.pool, WORK_ECHO_METHOD, Load::OWN_CALLS);
  ASSERT_TRUE (first_.start () && plane_->come_back () && plane_->tell ({ first_.port () }));
  EXPECT_TRUE (await_calls (first_, 100)) << "the control plane has returned, and says where";
  again.expect_no_failure ("with everything gone, until all had returned");

  first_.kill ();
  EXPECT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 3)) << "and stops while it remembers";
}

} // namespace
