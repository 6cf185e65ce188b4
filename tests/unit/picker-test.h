// SPDX-License-Identifier: Apache-2.0
// A picker plugin as it was built, before places whose loads the test sets.
#ifndef CENOTE_TESTS_PICKER_TEST_H
#define CENOTE_TESTS_PICKER_TEST_H

#include <algorithm>
#include <vector>

#include "plugin-files.h"
#include "tools/conformance/fixture.h"

using Picks = std::vector<guint>;

class PickerTest : public ::testing::Test
{
protected:
  static constexpr guint most_places = 64;

  explicit PickerTest (const char *name)
  {
    g_autoptr (Plugin) plugin = built_plugin (CENOTE_PLUGIN_PICKER, name);

    fixture = fixture_new (plugin, nullptr, nullptr);
    EXPECT_TRUE (fixture_create (fixture, nullptr));
    view.struct_size = sizeof view;
    view.place_size = sizeof (CenotePlace);
    view.avoid = CENOTE_PICK_NONE;
    view.places = places;
    view.scratch = &scratch;
    view.luck = &luck;
    view.tallies = blocks;
    for (guint i = 0; i < most_places; i++) {
      places[i].number = i;
      places[i].weight = 1;
      places[i].tally_offset = static_cast<uint32_t> (i * sizeof (CenoteTally));
    }
  }

  ~PickerTest () override { fixture_free (fixture); }

  // N leases of PLACE: this thread's own, or others'.
  void hold (guint place, int64_t n) { tallies[place].taken = n; }
  void hold_elsewhere (guint place, int64_t n) { tallies[place].others = 2 * n; }

  guint pick (guint n)
  {
    view.n_places = n;
    view.now_us = fixture->now_us;
    return fixture->plugin->ops.picker.pick (fixture->state, &view);
  }

  Picks picks (guint n, guint count)
  {
    Picks all;

    while (all.size () < count)
      all.push_back (pick (n));
    return all;
  }

  // How often each of N places is picked.
  std::vector<int> shares (guint n, guint count)
  {
    std::vector<int> times (n);

    for (guint i : picks (n, count)) {
      EXPECT_LT (i, n);
      times[std::min (i, n - 1)]++;
    }
    return times;
  }

  Fixture *fixture;
  CenotePickView view {};
  CenotePlace places[most_places] {};
  CenoteTally tallies[most_places] {};
  const CenoteTally *blocks[1] = { tallies };
  uint64_t scratch = 0;
  uint64_t luck = 1;
};

#endif
