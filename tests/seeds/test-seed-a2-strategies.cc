/* SPDX-License-Identifier: Apache-2.0 */
/* GrpcConnectionPool 0.3: its strategies, which are our pickers, and one of a user's own. */
#include <gtest/gtest.h>

#include "a2.h"

namespace {

/* A pool of real channels whose picker is NAME. */
class Strategy {
public:
  explicit Strategy (const std::string &name, int size = 5, const std::string &more = "")
  {
    EXPECT_TRUE (server_.start ());
    client_ =
      std::make_unique<Client> (server_.port (), "size=" + std::to_string (size) + "\npicker=" + name + "\n" + more);
    EXPECT_TRUE (connect_all (client_.get (), size));
  }

  /* The channels of N gets, each released before the next. */
  std::vector<grpc_channel *>
  pick (size_t n)
  {
    std::vector<grpc_channel *> picks;

    while (picks.size () < n) {
      g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

      EXPECT_TRUE (client_->get (&lease));
      picks.push_back (lease.channel);
    }
    return picks;
  }

  Client *
  client ()
  {
    return client_.get ();
  }

private:
  EchoServer server_;
  std::unique_ptr<Client> client_;
};

std::set<grpc_channel *>
distinct (const std::vector<grpc_channel *> &picks)
{
  return std::set<grpc_channel *> (picks.begin (), picks.end ());
}

#define NEEDS_PICKER(name)                                                                                             \
  if (!has_plugin (CENOTE_PLUGIN_PICKER, name))                                                                        \
  GTEST_SKIP () << "built without picker " << name

TEST (SeedA2, C2_Strategy_RoundRobinGoesOverAllInTurn)
{
  Strategy strategy ("round-robin");
  std::vector<grpc_channel *> picks = strategy.pick (20);

  EXPECT_EQ (distinct ({ picks.begin (), picks.begin () + 5 }).size (), 5u);
  for (size_t i = 5; i < picks.size (); i++)
    EXPECT_EQ (picks[i], picks[i - 5]) << "pick " << i;
}

TEST (SeedA2, C2_Strategy_RandomReachesAllAndMissesNone)
{
  NEEDS_PICKER ("random");
  Strategy strategy ("random");
  std::map<grpc_channel *, int> times;

  for (grpc_channel *channel : strategy.pick (5000))
    times[channel]++;
  ASSERT_EQ (times.size (), 5u);
  for (const auto &[channel, n] : times) {
    EXPECT_GT (n, 800) << "1000 are its share, and 28 the deviation";
    EXPECT_LT (n, 1200);
  }
}

TEST (SeedA2, C2_Strategy_PowerOfTwoReachesAllWhereLoadsAreEqual)
{
  NEEDS_PICKER ("p2c");
  Strategy strategy ("p2c");

  EXPECT_EQ (distinct (strategy.pick (1000)).size (), 5u);
}

/* There the one used longest ago won; here the one with the fewest leases does. */
TEST (SeedA2, C2_Strategy_PowerOfTwoTakesTheLessLoaded)
{
  NEEDS_PICKER ("p2c");
  Strategy strategy ("p2c");
  std::vector<CenoteLease> held;
  grpc_channel *loaded = nullptr;

  while (held.size () < 20) {
    CenoteLease lease;

    ASSERT_TRUE (strategy.client ()->get (&lease));
    held.push_back (lease);
  }
  std::map<grpc_channel *, int> loads;
  for (const CenoteLease &lease : held)
    loads[lease.channel]++;
  for (const auto &[channel, n] : loads)
    EXPECT_LE (n, 8) << "4 are its share";
  /* All on one: then whichever other channel stands beside it is taken. */
  loaded = held[0].channel;
  for (CenoteLease &lease : held)
    if (lease.channel != loaded)
      cenote_lease_release (&lease);
  EXPECT_EQ (distinct (strategy.pick (500)).count (loaded), 0u);
  release_all (&held);
}

TEST (SeedA2, C2_Strategy_OneChannelIsTheChoiceOfEach)
{
  for (const char *name : { "round-robin", "random", "p2c" }) {
    if (!has_plugin (CENOTE_PLUGIN_PICKER, name))
      continue;
    Strategy strategy (name, 1);
    EXPECT_EQ (distinct (strategy.pick (50)).size (), 1u) << name;
  }
}

/* strategy: module. */
TEST (SeedA2, C2_Strategy_OneOfAUsersOwn)
{
  NEEDS_PICKER ("favourite");
  Strategy strategy ("mine", 5, "[picker:mine]\nplugin=favourite\nplace=3\n");

  EXPECT_EQ (distinct (strategy.pick (100)).size (), 1u);
}

TEST (SeedA2, C2_Strategy_AnUnknownOneIsAnError)
{
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config =
    cenote_config_new_from_data ("[pool:test]\nprofile=local\npicker=least-of-all\n", -1, &error);

  ASSERT_NE (config, nullptr);
  EXPECT_EQ (cenote_runtime_new (config, &error), nullptr);
  ASSERT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND)) << error->message;
  EXPECT_NE (strstr (error->message, "[pool:test] picker: "), nullptr) << error->message;
  EXPECT_NE (strstr (error->message, "least-of-all"), nullptr) << error->message;
}

} // namespace
