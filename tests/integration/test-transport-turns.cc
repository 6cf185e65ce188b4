/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transport's operations come one at a time, also where one of its channels outlives the wait for
 * it and is closed on a thread of C-core's; and it gets no timer once its pool is over.
 */
#include <gtest/gtest.h>

#include <cenote/plugin.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/servers/servers.h"

namespace {
namespace turns {

/* What the plugin saw; it has one state at a time. */
struct Seen {
  std::mutex lock;
  std::condition_variable changed;
  const CenoteHost *host = nullptr;
  bool lingers = false;      /* a close waits for another to come beside it */
  int inside = 0;            /* closes */
  int together = 0;
  int closed = 0;
  bool ended = false;
  bool had_timer = false;    /* at its end */

  template <typename Is>
  void
  await (Is is)
  {
    std::unique_lock<std::mutex> hold (lock);
    changed.wait_for (hold, std::chrono::minutes (1), is);
  }
};

Seen *seen;

/* Long enough for whoever is about to come. */
const std::chrono::milliseconds patience (300);

void *
create (const CenoteHost *host, const CenoteOptions *, CenoteFault *)
{
  seen->host = host;
  return seen;
}

struct grpc_channel *
create_channel (void *, const char *address, const void *args, CenoteFault *)
{
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create ();
  grpc_channel *channel = grpc_channel_create (address, credentials, static_cast<const grpc_channel_args *> (args));

  grpc_channel_credentials_release (credentials);
  return channel;
}

void
close_channel (void *, struct grpc_channel *channel)
{
  std::unique_lock<std::mutex> hold (seen->lock);

  seen->together += seen->inside++ > 0;
  seen->changed.notify_all ();
  if (seen->lingers)
    seen->changed.wait_for (hold, patience, [] { return seen->inside > 1; });
  seen->inside--;
  seen->closed++;
  seen->changed.notify_all ();
  hold.unlock ();
  grpc_channel_destroy (channel);
}

void
destroy (void *)
{
  std::lock_guard<std::mutex> hold (seen->lock);

  seen->had_timer = seen->host->timer_start (seen->host, 0, [] (void *) {}, nullptr) != nullptr;
  seen->ended = true;
  seen->changed.notify_all ();
}

CenoteTransportOps
make_ops ()
{
  CenoteTransportOps ops {};

  ops.struct_size = sizeof ops;
  ops.create = create;
  ops.create_channel = create_channel;
  ops.close_channel = close_channel;
  ops.destroy = destroy;
  return ops;
}

CenotePlugin
make_plugin (const CenoteTransportOps *ops)
{
  CenotePlugin plugin {};

  plugin.magic = CENOTE_PLUGIN_MAGIC;
  plugin.abi_major = CENOTE_ABI_MAJOR;
  plugin.abi_minor = CENOTE_ABI_MINOR;
  plugin.struct_size = sizeof plugin;
  plugin.kind = CENOTE_PLUGIN_TRANSPORT;
  plugin.name = "turns";
  plugin.version = "1";
  plugin.summary = "Tells who comes while another is there";
  plugin.license = "Apache-2.0";
  plugin.ops = ops;
  return plugin;
}

class TransportTurns : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    static const CenoteTransportOps ops = make_ops ();
    static const CenotePlugin plugin = make_plugin (&ops);
    g_autoptr (GError) error = nullptr;
    g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
    g_autoptr (CenoteConfig) config = cenote_config_new_from_data (
      "[cenote]\ntelemetry=\n[pool:test]\nprofile=local\ntransport=turns\nconnector=caching\nconnect-timeout=20s\n", -1, &error);

    ASSERT_NE (nullptr, config) << error->message;
    seen = &seen_;
    ASSERT_TRUE (cenote_registry_add_static (registry, &plugin, &error)) << error->message;
    runtime_ = cenote_runtime_new_full (config, registry, &error);
    ASSERT_NE (nullptr, runtime_) << error->message;
    pool_ = cenote_runtime_get_pool (runtime_, nullptr, nullptr);
    ASSERT_TRUE (server_.start ());
  }

  void
  TearDown () override
  {
    cenote_pool_unref (pool_);
    cenote_runtime_unref (runtime_);
    seen_.await ([] { return seen->ended; });
    EXPECT_TRUE (seen_.ended);
  }

  bool
  dial (unsigned port, gint64 timeout_ms, CenoteLease *out_lease)
  {
    std::string address = "ipv4:127.0.0.1:" + std::to_string (port);

    return cenote_pool_dial (pool_, address.c_str (), timeout_ms, out_lease, nullptr);
  }

  Seen seen_;
  EchoServer server_;
  CenoteRuntime *runtime_ = nullptr;
  CenotePool *pool_ = nullptr;
};

/* After the stop an attempt is waited for 100 ms; from then on its end closes the channel. */
TEST_F (TransportTurns, AChannelThatWasLeftIsNotClosedBesideAnother)
{
  Peer silent ("silent");
  CenoteLease lease = CENOTE_LEASE_INIT, none = CENOTE_LEASE_INIT;
  gint64 left_us;

  ASSERT_TRUE (dial (server_.port (), 60000, &lease));
  do
    EXPECT_FALSE (dial (silent.port (), 100, &none));
  while (silent.alive () < 1);
  seen_.lingers = true;
  cenote_pool_stop (pool_);
  left_us = g_get_monotonic_time () + 300 * 1000;
  while (g_get_monotonic_time () < left_us)
    std::this_thread::yield ();
  silent.greet ();
  seen_.await ([] { return seen->inside + seen->closed > 0; });
  cenote_lease_release (&lease);
  seen_.await ([] { return seen->closed == 2; });
  EXPECT_EQ (2, seen_.closed);
  EXPECT_EQ (0, seen_.together);
}

TEST_F (TransportTurns, ATransportThatEndsGetsNoTimer)
{
  CenoteLease lease = CENOTE_LEASE_INIT;

  ASSERT_TRUE (dial (server_.port (), 60000, &lease));
  cenote_lease_release (&lease);
  cenote_runtime_stop (runtime_);
  seen_.await ([] { return seen->ended; });
  EXPECT_TRUE (seen_.ended);
  EXPECT_FALSE (seen_.had_timer);
}

} /* namespace turns */
} /* namespace */
