/* SPDX-License-Identifier: Apache-2.0 */
/* option: every type read and written, ranges, every refusal in full, hints, and tables of an older header. */
#include "core/config/option.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

CenoteOption
row_of (uint32_t type, const char *min = nullptr, const char *max = nullptr, uint32_t flags = 0,
        const char *choices = nullptr)
{
  return { "key", type, flags, nullptr, min, max, choices, "A row" };
}

class Value
{
public:
  Value () = default;
  Value (const Value &) = delete;
  ~Value () { option_value_clear (&value); }
  CenoteValue value = {};
};

/* What the text reads as, written back; "problem: …" where it is refused. */
std::string
read (const CenoteOption &row, const char *text)
{
  Value value;
  g_autofree char *problem = nullptr;

  if (!option_parse (&row, text, &value.value, &problem)) {
    EXPECT_FALSE (value.value.is_set);
    return std::string ("problem: ") + problem;
  }
  EXPECT_TRUE (value.value.is_set);
  EXPECT_EQ (problem, nullptr);
  g_autofree char *written = option_format (&row, &value.value);
  return written;
}

/* ------------------------------------------------------------------- types */

TEST (Option, Booleans)
{
  const CenoteOption row = row_of (CENOTE_OPTION_BOOL);

  for (const char *text : { "true", "yes", "on", "1" })
    EXPECT_EQ (read (row, text), "yes");
  for (const char *text : { "false", "no", "off", "0" })
    EXPECT_EQ (read (row, text), "no");
  EXPECT_EQ (read (row, "maybe"), "problem: 'maybe' is not a boolean (true/false, yes/no, on/off or 1/0)");
  for (const char *text : { "", "True", "YES", "2", "y" })
    EXPECT_EQ (read (row, text).rfind ("problem: ", 0), 0u) << text;
}

TEST (Option, Integers)
{
  const CenoteOption row = row_of (CENOTE_OPTION_INT, "1", "10000");

  EXPECT_EQ (read (row, "5"), "5");
  EXPECT_EQ (read (row, "1"), "1");
  EXPECT_EQ (read (row, "10000"), "10000");
  EXPECT_EQ (read (row, "0"), "problem: '0' is below the minimum 1 (1 to 10000)");
  EXPECT_EQ (read (row, "10001"), "problem: '10001' is above the maximum 10000 (1 to 10000)");
  EXPECT_EQ (read (row, "five"), "problem: 'five' is not a whole number (1 to 10000)");
  EXPECT_EQ (read (row, "5 # five"), "problem: '5 # five' is not a whole number (1 to 10000)");
  EXPECT_EQ (read (row, "99999999999999999999"), "problem: '99999999999999999999' is too large (1 to 10000)");
  EXPECT_EQ (read (row_of (CENOTE_OPTION_INT), "5.5"), "problem: '5.5' is not a whole number (e.g. 5)");
  EXPECT_EQ (read (row_of (CENOTE_OPTION_INT), "99999999999999999999"),
             "problem: '99999999999999999999' is too large (it must fit in 64 bits)");
}

TEST (Option, Doubles)
{
  const CenoteOption row = row_of (CENOTE_OPTION_DOUBLE, "1", nullptr);

  EXPECT_EQ (read (row, "1.6"), "1.6");
  EXPECT_EQ (read (row, "2"), "2");
  EXPECT_EQ (read (row, "0.9"), "problem: '0.9' is below the minimum 1 (at least 1)");
  EXPECT_EQ (read (row, "fast"), "problem: 'fast' is not a number (at least 1)");
  EXPECT_EQ (read (row_of (CENOTE_OPTION_DOUBLE), "nan"), "problem: 'nan' is not a number (e.g. 1.6)");
}

TEST (Option, Durations)
{
  const CenoteOption row = row_of (CENOTE_OPTION_DURATION, "100ms", "1h");

  EXPECT_EQ (read (row, "1.5s"), "1500ms");
  EXPECT_EQ (read (row, "60min"), "1h");
  EXPECT_EQ (read (row, "99ms"), "problem: '99ms' is below the minimum 100ms (100ms to 1h)");
  EXPECT_EQ (read (row, "0"), "problem: '0' is below the minimum 100ms (100ms to 1h)");
  EXPECT_EQ (read (row, "61min"), "problem: '61min' is above the maximum 1h (100ms to 1h)");
  EXPECT_EQ (read (row, "5x"), "problem: '5x' is not a duration (a number and us, ms, s, min or h, e.g. 500ms)");
  EXPECT_EQ (read (row, "off"), "problem: 'off' is not a duration (a number and us, ms, s, min or h, e.g. 500ms)");
  EXPECT_EQ (read (row, "0.1us"), "problem: '0.1us' is too fine (a whole number of microseconds)");
}

TEST (Option, DurationsThatMayBeOff)
{
  const CenoteOption row = row_of (CENOTE_OPTION_DURATION, "1s", "24h", CENOTE_OPTION_MAY_BE_OFF);
  Value value;
  g_autofree char *problem = nullptr;

  ASSERT_TRUE (option_parse (&row, "off", &value.value, &problem));
  EXPECT_EQ (value.value.number, CENOTE_OFF);
  EXPECT_EQ (read (row, "off"), "off");
  EXPECT_EQ (read (row, "1s"), "1s");
  EXPECT_EQ (read (row, "500ms"), "problem: '500ms' is below the minimum 1s (1s to 24h, or off)");
  EXPECT_EQ (read (row, "5"), "problem: '5' is not a duration (a number and us, ms, s, min or h, e.g. 500ms, or off)");
}

TEST (Option, Sizes)
{
  const CenoteOption row = row_of (CENOTE_OPTION_SIZE, nullptr, "1GiB");

  EXPECT_EQ (read (row, "4096B"), "4KiB");
  EXPECT_EQ (read (row, "2GiB"), "problem: '2GiB' is above the maximum 1GiB (at most 1GiB)");
  EXPECT_EQ (read (row, "5MB"), "problem: '5MB' is not a size (a number and B, KiB, MiB or GiB, e.g. 4MiB)");
  EXPECT_EQ (read (row, "0.5B"), "problem: '0.5B' is too fine (a whole number of bytes)");
}

TEST (Option, Fractions)
{
  const CenoteOption row = row_of (CENOTE_OPTION_FRACTION, "0%", "100%");

  EXPECT_EQ (read (row, "20%"), "0.2");
  EXPECT_EQ (read (row, "0.2"), "0.2");
  EXPECT_EQ (read (row, "1"), "1");
  EXPECT_EQ (read (row, "20"), "problem: '20' is above the maximum 100% (0% to 100%)");
  EXPECT_EQ (read (row, "-1%"), "problem: '-1%' is below the minimum 0% (0% to 100%)");
  EXPECT_EQ (read (row, "half"), "problem: 'half' is not a fraction (e.g. 0.2 or 20%)");
}

TEST (Option, Enums)
{
  const CenoteOption row = row_of (CENOTE_OPTION_ENUM, nullptr, nullptr, 0, "eager|fail-fast|manual");
  Value value;
  g_autofree char *problem = nullptr;

  ASSERT_TRUE (option_parse (&row, "fail-fast", &value.value, &problem));
  EXPECT_EQ (value.value.number, 1);
  EXPECT_STREQ (value.value.text, "fail-fast");
  EXPECT_EQ (read (row, "sometimes"), "problem: 'sometimes' is none of eager, fail-fast, manual");
  EXPECT_EQ (read (row, "failfast"), "problem: 'failfast' is none of eager, fail-fast, manual (nearest: fail-fast)");
  EXPECT_EQ (read (row, ""), "problem: '' is none of eager, fail-fast, manual");
}

TEST (Option, StringsAndPaths)
{
  EXPECT_EQ (read (row_of (CENOTE_OPTION_STRING), ""), "");
  EXPECT_EQ (read (row_of (CENOTE_OPTION_STRING), " a;b\\\n${x} "), "\\sa;b\\\\\\n$${x}\\s");
  EXPECT_EQ (read (row_of (CENOTE_OPTION_PATH), "/etc/x"), "/etc/x");
  EXPECT_EQ (read (row_of (CENOTE_OPTION_PATH), ""), "problem: is empty (the path of a file)");
}

TEST (Option, Lists)
{
  const CenoteOption row = row_of (CENOTE_OPTION_LIST, "1", "2");
  Value value;
  g_autofree char *problem = nullptr;

  EXPECT_EQ (read (row, "a;b\\;c"), "a;b\\;c");
  EXPECT_EQ (read (row, ""), "problem: has 0 elements (1 to 2 elements)");
  EXPECT_EQ (read (row, "a;b;c"), "problem: has 3 elements (1 to 2 elements)");
  EXPECT_EQ (read (row, "a;;b"), "problem: has an empty element (elements are separated by one ;)");
  EXPECT_EQ (read (row_of (CENOTE_OPTION_LIST), ""), "");
  ASSERT_TRUE (option_parse (&row, "a;b", &value.value, &problem));
  EXPECT_EQ (value.value.number, 2);
  EXPECT_STREQ (value.value.list[0], "a");
  EXPECT_STREQ (value.value.list[1], "b");
  EXPECT_EQ (value.value.list[2], nullptr);
}

TEST (Option, AFailureLeavesTheValueAlone)
{
  for (CenoteOptionType type : { CENOTE_OPTION_BOOL, CENOTE_OPTION_INT, CENOTE_OPTION_DOUBLE, CENOTE_OPTION_DURATION,
                                 CENOTE_OPTION_SIZE, CENOTE_OPTION_FRACTION, CENOTE_OPTION_ENUM }) {
    const CenoteOption row = row_of (type, nullptr, nullptr, 0, "a|b");
    CenoteValue value = { false, 7, 7.5, nullptr, nullptr };
    g_autofree char *problem = nullptr;

    EXPECT_FALSE (option_parse (&row, "?", &value, &problem));
    EXPECT_EQ (value.number, 7);
    EXPECT_EQ (value.real, 7.5);
  }
}

TEST (Option, ATypeThatIsNotKnownIsRefused)
{
  EXPECT_EQ (read (row_of (99), "x"), "problem: 'x' is not what this option takes");
}

/* ----------------------------------------------------------- what is shown */

TEST (Option, ASecretIsNeverShown)
{
  const CenoteOption row = row_of (CENOTE_OPTION_INT, "1000", "9999", CENOTE_OPTION_SECRET);

  EXPECT_EQ (read (row, "1234"), "(secret)");
  EXPECT_EQ (read (row, "hunter2"), "problem: the value is not a whole number (1000 to 9999)");
  EXPECT_EQ (read (row, "5"), "problem: the value is below the minimum 1000 (1000 to 9999)");
  EXPECT_EQ (read (row, "99999999999999999999"), "problem: the value is too large (1000 to 9999)");
  EXPECT_EQ (read (row_of (CENOTE_OPTION_ENUM, nullptr, nullptr, CENOTE_OPTION_SECRET, "full|none"), "ful"),
             "problem: the value is none of full, none");
}

TEST (Option, ALongValueIsShownShort)
{
  std::string text;

  for (int i = 0; i < 100; i++)
    text += "ä";
  std::string problem = read (row_of (CENOTE_OPTION_INT), text.c_str ());
  EXPECT_EQ (problem, "problem: '" + text.substr (0, 120) + "…' is not a whole number (e.g. 5)");
}

TEST (Option, WhatIsNotSetIsNone)
{
  const CenoteOption row = row_of (CENOTE_OPTION_STRING),
                     secret = row_of (CENOTE_OPTION_STRING, nullptr, nullptr, CENOTE_OPTION_SECRET);
  const CenoteValue value = {};
  g_autofree char *text = option_format (&row, &value), *hidden = option_format (&secret, &value);

  EXPECT_STREQ (text, "(none)");
  EXPECT_STREQ (hidden, "(none)");
}

TEST (Option, Ranges)
{
  const struct {
    CenoteOption row;
    const char *range;
  } cases[] = {
    { row_of (CENOTE_OPTION_DURATION, "1ms", "1h"), "1ms to 1h" },
    { row_of (CENOTE_OPTION_DURATION, "1s", nullptr, CENOTE_OPTION_MAY_BE_OFF), "at least 1s, or off" },
    { row_of (CENOTE_OPTION_INT, nullptr, "9"), "at most 9" },
    { row_of (CENOTE_OPTION_LIST, "1", nullptr), "at least 1 elements" },
    { row_of (CENOTE_OPTION_ENUM, nullptr, nullptr, 0, "full|none"), "full, none" },
    { row_of (CENOTE_OPTION_BOOL), nullptr },
    { row_of (CENOTE_OPTION_STRING, "1", "2"), nullptr },
    { row_of (CENOTE_OPTION_SIZE), nullptr },
  };

  for (const auto &c : cases) {
    g_autofree char *range = option_format_range (&c.row);

    EXPECT_STREQ (range, c.range);
  }
}

TEST (Option, EveryTypeHasAName)
{
  const char *const names[] = { "string", "bool",     "int",  "double", "duration",
                                "size",   "fraction", "enum", "path",   "list" };

  for (int type = CENOTE_OPTION_STRING; type <= CENOTE_OPTION_LIST; type++)
    EXPECT_STREQ (option_type_name ((CenoteOptionType) type), names[type - 1]);
  EXPECT_STREQ (option_type_name ((CenoteOptionType) 0), "unknown");
  EXPECT_STREQ (option_type_name ((CenoteOptionType) 99), "unknown");
}

TEST (Option, ACopyIsItsOwn)
{
  const CenoteOption row = row_of (CENOTE_OPTION_LIST);
  Value copy;
  g_autofree char *problem = nullptr;

  {
    Value value;

    ASSERT_TRUE (option_parse (&row, "a;b", &value.value, &problem));
    option_value_copy (&value.value, &copy.value);
  }
  g_autofree char *text = option_format (&row, &copy.value);
  EXPECT_STREQ (text, "a;b");
}

/* ------------------------------------------------------------------ tables */

const CenoteOption rows[] = { { "one", CENOTE_OPTION_INT, 0, "1", nullptr, nullptr, nullptr, "The first" },
                              { "two", CENOTE_OPTION_BOOL, 0, nullptr, nullptr, nullptr, nullptr, "The second" } };

TEST (OptionTable, FindsItsRows)
{
  const OptionTable table = OPTION_TABLE (rows);
  g_auto (GStrv) names = option_table_names (&table);

  EXPECT_EQ (option_table_find (&table, "one"), 0);
  EXPECT_EQ (option_table_find (&table, "two"), 1);
  EXPECT_EQ (option_table_find (&table, "tw"), -1);
  ASSERT_EQ (g_strv_length (names), 2u);
  EXPECT_STREQ (names[1], "two");
}

TEST (OptionTable, ShorterRowsOfAnOlderHeader)
{
  const guint size = offsetof (CenoteOption, choices);
  std::vector<char> bytes (2 * size);
  CenoteOption row;

  memcpy (bytes.data (), &rows[0], size);
  memcpy (bytes.data () + size, &rows[1], size);
  const OptionTable table = { (const CenoteOption *) (const void *) bytes.data (), 2, size };
  option_table_row (&table, 1, &row);
  EXPECT_STREQ (row.name, "two");
  EXPECT_EQ (row.type, (uint32_t) CENOTE_OPTION_BOOL);
  EXPECT_EQ (row.choices, nullptr);
  EXPECT_EQ (row.summary, nullptr);
  EXPECT_EQ (option_table_find (&table, "two"), 1);
}

TEST (OptionTable, LongerRowsOfANewerHeader)
{
  struct Newer {
    CenoteOption row;
    const char *more;
  };
  const Newer newer[] = { { rows[0], "x" }, { rows[1], "y" } };
  const OptionTable table = { &newer[0].row, 2, sizeof (Newer) };

  EXPECT_EQ (option_table_find (&table, "two"), 1);
}

/* ----------------------------------------------------------------- nearest */

TEST (OptionNearest, FindsSlips)
{
  const char *const names[] = { "size", "target", "targets", "connector", "connect-timeout", "backoff", nullptr };
  const struct {
    const char *name, *nearest;
  } cases[] = {
    { "sise", "size" },      { "szie", "size" },       { "siz", "size" },
    { "Size", "size" },      { "tragets", "targets" }, { "taget", "target" },
    { "conn", "connector" }, { "s", "size" },          { "connect_timeout", "connect-timeout" },
    { "bakcof", "backoff" }, { "picker", nullptr },    { "", nullptr },
    { "zzzz", nullptr },
  };

  for (const auto &c : cases)
    EXPECT_STREQ (option_nearest (c.name, names), c.nearest) << c.name;
}

TEST (OptionNearest, TheFirstOfTwoThatAreAsNear)
{
  const char *const names[] = { "bat", "cat", nullptr }, *const none[] = { nullptr };

  EXPECT_STREQ (option_nearest ("hat", names), "bat");
  EXPECT_STREQ (option_nearest ("cat", names), "cat");
  EXPECT_EQ (option_nearest ("cat", none), nullptr);
}

} // namespace
