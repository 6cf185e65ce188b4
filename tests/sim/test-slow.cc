// SPDX-License-Identifier: Apache-2.0
// A plugin that keeps the control thread: named, with the operation and its time, and counted.
#include "sim-test.h"
#include "spies.h"

namespace {

class SlowPlugins : public SimTest
{
protected:
  static inline Sim *running;
  static inline gint64 takes_us;

  static int64_t
  next (void *)
  {
    sim_pass (running, takes_us);
    return 100 * SIM_MS;
  }

  static inline const CenoteBackoffOps ops = { sizeof (CenoteBackoffOps), 0, spies::create, next, nullptr, nullptr };
  static inline const CenotePlugin backoff = spies::describe (CENOTE_PLUGIN_BACKOFF, "spy", &ops);

  // A pool whose attempts all fail, and whose plugins take so long.
  void
  open_slow (const std::string &keys, gint64 us)
  {
    running = sim = sim_new_empty (1);
    takes_us = us;
    sim_add_plugin (sim, &backoff);
    sim_add_plugin (sim, &spies::connector);
    make (keys);
    before = sim_counter (sim, COUNTER_SLOW_PLUGINS);
    peer_always (peer, PEER_REFUSES, 0, PEER_FOREVER, "no");
    sim_start (sim);
  }

  guint64 n_slow () const { return sim_counter (sim, COUNTER_SLOW_PLUGINS) - before; }

  void TearDown () override
  {
    spies::planner = nullptr;
    SimTest::TearDown ();
  }

  guint64 before = 0;
  LogCapture log;
};

TEST_F (SlowPlugins, OneWithinItsBudgetIsNotTold)
{
  open_slow ("backoff=spy\nsize=1", 100 * SIM_MS);
  run (10 * SIM_S);
  EXPECT_GT (peer_n_dials (peer), 10u);
  EXPECT_EQ (n_slow (), 0u);
  EXPECT_EQ (log.count (" took "), 0u);
}

TEST_F (SlowPlugins, ABackoffIsNamedOnceAMinuteAndCountedEachTime)
{
  open_slow ("backoff=spy\nsize=1", 150 * SIM_MS);
  run (30 * SIM_S);
  EXPECT_EQ (log.count ("pool p: backoff/spy: next took 150 ms, and all pools waited for it (expected: at most 100 ms"),
             1u);
  EXPECT_EQ (n_slow (), peer_n_dials (peer));
  EXPECT_GT (n_slow (), 10u);
  run (60 * SIM_S);
  EXPECT_EQ (log.count ("backoff/spy: next took "), 2u);
}

TEST_F (SlowPlugins, SoIsAConnector)
{
  spies::planner = [] (const CenoteConnectorView *, CenotePlan *) { sim_pass (running, 2 * SIM_S); };
  open_slow ("connector=spy\nsize=1", 0);
  run (SIM_S);
  EXPECT_EQ (log.count ("pool p: connector/spy: plan took 2000 ms"), 1u);
  EXPECT_GE (n_slow (), 1u);
}

} // namespace
