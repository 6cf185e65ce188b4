/* SPDX-License-Identifier: Apache-2.0 */
/* nearest: the distance against its definition, by exhaustion over short words. */
#include "core/config/nearest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

/* The definition, word by word. */
guint
defined_distance (const std::string &a, const std::string &b)
{
  if (a.empty () || b.empty ())
    return (guint) (a.size () + b.size ());
  const std::string a1 = a.substr (1), b1 = b.substr (1);
  guint best = std::min (
    { defined_distance (a1, b) + 1, defined_distance (a, b1) + 1, defined_distance (a1, b1) + (a[0] != b[0]) });

  if (a.size () > 1 && b.size () > 1 && a[0] == b[1] && a[1] == b[0])
    best = std::min (best, defined_distance (a.substr (2), b.substr (2)) + 1);
  return best;
}

std::vector<std::string>
words_up_to (size_t length)
{
  std::vector<std::string> words{ "" };

  for (size_t i = 0; i < words.size (); i++)
    if (words[i].size () < length)
      for (char c : { 'a', 'b', 'c' })
        words.push_back (words[i] + c);
  return words;
}

TEST (Nearest, IsTheDistanceOfItsDefinition)
{
  const std::vector<std::string> words = words_up_to (4);

  for (const std::string &a : words)
    for (const std::string &b : words)
      ASSERT_EQ (nearest_distance (a.c_str (), b.c_str (), 9), defined_distance (a, b)) << a << " " << b;
}

TEST (Nearest, GivesUpAboveTheLimit)
{
  const std::vector<std::string> words = words_up_to (3);

  for (const std::string &a : words)
    for (const std::string &b : words)
      for (guint limit = 0; limit < 4; limit++) {
        guint real = defined_distance (a, b), found = nearest_distance (a.c_str (), b.c_str (), limit);

        ASSERT_EQ (real <= limit ? real : limit + 1, std::min (found, limit + 1)) << a << " " << b << " " << limit;
      }
}

TEST (Nearest, ALongWordCostsNothingWhereItCannotBeNear)
{
  const std::string longest (4 << 20, 'x');

  EXPECT_GT (nearest_distance (longest.c_str (), "size", 3), 3u);
}

} // namespace
