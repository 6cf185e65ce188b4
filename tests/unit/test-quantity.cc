/* SPDX-License-Identifier: Apache-2.0 */
/* quantity: what is read, what is refused and why, and that what is written reads back. */
#include "core/config/quantity.h"

#include <gtest/gtest.h>

#include <string>

namespace {

struct Case {
  const char *text;
  QuantityResult result;
  gint64 number;
};

void
check (QuantityResult (*read) (const char *, gint64 *), const Case &c)
{
  gint64 number = -77;

  EXPECT_EQ (read (c.text, &number), c.result) << c.text;
  EXPECT_EQ (number, c.result == QUANTITY_OK ? c.number : -77) << c.text;
}

TEST (Quantity, ReadsWholeNumbers)
{
  for (const Case &c :
       { Case{ "0", QUANTITY_OK, 0 }, Case{ "007", QUANTITY_OK, 7 }, Case{ "-5", QUANTITY_OK, -5 },
         Case{ "9223372036854775807", QUANTITY_OK, G_MAXINT64 },
         Case{ "-9223372036854775807", QUANTITY_OK, -G_MAXINT64 }, Case{ "9223372036854775808", QUANTITY_TOO_LARGE, 0 },
         Case{ "99999999999999999999999999", QUANTITY_TOO_LARGE, 0 }, Case{ "", QUANTITY_MALFORMED, 0 },
         Case{ "-", QUANTITY_MALFORMED, 0 }, Case{ "+5", QUANTITY_MALFORMED, 0 }, Case{ "5 ", QUANTITY_MALFORMED, 0 },
         Case{ "5.0", QUANTITY_MALFORMED, 0 }, Case{ "0x10", QUANTITY_MALFORMED, 0 },
         Case{ "1e3", QUANTITY_MALFORMED, 0 }, Case{ "٣", QUANTITY_MALFORMED, 0 } })
    check (quantity_read_int, c);
}

TEST (Quantity, ReadsDurationsAsMicroseconds)
{
  for (const Case &c :
       { Case{ "0", QUANTITY_OK, 0 }, Case{ "1us", QUANTITY_OK, 1 }, Case{ "500ms", QUANTITY_OK, 500000 },
         Case{ "1.5s", QUANTITY_OK, 1500000 }, Case{ "1.50000000000000s", QUANTITY_OK, 1500000 },
         Case{ "2min", QUANTITY_OK, 120000000 }, Case{ "0.25h", QUANTITY_OK, 900000000 },
         Case{ "0.000001s", QUANTITY_OK, 1 }, Case{ "0.999999999h", QUANTITY_TOO_FINE, 0 },
         Case{ "0.5us", QUANTITY_TOO_FINE, 0 }, Case{ "1.0000001s", QUANTITY_TOO_FINE, 0 },
         Case{ "0.33333333333333333333333h", QUANTITY_TOO_FINE, 0 },
         Case{ "9223372036854775807us", QUANTITY_OK, G_MAXINT64 },
         Case{ "9223372036854775807s", QUANTITY_TOO_LARGE, 0 }, Case{ "2562047788.1h", QUANTITY_TOO_LARGE, 0 } })
    check (quantity_read_duration, c);
}

TEST (Quantity, RefusesWhatIsNoDuration)
{
  for (const char *text : { "", "5", "5x", "5 s", " 5s", "5s ", "-5s", "5S", "5m", "5sec", ".5s", "5.s", "5..1s", "s",
                            "off", "1,5s", "∞" })
    check (quantity_read_duration, { text, QUANTITY_MALFORMED, 0 });
}

TEST (Quantity, ReadsSizesAsBytes)
{
  for (const Case &c :
       { Case{ "0", QUANTITY_OK, 0 }, Case{ "1B", QUANTITY_OK, 1 }, Case{ "4MiB", QUANTITY_OK, 4 << 20 },
         Case{ "1.5KiB", QUANTITY_OK, 1536 }, Case{ "2GiB", QUANTITY_OK, G_GINT64_CONSTANT (1) << 31 },
         Case{ "0.3KiB", QUANTITY_TOO_FINE, 0 }, Case{ "0.5B", QUANTITY_TOO_FINE, 0 },
         Case{ "8589934592GiB", QUANTITY_TOO_LARGE, 0 }, Case{ "4096", QUANTITY_MALFORMED, 0 },
         Case{ "4MB", QUANTITY_MALFORMED, 0 }, Case{ "4mib", QUANTITY_MALFORMED, 0 } })
    check (quantity_read_size, c);
}

TEST (Quantity, ReadsFractionsInBothForms)
{
  double number = 7;

  EXPECT_EQ (quantity_read_fraction ("0.2", &number), QUANTITY_OK);
  EXPECT_EQ (number, 0.2);
  EXPECT_EQ (quantity_read_fraction ("20%", &number), QUANTITY_OK);
  EXPECT_EQ (number, 0.2);
  EXPECT_EQ (quantity_read_fraction ("-12.5%", &number), QUANTITY_OK);
  EXPECT_EQ (number, -0.125);
  number = 7;
  for (const char *text : { "", "%", "20 %", "20%%", "nan", "inf", "1e2", ".5", "0x1p3" })
    EXPECT_EQ (quantity_read_fraction (text, &number), QUANTITY_MALFORMED) << text;
  EXPECT_EQ (quantity_read_fraction ((std::string (400, '9') + "%").c_str (), &number), QUANTITY_TOO_LARGE);
  EXPECT_EQ (number, 7);
}

TEST (Quantity, WritesTheLargestUnitThatIsWhole)
{
  const struct {
    char *(*write) (gint64);
    gint64 number;
    const char *text;
  } cases[] = {
    { quantity_write_duration, 0, "0" },          { quantity_write_duration, 1, "1us" },
    { quantity_write_duration, 1500000, "1500ms" }, { quantity_write_duration, 90000000, "90s" },
    { quantity_write_duration, 120000000, "2min" }, { quantity_write_duration, 7200000000, "2h" },
    { quantity_write_size, 0, "0" },              { quantity_write_size, 1536, "1536B" },
    { quantity_write_size, 4 << 20, "4MiB" },     { quantity_write_size, G_GINT64_CONSTANT (3) << 30, "3GiB" },
  };

  for (const auto &c : cases) {
    g_autofree char *text = c.write (c.number);

    EXPECT_STREQ (text, c.text);
  }
}

TEST (Quantity, WhatIsWrittenReadsBack)
{
  for (double number : { 0.0, 0.1, 0.2, 1.6, 1.0 / 3, 1234567.891, 12345678901234567.0 }) {
    g_autofree char *text = quantity_write_real (number);

    EXPECT_EQ (g_ascii_strtod (text, nullptr), number) << text;
  }
  for (gint64 number = 1; number < G_MAXINT64 / 7; number = number * 7 + 3) {
    g_autofree char *duration = quantity_write_duration (number);
    g_autofree char *size = quantity_write_size (number);
    gint64 us = 0, bytes = 0;

    EXPECT_EQ (quantity_read_duration (duration, &us), QUANTITY_OK) << duration;
    EXPECT_EQ (quantity_read_size (size, &bytes), QUANTITY_OK) << size;
    EXPECT_EQ (us, number);
    EXPECT_EQ (bytes, number);
  }
}

TEST (Quantity, WritesTheShortestReal)
{
  g_autofree char *fifth = quantity_write_real (0.2), *factor = quantity_write_real (1.6),
                  *one = quantity_write_real (1);

  EXPECT_STREQ (fifth, "0.2");
  EXPECT_STREQ (factor, "1.6");
  EXPECT_STREQ (one, "1");
}

} // namespace
