/* SPDX-License-Identifier: Apache-2.0 */
/* disconnect-error: what each reason for a loss is called. */
#include "core/grpc/disconnect-error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

struct Row {
  const char *reason;
  const char *error;
};

class DisconnectErrorTest : public ::testing::TestWithParam<Row>
{
};

TEST_P (DisconnectErrorTest, IsThatOfItsReason)
{
  EXPECT_STREQ (disconnect_error_of (GetParam ().reason), GetParam ().error) << GetParam ().reason;
}

INSTANTIATE_TEST_SUITE_P (
  Reasons, DisconnectErrorTest,
  ::testing::Values (
    /* Ours. */
    Row{ "the connection was lost", "unknown" }, Row{ nullptr, "unknown" }, Row{ "", "unknown" },
    Row{ "ping failed: no answer within 1000 ms", "connection timed out" }, Row{ "ping failed: UNAVAILABLE", "unknown" },
    Row{ "ping failed: Socket closed", "socket error" },
    Row{ "the connection was lost, probably by ENHANCE_YOUR_CALM for keepalive pings every 1000 ms: its age is that of three strikes",
         "GOAWAY ENHANCE_YOUR_CALM" },
    /* C-core's. */
    Row{ "Socket closed", "socket error" }, Row{ "recvmsg:Connection reset by peer", "connection reset" },
    Row{ "sendmsg:Broken pipe", "connection reset" }, Row{ "keepalive watchdog timeout", "connection timed out" },
    Row{ "recvmsg:Connection timed out", "connection timed out" }, Row{ "Software caused connection abort", "connection aborted" },
    Row{ "GOAWAY received; Error code: 0; Debug Text: bye", "GOAWAY NO_ERROR" },
    Row{ "GOAWAY received; Error code: 11; Debug Text: too_many_pings", "GOAWAY ENHANCE_YOUR_CALM" },
    Row{ "GOAWAY received; Error code: 2", "GOAWAY INTERNAL_ERROR" }, Row{ "GOAWAY received; Error code: 13", "GOAWAY HTTP_1_1_REQUIRED" },
    Row{ "GOAWAY received; Error code: 99", "GOAWAY NO_ERROR" }, Row{ "Subchannel shutdown", "subchannel shutdown" },
    Row{ "channel shut down", "subchannel shutdown" }, Row{ "recvmsg:No route to host (network unreachable)", "socket error" },
    Row{ "end of file", "socket error" },
    /* A transport's, by the words themselves. */
    Row{ "GOAWAY PROTOCOL_ERROR", "GOAWAY PROTOCOL_ERROR" }, Row{ "connection aborted", "connection aborted" },
    Row{ "gone", "unknown" }));

/* Whatever it answers is in the list, and the list has each word once, by which a metric begins at 0. */
TEST (DisconnectErrors, AreAFewWordsThatStandForThemselves)
{
  std::set<std::string> words;

  for (const char *const *error = disconnect_errors (); *error != nullptr; error++) {
    EXPECT_TRUE (words.insert (*error).second) << *error;
    EXPECT_STREQ (disconnect_error_of (*error), *error);
  }
  EXPECT_EQ (words.size (), 20u);
}

} // namespace
