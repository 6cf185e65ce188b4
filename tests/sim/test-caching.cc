/* SPDX-License-Identifier: Apache-2.0 */
/* Pools whose addresses come from dials, with the connector `caching`: who is connected, when, and for how long. */
#include "sim-test.h"
#include "tests/scale.h"

#include <algorithm>
#include <set>

namespace {

using Names = std::vector<std::string>;

class CachingTest : public SimTest
{
protected:
  std::list<SimDial> callers;
  std::vector<std::string> told; /* what an observer was */

  void
  TearDown () override
  {
    for (SimDial &dial : callers)
      cenote_lease_release (&dial.lease);
    SimTest::TearDown ();
    for (SimDial &dial : callers) {
      EXPECT_TRUE (dial.answered);
      g_clear_error (&dial.error);
    }
  }

  /* A pool of callers' addresses; OPTIONS are the connector's. */
  void
  open_cache (const std::string &options = "", const std::string &keys = "")
  {
    g_autoptr (GError) error = nullptr;
    std::string text = "[cenote]\ntelemetry=\n[backoff:steady]\nplugin=constant\ndelay=100ms\n"
                       "[connector:cache]\nplugin=caching\n" +
                       options + "\n[pool:p]\nprofile=custom\ntransport=peers\nbackoff=steady\nconnector=cache\n" +
                       keys;

    sim = sim_new_empty (1);
    ASSERT_TRUE (sim_open (sim, text.c_str (), &error)) << error->message;
    pool = sim_pool (sim, 0);
    peer = peers_get (sim_peers (sim), "sim:a");
    listen ();
    observe ();
    sim_start (sim);
    run (SIM_MS); /* one plan a millisecond */
  }

  void
  observe ()
  {
    CenoteObserver observer = CENOTE_OBSERVER_INIT;

    observer.cache_missed = [] (CenotePool *, const char *address, gpointer data) {
      static_cast<CachingTest *> (data)->told.push_back (std::string ("missed ") + address);
    };
    observer.connection_count = [] (CenotePool *, guint count, gpointer data) {
      static_cast<CachingTest *> (data)->told.push_back ("count " + std::to_string (count));
    };
    cenote_pool_add_observer (pool, &observer, this, nullptr);
  }

  SimDial &
  dial (const std::string &address = "sim:a", gint64 timeout_us = SIM_S)
  {
    SimDial &made = callers.emplace_back (SimDial{ FALSE, CENOTE_LEASE_INIT, nullptr });

    sim_dial (sim, address.c_str (), timeout_us, &made);
    return made;
  }

  /* Connects ADDRESS and gives the lease back. */
  void
  use (const std::string &address = "sim:a")
  {
    SimDial &made = dial (address);

    run (20 * SIM_MS);
    ASSERT_TRUE (made.answered && made.error == nullptr) << address;
    cenote_lease_release (&made.lease);
  }

  /* What is cached is had at once. */
  bool
  is_cached (const std::string &address = "sim:a")
  {
    CenoteLease lease = CENOTE_LEASE_INIT;
    bool got = cenote_pool_dial (pool, address.c_str (), 0, &lease, nullptr);

    cenote_lease_release (&lease);
    return got;
  }

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

  static std::string
  failure_of (const SimDial &dial, int code)
  {
    if (!dial.answered || dial.error == nullptr)
      return "";
    EXPECT_TRUE (g_error_matches (dial.error, CENOTE_ERROR, code)) << dial.error->message;
    EXPECT_EQ (dial.lease.channel, nullptr);
    return dial.error->message;
  }

  std::string
  dial_failure (const char *address, gint64 timeout_ms, int code)
  {
    g_autoptr (GError) error = nullptr;
    CenoteLease lease = CENOTE_LEASE_INIT;

    EXPECT_FALSE (cenote_pool_dial (pool, address, timeout_ms, &lease, &error));
    EXPECT_EQ (lease.channel, nullptr);
    if (error == nullptr)
      return "";
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, code)) << error->message;
    return error->message;
  }

  Peer *
  at (const char *address)
  {
    return peers_get (sim_peers (sim), address);
  }
};

/* -------------------------------------------------------------------- dial */

TEST_F (CachingTest, NothingIsConnectedBeforeADial)
{
  open_cache ();
  run (SIM_S);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_HEALTHY);
  EXPECT_EQ (Status (pool)->expected_size, 0);
  EXPECT_EQ (Status (pool)->target, nullptr);
}

TEST_F (CachingTest, ADialConnectsAndTheNextOnesShare)
{
  open_cache ();
  SimDial &first = dial ();

  run (10 * SIM_MS);
  ASSERT_TRUE (first.answered);
  ASSERT_EQ (first.error, nullptr);
  EXPECT_TRUE (is_cached ());
  EXPECT_EQ (peer_n_dials (peer), 1u);
  EXPECT_EQ (Status (pool)->expected_size, 1);
  EXPECT_EQ (Status (pool)->current_size, 1);
  EXPECT_EQ (Status (pool)->in_flight, 1);
  EXPECT_STREQ (Status (pool)->channels[0]->address, "sim:a");
  cenote_lease_release (&first.lease);
  EXPECT_EQ (Status (pool)->in_flight, 0);
}

TEST_F (CachingTest, AddressesDoNotShare)
{
  open_cache ();
  SimDial &one = dial ("sim:a"), &other = dial ("sim:b");

  run (10 * SIM_MS);
  ASSERT_TRUE (one.answered && other.answered);
  EXPECT_STREQ (connection_of (one.lease.channel)->peer->name, "sim:a");
  EXPECT_STREQ (connection_of (other.lease.channel)->peer->name, "sim:b");
  EXPECT_FALSE (is_cached ("sim:c"));
}

TEST_F (CachingTest, AnyNumberOfCallersShareOneAttempt)
{
  std::set<grpc_channel *> channels;

  open_cache ();
  peer_always (peer, PEER_ACCEPTS, 50 * SIM_MS, PEER_FOREVER, nullptr);
  for (int i = 0; i < 100; i++)
    dial ();
  run (200 * SIM_MS);
  for (SimDial &made : callers) {
    ASSERT_TRUE (made.answered && made.error == nullptr);
    channels.insert (made.lease.channel);
    cenote_lease_release (&made.lease);
  }
  EXPECT_EQ (channels.size (), 1u);
  EXPECT_EQ (peer_n_dials (peer), 1u);
  EXPECT_EQ (Status (pool)->in_flight, 0);
  EXPECT_EQ (told, (Names{ "missed sim:a", "count 1" }));
  EXPECT_EQ (count (CENOTE_EVENT_CONNECTOR_CACHE_MISS), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CONNECTOR_CACHE_MISS)->address, "sim:a");
  EXPECT_EQ (last (CENOTE_EVENT_CONNECTOR_CONNECTION_COUNT)->event.count, 1);
}

TEST_F (CachingTest, EachCallerKeepsItsOwnDeadline)
{
  open_cache ();
  peer_always (peer, PEER_ACCEPTS, 200 * SIM_MS, PEER_FOREVER, nullptr);
  SimDial &first = dial ("sim:a", 50 * SIM_MS), &joiner = dial (), &hasty = dial ("sim:a", 10 * SIM_MS);

  run (20 * SIM_MS);
  EXPECT_EQ (failure_of (hasty, CENOTE_ERROR_TIMEOUT), "Pool p has no connection to sim:a: none within 10 ms");
  EXPECT_FALSE (first.answered || joiner.answered);
  run (40 * SIM_MS);
  EXPECT_NE (failure_of (first, CENOTE_ERROR_TIMEOUT), "");
  EXPECT_FALSE (joiner.answered);
  run (SIM_S);
  EXPECT_TRUE (joiner.answered && joiner.error == nullptr);
  EXPECT_EQ (peer_n_dials (peer), 1u);
}

TEST_F (CachingTest, AnAttemptThatNobodyWaitsForAnyMoreIsStillOfUse)
{
  open_cache ();
  peer_always (peer, PEER_ACCEPTS, 200 * SIM_MS, PEER_FOREVER, nullptr);
  dial ("sim:a", 50 * SIM_MS);
  run (SIM_S);
  EXPECT_TRUE (is_cached ());
  EXPECT_EQ (peer_n_dials (peer), 1u);
}

/* ---------------------------------------------------------------- failures */

TEST_F (CachingTest, WhoeverWaitsIsConnectedAtTheBackoffsTimes)
{
  gint64 start_us;

  open_cache ();
  for (int i = 0; i < 3; i++)
    peer_next (peer, PEER_REFUSES, 0, 0, "refused");
  start_us = now ();
  SimDial &made = dial ();

  run (SIM_S);
  EXPECT_TRUE (made.answered && made.error == nullptr);
  EXPECT_EQ (SimTest::dials (peer, start_us), (std::vector<gint64>{ 0, 100 * SIM_MS, 200 * SIM_MS, 300 * SIM_MS }));
}

TEST_F (CachingTest, NobodyWaitsAndNothingIsDialled)
{
  open_cache ();
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  SimDial &made = dial ("sim:a", 250 * SIM_MS);

  run (10 * SIM_S);
  EXPECT_EQ (failure_of (made, CENOTE_ERROR_TIMEOUT),
             "Pool p has no connection to sim:a: none within 250 ms; last error: refused");
  EXPECT_EQ (peer_n_dials (peer), 3u);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  EXPECT_EQ (Status (pool)->expected_size, 0);
}

/* A failure is not cached, but its backoff is: hasty callers do not dial more often than the plugin says. */
TEST_F (CachingTest, TheBackoffOutlivesItsCallers)
{
  open_cache ();
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  for (int i = 0; i < 50; i++) {
    dial ("sim:a", 5 * SIM_MS);
    run (10 * SIM_MS);
  }
  EXPECT_EQ (peer_n_dials (peer), 5u);
  peer_always (peer, PEER_ACCEPTS, 0, PEER_FOREVER, nullptr);
  run (100 * SIM_MS);
  use ();
}

TEST_F (CachingTest, AttemptsThatAreUsedUpEndTheWaitAndADialBeginsAnew)
{
  open_cache ("", "max-connect-attempts=2\n");
  peer_always (peer, PEER_REFUSES, 0, 0, "refused");
  SimDial &first = dial ("sim:a", 10 * SIM_S);

  run (SIM_S);
  EXPECT_NE (failure_of (first, CENOTE_ERROR_NOT_CONNECTED).find ("max-connect-attempts are used up"),
             std::string::npos);
  EXPECT_EQ (peer_n_dials (peer), 2u);
  SimDial &second = dial ("sim:a", 10 * SIM_S);

  run (SIM_S);
  EXPECT_NE (failure_of (second, CENOTE_ERROR_NOT_CONNECTED), "");
  EXPECT_EQ (peer_n_dials (peer), 4u);
}

TEST_F (CachingTest, ALostConnectionIsNeverHandedOutAndIsDialledWhenAskedFor)
{
  open_cache ();
  use ();
  run (2 * SIM_S); /* it has proved itself */
  peer_lose_all (peer, "gone");
  EXPECT_FALSE (is_cached ());
  run (10 * SIM_S);
  EXPECT_EQ (peer_n_dials (peer), 1u) << "nobody asked";
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  use ();
  EXPECT_EQ (peer_n_dials (peer), 2u);
  EXPECT_EQ (told, (Names{ "missed sim:a", "count 1", "count 0", "missed sim:a", "count 1" }));
}

TEST_F (CachingTest, ALossThatWasNotHealthyWaitsForTheBackoff)
{
  gint64 lost_us;

  open_cache ();
  use ();
  peer_lose_all (peer, "gone");
  lost_us = now ();
  settle ();
  dial ();
  run (SIM_S);
  ASSERT_EQ (peer_n_dials (peer), 2u);
  EXPECT_EQ (peer_dial_time (peer, 1), lost_us + 100 * SIM_MS);
}

/* ------------------------------------------------------------------ sweeps */

TEST_F (CachingTest, TwoSweepsWithoutUseCloseAConnection)
{
  open_cache ();
  use ("sim:a");
  use ("sim:b");
  EXPECT_EQ (expire (), Names ());
  EXPECT_TRUE (is_cached ("sim:b"));
  EXPECT_EQ (expire (), Names{ "sim:a" });
  EXPECT_FALSE (is_cached ("sim:a"));
  EXPECT_TRUE (is_cached ("sim:b"));
  EXPECT_EQ (expire (), Names ());
  EXPECT_EQ (expire (), Names{ "sim:b" });
  EXPECT_EQ (expire (), Names ());
  run (SIM_S);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  EXPECT_EQ (sim_peers (sim)->n_open, 0u);
}

TEST_F (CachingTest, ALeaseResetsTheSweepsAndSoDoesItsRelease)
{
  CenoteLease lease;

  open_cache ();
  use ();
  expire ();
  ASSERT_TRUE (cenote_pool_dial (pool, "sim:a", 0, &lease, nullptr));
  for (int i = 0; i < 5; i++)
    EXPECT_EQ (expire (), Names ());
  EXPECT_EQ (connection_of (lease.channel)->state, CONNECTION_UP);
  cenote_lease_release (&lease);
  EXPECT_EQ (expire (), Names ()) << "released since the last sweep";
  EXPECT_EQ (expire (), Names{ "sim:a" });
}

TEST_F (CachingTest, ATimerSweepsToo)
{
  open_cache ("expire-interval=1s");
  use ();
  run (900 * SIM_MS);
  EXPECT_TRUE (is_cached ());
  run (SIM_S);
  EXPECT_TRUE (is_cached ());
  run (2100 * SIM_MS);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
  EXPECT_EQ (expire (), Names{ "sim:a" });
}

/* ------------------------------------------------------- close on release */

TEST_F (CachingTest, CloseOnReleaseClosesWhatNobodyHas)
{
  open_cache ();
  EXPECT_FALSE (cenote_pool_close_on_release (pool, "sim:a"));
  use ();
  EXPECT_TRUE (cenote_pool_close_on_release (pool, "sim:a"));
  EXPECT_FALSE (cenote_pool_close_on_release (pool, "sim:a"));
  EXPECT_EQ (sim_peers (sim)->n_open, 0u);
  EXPECT_EQ (expire (), Names{ "sim:a" });
  run (SIM_S);
  EXPECT_EQ (told, (Names{ "missed sim:a", "count 1", "count 0" }));
}

TEST_F (CachingTest, CloseOnReleaseWaitsForTheLastLease)
{
  CenoteLease lease, other;

  open_cache ();
  use ();
  ASSERT_TRUE (cenote_pool_dial (pool, "sim:a", 0, &lease, nullptr));
  ASSERT_TRUE (cenote_pool_dial (pool, "sim:a", 0, &other, nullptr));
  EXPECT_TRUE (cenote_pool_close_on_release (pool, "sim:a"));
  EXPECT_FALSE (is_cached ());
  SimDial &made = dial ();

  run (SIM_S);
  ASSERT_TRUE (made.answered && made.error == nullptr);
  EXPECT_NE (made.lease.channel, lease.channel) << "the next dial makes a new connection";
  EXPECT_EQ (peer->n_up, 2u);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (peer->n_up, 2u);
  cenote_lease_release (&other);
  run (SIM_S);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (expire (), Names{ "sim:a" });
  EXPECT_TRUE (is_cached ());
}

/* ------------------------------------------------------------------- bound */

TEST_F (CachingTest, TheLongestUnusedMakesRoom)
{
  open_cache ("max-addresses=3");
  for (const char *address : { "sim:a", "sim:b", "sim:c" })
    use (address);
  EXPECT_TRUE (is_cached ("sim:a"));
  run (20 * SIM_MS);
  use ("sim:d");
  EXPECT_FALSE (is_cached ("sim:b"));
  EXPECT_TRUE (is_cached ("sim:a"));
  EXPECT_TRUE (is_cached ("sim:c"));
  EXPECT_TRUE (is_cached ("sim:d"));
  EXPECT_EQ (expire (), Names{ "sim:b" });
}

TEST_F (CachingTest, WhereAllAreInUseANewAddressIsRefused)
{
  open_cache ("max-addresses=2");
  dial ("sim:a");
  dial ("sim:b");
  run (50 * SIM_MS);
  SimDial &third = dial ("sim:c"), &other = dial ("sim:c");

  run (50 * SIM_MS);
  EXPECT_EQ (failure_of (third, CENOTE_ERROR_LIMIT),
             "Pool p has no room for sim:c: 2 addresses are in use already (max-addresses)");
  EXPECT_NE (failure_of (other, CENOTE_ERROR_LIMIT), "");
  EXPECT_EQ (peer_n_dials (at ("sim:c")), 0u);
  cenote_lease_release (&callers.front ().lease);
  use ("sim:c");
}

TEST_F (CachingTest, FailedAddressesAreBoundedToo)
{
  open_cache ("max-addresses=5");
  for (int i = 0; i < 50; i++) {
    std::string address = "sim:x" + std::to_string (i);

    peer_always (at (address.c_str ()), PEER_REFUSES, 0, 0, "refused");
    dial (address, SIM_MS);
    run (3 * SIM_MS);
  }
  EXPECT_LE (sim_count (sim, 0).addresses, 6u);
  use ();
  expire ();
  expire ();
  run (10 * SIM_MS);
  EXPECT_EQ (sim_count (sim, 0).addresses, 0u);
}

/* ------------------------------------------------------------- other verbs */

TEST_F (CachingTest, GetAndAcquireNameTheConnector)
{
  const char *expected = "Pool p has no channel for every caller: the addresses of its connector caching come from "
                         "cenote_pool_dial()";

  open_cache ();
  use ();
  EXPECT_EQ (get_error (CENOTE_ERROR_INVALID), expected);
  Acquire &made = acquire (100);

  run (SIM_S);
  EXPECT_EQ (made.code, CENOTE_ERROR_INVALID);
  EXPECT_EQ (made.message, expected);
  EXPECT_EQ (cenote_pool_resize (pool, 3, nullptr), -1);
}

TEST_F (CachingTest, ADialElsewhereNamesTheConnector)
{
  open ("size=1");
  EXPECT_EQ (dial_failure ("sim:a", 0, CENOTE_ERROR_INVALID),
             "Pool p has no dial: the addresses of its connector persistent come from the configuration "
             "(connector=caching)");
  EXPECT_EQ (expire (), Names ());
  EXPECT_FALSE (cenote_pool_close_on_release (pool, "sim:a"));
}

TEST_F (CachingTest, WrongArgumentsAreRefused)
{
  open_cache ();
  EXPECT_EQ (dial_failure ("", 0, CENOTE_ERROR_INVALID), "Pool p cannot dial: the address is empty (HOST:PORT)");
  EXPECT_EQ (dial_failure (std::string (1025, 'a').c_str (), 0, CENOTE_ERROR_INVALID),
             "Pool p cannot dial: an address has at most 1024 bytes");
  EXPECT_EQ (dial_failure ("\xff:1", 0, CENOTE_ERROR_INVALID), "Pool p cannot dial: an address is text in UTF-8");
  EXPECT_NE (dial_failure ("sim:a", -2, CENOTE_ERROR_INVALID), "");
  EXPECT_EQ (dial_failure ("sim:a", 0, CENOTE_ERROR_NOT_CONNECTED),
             "Pool p has no connection to sim:a, and the timeout is 0");
  run (SIM_S);
  EXPECT_EQ (peer_n_dials (peer), 0u);
}

TEST_F (CachingTest, DisconnectFailsWaitersAndConnectLetsThemDialAgain)
{
  open_cache ();
  peer_always (peer, PEER_HANGS, 0, 0, nullptr);
  use ("sim:b");
  SimDial &waiting = dial ();

  run (10 * SIM_MS);
  cenote_pool_disconnect (pool);
  EXPECT_NE (failure_of (waiting, CENOTE_ERROR_NOT_CONNECTED), "");
  EXPECT_FALSE (is_cached ("sim:b"));
  SimDial &refused = dial ("sim:b");

  settle ();
  EXPECT_NE (failure_of (refused, CENOTE_ERROR_NOT_CONNECTED).find ("call cenote_pool_connect()"), std::string::npos);
  EXPECT_TRUE (cenote_pool_connect (pool, 0, nullptr));
  use ("sim:b");
  EXPECT_EQ (expire (), Names ()) << "a disconnect closes, and not the cache";
}

TEST_F (CachingTest, AStopFailsWaiters)
{
  open_cache ();
  peer_always (peer, PEER_HANGS, 0, 0, nullptr);
  SimDial &waiting = dial ();

  run (10 * SIM_MS);
  cenote_pool_stop (pool);
  EXPECT_NE (failure_of (waiting, CENOTE_ERROR_STOPPED), "");
  dial_failure ("sim:a", 100, CENOTE_ERROR_STOPPED);
  EXPECT_EQ (expire (), Names ());
}

TEST_F (CachingTest, APausedPoolLetsDialsWait)
{
  open_cache ();
  use ();
  cenote_pool_pause (pool);
  SimDial &waiting = dial ();

  run (100 * SIM_MS);
  EXPECT_FALSE (waiting.answered);
  EXPECT_NE (dial_failure ("sim:a", 0, CENOTE_ERROR_NOT_CONNECTED), "");
  cenote_pool_resume (pool);
  run (10 * SIM_MS);
  EXPECT_TRUE (waiting.answered && waiting.error == nullptr);
}

TEST_F (CachingTest, AMockAnswersDials)
{
  static int channel;
  CenoteLease lease;

  open_cache ();
  cenote_pool_set_mock (
    pool,
    [] (CenotePool *, CenoteLease *out_lease, gpointer, GError **) -> gboolean {
      out_lease->channel = reinterpret_cast<grpc_channel *> (&channel);
      return TRUE;
    },
    nullptr, nullptr);
  ASSERT_TRUE (cenote_pool_dial (pool, "sim:a", 0, &lease, nullptr));
  EXPECT_EQ (static_cast<void *> (lease.channel), &channel);
  cenote_lease_release (&lease);
  cenote_pool_set_mock (pool, nullptr, nullptr, nullptr);
  EXPECT_FALSE (is_cached ());
}

TEST_F (CachingTest, AReconnectReplacesMakeBeforeBreak)
{
  open_cache ();
  use ();
  peer_always (peer, PEER_ACCEPTS, 100 * SIM_MS, PEER_FOREVER, nullptr);
  cenote_pool_reconnect (pool);
  for (int i = 0; i < 300; i++) {
    run (SIM_MS);
    ASSERT_TRUE (is_cached ()) << i;
  }
  EXPECT_EQ (peer_n_dials (peer), 2u);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (Status (pool)->n_channels, 1u);
}

/* --------------------------------------------------------------- observers */

/* Callbacks may dial, sweep and read again. */
TEST_F (CachingTest, CallbacksMayCallBack)
{
  static int n_calls;
  CenoteObserver observer = CENOTE_OBSERVER_INIT;

  n_calls = 0;
  open_cache ();
  observer.connection_count = [] (CenotePool *of_pool, guint, gpointer) {
    CenoteLease lease = CENOTE_LEASE_INIT;

    g_strfreev (cenote_pool_expire (of_pool));
    cenote_pool_dial (of_pool, "sim:a", 0, &lease, nullptr);
    cenote_lease_release (&lease);
    cenote_pool_close_on_release (of_pool, "sim:b");
    n_calls++;
  };
  observer.connect_requested = [] (CenotePool *, const char *address, gpointer data) {
    static_cast<Names *> (data)->push_back (std::string ("dial ") + address);
  };
  cenote_pool_add_observer (pool, &observer, &told, nullptr);
  use ("sim:b");
  run (SIM_S);
  EXPECT_EQ (n_calls, 2);
  EXPECT_EQ (std::count (told.begin (), told.end (), "dial sim:a"), 2);
  EXPECT_EQ (Status (pool)->n_channels, 0u);
}

TEST_F (CachingTest, DialsAreSampled)
{
  open_cache ("", "telemetry-sample-rate=4\n");
  use ();
  settle ();
  events.clear ();
  for (int i = 0; i < 100; i++)
    EXPECT_TRUE (is_cached ());
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_CONNECTOR_DIAL), 25u);
  EXPECT_EQ (last (CENOTE_EVENT_CONNECTOR_DIAL)->event.ok, 1);
  EXPECT_EQ (last (CENOTE_EVENT_CONNECTOR_DIAL)->address, "sim:a");
  events.clear ();
  EXPECT_FALSE (is_cached ("sim:b"));
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_CONNECTOR_DIAL), 1u) << "each that misses is told";
  EXPECT_EQ (last (CENOTE_EVENT_CONNECTOR_DIAL)->event.ok, 0);
}

/* --------------------------------------------------------------- at random */

class CachingWalk : public CachingTest, public testing::WithParamInterface<int>
{
protected:
  std::vector<CenoteLease> leases;
  gint64 longest_us = 500 * SIM_MS;

  guint
  pick (guint n)
  {
    return static_cast<guint> (sim_luck (sim) % n);
  }

  std::string
  any_address ()
  {
    return "sim:" + std::string (1, static_cast<char> ('a' + pick (6)));
  }

  void
  collect ()
  {
    for (SimDial &made : callers)
      if (made.lease.channel != nullptr) {
        leases.push_back (made.lease);
        made.lease = CENOTE_LEASE_INIT;
      }
  }

  void
  release_one ()
  {
    if (leases.empty ())
      return;
    std::swap (leases[pick (static_cast<guint> (leases.size ()))], leases.back ());
    cenote_lease_release_with_status (&leases.back (), static_cast<int> (pick (2)));
    leases.pop_back ();
  }

  void
  turn_peer ()
  {
    Peer *one = at (any_address ().c_str ());

    if (pick (3) == 0)
      peer_always (one, PEER_REFUSES, pick (20) * SIM_MS, 0, "refused");
    else
      peer_always (one, PEER_ACCEPTS, pick (50) * SIM_MS, PEER_FOREVER, nullptr);
  }

  void
  step ()
  {
    switch (pick (16)) {
    case 0:
      expire ();
      break;
    case 1:
      cenote_pool_close_on_release (pool, any_address ().c_str ());
      break;
    case 2:
      peer_lose_all (at (any_address ().c_str ()), "gone");
      break;
    case 3:
      turn_peer ();
      break;
    case 4:
      if (pick (10) == 0)
        cenote_pool_disconnect (pool);
      cenote_pool_connect (pool, 0, nullptr);
      break;
    case 5:
      if (pick (5) == 0)
        cenote_pool_reconnect (pool);
      break;
    case 6:
    case 7:
    case 8:
    case 9:
      release_one ();
      break;
    default:
      dial (any_address (), pick (static_cast<guint> (longest_us)));
    }
    run (pick (3) * pick (30) * SIM_MS);
    collect ();
  }

  std::string
  fault ()
  {
    for (const CenoteLease &lease : leases)
      if (connection_of (lease.channel)->state == CONNECTION_CLOSED)
        return "a channel was closed under its lease";
    if (sim_count (sim, 0).in_flight != static_cast<gint64> (leases.size ()))
      return "leases are miscounted";
    for (char name = 'a'; name < 'g'; name++)
      if (at (("sim:" + std::string (1, name)).c_str ())->most_dialing > 2)
        return "an address was dialled more than once at a time, and its replacement";
    return "";
  }
};

TEST_P (CachingWalk, KeepsItsPromises)
{
  std::string what;
  const unsigned n_steps = scaled_down (3000, 600);
  guint n_dials = 0;

  open_cache ("max-addresses=4\nexpire-interval=300ms");
  for (unsigned i = 0; i < n_steps && what.empty (); i++) {
    step ();
    what = fault ();
  }
  EXPECT_EQ (what, "");
  cenote_pool_connect (pool, 0, nullptr);
  run (longest_us + SIM_S);
  collect ();
  for (const SimDial &made : callers)
    ASSERT_TRUE (made.answered) << "a caller waits beyond its deadline";
  while (!leases.empty ())
    release_one ();
  for (char name = 'a'; name < 'g'; name++)
    n_dials += peer_n_dials (at (("sim:" + std::string (1, name)).c_str ()));
  run (10 * SIM_S);
  for (char name = 'a'; name < 'g'; name++)
    n_dials -= peer_n_dials (at (("sim:" + std::string (1, name)).c_str ()));
  EXPECT_EQ (n_dials, 0u) << "nobody asked";
  EXPECT_EQ (Status (pool)->n_channels, 0u) << "unused, and swept";
  EXPECT_EQ (sim_count (sim, 0).addresses, 0u);
  EXPECT_EQ (count (CENOTE_EVENT_PLUGIN_FAILED), 0u) << last (CENOTE_EVENT_PLUGIN_FAILED)->error;
}

INSTANTIATE_TEST_SUITE_P (Seeds, CachingWalk, testing::Range (1, 9));

/* ---------------------------------------------------------------- ejection */

/* An address has one connection: nobody is hidden, and another one takes over when it has answered. */
TEST_F (CachingTest, AConnectionWhoseCallsFailIsReplaced)
{
  open_cache ();
  for (int i = 0; i < 5; i++) {
    SimDial &made = dial ();

    run (20 * SIM_MS);
    ASSERT_TRUE (made.answered && made.error == nullptr);
    cenote_lease_release_with_status (&made.lease, 14);
  }
  EXPECT_TRUE (is_cached ());
  run (SIM_S);
  EXPECT_TRUE (is_cached ());
  EXPECT_EQ (peer->n_accepted, 2u);
  EXPECT_EQ (peer->n_up, 1u);
  EXPECT_EQ (peer->voice.n_primes, 1u);
  EXPECT_EQ (sim_counter (sim, COUNTER_EJECTIONS), 0u);
}

TEST_F (CachingTest, AConnectionThatHasReachedItsAgeIsReplaced)
{
  open_cache ("", "max-connection-age=10s\n");
  use ();
  run (12 * SIM_S);
  EXPECT_TRUE (is_cached ());
  EXPECT_EQ (peer->n_accepted, 2u);
  EXPECT_EQ (peer->n_up, 1u);
}

} // namespace
