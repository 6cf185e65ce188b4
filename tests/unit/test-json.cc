/* SPDX-License-Identifier: Apache-2.0 */
/* json: every kind of value, commas by place, and text that is hard to write. */
#include "core/base/json.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace {

std::string
written (const std::function<void (GString *)> &write)
{
  GString *out = g_string_new (nullptr);

  write (out);
  std::string text (out->str, out->len);
  g_string_free (out, TRUE);
  return text;
}

std::string
written_string (const char *text)
{
  return written ([text] (GString *out) { json_string (out, text); });
}

TEST (Json, ScalarsStandAlone)
{
  EXPECT_EQ (written_string ("users"), "\"users\"");
  EXPECT_EQ (written_string (""), "\"\"");
  EXPECT_EQ (written_string (nullptr), "null");
  EXPECT_EQ (written (json_null), "null");
  EXPECT_EQ (written ([] (GString *out) { json_bool (out, TRUE); }), "true");
  EXPECT_EQ (written ([] (GString *out) { json_bool (out, FALSE); }), "false");
}

TEST (Json, NumbersKeepAllTheirDigits)
{
  EXPECT_EQ (written ([] (GString *out) { json_int64 (out, G_MAXINT64); }), "9223372036854775807");
  EXPECT_EQ (written ([] (GString *out) { json_int64 (out, G_MININT64); }), "-9223372036854775808");
  EXPECT_EQ (written ([] (GString *out) { json_int64 (out, 0); }), "0");
}

TEST (Json, EmptyContainers)
{
  auto object = [] (GString *out) {
    json_begin_object (out);
    json_end_object (out);
  };
  auto array = [] (GString *out) {
    json_begin_array (out);
    json_end_array (out);
  };

  EXPECT_EQ (written (object), "{}");
  EXPECT_EQ (written (array), "[]");
}

TEST (Json, CommasStandBetweenValuesAndNowhereElse)
{
  auto document = [] (GString *out) {
    json_begin_object (out);
    json_name (out, "pools");
    json_begin_array (out);
    for (gint64 i = 1; i <= 2; i++) {
      json_begin_object (out);
      json_member_int64 (out, "id", i);
      json_member_bool (out, "ready", i == 1);
      json_end_object (out);
    }
    json_begin_array (out);
    json_end_array (out);
    json_null (out);
    json_end_array (out);
    json_member_string (out, "last", nullptr);
    json_end_object (out);
  };

  EXPECT_EQ (written (document), R"({"pools":[{"id":1,"ready":true},{"id":2,"ready":false},[],null],"last":null})");
}

TEST (Json, StringsThatEndLikeContainersDoNotSwallowAComma)
{
  auto array = [] (GString *out) {
    json_begin_array (out);
    for (const char *text : { "{", "[", ":", "," })
      json_string (out, text);
    json_end_array (out);
  };

  EXPECT_EQ (written (array), R"(["{","[",":",","])");
}

TEST (Json, OptionalNumbersAreNullWhereNegative)
{
  auto object = [] (GString *out) {
    json_begin_object (out);
    json_member_optional (out, "age", -1);
    json_member_optional (out, "next", 0);
    json_end_object (out);
  };

  EXPECT_EQ (written (object), R"({"age":null,"next":0})");
}

TEST (Json, ListsOfStrings)
{
  auto object = [] (GString *out) {
    const char *const two[] = { "a", "b\"", nullptr };
    const char *const none[] = { nullptr };

    json_begin_object (out);
    json_member_strv (out, "two", two);
    json_member_strv (out, "none", none);
    json_member_strv (out, "absent", nullptr);
    json_end_object (out);
  };

  EXPECT_EQ (written (object), R"({"two":["a","b\""],"none":[],"absent":null})");
}

TEST (Json, EveryControlCharacterIsEscaped)
{
  for (char c = 1; c < 0x20; c++) {
    const char text[] = { 'a', c, 'b', '\0' };
    std::string out = written_string (text);

    EXPECT_EQ (out.find (c), std::string::npos) << "character " << int (c);
    EXPECT_EQ (out.compare (0, 3, "\"a\\"), 0) << out;
    EXPECT_EQ (out.compare (out.size () - 2, 2, "b\""), 0) << out;
  }
  EXPECT_EQ (written_string ("\x01\n\t\r\x1f\x7f"), "\"\\u0001\\n\\t\\u000d\\u001f\x7f\"");
}

TEST (Json, QuotesAndBackslashesAreEscapedInNamesToo)
{
  auto object = [] (GString *out) {
    json_begin_object (out);
    json_member_string (out, "a\"b", "c\\d");
    json_end_object (out);
  };

  EXPECT_EQ (written (object), R"({"a\"b":"c\\d"})");
}

TEST (Json, TextOutsideAsciiStaysAsItIs)
{
  EXPECT_EQ (written_string ("cañón 水 🌀"), "\"cañón 水 🌀\"");
}

TEST (Json, WhatIsNotUtf8BecomesTheReplacementCharacter)
{
  EXPECT_EQ (written_string ("a\xff"
                             "b"),
             "\"a\xEF\xBF\xBD"
             "b\"");
  /* A cut-off sequence, an overlong slash and a surrogate: valid again, whatever their count. */
  for (const char *text : { "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80" })
    EXPECT_TRUE (g_utf8_validate (written_string (text).c_str (), -1, nullptr));
}

} // namespace
