/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime as part of a process: started and stopped often, forked from, stopped
 * under held leases and from its own threads; and channels whose server goes.
 */
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <map>
#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/gauges.h"
#include "tests/servers/servers.h"
#include "tools/demo-server.h"
#include "tools/raw-call.h"

namespace {

const char *const five_keys = "size=5\nbackoff=quick\n";

/* Before any runtime; a sanitizer has one of its own. */
const unsigned threads_at_start = Gauges::read ().threads;

/* The status of an echo over CHANNEL. */
int
call (grpc_channel *channel, gint64 timeout_ms = 10000)
{
  g_autoptr (RawCaller) caller = raw_caller_new ();
  g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
  g_auto (RawReply) reply = {};

  raw_caller_call (caller, channel, DEMO_ECHO_METHOD, request, timeout_ms, &reply);
  return reply.status;
}

class Process : public ::testing::Test {
protected:
  void SetUp () override { ASSERT_TRUE (server.start ()); }

  EchoServer server;
};

/* A lease on each channel of CLIENT, which are N. */
std::vector<CenoteLease>
lease_all (Client *client, size_t n)
{
  std::map<grpc_channel *, CenoteLease> leases;
  std::vector<CenoteLease> result;

  client->connect ();
  EXPECT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, n));
  while (leases.size () < n) {
    CenoteLease lease;

    if (client->get (&lease) && !leases.emplace (lease.channel, lease).second)
      cenote_lease_release (&lease);
  }
  for (const auto &[channel, lease] : leases)
    result.push_back (lease);
  return result;
}

void
release_all (std::vector<CenoteLease> *leases)
{
  for (CenoteLease &lease : *leases)
    cenote_lease_release (&lease);
}

/* -------------------------------------------------------------------- fork */

/* What a forked child finds; its exit status is the number of faults. */
class ForkedChild {
public:
  explicit ForkedChild (Client *client) : runtime (client->runtime), pool (client->pool) {}

  /* LEASE was taken before the fork. */
  [[noreturn]] void
  run (CenoteLease *lease)
  {
    alarm (60);
    try_gets ();
    try_verbs ();
    try_async ();
    try_runtime ();
    cenote_lease_release (lease);
    expect ("the released lease is empty", lease->channel == nullptr);
    cenote_pool_unref (pool);
    cenote_runtime_stop (runtime);
    cenote_runtime_unref (runtime);
    _exit (faults);
  }

private:
  void
  expect (const char *what, bool holds)
  {
    if (holds)
      return;
    faults++;
    fprintf (stderr, "in the forked child: not so: %s\n", what);
  }

  void
  expect_stopped (const char *what, bool failed)
  {
    expect (what, failed && g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_STOPPED));
    g_clear_error (&error);
  }

  static gboolean
  operation (grpc_channel *, gpointer, GError **)
  {
    return TRUE;
  }

  void
  try_gets ()
  {
    CenoteLease lease;

    expect_stopped ("get_channel", !cenote_pool_get_channel (pool, &lease, &error));
    expect_stopped ("get_channel_for", !cenote_pool_get_channel_for (pool, "key", &lease, &error));
    expect_stopped ("acquire", !cenote_pool_acquire (pool, -1, &lease, &error));
    expect_stopped ("acquire_for", !cenote_pool_acquire_for (pool, "key", G_MAXINT64, &lease, &error));
    expect_stopped ("execute", !cenote_pool_execute (pool, operation, nullptr, -1, &error));
    expect_stopped ("await_ready", !cenote_pool_await_ready (pool, -1, &error));
  }

  void
  try_verbs ()
  {
    expect_stopped ("resize", cenote_pool_resize (pool, 3, &error) == -1);
    expect_stopped ("scale_up", cenote_pool_scale_up (pool, 1, &error) == -1);
    expect_stopped ("scale_down", cenote_pool_scale_down (pool, 1, &error) == -1);
    expect_stopped ("connect", !cenote_pool_connect (pool, -1, &error));
    cenote_pool_disconnect (pool);
    cenote_pool_reconnect (pool);
    cenote_pool_pause (pool);
    cenote_pool_resume (pool);
    cenote_pool_set_mock (pool, nullptr, nullptr, nullptr);
    cenote_pool_remove_observer (pool, cenote_pool_add_observer (pool, &observer, nullptr, nullptr));
    expect ("is_connected", !cenote_pool_is_connected (pool));
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);
    expect ("status is stopped", status->state == CENOTE_POOL_STOPPED);
    expect ("name", g_str_equal (cenote_pool_get_name (pool), "test"));
  }

  static void
  answered (CenotePool *, CenoteLease *lease, const GError *why, gpointer data)
  {
    *static_cast<bool *> (data) = lease == nullptr && g_error_matches (why, CENOTE_ERROR, CENOTE_ERROR_STOPPED);
  }

  void
  try_async ()
  {
    g_autoptr (GMainContext) context = g_main_context_new ();
    bool stopped = false;
    guint id = cenote_pool_acquire_async (pool, nullptr, -1, context, answered, &stopped, nullptr);

    while (g_main_context_iteration (context, FALSE))
      continue;
    expect ("acquire_async", stopped);
    expect ("cancel", !cenote_pool_cancel (pool, id));
  }

  void
  try_runtime ()
  {
    g_autoptr (CenoteConfig) config =
      cenote_config_new_from_data ("[pool:other]\nprofile=local\ntarget=127.0.0.1:1\n", -1, nullptr);
    g_autofree char *json = cenote_runtime_status_to_json (runtime);
    g_auto (GStrv) names = cenote_runtime_list_pools (runtime);

    expect_stopped ("runtime_new", cenote_runtime_new (config, &error) == nullptr);
    expect_stopped ("get_pool", cenote_runtime_get_pool (runtime, "test", &error) == nullptr);
    cenote_runtime_remove_sink (runtime, cenote_runtime_add_sink (runtime, 0, EventLog::take, nullptr, nullptr));
    expect ("status_to_json", json != nullptr);
    expect ("list_pools", names != nullptr);
  }

  CenoteRuntime *runtime;
  CenotePool *pool;
  CenoteObserver observer = CENOTE_OBSERVER_INIT;
  GError *error = nullptr;
  int faults = 0;
};

TEST_F (Process, ForkedChildIsToldStoppedAndTheParentGoesOn)
{
  Client client (server.port (), five_keys);
  std::vector<CenoteLease> leases = lease_all (&client, 5);
  std::atomic<bool> over{ false };
  std::atomic<unsigned> misses{ 0 };
  std::thread caller ([&] {
    while (!over)
      misses += !client.gets ();
  });

  for (int i = 0; i < 3; i++) {
    int status = -1;
    pid_t pid = fork ();

    if (pid == 0)
      ForkedChild (&client).run (&leases[0]);
    ASSERT_EQ (waitpid (pid, &status, 0), pid);
    EXPECT_TRUE (WIFEXITED (status) && WEXITSTATUS (status) == 0) << "wait status " << status;
  }
  over = true;
  caller.join ();
  EXPECT_EQ (misses, 0u);
  EXPECT_EQ (client.status ()->current_size, 5);
  EXPECT_EQ (call (leases[0].channel), GRPC_STATUS_OK);
  release_all (&leases);
}

/* ------------------------------------------------------------ start and stop */

TEST_F (Process, StartsAndStopsManyTimes)
{
  const unsigned n_first = 5, n_more = scaled (200, 20);
  auto once = [&] {
    Client client (server.port (), "size=2\nbackoff=quick\n");

    client.connect ();
    EXPECT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
    EXPECT_TRUE (client.gets ());
  };

  (void) Gauges::read_with_connections (0);
  if (Gauges::connections () != 0)
    GTEST_SKIP () << "C-core keeps a connection that an earlier test has ended, and its threads with it";
  for (unsigned i = 0; i < n_first; i++)
    once ();
  Gauges before = Gauges::read_with_connections (0);
  for (unsigned i = 0; i < n_more && !HasFailure (); i++)
    once ();
  Gauges after = Gauges::read_with_connections (0);
  std::cout << n_more << " times\nbefore: " << before << "\nafter:  " << after << std::endl;
  EXPECT_EQ (after.descriptors, before.descriptors);
  EXPECT_EQ (Gauges::own_threads (), 0u);
  EXPECT_TRUE (Gauges::await_threads (threads_at_start)) << "C-core's own end a little later than its last user";
  EXPECT_TRUE (!Gauges::memory_tells () || after.allocated_kb < before.allocated_kb + 512);
}

/* Stopped while it dials, and at once. */
TEST_F (Process, StopsAtAnyMoment)
{
  for (unsigned i = 0; i < scaled (200, 20); i++) {
    Client client (server.port (), five_keys);

    client.connect ();
    if (i % 4 != 0)
      client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, i % 4);
    cenote_runtime_stop (client.runtime);
    EXPECT_FALSE (client.gets ());
    EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
  }
}

TEST_F (Process, ThreadsDoNotGrowWithPoolsAndChannels)
{
  unsigned few, many;
  std::string keyfile = Client::text (server.port (), "size=1\n");

  {
    Client client (keyfile, CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTED));
    client.connect ();
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1));
    few = Gauges::own_threads ();
  }
  for (int i = 0; i < 20; i++)
    keyfile += "[pool:more-" + std::to_string (i) + "]\nprofile=local\nsize=10\ntarget=ipv4:127.0.0.1:" +
               std::to_string (server.port ()) + "\n";
  {
    Client client (keyfile, CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTED));
    client.connect ();
    for (int i = 0; i < 20; i++) {
      std::string name = "more-" + std::to_string (i);
      g_autoptr (CenotePool) pool = cenote_runtime_get_pool (client.runtime, name.c_str (), nullptr);
      EXPECT_TRUE (cenote_pool_await_ready (pool, 30000, nullptr));
    }
    many = Gauges::own_threads ();
  }
  EXPECT_EQ (few, 4u);
  EXPECT_EQ (many, few);
}

TEST_F (Process, LeaseOutlivesTheStop)
{
  Client client (server.port (), "size=5\nbackoff=quick\ndrain-timeout=200ms\n");
  std::vector<CenoteLease> leases = lease_all (&client, 5);
  CenoteLease refused;
  g_autoptr (GError) error = nullptr;

  cenote_lease_release (&leases[0]);
  cenote_runtime_stop (client.runtime);
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &refused, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_STOPPED));
  for (size_t i = 1; i < leases.size (); i++)
    EXPECT_EQ (call (leases[i].channel), GRPC_STATUS_OK) << "lease " << i;
  std::thread ([&] { release_all (&leases); }).join ();
}

/* What a callback thread that holds the last reference does. */
struct LastReference {
  CenoteRuntime *runtime;
  std::atomic<bool> over{ false };

  static void
  connected (CenotePool *, guint64, const char *, gpointer data)
  {
    LastReference *self = static_cast<LastReference *> (data);

    cenote_runtime_unref (self->runtime);
    self->runtime = nullptr;
  }

  static void
  notify (gpointer data)
  {
    static_cast<LastReference *> (data)->over = true;
  }
};

TEST_F (Process, LastReferenceMayBeDroppedOnTheCallbackThread)
{
  CenoteObserver observer = CENOTE_OBSERVER_INIT;
  LastReference last;
  {
    Client client (server.port (), "size=1\n");

    observer.connected = LastReference::connected;
    last.runtime = cenote_runtime_ref (client.runtime);
    cenote_pool_add_observer (client.pool, &observer, &last, LastReference::notify);
    g_clear_pointer (&client.runtime, cenote_runtime_unref);
    client.connect ();
    while (!last.over || Gauges::own_threads () > 0)
      std::this_thread::yield ();
    EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
  }
  EXPECT_EQ (last.runtime, nullptr);
}

TEST_F (Process, StopOnTheCallbackThreadBeginsTheStopAndAnotherWaitsForIt)
{
  struct Stopper {
    static void
    connected (CenotePool *, guint64, const char *, gpointer data)
    {
      cenote_runtime_stop (static_cast<CenoteRuntime *> (data));
    }
  };
  CenoteObserver observer = CENOTE_OBSERVER_INIT;
  Client client (server.port (), "size=3\n");

  observer.connected = Stopper::connected;
  cenote_pool_add_observer (client.pool, &observer, client.runtime, nullptr);
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1));
  cenote_runtime_stop (client.runtime);
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
}

/* ---------------------------------------------------------------- channels */

TEST_F (Process, DrainingChannelsServeTheirLeasesToTheEnd)
{
  Client client (server.port (), five_keys);
  std::vector<CenoteLease> leases = lease_all (&client, 5);

  EXPECT_EQ (cenote_pool_resize (client.pool, 1, nullptr), 1);
  while (client.status ()->draining < 4)
    std::this_thread::yield ();
  for (const CenoteLease &lease : leases)
    EXPECT_EQ (call (lease.channel), GRPC_STATUS_OK);
  release_all (&leases);
  EXPECT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DRAINED, 4));
  EXPECT_EQ (client.status ()->n_channels, 1u);
}

/* Calls on leases of channels that have died end in UNAVAILABLE, whatever C-core
 * dials for them by itself (SPEC 9.3), and the pool is whole again after. */
TEST_F (Process, LeasesOfDeadChannelsFailAndDoNoHarm)
{
  Client client (server.port (), five_keys);
  std::vector<CenoteLease> leases = lease_all (&client, 5);

  server.kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 5));
  for (const CenoteLease &lease : leases)
    EXPECT_EQ (call (lease.channel), GRPC_STATUS_UNAVAILABLE);
  client.events.forget ();
  ASSERT_TRUE (server.start ());
  ASSERT_TRUE (cenote_pool_await_ready (client.pool, 30000, nullptr));
  release_all (&leases);
  while (client.status ()->current_size < 5)
    std::this_thread::yield ();
  EXPECT_EQ (client.status ()->in_flight, 0);
  for (int i = 0; i < 10; i++) {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

    EXPECT_TRUE (client.get (&lease));
    EXPECT_EQ (call (lease.channel), GRPC_STATUS_OK);
  }
}

/* C-core's own resolver, where names are left to it. */
TEST (ProcessAlone, NameThatDoesNotResolveFailsWithItsNameAndIsTriedAgain)
{
  std::string keyfile = Client::text (1, "size=2\nbackoff=quick\nconnect-timeout=2s\ndns-refresh=off\n");
  size_t at = keyfile.find ("ipv4:127.0.0.1:1");

  keyfile.replace (at, strlen ("ipv4:127.0.0.1:1"), "dns:///nowhere.invalid:1");
  Client client (keyfile, CENOTE_EVENT_MASK_ALL);
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 3));
  CenoteLease lease;
  g_autoptr (GError) error = nullptr;
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED));
  EXPECT_NE (strstr (error->message, "nowhere.invalid"), nullptr) << error->message;
}

/* Without anybody to ask, and without anybody who answers. */
TEST (ProcessAlone, AStopWhileANameIsLookedUpDoesNotWaitForIt)
{
  std::string keyfile = Client::text (1, "size=2\nbackoff=quick\n");
  size_t at = keyfile.find ("ipv4:127.0.0.1:1");

  keyfile.replace (at, strlen ("ipv4:127.0.0.1:1"), "dns:///nowhere.invalid:1");
  for (int i = 0; i < 20; i++) {
    Client client (keyfile, CENOTE_EVENT_MASK_ALL);

    client.connect ();
  }
}

} // namespace
