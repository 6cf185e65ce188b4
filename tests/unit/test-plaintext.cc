// SPDX-License-Identifier: Apache-2.0
// transport/insecure and transport/unix connect to real servers.
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "plugin-files.h"
#include "tools/conformance/fixture.h"

using std::string;

namespace {

// C-core's own server, which answers nothing: READY is all that is asked of it.
class Server
{
public:
  explicit Server (const string &address)
  {
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create ();

    queue_ = grpc_completion_queue_create_for_next (nullptr);
    server_ = grpc_server_create (nullptr, nullptr);
    grpc_server_register_completion_queue (server_, queue_, nullptr);
    port = grpc_server_add_http2_port (server_, address.c_str (), credentials);
    grpc_server_credentials_release (credentials);
    grpc_server_start (server_);
  }

  ~Server ()
  {
    grpc_server_shutdown_and_notify (server_, queue_, nullptr);
    grpc_server_cancel_all_calls (server_);
    grpc_completion_queue_next (queue_, gpr_inf_future (GPR_CLOCK_MONOTONIC), nullptr);
    grpc_server_destroy (server_);
    grpc_completion_queue_shutdown (queue_);
    while (grpc_completion_queue_next (queue_, gpr_inf_future (GPR_CLOCK_MONOTONIC), nullptr).type != GRPC_QUEUE_SHUTDOWN)
      ;
    grpc_completion_queue_destroy (queue_);
  }

  Server (const Server &) = delete;
  Server &operator= (const Server &) = delete;

  int port;

private:
  grpc_server *server_;
  grpc_completion_queue *queue_;
};

// The state in which CHANNEL comes to rest when it is asked to connect.
grpc_connectivity_state
connect (grpc_channel *channel)
{
  grpc_completion_queue *queue = grpc_completion_queue_create_for_next (nullptr);
  gpr_timespec deadline = gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), gpr_time_from_seconds (20, GPR_TIMESPAN));
  grpc_connectivity_state state = grpc_channel_check_connectivity_state (channel, 1);
  bool in_time = true;

  while (in_time && (state == GRPC_CHANNEL_IDLE || state == GRPC_CHANNEL_CONNECTING)) {
    grpc_channel_watch_connectivity_state (channel, state, deadline, queue, nullptr);
    in_time = grpc_completion_queue_next (queue, gpr_inf_future (GPR_CLOCK_MONOTONIC), nullptr).success;
    state = grpc_channel_check_connectivity_state (channel, 1);
  }
  grpc_completion_queue_shutdown (queue);
  while (grpc_completion_queue_next (queue, gpr_inf_future (GPR_CLOCK_MONOTONIC), nullptr).type != GRPC_QUEUE_SHUTDOWN)
    ;
  grpc_completion_queue_destroy (queue);
  return state;
}

class Plaintext : public ::testing::Test
{
protected:
  Plaintext () { grpc_init (); }
  ~Plaintext () override { grpc_shutdown (); }

  grpc_connectivity_state connect_by (const char *transport, const string &address)
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_TRANSPORT, transport);
    g_autoptr (Fixture) fixture = fixture_new (plugin, nullptr, nullptr);
    const CenoteTransportOps &ops = plugin->ops.transport;
    grpc_channel_args args = { 0, nullptr };

    EXPECT_TRUE (fixture_create (fixture, nullptr));
    EXPECT_FALSE (plugin_transport_drives_itself (plugin));
    grpc_channel *channel = ops.create_channel (fixture->state, address.c_str (), &args, nullptr);
    EXPECT_EQ (grpc_channel_check_connectivity_state (channel, 0), GRPC_CHANNEL_IDLE) << "it began to connect by itself";
    grpc_connectivity_state state = connect (channel);
    ops.close_channel (fixture->state, channel);
    return state;
  }

  Directory directory;
};

TEST_F (Plaintext, InsecureConnects)
{
  Server server ("127.0.0.1:0");

  ASSERT_GT (server.port, 0);
  EXPECT_EQ (connect_by ("insecure", "ipv4:127.0.0.1:" + std::to_string (server.port)), GRPC_CHANNEL_READY);
}

TEST_F (Plaintext, UnixConnectsByAllItsForms)
{
  string path = directory.file ("a socket");
  Server server ("unix:" + path);
  string name = "cenote-test-" + directory.path ().substr (directory.path ().size () - 6);
  Server abstract ("unix-abstract:" + name);

  ASSERT_GT (server.port, 0);
  EXPECT_EQ (connect_by ("unix", "unix:" + path), GRPC_CHANNEL_READY);
  EXPECT_EQ (connect_by ("unix", "unix://" + path), GRPC_CHANNEL_READY);
  EXPECT_EQ (connect_by ("unix", "unix:" + directory.file ("a%20socket")), GRPC_CHANNEL_READY);
  EXPECT_EQ (connect_by ("unix", "unix-abstract:" + name), GRPC_CHANNEL_READY);
}

TEST_F (Plaintext, NobodyThereIsAFailureOfTheChannel)
{
  EXPECT_EQ (connect_by ("unix", "unix:" + directory.file ("absent")), GRPC_CHANNEL_TRANSIENT_FAILURE);
}

} // namespace
