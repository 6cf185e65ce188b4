/* SPDX-License-Identifier: Apache-2.0 */
#include "core/call/limit-text.h"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string
text (const char *details)
{
  g_autofree char *said = limit_text (details, 65536, 16384);

  return said == nullptr ? "" : said;
}

TEST (LimitText, NamesTheKeyOfMessages)
{
  EXPECT_EQ ("Received message larger than max (65539 vs. 65536): the pool's max-message-size",
             text ("Received message larger than max (65539 vs. 65536)"));
  EXPECT_EQ ("Sent message larger than max (65544 vs. 65536): the pool's max-message-size",
             text ("Sent message larger than max (65544 vs. 65536)"));
}

TEST (LimitText, NamesTheKeyOfMetadata)
{
  EXPECT_EQ ("received initial metadata size exceeds limit: the pool takes 16384 bytes (max-metadata-size)",
             text ("received initial metadata size exceeds limit"));
  EXPECT_EQ ("received trailing metadata size exceeds limit: the pool takes 16384 bytes (max-metadata-size)",
             text ("received trailing metadata size exceeds limit"));
}

TEST (LimitText, LeavesAPeersOwnLimitAlone)
{
  EXPECT_EQ ("", text ("Received message larger than max (65539 vs. 4194304)"));
  EXPECT_EQ ("", text ("Received message larger than max (5242890 vs 65536)")) << "as grpc-js says it";
  EXPECT_EQ ("", text ("Received message larger than max (1 vs. 165536)"));
}

TEST (LimitText, LeavesAnythingElseAlone)
{
  EXPECT_EQ ("", text (""));
  EXPECT_EQ ("", text ("too many requests (5 vs. 65536)"));
}

} // namespace
