/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callers get and release, on one thread and on another, while connections are cut,
 * the pool is resized and its status read.
 *
 * The third thread cuts a connection only where another channel is in rotation, and
 * waits until that loss is known before it goes on; so there is a ready channel at
 * every moment, and no get may miss.
 */
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/servers.h"
#include "tools/demo-server.h"
#include "tools/raw-call.h"

namespace {

const int max_size = 16;

/* Where callers leave leases for each other. */
class Exchange {
public:
  void
  give (const CenoteLease &lease)
  {
    std::lock_guard<std::mutex> hold (lock_);
    leases_.push_back (lease);
  }

  /* Releases all that were left here by others. */
  void
  release ()
  {
    std::vector<CenoteLease> taken;
    {
      std::lock_guard<std::mutex> hold (lock_);
      taken.swap (leases_);
    }
    for (CenoteLease &lease : taken)
      cenote_lease_release (&lease);
  }

private:
  std::mutex lock_;
  std::vector<CenoteLease> leases_;
};

struct Caller {
  guint64 gets = 0;
  guint64 misses = 0;
  std::string miss;          /* what the first one said */
  Exchange in;
};

class Churn : public ::testing::Test {
protected:
  Churn () : server_is_up (server.start ()), proxy ("forward", server.port ()), client (proxy.port (), keys) {}

  void
  SetUp () override
  {
    ASSERT_TRUE (server_is_up);
    client.connect ();
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 5));
  }

  /* Every third lease is left to the other caller, every 97th has a call made over it. */
  void
  run_caller (Caller *own, Caller *other)
  {
    g_autoptr (RawCaller) caller = raw_caller_new ();

    while (!over) {
      g_autoptr (GError) error = nullptr;
      CenoteLease lease;

      if (!cenote_pool_get_channel (client.pool, &lease, &error)) {
        if (own->misses++ == 0)
          own->miss = error->message;
        continue;
      }
      if (++own->gets % 97 == 0)
        call (caller, lease.channel);
      if (own->gets % 3 == 0)
        other->in.give (lease);
      else
        cenote_lease_release_with_status (&lease, GRPC_STATUS_OK);
      own->in.release ();
    }
  }

  /* It may fail, where its connection is cut: it has to end. */
  static void
  call (RawCaller *caller, grpc_channel *channel)
  {
    g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
    g_auto (RawReply) reply = {};

    raw_caller_call (caller, channel, DEMO_ECHO_METHOD, request, 10000, &reply);
  }

  /* Waits until the pool is as large as it should be.  Its size. */
  gint64
  settle ()
  {
    for (;;) {
      auto status = client.status ();
      gint64 size = status->current_size;

      EXPECT_GE (status->in_flight, 0);
      if (size == status->expected_size && size == static_cast<gint64> (status->n_channels))
        return size;
      std::this_thread::yield ();
    }
  }

  /* Cuts one of the N connections of a settled pool; TRUE where its channel's end is known. */
  bool
  cut (guint64 k, gint64 n)
  {
    size_t before = client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size ();

    /* The proxy hears last of those that were drained. */
    gint64 until_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
    while (proxy.alive () > n && g_get_monotonic_time () < until_us)
      std::this_thread::yield ();
    EXPECT_EQ (proxy.alive (), n) << "connections for so many channels";
    return proxy.reset (static_cast<unsigned> (k % static_cast<guint64> (n))) >= 0 &&
           client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, before + 1);
  }

  static constexpr const char *keys = "size=5\nbackoff=quick\ndrain-timeout=1min\n";

  EchoServer server;
  bool server_is_up;
  Peer proxy;
  Client client;
  std::atomic<bool> over{ false };
};

TEST_F (Churn, NoGetFailsWhileAChannelIsReadyAndSumsEndAtZero)
{
  const unsigned n_rounds = scaled (1000, 50);
  std::mt19937 random (20201120);
  Caller a, b;
  unsigned n_cut = 0, n_resized = 0;
  std::thread first ([&] { run_caller (&a, &b); });
  std::thread second ([&] { run_caller (&b, &a); });

  for (unsigned i = 0; i < n_rounds && !HasFailure (); i++) {
    int size = 1 + static_cast<int> (random () % max_size);

    n_resized++;
    EXPECT_EQ (cenote_pool_resize (client.pool, size, nullptr), size);
    if (size == 1 || random () % 2 == 0)
      continue;
    n_cut++;
    EXPECT_TRUE (cut (random (), settle ()));
  }
  over = true;
  first.join ();
  second.join ();
  a.in.release ();
  b.in.release ();

  printf ("%" G_GUINT64_FORMAT " gets, %u connections cut, %u times resized\n", a.gets + b.gets, n_cut, n_resized);
  EXPECT_EQ (a.misses + b.misses, 0u) << a.miss << b.miss;
  auto status = client.status ();
  EXPECT_EQ (status->in_flight, 0);
  for (gsize i = 0; i < status->n_channels; i++)
    EXPECT_EQ (status->channels[i]->in_flight, 0);
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (client.status ()->in_flight, 0);
}

} // namespace
