/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CachingConnector: connections by address, counted, and closed when nobody uses them.
 *
 * A name says which of its rows a test stands for: C5 a case of its own test suite,
 * B a defect that it has, A5 a feature, or a defect that has no number.
 */
#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>
#include <utility>

#include "tests/servers/client.h"
#include "tests/servers/connects.h"
#include "tests/servers/gauges.h"
#include "tests/servers/servers.h"
#include "tools/demo-server.h"
#include "tools/raw-call.h"

namespace {

using Names = std::vector<std::string>;

std::string
address_of (unsigned port)
{
  return "127.0.0.1:" + std::to_string (port);
}

/* A lease that counts as one object: given back at its end. */
class Lease {
public:
  Lease () = default;
  ~Lease () { release (); }
  Lease (const Lease &) = delete;
  Lease &operator= (const Lease &) = delete;

  void release () { cenote_lease_release (&raw); }

  bool
  is_ready () const
  {
    return raw.channel != nullptr && grpc_channel_check_connectivity_state (raw.channel, 0) == GRPC_CHANNEL_READY;
  }

  /* Whether a call over it is answered. */
  bool
  answers () const
  {
    g_autoptr (RawCaller) caller = raw_caller_new ();
    g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
    g_auto (RawReply) reply = {};

    raw_caller_call (caller, raw.channel, DEMO_ECHO_METHOD, request, 10000, &reply);
    return reply.status == GRPC_STATUS_OK;
  }

  CenoteLease raw = CENOTE_LEASE_INIT;
};

/* What an observer was told, in order. */
class Told {
public:
  static void
  dial (CenotePool *, const char *address, gpointer data)
  {
    static_cast<Told *> (data)->add (std::string ("dial ") + address);
  }

  static void
  miss (CenotePool *, const char *address, gpointer data)
  {
    static_cast<Told *> (data)->add (std::string ("miss ") + address);
  }

  static void
  count (CenotePool *, guint n, gpointer data)
  {
    static_cast<Told *> (data)->add ("count " + std::to_string (n));
  }

  /* Waits until WHAT was told N times.  FALSE: not within a minute. */
  bool
  await (const std::string &what, long n = 1)
  {
    std::unique_lock<std::mutex> hold (lock_);

    return changed_.wait_for (hold, std::chrono::minutes (1),
                              [&] { return std::count (told_.begin (), told_.end (), what) >= n; });
  }

  long
  times (const std::string &what)
  {
    std::lock_guard<std::mutex> hold (lock_);

    return std::count (told_.begin (), told_.end (), what);
  }

private:
  void
  add (const std::string &what)
  {
    std::lock_guard<std::mutex> hold (lock_);

    told_.push_back (what);
    changed_.notify_all ();
  }

  std::mutex lock_;
  std::condition_variable changed_;
  Names told_;
};

class Cache : public Client {
public:
  explicit Cache (const std::string &options = "", const std::string &keys = "")
    : Client ("[cenote]\ntelemetry=\n[backoff:quick]\nplugin=constant\ndelay=20ms\n"
              "[connector:cache]\nplugin=caching\n" +
                options + "\n[pool:test]\nprofile=local\nconnector=cache\nbackoff=quick\n" + keys + "\n",
              CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_DISCONNECTED))
  {
  }

  void
  observe (Told *told, bool dials = false)
  {
    CenoteObserver observer = CENOTE_OBSERVER_INIT;

    observer.connect_requested = dials ? Told::dial : nullptr;
    observer.cache_missed = Told::miss;
    observer.connection_count = Told::count;
    cenote_pool_add_observer (pool, &observer, told, nullptr);
  }

  bool
  dial (unsigned port, Lease *lease, gint64 timeout_ms = 10000, int *out_code = nullptr)
  {
    g_autoptr (GError) error = nullptr;
    bool got = cenote_pool_dial (pool, address_of (port).c_str (), timeout_ms, &lease->raw, &error);

    if (out_code != nullptr)
      *out_code = got ? -1 : error->code;
    return got;
  }

  /* Dials and gives back. */
  bool
  use (unsigned port, gint64 timeout_ms = 10000)
  {
    Lease lease;

    return dial (port, &lease, timeout_ms);
  }

  bool is_cached (unsigned port) { return use (port, 0); }

  Names
  expire ()
  {
    g_auto (GStrv) closed = cenote_pool_expire (pool);
    Names names;

    EXPECT_NE (closed, nullptr);
    for (char **name = closed; name != nullptr && *name != nullptr; name++)
      names.push_back (*name);
    return names;
  }

  bool close_on_release (unsigned port) { return cenote_pool_close_on_release (pool, address_of (port).c_str ()); }
};

/* The peer sees its connections end a little later than we close them. */
bool
comes_to (Peer *peer, gint64 alive)
{
  gint64 until_us = g_get_monotonic_time () + G_TIME_SPAN_MINUTE;

  while (peer->alive () != alive && g_get_monotonic_time () < until_us)
    std::this_thread::yield ();
  return peer->alive () == alive;
}

/* A server, behind doors that count the connections to it. */
class SeedA5 : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    ASSERT_TRUE (server.start ());
  }

  EchoServer server;
  Peer peer{ "forward", server.port () };
};

/* -------------------------------------------------------------- its own cases */

TEST_F (SeedA5, C5_AFailedDialLeavesAnErrorAndALeaseWhoseReleaseDoesNothing)
{
  Port nobody;
  Cache cache ("", "max-connect-attempts=1");
  CenoteLease lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) error = nullptr;

  EXPECT_FALSE (cenote_pool_dial (cache.pool, address_of (nobody.number ()).c_str (), 10000, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED)) << error->message;
  EXPECT_NE (strstr (error->message, "Connection refused"), nullptr) << error->message;
  EXPECT_EQ (lease.channel, nullptr);
  cenote_lease_release (&lease);
  cenote_lease_release (&lease);
  EXPECT_EQ (cache.status ()->in_flight, 0);
  EXPECT_EQ (cache.expire (), Names ());
}

TEST_F (SeedA5, C5_AHundredParallelDialsAreOneConnection)
{
  std::vector<std::thread> threads;
  std::atomic<int> n_got{ 0 };
  std::vector<Lease> leases (100);
  std::set<grpc_channel *> channels;
  Told told;
  Cache cache;

  cache.observe (&told, true);
  for (Lease &lease : leases)
    threads.emplace_back ([&] { n_got += cache.dial (peer.port (), &lease); });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (n_got, 100);
  for (Lease &lease : leases)
    channels.insert (lease.raw.channel);
  EXPECT_EQ (channels.size (), 1u);
  EXPECT_EQ (cache.status ()->in_flight, 100);
  for (Lease &lease : leases)
    lease.release ();
  EXPECT_EQ (cache.status ()->in_flight, 0);
  EXPECT_EQ (peer.count (), 1);
  EXPECT_TRUE (told.await ("count 1"));
  EXPECT_TRUE (told.await ("dial " + address_of (peer.port ()), 100));
  EXPECT_EQ (told.times ("miss " + address_of (peer.port ())), 1);
}

TEST_F (SeedA5, C5_DialReleaseCloseOnReleaseExpire)
{
  Cache cache;

  ASSERT_TRUE (cache.use (peer.port ()));
  EXPECT_TRUE (cache.close_on_release (peer.port ()));
  EXPECT_EQ (cache.expire (), Names{ address_of (peer.port ()) });
  EXPECT_EQ (cache.expire (), Names ());
  EXPECT_TRUE (comes_to (&peer, 0));
}

/* ------------------------------------------------------------------- defects */

TEST_F (SeedA5, B9_CloseOnReleaseWhileReferencedClosesWithTheLastLease)
{
  Cache cache;
  Lease held;

  ASSERT_TRUE (cache.dial (peer.port (), &held));
  EXPECT_TRUE (cache.close_on_release (peer.port ()));
  EXPECT_FALSE (cache.is_cached (peer.port ()));
  for (int i = 0; i < 3; i++)
    EXPECT_EQ (cache.expire (), Names ());
  EXPECT_TRUE (held.is_ready ());
  EXPECT_TRUE (cache.use (peer.port ())) << "a new connection beside the old one";
  EXPECT_TRUE (comes_to (&peer, 2));
  held.release ();
  EXPECT_TRUE (comes_to (&peer, 1));
  EXPECT_TRUE (cache.is_cached (peer.port ()));
}

TEST_F (SeedA5, B10_ADoubleReleaseNeitherKeepsAConnectionNorClosesItUnderItsUsers)
{
  Cache cache;
  Lease user;
  CenoteLease lease = CENOTE_LEASE_INIT, copy;

  ASSERT_TRUE (cenote_pool_dial (cache.pool, address_of (peer.port ()).c_str (), 10000, &lease, nullptr));
  copy = lease;
  cenote_lease_release (&lease);
  cenote_lease_release (&copy); /* refused, and logged */
  EXPECT_EQ (cache.status ()->in_flight, 0);
  ASSERT_TRUE (cache.dial (peer.port (), &user));
  EXPECT_EQ (cache.status ()->in_flight, 1);
  for (int i = 0; i < 3; i++)
    EXPECT_EQ (cache.expire (), Names ());
  EXPECT_TRUE (user.is_ready ());
  EXPECT_EQ (peer.alive (), 1);
  user.release ();
  EXPECT_EQ (cache.expire (), Names ());
  EXPECT_EQ (cache.expire (), Names{ address_of (peer.port ()) });
}

TEST_F (SeedA5, B11_TheCountFallsWithEachClosing)
{
  Peer other ("forward", server.port ());
  Told told;
  Cache cache;

  cache.observe (&told);
  ASSERT_TRUE (cache.use (peer.port ()));
  EXPECT_TRUE (told.await ("count 1"));
  ASSERT_TRUE (cache.use (other.port ()));
  EXPECT_TRUE (told.await ("count 2"));
  cache.expire ();
  EXPECT_EQ (cache.expire ().size (), 2u);
  EXPECT_TRUE (told.await ("count 1", 2));
  EXPECT_TRUE (told.await ("count 0"));
}

/* The callback waits for a dial of its own, sweeps, and closes: on its thread all of that may block. */
TEST_F (SeedA5, B11_TheCountMayBeToldToOneWhoCallsThePool)
{
  struct Caller {
    std::string other;
    Told told;
    bool dialled = false;    /* once: a sweep brings the count to 1 again, which may be at the pool's end */

    static void
    count (CenotePool *pool, guint n, gpointer data)
    {
      Caller *self = static_cast<Caller *> (data);
      CenoteLease lease = CENOTE_LEASE_INIT;

      if (n == 1 && !std::exchange (self->dialled, true)) {
        EXPECT_TRUE (cenote_pool_dial (pool, self->other.c_str (), 10000, &lease, nullptr)) << "inside a callback";
      }
      g_strfreev (cenote_pool_expire (pool));
      cenote_lease_release (&lease);
      Told::count (pool, n, &self->told);
    }
  };
  Peer other ("forward", server.port ());
  Caller caller{ address_of (other.port ()), {}, false };
  CenoteObserver observer = CENOTE_OBSERVER_INIT;
  Cache cache;

  observer.connection_count = Caller::count;
  cenote_pool_add_observer (cache.pool, &observer, &caller, nullptr);
  ASSERT_TRUE (cache.use (peer.port ()));
  EXPECT_TRUE (caller.told.await ("count 2"));
  EXPECT_EQ (other.count (), 1);
}

/* The first caller has half a minute: who joins with less is not kept waiting, and does not end the dial. */
TEST_F (SeedA5, B12_AJoinersDeadlineIsItsOwn)
{
  Peer silent ("silent");
  Cache cache ("", "connect-timeout=60s");
  Lease first_lease;
  bool first_got = false;
  std::atomic<bool> first_over{ false };
  int code = -1;

  std::thread first ([&] {
    first_got = cache.dial (silent.port (), &first_lease, 60000);
    first_over = true;
  });
  ASSERT_TRUE (connects_await (silent.port (), 1));
  Lease joiner;
  EXPECT_FALSE (cache.dial (silent.port (), &joiner, 100, &code));
  EXPECT_EQ (code, CENOTE_ERROR_TIMEOUT);
  EXPECT_FALSE (first_over) << "its own deadline, not the first caller's";
  silent.greet ();
  first.join ();
  EXPECT_TRUE (first_got);
  EXPECT_EQ (silent.count (), 1);
}

TEST_F (SeedA5, B12_TheFirstCallersDeadlineFailsNobodyElse)
{
  Peer silent ("silent");
  Cache cache ("", "connect-timeout=20s");
  Lease joiner_lease;
  bool joiner_got = false;
  int code = -1;

  std::thread first ([&] {
    Lease lease;

    EXPECT_FALSE (cache.dial (silent.port (), &lease, 300, &code));
  });
  ASSERT_TRUE (connects_await (silent.port (), 1));
  std::thread joiner ([&] { joiner_got = cache.dial (silent.port (), &joiner_lease, 30000); });
  first.join ();
  EXPECT_EQ (code, CENOTE_ERROR_TIMEOUT);
  silent.greet ();
  joiner.join ();
  EXPECT_TRUE (joiner_got);
  EXPECT_EQ (silent.count (), 1);
}

TEST_F (SeedA5, B13_TwoSweepsCountFromTheLastUse)
{
  Cache cache;
  Lease held;

  ASSERT_TRUE (cache.dial (peer.port (), &held));
  for (int i = 0; i < 3; i++)
    EXPECT_EQ (cache.expire (), Names ());
  held.release ();
  EXPECT_EQ (cache.expire (), Names ()) << "it was held when the last sweep came";
  EXPECT_TRUE (cache.is_cached (peer.port ()));
  EXPECT_EQ (cache.expire (), Names ());
  EXPECT_EQ (cache.expire (), Names{ address_of (peer.port ()) });
  EXPECT_TRUE (comes_to (&peer, 0));
}

/* Sweeps and closings race with dials: each dial gives a channel that lives until its release. */
TEST_F (SeedA5, A5_NoReservationIsLostToASweep)
{
  std::atomic<bool> over{ false };
  std::atomic<unsigned> n_failed{ 0 }, n_dead{ 0 };
  std::vector<std::thread> users;
  unsigned n = scaled (20000, 1000);
  Cache cache;

  for (int k = 0; k < 2; k++)
    users.emplace_back ([&, k] {
      for (unsigned i = 0; i < n; i++) {
        Lease lease;

        if (!cache.dial (k == 0 ? server.port () : peer.port (), &lease, 30000))
          n_failed++;
        else if (i % 100 == 0 && k == 0 && !lease.answers ())
          n_dead++;
      }
    });
  std::thread sweeper ([&] {
    for (unsigned i = 0; !over; i++) {
      cache.expire ();
      if (i % 3 == 0)
        cache.close_on_release (i % 2 == 0 ? server.port () : peer.port ());
      std::this_thread::yield ();
    }
  });
  for (std::thread &user : users)
    user.join ();
  over = true;
  sweeper.join ();
  EXPECT_EQ (n_failed, 0u);
  EXPECT_EQ (n_dead, 0u);
  EXPECT_EQ (cache.status ()->in_flight, 0);
}

/* What the seed takes in silence: nothing, or what no dial gave, given back. */
TEST_F (SeedA5, A5_NilMisuseIsHarmless)
{
  Cache cache;
  CenoteLease none = CENOTE_LEASE_INIT, foreign = CENOTE_LEASE_INIT;
  static int not_a_channel;

  cenote_lease_release (nullptr);
  cenote_lease_release (&none);
  foreign.channel = reinterpret_cast<grpc_channel *> (&not_a_channel);
  foreign.priv[0] = foreign.priv[2] = &not_a_channel;
  cenote_lease_release (&foreign); /* refused, and logged */
  EXPECT_EQ (foreign.channel, nullptr);
  EXPECT_TRUE (cache.use (peer.port ()));
  EXPECT_EQ (cache.status ()->in_flight, 0);
}

TEST_F (SeedA5, A5_ADeadConnectionIsNeverServed)
{
  Told told;
  Cache cache;

  cache.observe (&told);
  ASSERT_TRUE (cache.use (server.port ()));
  server.kill ();
  ASSERT_TRUE (told.await ("count 0"));
  EXPECT_FALSE (cache.is_cached (server.port ()));
  EXPECT_FALSE (cache.use (server.port (), 100));
  ASSERT_TRUE (server.start ());
  Lease lease;
  ASSERT_TRUE (cache.dial (server.port (), &lease));
  EXPECT_TRUE (lease.answers ());
}

/* ------------------------------------------------------------------ features */

TEST_F (SeedA5, A5_EachAddressHasItsOwnConnection)
{
  EchoServer one, two, three;
  Cache cache;

  for (EchoServer *server : { &one, &two, &three }) {
    Lease lease;

    ASSERT_TRUE (server->start ());
    ASSERT_TRUE (cache.dial (server->port (), &lease));
    EXPECT_TRUE (lease.answers ());
    EXPECT_TRUE (cache.is_cached (server->port ()));
  }
  EXPECT_EQ (cache.status ()->current_size, 3);
  EXPECT_EQ (cache.status ()->expected_size, 3);
  EXPECT_EQ (cache.status ()->state, CENOTE_POOL_HEALTHY);
  EXPECT_EQ (cache.status ()->target, nullptr);
  two.kill ();
  ASSERT_TRUE (cache.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  EXPECT_TRUE (cache.is_cached (one.port ()));
  EXPECT_TRUE (cache.is_cached (three.port ()));
  EXPECT_FALSE (cache.is_cached (two.port ()));
}

TEST_F (SeedA5, A5_AFailureIsNotCached)
{
  EchoServer late; /* not started */
  Cache cache;

  EXPECT_FALSE (cache.use (late.port (), 50));
  ASSERT_TRUE (late.start ());
  EXPECT_TRUE (cache.use (late.port ()));
}

/* Where the seed never closes by itself. */
TEST_F (SeedA5, A5_ATimerSweeps)
{
  Told told;
  Cache cache ("expire-interval=20ms");

  cache.observe (&told);
  ASSERT_TRUE (cache.use (peer.port ()));
  EXPECT_TRUE (told.await ("count 0"));
  EXPECT_TRUE (comes_to (&peer, 0));
  EXPECT_EQ (cache.expire (), Names{ address_of (peer.port ()) });
}

/* Where the seed has no limit. */
TEST_F (SeedA5, A5_TheCacheIsBounded)
{
  Peer second ("forward", server.port ()), third ("forward", server.port ());
  Cache cache ("max-addresses=2");
  g_autoptr (GError) error = nullptr;
  Lease one, two, three;

  ASSERT_TRUE (cache.dial (peer.port (), &one));
  ASSERT_TRUE (cache.dial (second.port (), &two));
  EXPECT_FALSE (cenote_pool_dial (cache.pool, address_of (third.port ()).c_str (), 10000, &three.raw, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_LIMIT)) << error->message;
  EXPECT_NE (strstr (error->message, "max-addresses"), nullptr) << error->message;
  one.release ();
  EXPECT_TRUE (cache.dial (third.port (), &three));
  EXPECT_TRUE (comes_to (&peer, 0)) << "the one that nobody used made room";
  EXPECT_EQ (second.alive (), 1);
}

/* The seed's WithDialer is a transport plugin here: this one needs no server. */
TEST_F (SeedA5, A5_ACustomDialerIsATransportPlugin)
{
  Cache cache ("", "transport=mock");
  Lease lease, again;

  ASSERT_TRUE (cenote_pool_dial (cache.pool, "mock://anywhere", 10000, &lease.raw, nullptr));
  ASSERT_TRUE (cenote_pool_dial (cache.pool, "mock://anywhere", 0, &again.raw, nullptr));
  EXPECT_EQ (lease.raw.channel, again.raw.channel);
}

/* What was closed on release is not gone at once: a connection that still drains is no leak. */
static void
await_none (Cache &cache)
{
  while (cache.status ()->n_channels > 0)
    std::this_thread::yield ();
}

/* Thousands of short-lived connections leave nothing. */
TEST_F (SeedA5, A5_ConnectionsThatComeAndGoLeaveNothing)
{
  Cache cache;
  unsigned n = scaled (2000, 100);

  for (unsigned i = 0; i < 20; i++) {
    ASSERT_TRUE (cache.use (server.port ()));
    ASSERT_TRUE (cache.close_on_release (server.port ()));
  }
  await_none (cache);
  Gauges before = Gauges::read_with_connections (0);
  for (unsigned i = 0; i < n; i++) {
    ASSERT_TRUE (cache.use (server.port ()));
    ASSERT_TRUE (cache.close_on_release (server.port ()));
  }
  await_none (cache);
  cache.events.forget ();
  Gauges after = Gauges::read_with_connections (0);
  EXPECT_EQ (after.descriptors, before.descriptors) << before << " … " << after;
  EXPECT_LE (after.threads, before.threads + 10) << before << " … " << after;
  if (Gauges::memory_tells ()) {
    EXPECT_LE (after.allocated_kb, before.allocated_kb + 500) << before << " … " << after;
  }
}

} // namespace
