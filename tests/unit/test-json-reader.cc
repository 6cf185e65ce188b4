/* SPDX-License-Identifier: Apache-2.0 */
/* json-reader: what the command's writer writes is read again; everything else is refused, never guessed. */
#include "tools/json-reader.h"

#include <cenote/error.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/base/json.h"

namespace {

struct Unref {
  void operator() (GVariant *value) const { g_variant_unref (value); }
};
using Value = std::unique_ptr<GVariant, Unref>;

Value
read (const std::string &text)
{
  return Value (json_read (text.c_str (), nullptr));
}

std::string
printed (const std::string &text)
{
  Value value = read (text);

  if (!value)
    return "(refused)";
  char *print = g_variant_print (value.get (), TRUE);
  std::string out = print;
  g_free (print);
  return out;
}

TEST (JsonReader, Scalars)
{
  EXPECT_EQ (printed ("\"users\""), "'users'");
  EXPECT_EQ (printed (" 42 "), "int64 42");
  EXPECT_EQ (printed ("-9223372036854775808"), "int64 -9223372036854775808");
  EXPECT_EQ (printed ("0"), "int64 0");
  EXPECT_EQ (printed ("0.5"), "0.5");
  EXPECT_EQ (printed ("2e3"), "2000.0");
  EXPECT_EQ (printed ("9223372036854775808"), "9.2233720368547758e+18");
  EXPECT_EQ (printed ("true"), "true");
  EXPECT_EQ (printed ("null"), "@mv nothing");
}

TEST (JsonReader, Containers)
{
  EXPECT_EQ (printed ("[]"), "@av []");
  EXPECT_EQ (printed ("{}"), "@a{sv} {}");
  EXPECT_EQ (printed ("[1, [\"a\"]]"), "[<int64 1>, <[<'a'>]>]");
  EXPECT_EQ (printed ("{ \"a\" : { \"b\" : false } }"), "{'a': <{'b': <false>}>}");
}

TEST (JsonReader, Escapes)
{
  Value value = read ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83c\\udf00\"");

  ASSERT_TRUE (value);
  EXPECT_STREQ (g_variant_get_string (value.get (), nullptr), "\"\\/\b\f\n\r\té🌀");
}

TEST (JsonReader, WhatIsNotJsonIsRefused)
{
  for (const char *text :
       { "",      " ",          "{",    "[",       "\"",        "[1,]",        "[1 2]",       "{\"a\"}",     "{\"a\":}",
         "{a:1}", "{\"a\":1,}", "01",   "1.",      ".5",        "-",           "1e",          "+1",          "tru",
         "nulls", "'a'",        "[1]]", "\"\\x\"", "\"\\u12\"", "\"\\ud83c\"", "\"\\udf00\"", "\"\\u0000\"", "\"a\nb\"",
         "1e999", "\"\xff\"" })
    EXPECT_EQ (printed (text), "(refused)") << text;
}

TEST (JsonReader, DepthIsBounded)
{
  EXPECT_TRUE (read (std::string (32, '[') + std::string (32, ']')));
  EXPECT_FALSE (read (std::string (33, '[') + std::string (33, ']')));
  EXPECT_FALSE (read (std::string (1000000, '[')));
}

TEST (JsonReader, ErrorsNameTheByte)
{
  GError *error = nullptr;

  EXPECT_EQ (json_read ("[1, x]", &error), nullptr);
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_INVALID));
  EXPECT_STREQ (error->message, "not JSON at byte 4");
  g_clear_error (&error);
}

TEST (JsonReader, MembersByName)
{
  Value value = read (R"({"name":"users","size":5,"why":null,"list":["a","b"]})");

  ASSERT_TRUE (value);
  EXPECT_STREQ (json_get_string (value.get (), "name"), "users");
  EXPECT_EQ (json_get_string (value.get (), "why"), nullptr);
  EXPECT_EQ (json_get_string (value.get (), "size"), nullptr);
  EXPECT_EQ (json_get_int64 (value.get (), "size", -1), 5);
  EXPECT_EQ (json_get_int64 (value.get (), "name", -1), -1);

  Value list (json_get_array (value.get (), "list"));
  ASSERT_EQ (g_variant_n_children (list.get ()), 2u);
  Value second (json_item (list.get (), 1));
  EXPECT_STREQ (g_variant_get_string (second.get (), nullptr), "b");
  Value absent (json_get_array (value.get (), "name"));
  EXPECT_EQ (g_variant_n_children (absent.get ()), 0u);
}

TEST (JsonReader, MembersOfWhatIsNoObject)
{
  Value value = read ("[1]");

  EXPECT_EQ (json_get_string (value.get (), "name"), nullptr);
  EXPECT_EQ (json_get_int64 (value.get (), "size", 7), 7);
  Value array (json_get_array (value.get (), "list"));
  EXPECT_EQ (g_variant_n_children (array.get ()), 0u);
}

TEST (JsonReader, ReadsWhatTheWriterWrites)
{
  const char *text = "a\"b\\c\n\x01 水";
  GString *out = g_string_new (nullptr);

  json_begin_object (out);
  json_member_string (out, "text", text);
  json_member_int64 (out, "number", G_MAXINT64);
  json_end_object (out);
  Value value = read (out->str);
  ASSERT_TRUE (value);
  EXPECT_STREQ (json_get_string (value.get (), "text"), text);
  EXPECT_EQ (json_get_int64 (value.get (), "number", 0), G_MAXINT64);
  g_string_free (out, TRUE);
}

} // namespace
