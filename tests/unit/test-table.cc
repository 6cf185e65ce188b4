/* SPDX-License-Identifier: Apache-2.0 */
/* table and terminal: columns line up, colours cost no width, and nobody's text drives the terminal. */
#include "tools/table.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace {

std::string
take (char *text)
{
  std::string out = text;

  g_free (text);
  return out;
}

std::string
write (const Table *table, bool colours)
{
  Terminal terminal = { FALSE, colours, FALSE, 0 };
  GString *out = g_string_new (nullptr);

  table_write (table, &terminal, "  ", out);
  std::string text (out->str);
  g_string_free (out, TRUE);
  return text;
}

const char *const headings[] = { "NAME", ">SIZE", "WHY", nullptr };

TEST (Table, ColumnsAreAsWideAsTheirWidestCell)
{
  Table *table = table_new (headings);

  table_add (table, COLOUR_PLAIN, "users");
  table_add_number (table, 5);
  table_add (table, COLOUR_PLAIN, "ready");
  table_add (table, COLOUR_PLAIN, "a");
  table_add_number (table, 10000);
  table_add (table, COLOUR_PLAIN, nullptr);
  EXPECT_EQ (write (table, false), "  NAME    SIZE  WHY\n"
                                   "  users      5  ready\n"
                                   "  a      10000  -\n");
  table_free (table);
}

TEST (Table, WidthIsInCharactersAndColoursHaveNone)
{
  Table *table = table_new (headings);

  table_add (table, COLOUR_GREEN, "cañón");
  table_add_ms (table, 85);
  table_add (table, COLOUR_PLAIN, "x");
  EXPECT_EQ (write (table, false), "  NAME    SIZE  WHY\n"
                                   "  cañón  85 ms  x\n");
  EXPECT_EQ (write (table, true), "  \033[2mNAME\033[0m    \033[2mSIZE\033[0m  \033[2mWHY\033[0m\n"
                                  "  \033[32mcañón\033[0m  85 ms  x\n");
  table_free (table);
}

TEST (Table, CellsCannotDriveTheTerminal)
{
  Table *table = table_new (headings);

  table_add (table, COLOUR_PLAIN, "a\033[2Jb");
  table_add (table, COLOUR_PLAIN, "1\n2");
  table_add (table, COLOUR_PLAIN, "\xff");
  EXPECT_EQ (write (table, false), "  NAME    SIZE  WHY\n"
                                   "  a?[2Jb   1?2  \xEF\xBF\xBD\n");
  table_free (table);
}

TEST (Table, NoRowsLeaveTheHeadings)
{
  Table *table = table_new (headings);

  EXPECT_EQ (write (table, false), "  NAME  SIZE  WHY\n");
  table_free (table);
}

TEST (Terminal, Milliseconds)
{
  EXPECT_EQ (take (format_ms (-1)), "-");
  EXPECT_EQ (take (format_ms (0)), "0 ms");
  EXPECT_EQ (take (format_ms (999)), "999 ms");
  EXPECT_EQ (take (format_ms (1250)), "1.2 s");
  EXPECT_EQ (take (format_ms (59999)), "59.9 s");
  EXPECT_EQ (take (format_ms (250000)), "4m10s");
  EXPECT_EQ (take (format_ms (3 * 3600000 + 5 * 60000)), "3h05m");
  EXPECT_EQ (take (format_ms (G_GINT64_CONSTANT (49) * 3600000)), "2d01h");
}

TEST (Terminal, MicrosecondsAreReadByPeople)
{
  EXPECT_EQ (take (format_us (-1)), "-");
  EXPECT_EQ (take (format_us (850)), "850 us");
  EXPECT_EQ (take (format_us (1249)), "1.24 ms");
  EXPECT_EQ (take (format_us (999999)), "999.99 ms");
  EXPECT_EQ (take (format_us (3050000)), "3.05 s");
  EXPECT_EQ (take (format_us (G_GINT64_CONSTANT (60000000))), "1m00s");
}

TEST (Terminal, SafeTextKeepsLettersAndLosesControls)
{
  EXPECT_EQ (take (terminal_safe ("水 a\tb\x7f\xc2\x9b"
                                  "c")),
             "水 a?b??c");
}

TEST (Terminal, ColoursOnlyWhereTheyAreWanted)
{
  GString *out = g_string_new (nullptr);
  Terminal plain = { FALSE, FALSE, FALSE, 0 };
  Terminal coloured = { TRUE, TRUE, TRUE, 0 };

  terminal_paint (&plain, out, COLOUR_RED, "a");
  terminal_paint (&coloured, out, COLOUR_PLAIN, "b");
  terminal_paint (&coloured, out, COLOUR_RED, "c");
  EXPECT_STREQ (out->str, "ab\033[31mc\033[0m");
  g_string_free (out, TRUE);
}

} // namespace
