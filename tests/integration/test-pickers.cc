// SPDX-License-Identifier: Apache-2.0
// Pickers in pools that a program opens from a keyfile, over the mock transport and to servers.
#include <cenote/cenote.h>
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/servers/client.h"
#include "tests/servers/servers.h"
#include "tools/raw-call.h"

namespace {

// ------------------------------------------------------------------ leases

class PickerPools : public ::testing::Test
{
protected:
  ~PickerPools () override
  {
    cenote_pool_unref (pool);
    cenote_runtime_unref (runtime);
  }

  // A pool of N channels with KEYS, all ready.
  void open (int n, const std::string &keys)
  {
    const char *tests = g_getenv ("CENOTE_TEST_PLUGINS");
    g_autoptr (GError) error = nullptr;
    std::string text = "[cenote]\ntelemetry=\nplugin-path=" + std::string (tests ? tests : "") +
                       "\n[pool:p]\ntransport=mock\ntarget=mock://x\nsize=" + std::to_string (n) + "\n" + keys;
    g_autoptr (CenoteConfig) config = cenote_config_new_from_data (text.c_str (), -1, &error);

    ASSERT_NE (config, nullptr) << error->message;
    runtime = cenote_runtime_new (config, &error);
    ASSERT_NE (runtime, nullptr) << error->message;
    pool = cenote_runtime_get_pool (runtime, "p", &error);
    while (current () < n)
      std::this_thread::yield ();
  }

  gint64 current ()
  {
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);

    return status->current_size;
  }

  // Leases held on each channel.
  std::vector<gint64> in_flight ()
  {
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);
    std::vector<gint64> leases;

    for (gsize i = 0; i < status->n_channels; i++)
      leases.push_back (status->channels[i]->in_flight);
    return leases;
  }

  CenoteLease get ()
  {
    CenoteLease lease = CENOTE_LEASE_INIT;
    g_autoptr (GError) error = nullptr;

    EXPECT_TRUE (cenote_pool_get_channel (pool, &lease, &error)) << error->message;
    return lease;
  }

  // Each of N_THREADS takes so many leases, all at once.
  std::vector<CenoteLease> take_together (int n_threads, int leases_each)
  {
    std::vector<std::vector<CenoteLease>> taken (n_threads);
    std::vector<std::thread> threads;
    std::vector<CenoteLease> all;

    for (auto &mine : taken)
      threads.emplace_back ([&] {
        for (int i = 0; i < leases_each; i++)
          mine.push_back (get ());
      });
    for (std::thread &thread : threads)
      thread.join ();
    for (auto &mine : taken)
      all.insert (all.end (), mine.begin (), mine.end ());
    return all;
  }

  static void release (std::vector<CenoteLease> &leases)
  {
    for (CenoteLease &lease : leases)
      cenote_lease_release (&lease);
  }

  CenoteRuntime *runtime = nullptr;
  CenotePool *pool = nullptr;
};

// On 8 idle channels, 400 leases held at once.  Forty threads that each take ten within one tick of 10 ms are told of
// each other by what they read at their first get alone.
TEST_F (PickerPools, ByDefaultNoChannelHasMuchMoreThanTheMean)
{
  open (8, "");
  for (int n_threads : { 1, 2, 8, 40 }) {
    std::vector<CenoteLease> leases = take_together (n_threads, 400 / n_threads);
    std::vector<gint64> held = in_flight ();

    ASSERT_EQ (held.size (), 8u);
    EXPECT_LE (*std::max_element (held.begin (), held.end ()), 75) << n_threads << " threads";
    EXPECT_GE (*std::min_element (held.begin (), held.end ()), 25) << n_threads << " threads";
    release (leases);
  }
}

TEST_F (PickerPools, LeastInFlightKeepsOneThreadsLeasesEven)
{
  open (8, "picker=least-in-flight\n");
  std::vector<CenoteLease> leases = take_together (1, 400);
  std::vector<gint64> held = in_flight ();

  // A channel that warms up counts with a penalty, less of it as it gets older.
  EXPECT_LE (*std::max_element (held.begin (), held.end ()), 60);
  EXPECT_GE (*std::min_element (held.begin (), held.end ()), 40);
  release (leases);
}

// A thread that gets what another one releases still sees loads, not the sum of all that it took.
TEST_F (PickerPools, LeasesReleasedElsewhereDoNotWeigh)
{
  open (4, "picker=p2c\n");
  for (int round = 0; round < 20; round++) {
    std::vector<CenoteLease> leases = take_together (1, 100);

    std::thread ([&] { release (leases); }).join ();
  }
  std::vector<CenoteLease> leases = take_together (2, 100);
  std::vector<gint64> held = in_flight ();
  EXPECT_LE (*std::max_element (held.begin (), held.end ()), 75);
  release (leases);
  EXPECT_EQ (in_flight (), (std::vector<gint64>{ 0, 0, 0, 0 }));
}

TEST_F (PickerPools, ForgetfulOnesSpreadTheirLeasesToo)
{
  for (const char *picker : { "picker=random\n", "picker=round-robin\n" }) {
    open (8, picker);
    std::vector<CenoteLease> leases = take_together (4, 200);
    std::vector<gint64> held = in_flight ();

    EXPECT_LE (*std::max_element (held.begin (), held.end ()), 150) << picker;
    release (leases);
    g_clear_pointer (&pool, cenote_pool_unref);
    g_clear_pointer (&runtime, cenote_runtime_unref);
  }
}

TEST_F (PickerPools, SeedA2_AStrategyOfOnesOwnIsAPlugin)
{
  std::map<grpc_channel *, int> times;

  open (5, "picker=mine\n[picker:mine]\nplugin=favourite\nplace=2\nshare=7\n");
  std::vector<CenoteLease> leases;
  for (int i = 0; i < 7; i++) {
    leases.push_back (get ());
    times[leases.back ().channel]++;
  }
  EXPECT_EQ (times.size (), 1u) << "its favourite alone";
  grpc_channel *favourite = leases[0].channel;
  leases.push_back (get ());
  EXPECT_NE (leases.back ().channel, favourite) << "which has its share";
  release (leases);
  CenoteLease again = get ();
  EXPECT_EQ (again.channel, favourite);
  cenote_lease_release (&again);
}

// ------------------------------------------------------------------ servers

// [pool:test] with KEYS to the servers of PORTS.
std::string
keyfile (const std::vector<unsigned> &ports, const std::string &keys)
{
  std::string targets;

  for (unsigned port : ports)
    targets += (targets.empty () ? "" : ";") + std::string ("ipv4:127.0.0.1:") + std::to_string (port);
  return "[cenote]\ntelemetry=\n[backoff:quick]\nplugin=constant\ndelay=20ms\n[pool:test]\nprofile=local\n"
         "backoff=quick\ninitialization=manual\ntargets=" + targets + "\n" + keys;
}

constexpr guint64 what_happens = CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTED) |
                                 CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_DISCONNECTED);

// Each of N_THREADS calls BODY so many times.
void
on_threads (int n_threads, int times, const std::function<void ()> &body)
{
  std::vector<std::thread> threads;

  for (int i = 0; i < n_threads; i++)
    threads.emplace_back ([&] {
      for (int k = 0; k < times; k++)
        body ();
    });
  for (std::thread &thread : threads)
    thread.join ();
}

void
call_once (Client *client)
{
  g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
  g_autoptr (GBytes) response = nullptr;
  g_autoptr (GError) error = nullptr;

  EXPECT_TRUE (cenote_call_unary (client->pool, WORK_ECHO_METHOD, request, nullptr, &response, &error)) << error->message;
}

// By C-core's own functions over a lease, which is given back without a status.
void
call_raw_once (Client *client, RawCaller *caller)
{
  g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
  g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
  g_auto (RawReply) reply = {};

  ASSERT_TRUE (cenote_pool_acquire (client->pool, 30000, &lease, nullptr));
  raw_caller_call (caller, lease.channel, WORK_ECHO_METHOD, request, 30000, &reply);
  EXPECT_EQ (reply.status, 0);
}

class SlowAndQuick : public ::testing::Test
{
protected:
  void SetUp () override
  {
    ASSERT_TRUE (quick.start () && slow.start ({ "delay=50" }));
    client = std::make_unique<Client> (keyfile ({ quick.port (), slow.port () }, "size=2\npicker=peak-ewma\n"),
                                       what_happens);
    client->connect ();
    ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  }

  // By the latency alone: each thread has one call under way.
  void expect_the_quick_one ()
  {
    gint64 quick_calls = quick.echoes (), slow_calls = slow.echoes ();

    EXPECT_EQ (quick_calls + slow_calls, n_threads * n_calls);
    EXPECT_GT (slow_calls, 0);
    EXPECT_LT (slow_calls * 10, quick_calls);
  }

  static constexpr int n_threads = 4;
  static constexpr int n_calls = 250;
  HealthServer quick, slow;
  std::unique_ptr<Client> client;
};

TEST_F (SlowAndQuick, CallsGoToTheQuickOne)
{
  on_threads (n_threads, n_calls, [&] { call_once (client.get ()); });
  expect_the_quick_one ();
}

TEST_F (SlowAndQuick, RawLeasesTellTheirLatencyToo)
{
  std::vector<std::thread> threads;

  for (int i = 0; i < n_threads; i++)
    threads.emplace_back ([&] {
      g_autoptr (RawCaller) caller = raw_caller_new ();

      for (int k = 0; k < n_calls; k++)
        call_raw_once (client.get (), caller);
    });
  for (std::thread &thread : threads)
    thread.join ();
  expect_the_quick_one ();
}

// As a caller sees a key: the target and the channel that it gets.
struct Seat {
  std::string target;
  grpc_channel *channel;
};

class Keys : public ::testing::Test
{
protected:
  Seat seat_of (int key)
  {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
    g_autoptr (GError) error = nullptr;
    std::string name = "user-" + std::to_string (key);

    if (!cenote_pool_get_channel_for (client->pool, name.c_str (), &lease, &error)) {
      ADD_FAILURE () << error->message;
      return {};
    }
    char *target = grpc_channel_get_target (lease.channel);
    Seat seat = { target, lease.channel };
    gpr_free (target);
    return seat;
  }

  // What moved to the other server meanwhile moves back.
  void await_ready_at (const std::string &target, unsigned n)
  {
    const gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
    unsigned ready, others;

    do {
      auto status = client->status ();

      ready = others = 0;
      for (gsize i = 0; i < status->n_channels; i++)
        (status->channels[i]->state == CENOTE_CHANNEL_READY && target == status->channels[i]->address ? ready : others)++;
    } while ((ready != n || others != 4 - n) && g_get_monotonic_time () < until_us);
    ASSERT_EQ (ready, n);
  }

  std::vector<Seat> seats ()
  {
    std::vector<Seat> all;

    for (int key = 0; key < 200; key++)
      all.push_back (seat_of (key));
    return all;
  }

  EchoServer steady, coming;
  std::unique_ptr<Client> client;
};

TEST_F (Keys, AKeySticksMovesWhileItsPlaceIsGoneAndReturns)
{
  ASSERT_TRUE (steady.start () && coming.start ());
  client = std::make_unique<Client> (keyfile ({ steady.port (), coming.port () }, "size=4\npicker=affinity\n"), what_happens);
  client->connect ();
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 4));
  std::string away = "ipv4:127.0.0.1:" + std::to_string (coming.port ());
  std::vector<Seat> before = seats (), again = seats ();
  ASSERT_TRUE (std::any_of (before.begin (), before.end (), [&] (const Seat &seat) { return seat.target == away; }));
  for (size_t key = 0; key < before.size (); key++)
    ASSERT_EQ (again[key].channel, before[key].channel) << "it sticks";
  coming.kill ();
  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 2));
  std::vector<Seat> without = seats ();
  for (size_t key = 0; key < before.size (); key++) {
    if (before[key].target == away)
      ASSERT_NE (without[key].target, away) << "it moves";
    else
      ASSERT_EQ (without[key].channel, before[key].channel) << "a key whose place is there does not";
  }
  ASSERT_TRUE (coming.start ());
  await_ready_at (away, 2);
  std::vector<Seat> after = seats ();
  std::map<grpc_channel *, grpc_channel *> successor;
  for (size_t key = 0; key < before.size (); key++) {
    ASSERT_EQ (after[key].target, before[key].target) << "it returns";
    auto [known, is_new] = successor.emplace (before[key].channel, after[key].channel);
    ASSERT_EQ (known->second, after[key].channel) << "with all of its place";
  }
  EXPECT_EQ (successor.size (), 4u);
}

// Calls, over connections: 400 at once on 8 idle channels.
TEST (Spread, ConcurrentCallsOnIdleChannels)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=8\n");
  g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
  g_autoptr (GMainContext) context = g_main_context_new ();
  int ended = 0;
  auto count = [] (CenotePool *, GBytes *, const GError *error, gpointer data) {
    EXPECT_EQ (error, nullptr);
    ++*static_cast<int *> (data);
  };

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 8));
  for (int i = 0; i < 400; i++)
    cenote_call_unary_async (client.pool, WORK_HOLD_METHOD, request, nullptr, context, count, &ended, nullptr);
  while (server.holding () < 400)
    std::this_thread::yield ();
  auto status = client.status ();
  gint64 most = 0;
  for (gsize i = 0; i < status->n_channels; i++)
    most = std::max (most, status->channels[i]->in_flight);
  EXPECT_EQ (status->in_flight, 400);
  EXPECT_LE (most, 75) << "one and a half times the mean";
  EXPECT_EQ (server.release (), 400);
  while (ended < 400)
    g_main_context_iteration (context, TRUE);
}

} // namespace
