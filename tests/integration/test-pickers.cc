// SPDX-License-Identifier: Apache-2.0
// Pickers in pools that a program opens from a keyfile, over the mock transport.
#include <cenote/cenote.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

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

// However many threads they come from: on 8 idle channels, 400 leases held at once.
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

} // namespace
