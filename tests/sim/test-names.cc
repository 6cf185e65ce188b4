/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-names: a pool follows what its names stand for: nothing that works is lost,
 * and what is new is used without waiting for a disconnect.
 */
#include "sim-test.h"

namespace {

class NamesTest : public SimTest
{
protected:
  Names *names = nullptr;
  LogCapture log;

  void
  make_names (const std::string &keys)
  {
    make ("target=dns:///users:443\n" + keys);
    names = sim_names (sim);
    listen ();
  }

  void
  set (const char *addresses)
  {
    names_set (names, "users", addresses);
  }
};

/* ----------------------------------------------------------------- the start */

TEST_F (NamesTest, ChannelsGoToAllAddressesOfAName)
{
  make_names ("size=4");
  set ("10.0.0.1 2001:db8::1");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.1:443", 2 }, { "ipv6:[2001:db8::1]:443", 2 } }));
  EXPECT_EQ (names_n_asked (names, "users"), 1u);
}

TEST_F (NamesTest, AnAddressThatIsNamedTwiceIsOne)
{
  make_names ("size=2");
  set ("10.0.0.1 10.0.0.1");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (sim_count (sim, 0).addresses, 1u);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.1:443", 2 } }));
}

TEST_F (NamesTest, UnknownNamesAreAskedForAtTheBackoffsTimes)
{
  make_names ("size=2");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (names_n_asked (names, "users"), 10u) << "a millisecond for the answer, 100 for the backoff";
  EXPECT_EQ (current (), 0);
  EXPECT_NE (get_error (CENOTE_ERROR_NOT_CONNECTED).find ("users cannot be resolved"), std::string::npos);
  EXPECT_EQ (log.count ("users cannot be resolved"), 1u) << "told once";
  set ("10.0.0.1");
  run (200 * SIM_MS);
  EXPECT_EQ (current (), 2);
}

TEST_F (NamesTest, WhoWaitsIsServedWhenTheNameIsKnown)
{
  make_names ("size=1");
  sim_start (sim);
  run (50 * SIM_MS);
  Acquire &waiting = acquire ();
  run (50 * SIM_MS);
  EXPECT_FALSE (waiting.answered);
  set ("10.0.0.1");
  run (SIM_S);
  EXPECT_TRUE (waiting.got ());
}

TEST_F (NamesTest, NumbersAndThisMachineAreNoNames)
{
  make ("targets=dns:///10.0.0.9:1;dns:///[2001:db8::9]:1;dns:///localhost:1;dns:///a.localhost:1;sim:users\nsize=5");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (current (), 5);
  for (const char *name : { "10.0.0.9", "2001:db8::9", "localhost", "a.localhost", "users" })
    EXPECT_EQ (names_n_asked (sim_names (sim), name), 0u) << name;
}

TEST_F (NamesTest, OffLeavesNamesToTheTransport)
{
  make ("target=dns:///users:443\ndns-refresh=off\nsize=1");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "dns:///users:443", 1 } }));
  EXPECT_EQ (names_n_asked (sim_names (sim), "users"), 0u);
}

/* ----------------------------------------------------------------- following */

TEST_F (NamesTest, ANewAddressIsUsedWithoutADisconnect)
{
  make_names ("size=4\ndns-refresh=10s");
  set ("10.0.0.1");
  sim_start (sim);
  run (SIM_S);
  set ("10.0.0.1 10.0.0.2");
  EXPECT_EQ (least_ready (12 * SIM_S), 4);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.1:443", 2 }, { "ipv4:10.0.0.2:443", 2 } }));
  EXPECT_EQ (names_n_asked (names, "users"), 2u);
}

TEST_F (NamesTest, AVanishedAddressIsDrainedMakeBeforeBreak)
{
  make_names ("size=4\ndns-refresh=10s");
  set ("10.0.0.1 10.0.0.2");
  sim_start (sim);
  run (SIM_S);
  CenoteLease held = get ();
  set ("10.0.0.2");
  EXPECT_EQ (least_ready (10 * SIM_S), 4);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.2:443", 4 } }));
  cenote_lease_release (&held);
  run (SIM_S);
  EXPECT_EQ (at ("ipv4:10.0.0.1:443")->n_up, 0u);
  EXPECT_EQ (sim_count (sim, 0).addresses, 1u) << "and forgotten";
}

TEST_F (NamesTest, AllAddressesChangeAtOnce)
{
  make_names ("size=3\ndns-refresh=10s");
  set ("10.0.0.1 10.0.0.2");
  sim_start (sim);
  run (SIM_S);
  set ("10.0.0.3");
  EXPECT_EQ (least_ready (10 * SIM_S), 3);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.3:443", 3 } }));
}

TEST_F (NamesTest, AVanishedAddressThatComesBackIsTheSameOne)
{
  make_names ("size=2\ndns-refresh=10s");
  set ("10.0.0.1 10.0.0.2");
  at ("ipv4:10.0.0.1:443");
  sim_start (sim);
  run (SIM_S);
  peer_always (at ("ipv4:10.0.0.2:443"), PEER_HANGS, 0, 0, nullptr);
  CenoteLease first = get (), second = get ();
  set ("10.0.0.2");
  run (10 * SIM_S);
  set ("10.0.0.1 10.0.0.2");
  run (10 * SIM_S);
  EXPECT_EQ (sim_count (sim, 0).addresses, 2u);
  cenote_lease_release (&first);
  cenote_lease_release (&second);
  EXPECT_TRUE (can_get ());
}

TEST_F (NamesTest, NoAnswerKeepsWhatWorks)
{
  make_names ("size=2\ndns-refresh=10s");
  set ("10.0.0.1");
  sim_start (sim);
  run (SIM_S);
  set (nullptr);
  EXPECT_EQ (least_ready (60 * SIM_S), 2);
  EXPECT_EQ (log.count ("users cannot be resolved"), 1u);
  peer_lose_all (at ("ipv4:10.0.0.1:443"), "gone");
  run (SIM_S);
  EXPECT_EQ (current (), 2) << "it reconnects to what it knows";
  set ("10.0.0.2");
  run (10 * SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.2:443", 2 } }));
}

TEST_F (NamesTest, AnAddressThatGoesDownIsAReasonToAskAtOnce)
{
  make_names ("size=2\ndns-refresh=1h");
  set ("10.0.0.1");
  sim_start (sim);
  run (10 * SIM_S);
  set ("10.0.0.2");
  peer_always (at ("ipv4:10.0.0.1:443"), PEER_REFUSES, SIM_MS, 0, "refused");
  peer_lose_all (at ("ipv4:10.0.0.1:443"), "gone");
  run (SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.2:443", 2 } }));
  EXPECT_EQ (names_n_asked (names, "users"), 2u);
}

TEST_F (NamesTest, AnOutageDoesNotAskAllTheTime)
{
  make_names ("size=2\ndns-refresh=1h");
  set ("10.0.0.1");
  peer_always (at ("ipv4:10.0.0.1:443"), PEER_REFUSES, SIM_MS, 0, "refused");
  sim_start (sim);
  run (60 * SIM_S);
  EXPECT_EQ (names_n_asked (names, "users"), 2u) << "at the start, and when it went down";
}

TEST_F (NamesTest, TwoNamesAreFollowedEachByItself)
{
  make ("targets=dns:///users:443;dns:///others:80\nsize=2\ndns-refresh=10s");
  names = sim_names (sim);
  set ("10.0.0.1");
  names_set (names, "others", "10.0.0.1");
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.1:443", 1 }, { "ipv4:10.0.0.1:80", 1 } }));
  names_set (names, "others", "10.0.0.2");
  EXPECT_EQ (least_ready (10 * SIM_S), 2);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.1:443", 1 }, { "ipv4:10.0.0.2:80", 1 } }));
}

/* ------------------------------------------------------------------ its life */

TEST_F (NamesTest, NobodyAsksForAPoolThatRests)
{
  make_names ("size=1\ninitialization=manual");
  set ("10.0.0.1");
  sim_start (sim);
  run (60 * SIM_S);
  EXPECT_EQ (names_n_asked (names, "users"), 0u);
  cenote_pool_connect (pool, 0, nullptr); /* begins, and does not wait */
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  cenote_pool_disconnect (pool);
  run (120 * SIM_S);
  EXPECT_EQ (names_n_asked (names, "users"), 1u);
}

TEST_F (NamesTest, AStopWhileItAsks)
{
  make_names ("size=1");
  sim_start (sim);
  EXPECT_EQ (names_n_under_way (names), 1u);
  EXPECT_TRUE (sim_end (sim, SIM_S));
  EXPECT_EQ (names_n_under_way (names), 0u);
}

TEST_F (NamesTest, ReconnectAsksAnew)
{
  make_names ("size=1\ndns-refresh=1h");
  set ("10.0.0.1");
  sim_start (sim);
  run (SIM_S);
  set ("10.0.0.2");
  cenote_pool_reconnect (pool);
  run (SIM_S);
  EXPECT_EQ (spread (), (Spread{ { "ipv4:10.0.0.2:443", 1 } }));
}

} // namespace
