// SPDX-License-Identifier: Apache-2.0
// picker/affinity: a key's place stays, whoever comes and goes.
#include "picker-test.h"

#include "core/slots/slots.h"

#include <cmath>
#include <string>

namespace {

class Affinity : public PickerTest
{
protected:
  Affinity () : PickerTest ("affinity") {}

  // The numbers of the places that are there, in the order of a view.
  void show (const std::vector<uint32_t> &numbers)
  {
    n = static_cast<guint> (numbers.size ());
    for (guint i = 0; i < n; i++)
      places[i].number = numbers[i];
  }

  void show_first (guint count)
  {
    std::vector<uint32_t> numbers;

    for (guint i = 0; i < count; i++)
      numbers.push_back (i);
    show (numbers);
  }

  // The number of the place that KEY gets.
  uint32_t place_of (const std::string &key)
  {
    view.has_key = 1;
    view.key_hash = lease_hash_key (key.c_str ());
    guint i = pick (n);
    view.has_key = 0;
    EXPECT_LT (i, n);
    return places[i].number;
  }

  uint32_t place_of (int key) { return place_of ("user-" + std::to_string (key)); }

  std::vector<uint32_t> places_of (int n_keys)
  {
    std::vector<uint32_t> all;

    for (int key = 0; key < n_keys; key++)
      all.push_back (place_of (key));
    return all;
  }

  guint n = 0;
};

constexpr int n_keys = 20000;

TEST_F (Affinity, AKeyStaysWhateverTheLoads)
{
  show_first (8);
  for (int key = 0; key < 20; key++) {
    uint32_t place = place_of (key);

    hold (place, 1000);
    for (int i = 0; i < 10; i++)
      EXPECT_EQ (place_of (key), place);
    hold (place, 0);
  }
}

TEST_F (Affinity, ItsPlaceIsFoundByNumberWhereverItLies)
{
  show_first (5);
  std::vector<uint32_t> before = places_of (1000);

  show ({ 3, 0, 4, 2, 1 });
  EXPECT_EQ (places_of (1000), before);
}

TEST_F (Affinity, KeysSpreadEvenly)
{
  for (guint count : { 2u, 5u, 10u, 64u }) {
    std::vector<int> times (count);

    show_first (count);
    for (uint32_t place : places_of (n_keys))
      times[place]++;
    for (int time : times)
      EXPECT_NEAR (time, n_keys / static_cast<double> (count), 5.5 * std::sqrt (n_keys / static_cast<double> (count)));
  }
}

// Keys that differ in one character, and such as are counted up, are no more alike than others.
TEST_F (Affinity, KeysThatLookAlikeSpreadToo)
{
  std::vector<int> times (4);

  show_first (4);
  for (char c = ' '; c < 127; c++)
    times[place_of (std::string ("tenant/") + c)]++;
  for (int time : times)
    EXPECT_NEAR (time, 24, 15);
}

TEST_F (Affinity, AKeyMovesOnlyWhileItsPlaceIsGone)
{
  show_first (6);
  std::vector<uint32_t> before = places_of (n_keys);
  show ({ 0, 1, 2, 4, 5 });
  std::vector<uint32_t> without = places_of (n_keys);
  std::vector<int> refuge (6);

  for (int key = 0; key < n_keys; key++) {
    if (before[key] == 3)
      refuge[without[key]]++;
    else
      ASSERT_EQ (without[key], before[key]) << key;
  }
  for (uint32_t place : { 0, 1, 2, 4, 5 })
    EXPECT_NEAR (refuge[place], n_keys / 6.0 / 5, 200) << "to all others alike";
  show_first (6);
  EXPECT_EQ (places_of (n_keys), before) << "and returns";
}

TEST_F (Affinity, ANewPlaceTakesItsShareFromAllAndMovesNoOther)
{
  show_first (4);
  std::vector<uint32_t> before = places_of (n_keys);
  show_first (5);
  std::vector<uint32_t> after = places_of (n_keys);
  int moved = 0;

  for (int key = 0; key < n_keys; key++) {
    if (after[key] == before[key])
      continue;
    EXPECT_EQ (after[key], 4u);
    moved++;
  }
  EXPECT_NEAR (moved, n_keys / 5, 400);
}

// Where the pick turned out to be gone, the next one is where the key goes when it is.
TEST_F (Affinity, TheSecondChoiceIsTheRefuge)
{
  show_first (5);
  for (int key = 0; key < 500; key++) {
    uint32_t first = place_of (key);
    std::vector<uint32_t> others;

    view.attempt = 1;
    view.avoid = first;
    uint32_t second = place_of (key);
    view.attempt = 0;
    view.avoid = CENOTE_PICK_NONE;
    EXPECT_NE (second, first);
    for (uint32_t place = 0; place < 5; place++)
      if (place != first)
        others.push_back (place);
    show (others);
    EXPECT_EQ (place_of (key), second);
    show_first (5);
  }
}

TEST_F (Affinity, TheOnlyPlaceIsTakenEvenWhereItShouldBeAvoided)
{
  show ({ 7 });
  view.attempt = 1;
  view.avoid = 0;
  EXPECT_EQ (place_of (1), 7u);
}

TEST_F (Affinity, WeightsAreShares)
{
  std::vector<int> times (4);

  show_first (4);
  for (guint i = 0; i < 4; i++)
    places[i].weight = i; // none, 1/6, 2/6, 3/6
  for (uint32_t place : places_of (n_keys))
    times[place]++;
  for (guint i = 0; i < 4; i++)
    EXPECT_NEAR (times[i], n_keys * (i / 6.0), 350);
}

// A weight that grows takes keys, and moves none between others.
TEST_F (Affinity, AGrowingWeightMovesKeysToItsPlaceAlone)
{
  show_first (4);
  std::vector<uint32_t> before = places_of (n_keys);
  places[2].weight = 3;
  std::vector<uint32_t> after = places_of (n_keys);

  for (int key = 0; key < n_keys; key++) {
    if (after[key] != before[key]) {
      ASSERT_EQ (after[key], 2u);
    }
  }
}

TEST_F (Affinity, WithoutAKeyTheLessLoadedOfTwo)
{
  hold (0, 1);
  EXPECT_EQ (picks (2, 200), Picks (200, 1));
  hold (1, 2);
  EXPECT_EQ (picks (2, 200), Picks (200, 0));
  hold (0, 2);
  for (int times : shares (2, 4000))
    EXPECT_NEAR (times, 2000, 250);
}

} // namespace
