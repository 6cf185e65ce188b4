/* SPDX-License-Identifier: Apache-2.0 */
/*
 * a2: what the tests of GrpcConnectionPool's features share: calls over a lease,
 * leases on all channels, and waiting for what a pool shows.
 *
 * The names of its tests are SeedA2.C2_…, a case of its own test suite, SeedA2.B1_…,
 * a defect that it has, and SeedA2.Reading_…, one that was found by reading it.
 */
#ifndef CENOTE_TESTS_SEEDS_A2_H
#define CENOTE_TESTS_SEEDS_A2_H

#include <grpc/grpc.h>
#include <grpc/support/time.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/servers.h"
#include "tools/demo-server.h"
#include "tools/raw-call.h"

/* The status of an echo over CHANNEL. */
static inline int
echo (RawCaller *caller, grpc_channel *channel)
{
  g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
  g_auto (RawReply) reply = {};

  raw_caller_call (caller, channel, DEMO_ECHO_METHOD, request, 20000, &reply);
  return reply.status;
}

static inline int
echo (grpc_channel *channel)
{
  g_autoptr (RawCaller) caller = raw_caller_new ();

  return echo (caller, channel);
}

/* The status of an echo over the next of CLIENT's channels, told to the pool; -1: it has none. */
static inline int
call_once (Client *client)
{
  CenoteLease lease;
  int status;

  if (!client->get (&lease))
    return -1;
  status = echo (lease.channel);
  cenote_lease_release_with_status (&lease, status);
  return status;
}

/* A lease on each of CLIENT's ready channels, which are N. */
static inline std::vector<CenoteLease>
lease_all (Client *client, size_t n)
{
  std::map<grpc_channel *, CenoteLease> leases;
  std::vector<CenoteLease> result;

  while (leases.size () < n) {
    CenoteLease lease;

    if (client->get (&lease) && !leases.emplace (lease.channel, lease).second)
      cenote_lease_release (&lease);
  }
  for (const auto &[channel, lease] : leases)
    result.push_back (lease);
  return result;
}

static inline void
release_all (std::vector<CenoteLease> *leases)
{
  for (CenoteLease &lease : *leases)
    cenote_lease_release (&lease);
}

/* Whether a pool could name the plugin. */
static inline bool
has_plugin (CenotePluginKind kind, const char *name)
{
  g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
  const char *modules = g_getenv ("CENOTE_TEST_PLUGINS");

  return (modules == nullptr || cenote_registry_add_directory (registry, modules, nullptr)) &&
         cenote_registry_load (registry, kind, name, nullptr);
}

/* The channels that N gets in a row give. */
static inline size_t
count_distinct (Client *client, gint64 n)
{
  std::set<grpc_channel *> seen;

  for (gint64 i = 0; i < n; i++) {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

    EXPECT_TRUE (client->get (&lease)) << "get " << i << " of " << n;
    seen.insert (lease.channel);
  }
  return seen.size ();
}

/* Runs FUNC (0) … FUNC (N - 1) on threads of their own, at once. */
template <typename Func>
void
at_once (int n, Func func)
{
  std::vector<std::thread> threads;
  std::atomic<int> waiting{ n };

  for (int i = 0; i < n; i++)
    threads.emplace_back ([&, i] {
      for (waiting--; waiting > 0;)
        std::this_thread::yield ();
      func (i);
    });
  for (std::thread &thread : threads)
    thread.join ();
}

/* Waits until CLIENT's status is as HOLDS says.  FALSE: not within a minute. */
template <typename Holds>
bool
await_status (Client *client, Holds holds)
{
  gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  while (!holds (*client->status ())) {
    if (g_get_monotonic_time () > until_us)
      return false;
    std::this_thread::yield ();
  }
  return true;
}

/* Waits until there are N channels, all of them ready. */
static inline bool
await_whole (Client *client, gint64 n)
{
  return await_status (client, [n] (const CenotePoolStatus &status) {
    return status.current_size == n && status.expected_size == n && static_cast<gint64> (status.n_channels) == n;
  });
}

/* Connects, and waits for all N. */
static inline bool
connect_all (Client *client, gint64 n)
{
  client->connect ();
  return await_whole (client, n);
}

static inline gint64
expected_size (Client *client)
{
  return client->status ()->expected_size;
}

/* A call that is half way: the server has its head and waits for its message. */
class OpenCall {
public:
  explicit OpenCall (grpc_channel *channel)
  {
    grpc_op op = {};

    queue_ = grpc_completion_queue_create_for_pluck (nullptr);
    call_ = grpc_channel_create_call (
      channel, nullptr, GRPC_PROPAGATE_DEFAULTS, queue_, grpc_slice_from_static_string (DEMO_ECHO_METHOD), nullptr,
      gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), gpr_time_from_seconds (60, GPR_TIMESPAN)), nullptr);
    op.op = GRPC_OP_SEND_INITIAL_METADATA;
    run (&op, 1);
  }

  ~OpenCall ()
  {
    grpc_call_unref (call_);
    grpc_completion_queue_shutdown (queue_);
    grpc_completion_queue_destroy (queue_);
  }

  OpenCall (const OpenCall &) = delete;
  OpenCall &operator= (const OpenCall &) = delete;

  /* Sends the message and waits for the end.  Its status. */
  grpc_status_code
  finish ()
  {
    grpc_slice text = grpc_slice_from_static_string ("hello");
    grpc_byte_buffer *request = grpc_raw_byte_buffer_create (&text, 1), *response = nullptr;
    grpc_status_code status = GRPC_STATUS_UNKNOWN;
    grpc_slice details = grpc_empty_slice ();
    grpc_metadata_array initial, trailing;
    grpc_op ops[5] = {};

    grpc_metadata_array_init (&initial);
    grpc_metadata_array_init (&trailing);
    ops[0].op = GRPC_OP_SEND_MESSAGE;
    ops[0].data.send_message.send_message = request;
    ops[1].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[2].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[2].data.recv_initial_metadata.recv_initial_metadata = &initial;
    ops[3].op = GRPC_OP_RECV_MESSAGE;
    ops[3].data.recv_message.recv_message = &response;
    ops[4].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[4].data.recv_status_on_client.trailing_metadata = &trailing;
    ops[4].data.recv_status_on_client.status = &status;
    ops[4].data.recv_status_on_client.status_details = &details;
    run (ops, 5);

    grpc_slice_unref (details);
    grpc_metadata_array_destroy (&trailing);
    grpc_metadata_array_destroy (&initial);
    grpc_byte_buffer_destroy (response);
    grpc_byte_buffer_destroy (request);
    return status;
  }

private:
  void
  run (const grpc_op *ops, size_t n)
  {
    ASSERT_EQ (grpc_call_start_batch (call_, ops, n, this, nullptr), GRPC_CALL_OK);
    grpc_completion_queue_pluck (queue_, this, gpr_inf_future (GPR_CLOCK_REALTIME), nullptr);
  }

  grpc_completion_queue *queue_;
  grpc_call *call_;
};

#endif
