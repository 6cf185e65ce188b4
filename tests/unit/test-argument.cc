/* SPDX-License-Identifier: Apache-2.0 */
/* argument: numbers, strings, and what is Cenote's own. */
#include "core/config/argument.h"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string
read (const char *text)
{
  g_autofree char *problem = nullptr;
  Argument argument = {};

  if (!argument_parse (text, &argument, &problem)) {
    EXPECT_EQ (argument.name, nullptr);
    return std::string ("problem: ") + problem;
  }
  std::string out = std::string (argument.name)
                    + (argument.text != nullptr ? std::string (" text ") + argument.text
                                                : " number " + std::to_string (argument.number));
  argument_clear (&argument);
  return out;
}

TEST (ArgumentTest, WhatLooksLikeANumberIsOne)
{
  EXPECT_EQ (read ("grpc.x=5"), "grpc.x number 5");
  EXPECT_EQ (read ("grpc.x=-5"), "grpc.x number -5");
  EXPECT_EQ (read (" grpc.x = 5 "), "grpc.x number 5");
  EXPECT_EQ (read ("grpc.x=2147483647"), "grpc.x number 2147483647");
  EXPECT_EQ (read ("grpc.x=-2147483648"), "grpc.x number -2147483648");
}

TEST (ArgumentTest, AllElseIsText)
{
  EXPECT_EQ (read ("grpc.primary_user_agent=me/1"), "grpc.primary_user_agent text me/1");
  EXPECT_EQ (read ("grpc.x="), "grpc.x text ");
  EXPECT_EQ (read ("grpc.x=a=b"), "grpc.x text a=b");
  EXPECT_EQ (read ("grpc.x=5.0"), "grpc.x text 5.0");
}

TEST (ArgumentTest, WhatIsNone)
{
  for (const char *text : { "", "grpc.x", "=5" })
    EXPECT_EQ (read (text), std::string ("problem: '") + text + "' is no argument (NAME=VALUE)");
  for (const char *number : { "2147483648", "-2147483649", "99999999999999999999" })
    EXPECT_EQ (read ((std::string ("grpc.x=") + number).c_str ()),
               "problem: the value of grpc.x does not fit C-core (-2147483648 to 2147483647)");
}

TEST (ArgumentTest, WhatIsCenotesOwnNamesItsKeyOrWhy)
{
  EXPECT_EQ (read ("grpc.max_receive_message_length=5"),
             "problem: grpc.max_receive_message_length is Cenote's to set (the key "
             "max-message-size)");
  EXPECT_EQ (read ("grpc.use_local_subchannel_pool=0"),
             "problem: grpc.use_local_subchannel_pool is Cenote's to set (each channel has a "
             "connection of its own)");
  for (const char *name :
       { "grpc.absolute_max_metadata_size", "grpc.client_idle_timeout_ms", "grpc.compression_enabled_algorithms_bitset",
         "grpc.enable_http_proxy", "grpc.enable_retries", "grpc.http2.max_pings_without_data",
         "grpc.initial_reconnect_backoff_ms", "grpc.keepalive_permit_without_calls", "grpc.keepalive_time_ms",
         "grpc.keepalive_timeout_ms", "grpc.max_metadata_size", "grpc.per_message_decompression", "grpc.max_reconnect_backoff_ms",
         "grpc.max_send_message_length", "grpc.min_reconnect_backoff_ms", "grpc.service_config" })
    EXPECT_EQ (
      read ((std::string (name) + "=1").c_str ()).rfind (std::string ("problem: ") + name + " is Cenote's to set", 0),
      0u)
      << name;
}

} // namespace
