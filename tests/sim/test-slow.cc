// SPDX-License-Identifier: Apache-2.0
// A plugin that keeps the control thread: named, with the operation and its time, and counted.
// All by the simulation's clock.
#include <string.h>

#include "sim-test.h"
#include "spies.h"

namespace {

class SlowPlugins : public SimTest
{
protected:
  static inline Sim *running;
  static inline gint64 takes_us;
  static inline const char *slow;

  // OPERATION of a plugin: takes its time where it is the slow one.
  static void
  takes (const char *operation)
  {
    if (strcmp (operation, slow) == 0)
      sim_pass (running, takes_us);
  }

  static void *
  create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
  {
    takes ("create");
    return spies::create (host, options, fault);
  }

  static int64_t
  next (void *)
  {
    takes ("next");
    return 100 * SIM_MS;
  }

  static void destroy (void *) { takes ("destroy"); }

  static const CenoteTransportOps &
  peers ()
  {
    return *static_cast<const CenoteTransportOps *> (peers_plugin.ops);
  }

  static void
  watch (void *state, struct grpc_channel *channel, CenoteTransportNotify notify, void *data)
  {
    takes ("watch");
    peers ().watch (state, channel, notify, data);
  }

  static CenoteTransportOps
  watching_ops ()
  {
    CenoteTransportOps ops = peers ();

    ops.watch = watch;
    return ops;
  }

  static inline const CenoteBackoffOps ops = { sizeof (CenoteBackoffOps), 0, create, next, nullptr, destroy };
  static inline const CenotePlugin backoff = spies::describe (CENOTE_PLUGIN_BACKOFF, "spy", &ops);

  // A pool whose attempts all fail, and of whose plugins OPERATION takes US.
  void
  open_slow (const std::string &keys, const char *operation, gint64 us, const std::string &more = "")
  {
    static const CenoteTransportOps transport_ops = watching_ops ();
    static const CenotePlugin transport = spies::describe (CENOTE_PLUGIN_TRANSPORT, "spy", &transport_ops);

    running = sim = sim_new_empty (1);
    slow = operation;
    takes_us = us;
    sim_add_plugin (sim, &backoff);
    sim_add_plugin (sim, &spies::connector);
    sim_add_plugin (sim, &transport);
    before = sim_counter (sim, COUNTER_SLOW_PLUGINS);
    make (keys, more);
    peer_always (peer, PEER_REFUSES, 0, PEER_FOREVER, "no");
    sim_start (sim);
  }

  guint64 n_slow () const { return sim_counter (sim, COUNTER_SLOW_PLUGINS) - before; }

  void TearDown () override
  {
    spies::planner = nullptr;
    slow = "";
    SimTest::TearDown ();
  }

  guint64 before = 0;
  LogCapture log;
};

TEST_F (SlowPlugins, OneWithinItsBudgetIsNotTold)
{
  open_slow ("backoff=spy\nsize=1", "next", 100 * SIM_MS);
  run (10 * SIM_S);
  EXPECT_GT (peer_n_dials (peer), 10u);
  EXPECT_EQ (n_slow (), 0u);
  EXPECT_EQ (log.count (" took "), 0u);
}

TEST_F (SlowPlugins, ABackoffIsNamedOnceAMinuteAndCountedEachTime)
{
  open_slow ("backoff=spy\nsize=1", "next", 150 * SIM_MS);
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
  spies::planner = [] (const CenoteConnectorView *, CenotePlan *) { takes ("plan"); };
  open_slow ("connector=spy\nsize=1", "plan", 2 * SIM_S);
  run (SIM_S);
  EXPECT_EQ (log.count ("pool p: connector/spy: plan took 2000 ms"), 1u);
  EXPECT_GE (n_slow (), 1u);
}

TEST_F (SlowPlugins, SoIsATransportThatBeginsToWatch)
{
  open_slow ("size=1", "watch", 150 * SIM_MS, "[transport:peers]\nplugin=spy\n");
  run (SIM_S);
  EXPECT_EQ (log.count ("pool p: transport/spy: watch took 150 ms"), 1u);
  EXPECT_GE (n_slow (), 1u);
}

TEST_F (SlowPlugins, ToCreateAndToDestroyMayTakeASecond)
{
  for (const char *operation : { "create", "destroy" }) {
    open_slow ("backoff=spy\nsize=1", operation, SIM_S);
    EXPECT_TRUE (sim_end (sim, SIM_S));
    EXPECT_EQ (n_slow (), 0u) << operation;
    EXPECT_EQ (log.count (" took "), 0u) << operation;
    SimTest::TearDown ();
    sim = nullptr;
  }
}

TEST_F (SlowPlugins, AndNoMore)
{
  for (const char *operation : { "create", "destroy" }) {
    std::string told = std::string ("pool p: backoff/spy: ") + operation +
                       " took 1001 ms, and all pools waited for it (expected: at most 1000 ms";

    open_slow ("backoff=spy\nsize=1", operation, SIM_S + SIM_MS);
    EXPECT_TRUE (sim_end (sim, SIM_S));
    EXPECT_EQ (n_slow (), 1u) << operation;
    EXPECT_EQ (log.count (told), 1u) << operation;
    SimTest::TearDown ();
    sim = nullptr;
  }
}

} // namespace
