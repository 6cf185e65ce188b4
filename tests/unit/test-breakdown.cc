/* SPDX-License-Identifier: Apache-2.0 */
/* breakdown: known values from the start, others as they turn up, and an end to that. */
#include "core/telemetry/breakdown.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

namespace {

struct BreakdownFree {
  void operator() (Breakdown *breakdown) const { breakdown_free (breakdown); }
};

class BreakdownTest : public ::testing::Test
{
protected:
  std::map<std::string, guint64>
  read ()
  {
    std::map<std::string, guint64> all;
    const char *value = nullptr;

    for (guint i = 0; i < breakdown_length (breakdown.get ()); i++) {
      guint64 count = breakdown_nth (breakdown.get (), i, &value);

      all[value] = count;
    }
    return all;
  }

  void add (const std::string &value) { breakdown_add (breakdown.get (), value.c_str ()); }

  static constexpr const char *known[] = { "up", "down", nullptr };
  std::unique_ptr<Breakdown, BreakdownFree> breakdown{ breakdown_new (known) };
};

typedef std::map<std::string, guint64> Counts;

TEST_F (BreakdownTest, KnownValuesAreThereFromTheStart)
{
  EXPECT_EQ (read (), (Counts{ { "up", 0 }, { "down", 0 } }));
  EXPECT_EQ (breakdown_sum (breakdown.get ()), 0u);
}

TEST_F (BreakdownTest, CountsEachValueApart)
{
  for (const char *value : { "down", "idle", "down", "idle", "idle" })
    add (value);
  EXPECT_EQ (read (), (Counts{ { "up", 0 }, { "down", 2 }, { "idle", 3 } }));
  EXPECT_EQ (breakdown_sum (breakdown.get ()), 5u);
}

TEST_F (BreakdownTest, WhatIsNoShortTextIsOther)
{
  add (std::string (BREAKDOWN_MAX_BYTES, 'a'));
  add (std::string (BREAKDOWN_MAX_BYTES + 1, 'a'));
  add ("");
  add ("\xff");
  EXPECT_EQ (read ()["other"], 3u);
  EXPECT_EQ (read ()[std::string (BREAKDOWN_MAX_BYTES, 'a')], 1u);
}

TEST_F (BreakdownTest, HasAnEnd)
{
  for (int i = 0; i < 100; i++)
    add (std::to_string (i));
  EXPECT_EQ (breakdown_length (breakdown.get ()), (guint) BREAKDOWN_MAX + 1);
  EXPECT_EQ (breakdown_sum (breakdown.get ()), 100u) << "none is lost";
  EXPECT_EQ (read ()["other"], 100u - (BREAKDOWN_MAX - 2));
  add ("5");
  EXPECT_EQ (read ()["5"], 2u);
}

} // namespace
