// SPDX-License-Identifier: Apache-2.0
// backoff/constant: the same delay each time, moved by its jitter.
#include "plugin-files.h"
#include "tools/conformance/fixture.h"

namespace {

Fixture *
use (const char *const *settings, guint64 luck)
{
  g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_BACKOFF, "constant");
  Fixture *fixture = fixture_new (plugin, settings, nullptr);

  EXPECT_TRUE (fixture_create (fixture, nullptr));
  fixture_fix_luck (fixture, luck);
  return fixture;
}

gint64
next (Fixture *fixture)
{
  return fixture->plugin->ops.backoff.next (fixture->state);
}

TEST (Constant, IsTheSameEachTime)
{
  g_autoptr (Fixture) fixture = use (nullptr, G_MAXUINT64);

  for (int i = 0; i < 1000; i++)
    ASSERT_EQ (next (fixture), 1000000);
  fixture->plugin->ops.backoff.reset (fixture->state);
  EXPECT_EQ (next (fixture), 1000000);
}

TEST (Constant, IsMovedByItsJitter)
{
  const char *const settings[] = { "delay=200ms", "jitter=50%", nullptr };
  g_autoptr (Fixture) least = use (settings, 0);
  g_autoptr (Fixture) most = use (settings, G_MAXUINT64);

  EXPECT_EQ (next (least), 100000);
  EXPECT_EQ (next (most), 300000);
}

} // namespace
