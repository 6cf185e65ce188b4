// SPDX-License-Identifier: Apache-2.0
// Plugins built with an older and with a newer header load and work.
#include "tools/conformance/conformance.h"
#include "tests/unit/log-capture.h"
#include "tests/unit/plugin-files.h"

namespace {

Plugin *
load (const char *name)
{
  const char *directory = g_getenv ("CENOTE_TEST_PLUGINS");
  g_autoptr (CenoteRegistry) registry = registry_of (directory ? directory : "");
  g_autoptr (GError) error = nullptr;
  Plugin *plugin = registry_get (registry, CENOTE_PLUGIN_BACKOFF, name, &error);

  EXPECT_NE (plugin, nullptr) << error->message;
  return plugin;
}

void
expect_kept (gpointer, const ConformanceCheck *check, ConformanceVerdict, const char *problem)
{
  EXPECT_STREQ (problem, nullptr) << check->name;
}

TEST (Elder, OfOneMinorBeforeLoadsAndWorks)
{
  g_autoptr (Plugin) plugin = load ("elder");
  g_autoptr (GError) error = nullptr;

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (plugin->abi_major, CENOTE_ABI_MAJOR);
  EXPECT_EQ (plugin->abi_minor, 0u);
  EXPECT_LT (plugin->abi_minor, CENOTE_ABI_MINOR);
  g_autoptr (Fixture) fixture = fixture_new (plugin, nullptr, nullptr);
  ASSERT_TRUE (fixture_create (fixture, &error)) << error->message;
  EXPECT_EQ (plugin->ops.backoff.next (fixture->state), 12345);
}

// reset it left empty, destroy it does not know of.
TEST (Elder, HasDefaultsForTheSlotsItLacks)
{
  g_autoptr (Plugin) plugin = load ("elder");

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (plugin->slots_filled, 3u);
  plugin->ops.backoff.reset (nullptr);
  plugin->ops.backoff.destroy (nullptr);
}

TEST (Elder, FindsItsHostsFunctionsWhereTheyWere)
{
  LogCapture log;
  g_autoptr (Plugin) plugin = load ("elder");

  ASSERT_NE (plugin, nullptr);
  g_autoptr (Fixture) fixture = fixture_new (plugin, nullptr, nullptr);
  ASSERT_TRUE (fixture_create (fixture, nullptr));
  EXPECT_EQ (log.count ("backoff/elder: the elder was created"), 1u);
}

TEST (Elder, KeepsThePromisesOfItsKind)
{
  g_autoptr (Plugin) plugin = load ("elder");

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (conformance_run (plugin, nullptr, expect_kept, nullptr), 0u);
}

TEST (Newer, OfALaterMinorLoadsAndWorks)
{
  g_autoptr (Plugin) plugin = load ("newer");
  g_autoptr (GError) error = nullptr;

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (plugin->abi_minor, 99u);
  EXPECT_EQ (plugin->ops.backoff.struct_size, sizeof (CenoteBackoffOps));
  EXPECT_EQ (plugin->options.n_rows, 2u);
  g_autoptr (Fixture) fixture = fixture_new (plugin, nullptr, nullptr);
  ASSERT_TRUE (fixture_create (fixture, &error)) << error->message;
  EXPECT_EQ (fixture->values[0].number, 7000);
  EXPECT_FALSE (fixture->values[1].is_set) << "a value of a type that is not known";
  EXPECT_EQ (plugin->ops.backoff.next (fixture->state), 7000);
}

TEST (Newer, KeepsThePromisesOfItsKind)
{
  g_autoptr (Plugin) plugin = load ("newer");

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (conformance_run (plugin, nullptr, expect_kept, nullptr), 0u);
}

} // namespace
