// SPDX-License-Identifier: Apache-2.0
// backoff/exponential: gRPC's arithmetic, with luck in the test's hand.
#include <cmath>
#include <vector>

#include "plugin-files.h"
#include "tools/conformance/fixture.h"

namespace {

// Luck that moves a delay by nothing, by all of its jitter down, and (nearly) up.
const guint64 no_luck = G_GUINT64_CONSTANT (1) << 63;
const guint64 least_luck = 0;
const guint64 most_luck = G_MAXUINT64;

class Exponential : public ::testing::Test
{
protected:
  ~Exponential () override { fixture_free (fixture); }

  void use (std::vector<const char *> settings, guint64 luck = no_luck)
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_BACKOFF, "exponential");
    g_autoptr (GError) error = nullptr;

    settings.push_back (nullptr);
    fixture_free (fixture);
    fixture = fixture_new (plugin, settings.data (), &error);
    ASSERT_NE (fixture, nullptr) << error->message;
    ASSERT_TRUE (fixture_create (fixture, &error)) << error->message;
    fixture_fix_luck (fixture, luck);
  }

  gint64 next () { return fixture->plugin->ops.backoff.next (fixture->state); }
  void reset () { fixture->plugin->ops.backoff.reset (fixture->state); }

  Fixture *fixture = nullptr;
};

TEST_F (Exponential, GrowsFromInitialToMax)
{
  const gint64 expected[] = { 100000,  160000,  256000,  409600,  655360,   1048576,
                              1677722, 2684355, 4294967, 6871948, 10000000, 10000000 };

  use ({});
  for (gint64 delay : expected)
    EXPECT_EQ (next (), delay);
}

TEST_F (Exponential, HasGrpcsOwnFigures)
{
  use ({ "initial=1s", "max=120s" });
  for (double base = 1e6; base < 120e6; base *= 1.6)
    EXPECT_EQ (next (), std::llround (base));
  EXPECT_EQ (next (), 120000000);
}

// Chronicle's formula: min (1 s * 2^attempt, 10 s), however long it fails.
TEST_F (Exponential, SeedA4_HasChroniclesFigures)
{
  use ({ "initial=1s", "multiplier=2", "jitter=0", "max=10s" });
  fixture_seed_luck (fixture, 1);
  for (gint64 delay : { 1000000, 2000000, 4000000, 8000000 })
    EXPECT_EQ (next (), delay);
  for (int i = 4; i < 10000; i++)
    ASSERT_EQ (next (), 10000000) << "attempt " << i;
  reset ();
  EXPECT_EQ (next (), 1000000);
}

TEST_F (Exponential, BeginsAnewAfterReset)
{
  use ({});
  for (int i = 0; i < 5; i++)
    next ();
  reset ();
  EXPECT_EQ (next (), 100000);
  EXPECT_EQ (next (), 160000);
}

TEST_F (Exponential, MovesEachDelayByAtMostItsJitter)
{
  use ({}, least_luck);
  EXPECT_EQ (next (), 80000);
  EXPECT_EQ (next (), 128000);
  use ({}, most_luck);
  EXPECT_EQ (next (), 120000);
  EXPECT_EQ (next (), 192000);
  use ({ "jitter=0" }, most_luck);
  EXPECT_EQ (next (), 100000);
  use ({ "jitter=100%", "multiplier=1" }, least_luck);
  EXPECT_EQ (next (), 0);
}

TEST_F (Exponential, SpreadsItsDelaysEvenly)
{
  unsigned tenths[10] = {};

  use ({ "multiplier=1" });
  fixture_seed_luck (fixture, 1);
  for (int i = 0; i < 100000; i++) {
    gint64 delay = next ();

    ASSERT_GE (delay, 80000);
    ASSERT_LE (delay, 120000);
    tenths[MIN ((delay - 80000) / 4000, 9)]++;
  }
  for (unsigned n : tenths)
    EXPECT_NEAR (n, 10000, 500);
}

TEST_F (Exponential, StaysInRangeHoweverItIsSet)
{
  const std::vector<std::vector<const char *>> extremes = {
    { "initial=24h", "max=24h", "multiplier=100", "jitter=1" },
    { "initial=1ms", "max=24h", "multiplier=100", "jitter=1" },
    { "initial=1ms", "max=1ms", "multiplier=1", "jitter=0" },
    { "initial=1ms", "max=24h", "multiplier=1", "jitter=1" },
  };

  for (const auto &settings : extremes) {
    for (guint64 luck : { least_luck, most_luck }) {
      use (settings, luck);
      for (int i = 0; i < 100000; i++) {
        gint64 delay = next ();

        ASSERT_GE (delay, 0);
        ASSERT_LE (delay, 2 * G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC);
      }
    }
  }
}

TEST_F (Exponential, RefusesInitialAboveMax)
{
  g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_BACKOFF, "exponential");
  const char *settings[] = { "initial=20s", nullptr };
  GError *error = nullptr;

  fixture = fixture_new (plugin, settings, nullptr);
  EXPECT_REFUSED (fixture_create (fixture, &error), error, CENOTE_ERROR_PLUGIN, "backoff/exponential: create: ",
                  "initial is above max");
}

} // namespace
