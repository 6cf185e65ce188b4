/* SPDX-License-Identifier: Apache-2.0 */
/* escape: the same text as GKeyFile reads, lists with their blanks and faults, and that what is written reads back. */
#include "core/config/escape.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using Strings = std::vector<std::string>;

/* "problem: …" where it is refused. */
std::string
scalar (const std::string &raw)
{
  g_autofree char *problem = nullptr;
  g_autofree char *text = escape_undo (raw.c_str (), &problem);

  EXPECT_NE (text == nullptr, problem == nullptr) << raw;
  return text != nullptr ? text : std::string ("problem: ") + problem;
}

Strings
list (const std::string &raw)
{
  g_autofree char *problem = nullptr;
  g_auto (GStrv) items = escape_split (raw.c_str (), &problem);

  EXPECT_NE (items == nullptr, problem == nullptr) << raw;
  return items != nullptr ? Strings (items, items + g_strv_length (items))
                          : Strings{ std::string ("problem: ") + problem };
}

TEST (Escape, UndoesScalars)
{
  EXPECT_EQ (scalar (""), "");
  EXPECT_EQ (scalar ("plain; text # and all"), "plain; text # and all");
  EXPECT_EQ (scalar ("\\s\\n\\t\\r\\\\"), " \n\t\r\\");
  EXPECT_EQ (scalar ("ünïcode"), "ünïcode");
}

TEST (Escape, RefusesBadEscapesByName)
{
  EXPECT_EQ (scalar ("a\\"), "problem: ends with a single \\ (write \\\\ for a backslash)");
  EXPECT_EQ (scalar ("a\\x"), "problem: \\x is not an escape (\\s, \\n, \\t, \\r, \\\\; \\; only in a list)");
  EXPECT_EQ (scalar ("a\\;b"), "problem: \\; is not an escape (\\s, \\n, \\t, \\r, \\\\; \\; only in a list)");
  EXPECT_EQ (scalar ("a\\äb"), "problem: \\ä is not an escape (\\s, \\n, \\t, \\r, \\\\; \\; only in a list)");
  EXPECT_EQ (list ("a;b\\q"), Strings{ "problem: \\q is not an escape (\\s, \\n, \\t, \\r, \\\\ and \\;)" });
}

TEST (Escape, SplitsLists)
{
  EXPECT_EQ (list (""), Strings{});
  EXPECT_EQ (list ("one"), Strings{ "one" });
  EXPECT_EQ (list ("a;b"), (Strings{ "a", "b" }));
  EXPECT_EQ (list ("a;b;"), (Strings{ "a", "b" }));
  EXPECT_EQ (list ("a ; \tb"), (Strings{ "a", "b" }));
  EXPECT_EQ (list ("a\\;b;c\\\\;d"), (Strings{ "a;b", "c\\", "d" }));
  EXPECT_EQ (list ("\\sa\\s;b"), (Strings{ " a ", "b" }));
}

TEST (Escape, RefusesEmptyElements)
{
  for (const char *raw : { ";", "a;;b", ";a", "a; ;b", "a;;" })
    EXPECT_EQ (list (raw), Strings{ "problem: has an empty element (elements are separated by one ;)" }) << raw;
}

/* A blank behind a backslash is not an escape, at the end of an element either. */
TEST (Escape, KeepsABlankThatIsEscapedSoThatItIsRefused)
{
  EXPECT_EQ (list ("a\\ ;b"), Strings{ "problem: \\  is not an escape (\\s, \\n, \\t, \\r, \\\\ and \\;)" });
}

/* All texts of up to five of these pieces. */
template <typename F>
void
for_each_raw (F f)
{
  static const char *const pieces[] = { "a", " ", ";", "\\", "s", "\\;", "$", "{" };
  Strings texts{ "" };

  for (size_t i = 0; i < texts.size () && texts[i].size () < 5; i++)
    for (const char *piece : pieces)
      texts.push_back (texts[i] + piece);
  for (const std::string &text : texts)
    f (text);
}

TEST (Escape, ReadsScalarsAsGKeyFileDoes)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();

  for_each_raw ([&] (const std::string &raw) {
    if (raw.find ('\\') != raw.rfind ('\\') && scalar (raw).rfind ("problem: ", 0) == 0)
      return; /* GKeyFile is not up to two faults in a value */
    g_autoptr (GError) error = nullptr;
    g_key_file_set_value (key_file, "g", "k", raw.c_str ());
    g_autofree char *expected = g_key_file_get_string (key_file, "g", "k", &error);
    std::string text = scalar (raw);

    if (error != nullptr)
      EXPECT_EQ (text.rfind ("problem: ", 0), 0u) << raw;
    else
      EXPECT_EQ (text, expected) << raw;
  });
}

/* Where there is no blank (which GKeyFile keeps) and GKeyFile has no complaint, as it sees no fault in an empty
 * element. */
TEST (Escape, ReadsListsAsGKeyFileDoes)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();

  for_each_raw ([&] (const std::string &raw) {
    g_autofree char *problem = nullptr;
    g_auto (GStrv) items = escape_split (raw.c_str (), &problem);

    if (items == nullptr || raw.find (' ') != std::string::npos)
      return;
    g_key_file_set_value (key_file, "g", "k", raw.c_str ());
    g_auto (GStrv) expected = g_key_file_get_string_list (key_file, "g", "k", nullptr, nullptr);
    ASSERT_NE (expected, nullptr) << raw;
    EXPECT_TRUE (g_strv_equal (items, expected)) << raw;
  });
}

TEST (Escape, WhatIsWrittenReadsBack)
{
  for_each_raw ([] (const std::string &text) {
    g_autofree char *alone = escape_write (text.c_str (), FALSE);
    std::string expected = text;

    for (size_t at = expected.find ("${"); at != std::string::npos; at = expected.find ("${", at + 3))
      expected.insert (at, "$"); /* expand takes it away */
    EXPECT_EQ (scalar (alone), expected) << text;
    if (text.empty ())
      return;
    g_autofree char *item = escape_write (text.c_str (), TRUE);
    EXPECT_EQ (list (item + std::string (";x")), (Strings{ expected, "x" })) << text;
  });
}

} // namespace
