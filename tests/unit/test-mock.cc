// SPDX-License-Identifier: Apache-2.0
// transport/mock: attempts do what the script says, at the times of the host's clock.
#include <grpc/grpc.h>

#include <vector>

#include "plugin-files.h"
#include "tools/conformance/fixture.h"

using std::string;

namespace {

const char *
name_of (uint32_t state)
{
  static const char *const names[] = { "idle", "connecting", "ready", "failed" };

  return names[state];
}

class Mock : public ::testing::Test
{
protected:
  Mock () { grpc_init (); }

  ~Mock () override
  {
    for (grpc_channel *channel : channels)
      ops ().close_channel (fixture->state, channel);
    fixture_free (fixture);
    grpc_shutdown ();
  }

  gboolean create (std::vector<const char *> settings, GError **error)
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_TRANSPORT, "mock");

    settings.push_back (nullptr);
    fixture = fixture_new (plugin, settings.data (), error);
    return fixture && fixture_create (fixture, error);
  }

  void use (const char *script, const char *cycle = "cycle=no") { ASSERT_TRUE (create ({ script, cycle }, nullptr)); }

  const CenoteTransportOps &ops () { return fixture->plugin->ops.transport; }

  static void notify (void *data, uint32_t state, const char *error)
  {
    Mock *mock = static_cast<Mock *> (data);

    if (!mock->told.empty ())
      mock->told += " ";
    mock->told += std::to_string ((mock->fixture->now_us - mock->begin_us) / 1000) + ":" + name_of (state);
    if (error)
      mock->error = error;
  }

  grpc_channel *open ()
  {
    grpc_channel *channel = ops ().create_channel (fixture->state, "dns:///mock:1", nullptr, nullptr);

    ops ().watch (fixture->state, channel, notify, this);
    channels.push_back (channel);
    return channel;
  }

  // What is told from now on, with the milliseconds at which.
  string connect (grpc_channel *channel, gint64 wait_ms)
  {
    told = "";
    begin_us = fixture->now_us;
    ops ().connect (fixture->state, channel);
    EXPECT_EQ (told, "") << "told inside connect";
    fixture_advance (fixture, wait_ms * 1000);
    return told;
  }

  Fixture *fixture = nullptr;
  std::vector<grpc_channel *> channels;
  gint64 begin_us = 0;
  string told;
  string error;
};

TEST_F (Mock, ConnectsAtOnceByDefault)
{
  ASSERT_TRUE (create ({}, nullptr));
  EXPECT_EQ (connect (open (), 0), "0:connecting 0:ready");
}

TEST_F (Mock, TakesItsTime)
{
  use ("script=ok after 20ms for 2s: server went away");
  EXPECT_EQ (connect (open (), 19), "0:connecting");
  EXPECT_EQ (connect (channels[0], 1), "1:ready") << "a second connect changes nothing";
  begin_us = fixture->now_us;
  told = "";
  fixture_advance (fixture, 5000000);
  EXPECT_EQ (told, "2000:idle");
  EXPECT_EQ (error, "server went away");
}

TEST_F (Mock, FailsWithItsText)
{
  use ("script=fail after 5ms: no route to host");
  EXPECT_EQ (connect (open (), 10), "0:connecting 5:failed");
  EXPECT_EQ (error, "no route to host");
}

TEST_F (Mock, HasAReasonWhereTheScriptGivesNone)
{
  use ("script=fail;ok for 1s");
  connect (open (), 0);
  EXPECT_EQ (error, "the script failed the attempt");
  connect (open (), 1000);
  EXPECT_EQ (error, "the script ended the connection");
}

TEST_F (Mock, Hangs)
{
  use ("script=hang");
  EXPECT_EQ (connect (open (), 1000000), "0:connecting");
  EXPECT_EQ (fixture->timers->len, 0u);
}

TEST_F (Mock, TakesOneStepForEachAttemptAndRepeatsTheLast)
{
  use ("script=fail;ok after 1ms;hang");
  EXPECT_EQ (connect (open (), 5), "0:connecting 0:failed");
  EXPECT_EQ (connect (open (), 5), "0:connecting 1:ready");
  EXPECT_EQ (connect (open (), 5), "0:connecting");
  EXPECT_EQ (connect (open (), 5), "0:connecting");
}

TEST_F (Mock, BeginsAgainWhereItCycles)
{
  use ("script=fail;ok", "cycle=yes");
  for (int i = 0; i < 3; i++) {
    EXPECT_EQ (connect (open (), 5), "0:connecting 0:failed");
    EXPECT_EQ (connect (open (), 5), "0:connecting 0:ready");
  }
}

TEST_F (Mock, IsDialledAgainInPlaceAfterALoss)
{
  use ("script=ok for 1s;ok after 3ms");
  EXPECT_EQ (connect (open (), 1000), "0:connecting 0:ready 1000:idle");
  EXPECT_EQ (connect (channels[0], 10), "0:connecting 3:ready");
}

TEST_F (Mock, StopsWhenItIsClosed)
{
  use ("script=ok after 20ms");
  connect (open (), 10);
  ops ().close_channel (fixture->state, channels[0]);
  channels.clear ();
  told = "";
  fixture_advance (fixture, 1000000);
  EXPECT_EQ (told, "");
  EXPECT_EQ (fixture->timers->len, 0u);
}

TEST_F (Mock, RefusesAWrongScriptAndNamesTheStep)
{
  GError *wrong = nullptr;

  EXPECT_REFUSED (create ({ "script=ok;soon" }, &wrong), wrong, CENOTE_ERROR_PLUGIN,
                  "transport/mock: create: script: step 2, 'soon', begins with none of ok, fail, hang");
  fixture_free (fixture);
  EXPECT_REFUSED (create ({ "script=fail after lunch" }, &wrong), wrong, CENOTE_ERROR_PLUGIN,
                  "step 1, 'fail after lunch', has no time after 'after'");
}

TEST_F (Mock, SaysThatItDrivesItself)
{
  use ("script=ok");
  EXPECT_TRUE (plugin_transport_drives_itself (fixture->plugin));
}

// A call on it ends at once, and badly.
TEST_F (Mock, CarriesNoCalls)
{
  use ("script=ok");
  grpc_channel *channel = open ();
  grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck (nullptr);
  grpc_slice method = grpc_slice_from_static_string ("/a.B/C");
  grpc_call *call = grpc_channel_create_call (channel, nullptr, 0, queue, method, nullptr,
                                              gpr_inf_future (GPR_CLOCK_MONOTONIC), nullptr);
  grpc_metadata_array initial, trailing;
  grpc_status_code status = GRPC_STATUS_OK;
  grpc_slice details = grpc_empty_slice ();
  grpc_op operations[3] = {};

  grpc_metadata_array_init (&initial);
  grpc_metadata_array_init (&trailing);
  operations[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  operations[1].op = GRPC_OP_RECV_INITIAL_METADATA;
  operations[1].data.recv_initial_metadata.recv_initial_metadata = &initial;
  operations[2].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  operations[2].data.recv_status_on_client.trailing_metadata = &trailing;
  operations[2].data.recv_status_on_client.status = &status;
  operations[2].data.recv_status_on_client.status_details = &details;
  ASSERT_EQ (grpc_call_start_batch (call, operations, 3, call, nullptr), GRPC_CALL_OK);
  EXPECT_EQ (grpc_completion_queue_pluck (queue, call, gpr_inf_future (GPR_CLOCK_MONOTONIC), nullptr).type,
             GRPC_OP_COMPLETE);
  EXPECT_EQ (status, GRPC_STATUS_UNAVAILABLE);
  grpc_slice_unref (details);
  grpc_metadata_array_destroy (&initial);
  grpc_metadata_array_destroy (&trailing);
  grpc_call_unref (call);
  grpc_completion_queue_shutdown (queue);
  while (grpc_completion_queue_pluck (queue, nullptr, gpr_inf_past (GPR_CLOCK_MONOTONIC), nullptr).type !=
         GRPC_QUEUE_SHUTDOWN)
    ;
  grpc_completion_queue_destroy (queue);
}

} // namespace
