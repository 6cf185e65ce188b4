/* SPDX-License-Identifier: Apache-2.0 */
#include "core/call/status-error.h"

#include <cenote/call.h>
#include <gtest/gtest.h>

namespace {

TEST (StatusError, SaysWhatTheServerSaid)
{
  g_autoptr (GError) error = status_error_new (5, "no such key", nullptr);

  EXPECT_TRUE (g_error_matches (error, CENOTE_STATUS, 5));
  EXPECT_STREQ ("no such key", error->message);
}

TEST (StatusError, SaysTheStatusWhereTheServerSaidNothing)
{
  g_autoptr (GError) known = status_error_new (14, "", nullptr);
  g_autoptr (GError) unknown = status_error_new (42, nullptr, nullptr);
  g_autoptr (GError) negative = status_error_new (-1, "", nullptr);

  EXPECT_STREQ ("UNAVAILABLE", known->message);
  EXPECT_EQ (42, unknown->code);
  EXPECT_STREQ ("status 42, which gRPC does not define", unknown->message);
  EXPECT_STREQ ("status -1, which gRPC does not define", negative->message);
}

TEST (StatusError, IsUtf8WhateverCame)
{
  g_autoptr (GError) error = status_error_new (13, "bad \xff byte", nullptr);

  EXPECT_TRUE (g_utf8_validate (error->message, -1, nullptr)) << error->message;
}

TEST (StatusError, CarriesTheTrailersIntoCopies)
{
  g_autoptr (Headers) trailers = headers_new (2);
  g_autoptr (GError) copy = nullptr;

  headers_put (trailers, 0, "reason", 6, "full", 4);
  headers_put (trailers, 1, "reason", 6, "again", 5);
  {
    g_autoptr (GError) error = status_error_new (8, "", trailers);
    copy = g_error_copy (error);
  }
  EXPECT_STREQ ("full", cenote_status_error_get_trailing (copy, "reason"));
  EXPECT_EQ (nullptr, cenote_status_error_get_trailing (copy, "other"));
  EXPECT_EQ (nullptr, cenote_status_error_get_trailing (nullptr, "reason"));
}

TEST (StatusError, OtherErrorsCarryNone)
{
  g_autoptr (GError) error = g_error_new_literal (CENOTE_ERROR, CENOTE_ERROR_TIMEOUT, "late");

  EXPECT_EQ (nullptr, cenote_status_error_get_trailing (error, "reason"));
}

TEST (StatusError, ValuesMayHoldAnyBytes)
{
  g_autoptr (Headers) headers = headers_new (1);
  gsize length = 0;

  headers_put (headers, 0, "key-bin", 7, "a\0b", 3);
  EXPECT_EQ (0, memcmp ("a\0b", headers_get (headers, "key-bin", &length), 4));
  EXPECT_EQ (3u, length);
}

} /* namespace */
