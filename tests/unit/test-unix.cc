// SPDX-License-Identifier: Apache-2.0
// transport/unix: what gRPC would take as one socket, and nothing else.
#include <grpc/grpc.h>

#include "plugin-files.h"
#include "tools/conformance/fixture.h"

using std::string;

namespace {

class Unix : public ::testing::Test
{
protected:
  Unix ()
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_TRANSPORT, "unix");

    grpc_init ();
    fixture = fixture_new (plugin, nullptr, nullptr);
    EXPECT_TRUE (fixture_create (fixture, nullptr));
  }

  ~Unix () override
  {
    fixture_free (fixture);
    grpc_shutdown ();
  }

  // The reason why ADDRESS is refused; empty where it is not.
  string refusal (const string &address)
  {
    CenoteFault fault = FAULT_INIT;
    grpc_channel_args args = { 0, nullptr };
    grpc_channel *channel =
      fixture->plugin->ops.transport.create_channel (fixture->state, address.c_str (), &args, &fault);
    string reason = fault.text ? fault.text : "";

    EXPECT_EQ (channel == nullptr, fault.text != nullptr) << address;
    if (channel)
      fixture->plugin->ops.transport.close_channel (fixture->state, channel);
    fault_clear (&fault);
    return reason;
  }

  Fixture *fixture;
};

TEST_F (Unix, TakesPathsAndAbstractNames)
{
  for (const string &address :
       { string ("unix:/run/app.sock"), string ("unix:///run/app.sock"), string ("unix-abstract:app"),
         string ("unix:/with%20blank"), string ("unix:/caf\xc3\xa9"), string ("unix-abstract:a/b"),
         "unix:/" + string (106, 'p'), "unix-abstract:" + string (107, 'n'), "unix:/" + string (105, 'p') + "%41" })
    EXPECT_EQ (refusal (address), "") << address;
}

TEST_F (Unix, RefusesOtherTargets)
{
  for (const char *address :
       { "dns:///localhost:80", "localhost:80", "", "unix:", "unix:/", "unix:relative", "unix://host/path", "unix:///",
         "unix:////path", "unix://path", "UNIX:/path", "unix-abstract:", "unix-abstract://name", "/run/app.sock" })
    EXPECT_EQ (refusal (address),
               string ("'") + address +
                 "' is no socket's address (expected unix:/path, unix:///path or unix-abstract:name)");
}

TEST_F (Unix, RefusesWhatGrpcWouldReadAsSomethingElse)
{
  EXPECT_EQ (refusal ("unix:/run/a?b"), "'unix:/run/a?b' contains '?', which gRPC does not take as part of a path");
  EXPECT_EQ (refusal ("unix:/run/a#b"), "'unix:/run/a#b' contains '#', which gRPC does not take as part of a path");
  EXPECT_EQ (refusal ("unix-abstract:a,b"),
             "'unix-abstract:a,b' contains ',', which gRPC does not take as part of a name");
  EXPECT_EQ (refusal ("unix:/run/a%2Cb"),
             "'unix:/run/a%2Cb' contains an escaped NUL or comma, which gRPC does not take as part of a path");
  EXPECT_EQ (refusal ("unix:/run/a%00"),
             "'unix:/run/a%00' contains an escaped NUL or comma, which gRPC does not take as part of a path");
}

TEST_F (Unix, RefusesWhatDoesNotFitASocketsAddress)
{
  EXPECT_NE (refusal ("unix:/" + string (107, 'p')).find ("has 108 bytes, expected at most 107"), string::npos);
  EXPECT_NE (refusal ("unix:///" + string (107, 'p')).find ("has 108 bytes, expected at most 107"), string::npos);
  EXPECT_NE (refusal ("unix-abstract:" + string (5000, 'n')).find ("has 5000 bytes, expected at most 107"),
             string::npos);
}

} // namespace
