/* SPDX-License-Identifier: Apache-2.0 */
/* scan: lines, every fault, and that what it leaves is read by GKeyFile to the same groups and keys. */
#include "core/config/scan.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::string_literals;

class Scanned
{
public:
  explicit Scanned (const std::string &data)
  {
    /* A copy of its own size, so that a sanitizer sees a read beyond it. */
    std::vector<char> bytes (data.begin (), data.end ());

    scan = scan_new (bytes.data (), bytes.size (), problems, hints);
  }
  Scanned (const Scanned &) = delete;
  ~Scanned ()
  {
    scan_free (scan);
    problems_free (problems);
    problems_free (hints);
  }
  std::string faults () const { return joined (problems); }
  std::string warnings () const { return joined (hints); }
  std::string text () const
  {
    gsize length;
    const char *begin = scan_text (scan, &length);

    return std::string (begin, length);
  }
  Scan *scan;

private:
  static std::string joined (const Problems *some)
  {
    g_autofree char *text = problems_to_string (some);

    return text;
  }
  Problems *problems = problems_new ("f");
  Problems *hints = problems_new ("f");
};

TEST (Scan, KnowsTheLinesOfGroupsAndKeys)
{
  Scanned s ("# a comment\n\n[pool:a]\n  target = x\nsize=5\n[pool:b]\ntarget=y");

  EXPECT_EQ (s.faults (), "");
  EXPECT_EQ (scan_group_line (s.scan, "pool:a"), 3u);
  EXPECT_EQ (scan_group_line (s.scan, "pool:b"), 6u);
  EXPECT_EQ (scan_group_line (s.scan, "pool:c"), 0u);
  EXPECT_EQ (scan_key_line (s.scan, "pool:a", "target"), 4u);
  EXPECT_EQ (scan_key_line (s.scan, "pool:a", "size"), 5u);
  EXPECT_EQ (scan_key_line (s.scan, "pool:b", "target"), 7u);
  EXPECT_EQ (scan_key_line (s.scan, "pool:b", "size"), 0u);
  EXPECT_EQ (s.text (), "\n\n[pool:a]\ntarget= x\nsize=5\n[pool:b]\ntarget=y\n");
}

TEST (Scan, AnEmptyTextHasNoFault)
{
  for (const char *text : { "", "\n", "\r\n", "# only\n", "\xef\xbb\xbf", "   \n\t\n" })
    EXPECT_EQ (Scanned (text).faults (), "") << text;
}

TEST (Scan, SkipsAByteOrderMarkAndTakesLinesWithCarriageReturns)
{
  Scanned s ("\xef\xbb\xbf[pool:a]\r\nsize=5\r\n\r\n# x\r\n[pool:b]\r");

  EXPECT_EQ (s.faults (), "");
  EXPECT_EQ (s.text (), "[pool:a]\nsize=5\n\n\n[pool:b]\n");
}

TEST (Scan, AMarkElsewhereIsText)
{
  EXPECT_EQ (Scanned ("[a]\n\xef\xbb\xbf[b]\n").faults (),
             "f:2: [a]: the line is no group, key or comment ([KIND:NAME], key=value or # comment)");
}

TEST (Scan, BlanksBeforeACommentDoNotCount)
{
  EXPECT_EQ (Scanned ("  # x\n\t#y\n").faults (), "");
}

TEST (Scan, TellsEveryFaultAndNotOnlyTheFirst)
{
  Scanned s ("early=1\n[pool:a]\njunk\n; old style\n=5\n  = 6\nname[de]=x\na]=1\n[pool:b\n[]\n[a[b]\nlost=1\n[pool:c] "
             "x\n[c\x01]\n");

  EXPECT_EQ (s.faults (),
             "f:1: early: the key stands before the first group (put it below a [KIND:NAME] line)\n"
             "f:3: [pool:a]: the line is no group, key or comment ([KIND:NAME], key=value or # comment)\n"
             "f:4: [pool:a]: the line is no group, key or comment (a comment begins with #)\n"
             "f:5: [pool:a]: there is no key before the = (key=value)\n"
             "f:6: [pool:a]: there is no key before the = (key=value)\n"
             "f:7: [pool:a] name[de]: a key has no locale here (write it without the brackets)\n"
             "f:8: [pool:a] a]: a key has no brackets (lower-case letters, digits and '-')\n"
             "f:9: the group header has no ] ([pool:b])\n"
             "f:10: the group has no name ([pool:NAME])\n"
             "f:11: 'a[b' is not a group's name (letters, digits, '.', '_' and '-')\n"
             "f:13: [pool:c]: there is text behind the group header (comments are whole lines that begin with #)\n"
             "f:14: 'c\\x01' is not a group's name (letters, digits, '.', '_' and '-')");
  EXPECT_TRUE (scan_lost_a_group (s.scan));
}

TEST (Scan, AHeaderThatCanBeGuessedIsTaken)
{
  Scanned s ("[pool:a\nsize=5\n[pool:b] # x\nsize=6\n");

  EXPECT_FALSE (scan_lost_a_group (s.scan));
  EXPECT_EQ (scan_key_line (s.scan, "pool:a", "size"), 2u);
  EXPECT_EQ (scan_key_line (s.scan, "pool:b", "size"), 4u);
  EXPECT_EQ (s.text (), "[pool:a]\nsize=5\n[pool:b]\nsize=6\n");
}

TEST (Scan, KeysBelowALostHeaderBelongToNoGroup)
{
  Scanned s ("[pool:a]\n[pool:b # x\nsize=5\nsize=6\n[x\xff]\nsize=7\n");

  EXPECT_EQ (scan_key_line (s.scan, "pool:a", "size"), 0u);
  EXPECT_EQ (s.text (), "[pool:a]\n\n\n\n\n\n");
  EXPECT_TRUE (scan_lost_a_group (s.scan));
}

TEST (Scan, NamesBothLinesOfWhatIsGivenTwice)
{
  Scanned s ("[pool:a]\nsize=5\n[pool:b]\nsize=5\n[pool:a]\nsize=6\ntarget=x\ntarget=y\n");

  EXPECT_EQ (s.faults (), "f:5: [pool:a]: the group is given twice, first on line 1 (put its keys there)\n"
                          "f:6: [pool:a] size: the key is given twice, first on line 2 (leave one out)\n"
                          "f:8: [pool:a] target: the key is given twice, first on line 7 (leave one out)");
  EXPECT_EQ (scan_key_line (s.scan, "pool:a", "target"), 7u);
}

TEST (Scan, NamesTheLineAndTheByteThatIsNoText)
{
  Scanned s ("[a]\nx=1\0 2\n#\xff\ny=caf\xe9\nz=\xed\xa0\x80\n"s);

  EXPECT_EQ (s.faults (), "f:2: [a]: the line has a NUL in it (a keyfile is text)\n"
                          "f:3: [a]: the line is not UTF-8 (byte 2 of it is 0xff)\n"
                          "f:4: [a]: the line is not UTF-8 (byte 6 of it is 0xe9)\n"
                          "f:5: [a]: the line is not UTF-8 (byte 3 of it is 0xed)");
}

TEST (Scan, RemembersTheWordOfALineThatIsLost)
{
  Scanned s ("[a]\nsize 5\ntarget: x\nname[de]=y\npath=\xff\n=7\nfine=1\n");
  const GPtrArray *words = scan_lost_keys (s.scan, "a");

  ASSERT_NE (words, nullptr);
  ASSERT_EQ (words->len, 4u);
  EXPECT_STREQ ((const char *) words->pdata[0], "size");
  EXPECT_STREQ ((const char *) words->pdata[1], "target");
  EXPECT_STREQ ((const char *) words->pdata[2], "name");
  EXPECT_STREQ ((const char *) words->pdata[3], "path");
  EXPECT_EQ (scan_lost_keys (s.scan, "b"), nullptr);
}

TEST (Scan, HintsAtACommentBehindAValue)
{
  Scanned s ("[a]\nw=5 # five\nx=a#b\ny=5\t# five\nz=# five\n");

  EXPECT_EQ (s.faults (), "");
  EXPECT_EQ (s.warnings (),
             "f:2: [a] w: the value has a blank and # in it, and what follows is part of the value (comments are whole "
             "lines that begin with #)\n"
             "f:4: [a] y: the value has a blank and # in it, and what follows is part of the value (comments are whole "
             "lines that begin with #)");
}

/* GKeyFile must take the text, with the groups and keys of which we know the lines. */
void
compare_with_key_file (const std::string &data)
{
  Scanned s (data);
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GError) error = nullptr;
  const std::string text = s.text ();

  ASSERT_TRUE (g_key_file_load_from_data (key_file, text.data (), text.size (), G_KEY_FILE_NONE, &error))
    << error->message << "\n" << data;
  g_auto (GStrv) groups = g_key_file_get_groups (key_file, nullptr);
  for (char **group = groups; *group != nullptr; group++) {
    EXPECT_NE (scan_group_line (s.scan, *group), 0u) << *group << "\n" << data;
    g_auto (GStrv) keys = g_key_file_get_keys (key_file, *group, nullptr, nullptr);
    for (char **key = keys; *key != nullptr; key++)
      EXPECT_NE (scan_key_line (s.scan, *group, *key), 0u) << *group << " " << *key << "\n" << data;
  }
}

/* Where scan finds no fault, GKeyFile must find none in the same text, and the other way round but for what we alone
 * refuse. */
TEST (Scan, AgreesWithGKeyFileOnWhatAKeyfileIs)
{
  static const std::string pieces[] = { "[",  "]", "=",      "\n",    "\r\n",  "\n\n", "#",           " ",
                                        "a",  "b", "pool:x", "[a]\n", "a=b\n", ";",    "\t",          "\f",
                                        "\v", "ä", "\\",     "[de]",  "\0"s,   "\xff", "\xef\xbb\xbf" };
  std::mt19937 random (20240607);

  for (int i = 0; i < 20000; i++) {
    std::string data;

    for (size_t n = random () % 12; n > 0; n--)
      data += pieces[random () % G_N_ELEMENTS (pieces)];
    compare_with_key_file (data);
    if (!Scanned (data).faults ().empty () || data.compare (0, 3, "\xef\xbb\xbf") == 0)
      continue;
    g_autoptr (GKeyFile) key_file = g_key_file_new ();
    ASSERT_TRUE (data.empty ()
                 || g_key_file_load_from_data (key_file, data.data (), data.size (), G_KEY_FILE_NONE, nullptr))
      << data;
  }
}

} // namespace
