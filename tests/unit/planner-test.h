// SPDX-License-Identifier: Apache-2.0
// A connector plugin as it was built, before a pool that the test sets.
#ifndef CENOTE_TESTS_PLANNER_TEST_H
#define CENOTE_TESTS_PLANNER_TEST_H

#include <string>
#include <vector>

#include "plugin-files.h"
#include "tools/conformance/fake-pool.h"
#include "tools/conformance/fixture.h"

constexpr int64_t ms = 1000;
constexpr int64_t s = 1000 * ms;

class Planner
{
public:
  Planner (const char *name, std::vector<const char *> settings = {}) : pool (fake_pool_new (0))
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_CONNECTOR, name);
    g_autoptr (GError) error = nullptr;

    settings.push_back (nullptr);
    fixture = fixture_new (plugin, settings.data (), &error);
    EXPECT_TRUE (fixture != nullptr && fixture_create (fixture, &error)) << error->message;
  }

  ~Planner ()
  {
    EXPECT_STREQ (pool->faults->str, "");
    fake_pool_free (pool);
    fixture_free (fixture);
  }

  Planner (const Planner &) = delete;
  Planner &operator= (const Planner &) = delete;

  // A plan in words.
  std::string plan ()
  {
    g_autofree char *text = fake_pool_plan (pool, &fixture->plugin->ops.connector, fixture->state);

    pool->now_us++;
    return text;
  }

  // The same, carried out; what connects has connected then.
  std::string go ()
  {
    std::string text = plan ();

    fake_pool_apply (pool);
    fake_pool_settle (pool);
    return text;
  }

  void wait (int64_t span_us) { pool->now_us += span_us; }

  CenoteAddressView *add_address () { return fake_pool_add_address (pool, "dns:///somewhere:1"); }
  CenoteChannelView *channel (guint64 id) { return fake_pool_find_channel (pool, id); }
  guint ready () { return fake_pool_count (pool, CENOTE_CHANNEL_READY); }
  guint draining () { return fake_pool_count (pool, CENOTE_CHANNEL_DRAINING); }
  std::string why () { return pool->expected_why ? pool->expected_why : ""; }

  static bool lives (const CenoteChannelView *channel)
  {
    return channel->state != CENOTE_CHANNEL_DRAINING && channel->state != CENOTE_CHANNEL_SHUTDOWN;
  }

  FakePool *pool;
  Fixture *fixture = nullptr;
};

#endif
