// SPDX-License-Identifier: Apache-2.0
// plugin-test.h: its values are those that the core reads, its clock runs timers in their order, its host keeps what was said.
#include <cenote/plugin-test.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/option.h"

namespace {

CenotePlugin
plugin_of (const std::vector<CenoteOption> &rows)
{
  CenotePlugin plugin = {};

  plugin.name = "mine";
  plugin.options = rows.data ();
  plugin.n_options = (uint32_t) rows.size ();
  plugin.option_size = sizeof (CenoteOption);
  return plugin;
}

// TEXT for a row of TYPE, as the fake reads it and as the core does.
void
expect_as_core (CenoteOptionType type, const char *text, const char *choices = nullptr)
{
  uint32_t flags = type == CENOTE_OPTION_DURATION ? CENOTE_OPTION_MAY_BE_OFF : 0;
  std::vector<CenoteOption> rows = { { "value", type, flags, nullptr, nullptr, nullptr, choices, "What is read" } };
  CenotePlugin plugin = plugin_of (rows);
  CenoteTestValues values;
  CenoteValue known = {};
  char *problem = nullptr;

  cenote_test_values_init (&values, &plugin);
  EXPECT_FALSE (values.rows[0].is_set);
  cenote_test_values_set (&values, "value", text);
  ASSERT_TRUE (option_parse (&rows[0], text, &known, &problem)) << text << " " << problem;
  EXPECT_TRUE (values.rows[0].is_set) << text;
  EXPECT_EQ (values.rows[0].number, known.number) << text;
  EXPECT_DOUBLE_EQ (values.rows[0].real, known.real) << text;
  EXPECT_STREQ (values.rows[0].text, known.text) << text;
  option_value_clear (&known);
  cenote_test_values_clear (&values);
}

TEST (PluginTest, ValuesAreThoseOfTheCore)
{
  for (const char *text : { "0", "1us", "250ms", "1.5s", "2min", "24h", "off" })
    expect_as_core (CENOTE_OPTION_DURATION, text);
  for (const char *text : { "0", "512B", "64KiB", "1.5MiB", "2GiB" })
    expect_as_core (CENOTE_OPTION_SIZE, text);
  for (const char *text : { "0", "0.2", "20%", "1" })
    expect_as_core (CENOTE_OPTION_FRACTION, text);
  for (const char *text : { "0", "-3", "9223372036854775807" })
    expect_as_core (CENOTE_OPTION_INT, text);
  for (const char *text : { "true", "false", "yes", "no", "on", "off", "1", "0" })
    expect_as_core (CENOTE_OPTION_BOOL, text);
  for (const char *text : { "full", "none", "partly" })
    expect_as_core (CENOTE_OPTION_ENUM, text, "full|partly|none");
  expect_as_core (CENOTE_OPTION_DOUBLE, "1.6");
  expect_as_core (CENOTE_OPTION_STRING, "any text");
  expect_as_core (CENOTE_OPTION_PATH, "/a/file");
}

TEST (PluginTest, ListsAreSplit)
{
  std::vector<CenoteOption> rows = { { "events", CENOTE_OPTION_LIST, 0, "one;two", nullptr, nullptr, nullptr, "Some" } };
  CenotePlugin plugin = plugin_of (rows);
  CenoteTestValues values;

  cenote_test_values_init (&values, &plugin);
  ASSERT_EQ (values.rows[0].number, 2);
  EXPECT_STREQ (values.rows[0].list[0], "one");
  EXPECT_STREQ (values.rows[0].list[1], "two");
  EXPECT_EQ (values.rows[0].list[2], nullptr);
  cenote_test_values_set (&values, "events", "");
  EXPECT_EQ (values.rows[0].number, 0);
  EXPECT_EQ (values.rows[0].list[0], nullptr);
  cenote_test_values_clear (&values);
}

TEST (PluginTest, WhatIsNoValueEndsTheTest)
{
  std::vector<CenoteOption> rows = { { "delay", CENOTE_OPTION_DURATION, 0, "1s", nullptr, nullptr, nullptr, "How long" } };
  CenotePlugin plugin = plugin_of (rows);
  CenoteTestValues values;

  cenote_test_values_init (&values, &plugin);
  EXPECT_EXIT (cenote_test_values_set (&values, "delay", "soon"), testing::ExitedWithCode (1), "delay.*soon");
  EXPECT_EXIT (cenote_test_values_set (&values, "dely", "1s"), testing::ExitedWithCode (1), "no option.*dely");
  EXPECT_EXIT (CENOTE_TEST_CHECK (values.rows[0].number == 2), testing::ExitedWithCode (1), "does not hold");
  cenote_test_values_clear (&values);
}

void
note (void *data)
{
  static_cast<std::string *> (data)->push_back ('!');
}

TEST (PluginTest, TimersRunInTheirOrder)
{
  CenoteTestHost test;
  std::string first, second, stopped;
  CenoteTimer *timer;

  cenote_test_host_init (&test);
  test.host.timer_start (&test.host, 2000, note, &second);
  test.host.timer_start (&test.host, 1000, note, &first);
  timer = test.host.timer_start (&test.host, 1500, note, &stopped);
  EXPECT_EXIT (cenote_test_host_clear (&test), testing::ExitedWithCode (1), "runs");
  cenote_test_advance (&test, 1200);
  EXPECT_EQ (test.host.now_us (&test.host), 1001200);
  EXPECT_EQ (first, "!");
  EXPECT_EQ (second, "");
  test.host.timer_stop (&test.host, timer);
  cenote_test_advance (&test, 10000);
  EXPECT_EQ (second, "!");
  EXPECT_EQ (stopped, "");
  EXPECT_EQ (first, "!");
  cenote_test_host_clear (&test);
}

TEST (PluginTest, WhatWasSaidIsKept)
{
  CenoteTestHost test;
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_INIT);
  std::string endless (1000, 'x');

  cenote_test_host_init (&test);
  test.host.fail (&test.host, cenote_test_fault (&test), endless.c_str ());
  EXPECT_EQ (std::string (test.fault), endless.substr (0, CENOTE_TEST_TEXT_MAX - 1));
  (void) cenote_test_fault (&test);
  EXPECT_STREQ (test.fault, "");
  test.host.log (&test.host, CENOTE_LOG_WARNING, "odd");
  EXPECT_STREQ (test.logged, "odd");
  EXPECT_EQ (test.n_logged, 1u);
  test.host.emit (&test.host, &event);
  EXPECT_EQ (test.n_events_of[CENOTE_EVENT_POOL_INIT], 1u);
  EXPECT_FALSE (test.host.call_async (&test.host, "pool", "/a/b", nullptr, 0, 1, nullptr, nullptr));
}

TEST (PluginTest, LuckIsFixedOrRepeats)
{
  CenoteTestHost test;
  uint64_t first;

  cenote_test_host_init (&test);
  cenote_test_fix_luck (&test, 7);
  EXPECT_EQ (test.host.random (&test.host), 7u);
  EXPECT_EQ (test.host.random (&test.host), 7u);
  cenote_test_seed_luck (&test, 7);
  first = test.host.random (&test.host);
  EXPECT_NE (test.host.random (&test.host), first);
  cenote_test_seed_luck (&test, 7);
  EXPECT_EQ (test.host.random (&test.host), first);
}

// Every slot that the header has is there, so that a plugin that asks for one gets an answer.
TEST (PluginTest, TheHostIsWhole)
{
  CenoteTestHost test;
  const char *slots = reinterpret_cast<const char *> (&test.host) + offsetof (CenoteHost, log);

  cenote_test_host_init (&test);
  EXPECT_EQ (test.host.struct_size, sizeof (CenoteHost));
  for (size_t i = 0; i < (sizeof (CenoteHost) - offsetof (CenoteHost, log)) / sizeof (void *); i++) {
    void *slot;

    memcpy (&slot, slots + i * sizeof slot, sizeof slot);
    EXPECT_NE (slot, nullptr) << "slot " << i;
  }
}

} // namespace
