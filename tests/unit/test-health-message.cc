/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "core/grpc/health-message.h"
}

namespace {

std::string
request (const char *service)
{
  g_autoptr (GBytes) bytes = health_request_new (service);
  gsize size;
  const char *data = static_cast<const char *> (g_bytes_get_data (bytes, &size));

  return data == nullptr ? "" : std::string (data, size);
}

/* -1: no HealthCheckResponse. */
int
status (const std::string &response)
{
  g_autoptr (GBytes) bytes = g_bytes_new (response.data (), response.size ());
  ServingStatus result = SERVING_STATUS_UNKNOWN;

  return health_response_read (bytes, &result) ? static_cast<int> (result) : -1;
}

TEST (HealthMessage, RequestNamesTheService)
{
  EXPECT_EQ (request (""), "");
  EXPECT_EQ (request ("a.B"), std::string ("\x0a\x03") + "a.B");
  EXPECT_EQ (request (std::string (300, 's').c_str ()), std::string ("\x0a\xac\x02") + std::string (300, 's'));
}

TEST (HealthMessage, ResponseHasAStatus)
{
  EXPECT_EQ (status (""), SERVING_STATUS_UNKNOWN) << "the default is not sent";
  EXPECT_EQ (status (std::string ("\x08\x00", 2)), SERVING_STATUS_UNKNOWN);
  EXPECT_EQ (status ("\x08\x01"), SERVING_STATUS_SERVING);
  EXPECT_EQ (status ("\x08\x02"), SERVING_STATUS_NOT_SERVING);
  EXPECT_EQ (status ("\x08\x03"), SERVING_STATUS_SERVICE_UNKNOWN);
  EXPECT_EQ (status ("\x08\x01\x08\x02"), SERVING_STATUS_NOT_SERVING) << "the last one counts";
}

TEST (HealthMessage, WhatIsNewIsNoReasonToServe)
{
  EXPECT_EQ (status ("\x08\x04"), SERVING_STATUS_UNKNOWN);
  EXPECT_EQ (status ("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), SERVING_STATUS_UNKNOWN);
}

TEST (HealthMessage, OtherFieldsArePassedOver)
{
  EXPECT_EQ (status (std::string ("\x10\x07\x1a\x02hi\x25") + "abcd\x29" + "abcdefgh\x08\x01"), SERVING_STATUS_SERVING);
}

TEST (HealthMessage, JunkIsRefused)
{
  EXPECT_EQ (status ("\x08"), -1);
  EXPECT_EQ (status ("\x08\x81"), -1);
  EXPECT_EQ (status ("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -1);
  EXPECT_EQ (status ("\x12\x7f" "short"), -1);
  EXPECT_EQ (status ("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), -1);
  EXPECT_EQ (status ("\x25" "abc"), -1);
  EXPECT_EQ (status ("\x0b"), -1) << "a group";
}

/* Whatever comes, it is read to its end and no further (a sanitizer sees). */
TEST (HealthMessage, EveryShortMessageIsReadInBounds)
{
  for (int a = 0; a < 256; a++)
    for (int b = 0; b < 256; b++)
      EXPECT_GE (status (std::string ({ static_cast<char> (a), static_cast<char> (b) })), -1);
}

} // namespace
