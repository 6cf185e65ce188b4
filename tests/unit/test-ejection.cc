/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

extern "C" {
#include "core/pool/ejection.h"
}

namespace {

constexpr gint64 base_us = 30 * G_USEC_PER_SEC;
const EjectionRules rules = { 0.5, 0.2, base_us };

guint
room (guint shown, guint out, guint expected, const EjectionRules &by = rules)
{
  const EjectionCounts counts = { shown, out, expected };

  return ejection_room (&by, &counts);
}

bool
panics (guint shown, guint out, guint expected, const EjectionRules &by = rules)
{
  const EjectionCounts counts = { shown, out, expected };

  return ejection_is_panic (&by, &counts);
}

TEST (Ejection, RoomIsTheShareOfWhatIsConnected)
{
  EXPECT_EQ (room (10, 0, 10), 5u);
  EXPECT_EQ (room (7, 3, 10), 2u);
  EXPECT_EQ (room (5, 5, 10), 0u);
  EXPECT_EQ (room (4, 0, 4), 2u);
  EXPECT_EQ (room (3, 0, 10), 1u) << "two have to be left of ten";
  EXPECT_EQ (room (2, 0, 10), 0u);
}

TEST (Ejection, OfTwoOneMayAlwaysGoAndTheLastNever)
{
  const EjectionRules small = { 0.01, 0, base_us }, all = { 1, 0, base_us }, none = { 0, 0, base_us };

  EXPECT_EQ (room (2, 0, 2, small), 1u);
  EXPECT_EQ (room (100, 0, 100, small), 1u);
  EXPECT_EQ (room (99, 1, 100, small), 0u);
  EXPECT_EQ (room (10, 0, 10, all), 9u);
  EXPECT_EQ (room (1, 0, 1, all), 0u);
  EXPECT_EQ (room (0, 0, 5, all), 0u);
  EXPECT_EQ (room (1, 9, 10, all), 0u);
  EXPECT_EQ (room (10, 0, 10, none), 0u);
}

/* Whatever the counts: who is ejected by the rules causes no panic by them. */
TEST (Ejection, TheRoomIsNeverAPanic)
{
  for (double share : { 0.0, 0.1, 0.5, 1.0 })
    for (double panic : { 0.0, 0.2, 0.51, 1.0 })
      for (guint expected = 0; expected < 12; expected++)
        for (guint shown = 0; shown < 12; shown++)
          for (guint out = 0; out < 12; out++) {
            const EjectionRules by = { share, panic, base_us };
            guint more = room (shown, out, expected, by);

            if (more == 0)
              continue;
            ASSERT_GE (shown - more, 1u);
            ASSERT_FALSE (panics (shown - more, out + more, expected, by));
            ASSERT_LE (out + more, MAX (1u, (guint) (share * (shown + out))));
          }
}

TEST (Ejection, PanicIsTooFewLeftWhileSomeAreOut)
{
  EXPECT_FALSE (panics (0, 0, 10)) << "nobody to be let back";
  EXPECT_TRUE (panics (0, 1, 10));
  EXPECT_TRUE (panics (1, 1, 10));
  EXPECT_FALSE (panics (2, 1, 10));
  EXPECT_FALSE (panics (1, 4, 5));
  EXPECT_TRUE (panics (0, 1, 1));
}

TEST (Ejection, TimesGrowUpToTenfold)
{
  EXPECT_EQ (ejection_time_us (&rules, 1), base_us);
  EXPECT_EQ (ejection_time_us (&rules, 3), 3 * base_us);
  EXPECT_EQ (ejection_time_us (&rules, 10), 10 * base_us);
  EXPECT_EQ (ejection_time_us (&rules, 4000000000u), 10 * base_us);
}

TEST (Ejection, TimeInRotationForgives)
{
  EXPECT_EQ (ejection_remembered (&rules, 3, -1), 3u);
  EXPECT_EQ (ejection_remembered (&rules, 3, 0), 3u);
  EXPECT_EQ (ejection_remembered (&rules, 3, base_us), 2u);
  EXPECT_EQ (ejection_remembered (&rules, 3, 3 * base_us), 0u);
  EXPECT_EQ (ejection_remembered (&rules, 0, 0), 0u);
  EXPECT_EQ (ejection_remembered (&rules, 100, -1), 10u);
  EXPECT_EQ (ejection_remembered (&rules, 100, G_MAXINT64), 0u);
}

TEST (Ejection, AShareIsTakenOfTwentyCallsOrMore)
{
  EXPECT_FALSE (ejection_share_is_reached (0.5, 19, 19));
  EXPECT_TRUE (ejection_share_is_reached (0.5, 10, 20));
  EXPECT_FALSE (ejection_share_is_reached (0.5, 9, 20));
  EXPECT_FALSE (ejection_share_is_reached (0, 20, 20)) << "0 is never";
}

} // namespace
