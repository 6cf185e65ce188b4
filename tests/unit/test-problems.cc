/* SPDX-License-Identifier: Apache-2.0 */
/* problems: places, order, one line each whatever is in them, and a bound. */
#include "core/config/problems.h"

#include <cenote/error.h>
#include <gtest/gtest.h>

#include <string>

namespace {

class ProblemsTest : public testing::Test
{
protected:
  ~ProblemsTest () override { problems_free (problems); }
  std::string text ()
  {
    g_autofree char *joined = problems_to_string (problems);

    return joined;
  }
  Problems *problems = problems_new ("a.conf");
};

TEST_F (ProblemsTest, EveryPlaceHasItsForm)
{
  problems_add (problems, 0, nullptr, nullptr, "no pool");
  problems_add (problems, 1, nullptr, nullptr, "junk");
  problems_add (problems, 2, "pool:a", nullptr, "twice");
  problems_add (problems, 3, "pool:a", "size", "'%s' is wrong", "x");
  problems_add (problems, 4, nullptr, "size", "before the first group");
  problems_add (problems, PROBLEMS_PROGRAM, "pool:a", "size", "too small");
  EXPECT_EQ (text (), "a.conf: no pool\n"
                      "a.conf:1: junk\n"
                      "a.conf:2: [pool:a]: twice\n"
                      "a.conf:3: [pool:a] size: 'x' is wrong\n"
                      "a.conf:4: size: before the first group\n"
                      "(program): [pool:a] size: too small");
}

TEST_F (ProblemsTest, SortsByLineAndKeepsTheOrderWithin)
{
  for (guint line : { 9u, 2u, PROBLEMS_PROGRAM, 9u, 0u, 2u })
    problems_add (problems, line, nullptr, nullptr, "%u", problems_count (problems));
  EXPECT_EQ (text (), "a.conf: 4\na.conf:2: 1\na.conf:2: 5\na.conf:9: 0\na.conf:9: 3\n(program): 2");
}

TEST_F (ProblemsTest, TellsTheSameThingOnce)
{
  problems_add (problems, 1, "g", "k", "x");
  problems_add (problems, 1, "g", "k", "y");
  problems_add (problems, 1, "g", "k", "x");
  EXPECT_EQ (text (), "a.conf:1: [g] k: x\na.conf:1: [g] k: y");
}

TEST_F (ProblemsTest, IsOneLineOfUtf8WhateverItHolds)
{
  problems_add (problems, 1, "g\n", "k\t", "a\nb\x1b[31m\x7f\xff ünï\xc2\x9b");
  EXPECT_EQ (text (), "a.conf:1: [g\\x0a] k\\x09: a\\x0ab\\x1b[31m\\x7f\xef\xbf\xbd ünï\\x9b");
}

TEST_F (ProblemsTest, IsCutWhereItIsVeryLong)
{
  const std::string key (1000000, 'k');

  problems_add (problems, 1, "g", key.c_str (), "x");
  EXPECT_EQ (text (), ("a.conf:1: [g] " + key).substr (0, PROBLEM_LENGTH_MAX + 1) + "…");
}

TEST_F (ProblemsTest, IsBoundedAndCountsTheRest)
{
  for (guint i = 1; i <= PROBLEMS_MAX + 5; i++)
    problems_add (problems, i, nullptr, nullptr, "x");
  g_auto (GStrv) lines = problems_to_strv (problems);

  EXPECT_EQ (problems_count (problems), PROBLEMS_MAX + 5u);
  EXPECT_EQ (g_strv_length (lines), PROBLEMS_MAX + 1u);
  EXPECT_STREQ (lines[PROBLEMS_MAX], "a.conf: and 5 more");
}

TEST_F (ProblemsTest, AddsThoseOfOthers)
{
  g_autoptr (Problems) others = problems_new ("b.conf");

  problems_add (problems, 5, nullptr, nullptr, "own");
  for (guint i = 1; i <= PROBLEMS_MAX; i++)
    problems_add (others, i, nullptr, nullptr, "x");
  problems_add_all (problems, others);
  g_auto (GStrv) lines = problems_to_strv (problems);
  EXPECT_EQ (problems_count (problems), PROBLEMS_MAX + 1u);
  EXPECT_STREQ (lines[0], "b.conf:1: x");
  EXPECT_STREQ (lines[4], "a.conf:5: own");
  EXPECT_STREQ (lines[PROBLEMS_MAX], "a.conf: and 1 more");
}

TEST_F (ProblemsTest, NoneAreNoError)
{
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (text (), "");
  EXPECT_TRUE (problems_check (problems, &error));
  EXPECT_EQ (error, nullptr);
}

TEST_F (ProblemsTest, SomeAreAnErrorWithAllOfThem)
{
  g_autoptr (GError) error = nullptr;

  problems_add (problems, 2, nullptr, nullptr, "b");
  problems_add (problems, 1, nullptr, nullptr, "a");
  EXPECT_FALSE (problems_check (problems, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG));
  EXPECT_STREQ (error->message, "a.conf:1: a\na.conf:2: b");
}

} // namespace
