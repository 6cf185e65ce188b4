/* SPDX-License-Identifier: Apache-2.0 */
/* counts: a runtime's counters are read from where they are kept; tests/sim/test-counts.cc makes a pool's count. */
#include "core/runtime/counts.h"

#include <cenote/pool.h>
#include <gtest/gtest.h>

#include "log-capture.h"
#include "test-bus.h"

namespace {

TEST (Counts, SlowCallsAreThoseOfTheBusAndTheCallbacks)
{
  LogCapture log;
  TestClock clock;
  RecordingSink sink;
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  CountSources sources = { none, bus_new (8, TestClock::now, TestClock::wall, &clock), callbacks_new () };
  const CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_INIT);

  sink.hook = [&] (const CenoteEvent *) { clock.now_us += BUS_CALL_BUDGET_US + 1; };
  sink.add_to (sources.bus, "slow");
  for (int i = 0; i < 3; i++)
    bus_emit (sources.bus, &event);
  bus_dispatch (sources.bus);
  callbacks_set_limits (sources.callbacks, -1, G_USEC_PER_SEC);
  for (int i = 0; i < 2; i++)
    callbacks_post (sources.callbacks, "slow", nullptr, nullptr, nullptr);
  callbacks_dispatch (sources.callbacks);
  EXPECT_EQ (counts_read (&sources, COUNTER_SLOW_SINK_CALLS), 3u);
  EXPECT_EQ (counts_read (&sources, COUNTER_SLOW_CALLBACKS), 2u);
  EXPECT_EQ (counts_read (&sources, COUNTER_TELEMETRY_DROPPED), 0u);
  EXPECT_EQ (counts_read (&sources, COUNTER_GETS), 0u) << "there is no pool";
  bus_free (sources.bus);
  callbacks_free (sources.callbacks);
}

/* Over all its pools, and after its stop too. */
TEST (Counts, ARuntimeReadsItsOwn)
{
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (
    "[cenote]\ntelemetry=\n[pool:a]\ntransport=mock\ntarget=mock:a\ninitialization=manual\n"
    "[pool:b]\ntransport=mock\ntarget=mock:b\ninitialization=manual\nsize=2\n",
    -1, &error);
  g_autoptr (CenoteRuntime) runtime = cenote_runtime_new (config, &error);

  ASSERT_NE (runtime, nullptr) << error->message;
  for (const char *name : { "a", "b" }) {
    g_autoptr (CenotePool) pool = cenote_runtime_get_pool (runtime, name, nullptr);
    CenoteLease lease;

    EXPECT_FALSE (cenote_pool_get_channel (pool, &lease, nullptr));
    ASSERT_TRUE (cenote_pool_connect (pool, 60000, &error)) << error->message;
    ASSERT_TRUE (cenote_pool_get_channel (pool, &lease, &error)) << error->message;
    cenote_lease_release (&lease);
  }
  cenote_runtime_stop (runtime);
  EXPECT_EQ (runtime_count (runtime, COUNTER_GETS), 4u);
  EXPECT_EQ (runtime_count (runtime, COUNTER_GETS_REFUSED), 2u);
  EXPECT_GE (runtime_count (runtime, COUNTER_CONNECTION_ATTEMPTS_SUCCEEDED), 2u);
  EXPECT_EQ (runtime_count (runtime, COUNTER_SLOW_CALLBACKS), 0u);
}

} // namespace
