// SPDX-License-Identifier: Apache-2.0
// A backoff plugin as it was built, with luck in the test's hand.
#ifndef CENOTE_TESTS_BACKOFF_TEST_H
#define CENOTE_TESTS_BACKOFF_TEST_H

#include <algorithm>
#include <vector>

#include "plugin-files.h"
#include "tools/conformance/fixture.h"

class BackoffTest : public ::testing::Test
{
protected:
  ~BackoffTest () override { fixture_free (fixture); }

  // A new state of backoff/NAME; its luck is the sequence of seed 1.
  void use (const char *name, std::vector<const char *> settings)
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_BACKOFF, name);
    g_autoptr (GError) error = nullptr;

    settings.push_back (nullptr);
    fixture_free (fixture);
    fixture = fixture_new (plugin, settings.data (), &error);
    ASSERT_NE (fixture, nullptr) << error->message;
    ASSERT_TRUE (fixture_create (fixture, &error)) << error->message;
    fixture_seed_luck (fixture, 1);
  }

  void use_with (guint64 luck, const char *name, std::vector<const char *> settings)
  {
    use (name, settings);
    fixture_fix_luck (fixture, luck);
  }

  void expect_refused (const char *name, std::vector<const char *> settings, const char *why)
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_BACKOFF, name);
    GError *error = nullptr;

    settings.push_back (nullptr);
    fixture_free (fixture);
    fixture = fixture_new (plugin, settings.data (), nullptr);
    ASSERT_NE (fixture, nullptr);
    EXPECT_REFUSED (fixture_create (fixture, &error), error, CENOTE_ERROR_PLUGIN,
                    std::string ("backoff/") + name + ": create: ", why);
  }

  gint64 next () { return fixture->plugin->ops.backoff.next (fixture->state); }
  void reset () { fixture->plugin->ops.backoff.reset (fixture->state); }

  std::vector<gint64> draw (int n)
  {
    std::vector<gint64> delays;

    for (int i = 0; i < n; i++)
      delays.push_back (next ());
    return delays;
  }

  // The K-th delay after a reset, N times.
  std::vector<gint64> draw_nth (int k, int n)
  {
    std::vector<gint64> delays;

    for (int i = 0; i < n; i++) {
      reset ();
      delays.push_back (draw (k).back ());
    }
    return delays;
  }

  static double mean (const std::vector<gint64> &delays)
  {
    double sum = 0;

    for (gint64 delay : delays)
      sum += static_cast<double> (delay);
    return sum / static_cast<double> (delays.size ());
  }

  static gint64 least (const std::vector<gint64> &delays) { return *std::min_element (delays.begin (), delays.end ()); }
  static gint64 most (const std::vector<gint64> &delays) { return *std::max_element (delays.begin (), delays.end ()); }

  Fixture *fixture = nullptr;
};

constexpr int n_draws = 10000;
constexpr gint64 ms = 1000;
constexpr gint64 day_us = G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC;

#endif
