/* SPDX-License-Identifier: Apache-2.0 */
#include <gtest/gtest.h>

extern "C" {
#include "core/grpc/blame.h"
}

#include <grpc/status.h>

namespace {

TEST (Blame, FallsOnTheChannelForGatewayFailuresAlone)
{
  for (int status = -1; status < 20; status++) {
    bool gateway = status == GRPC_STATUS_UNAVAILABLE || status == GRPC_STATUS_DEADLINE_EXCEEDED;

    EXPECT_EQ (blame_falls_on_channel (status, nullptr), gateway) << status;
    EXPECT_EQ (blame_falls_on_channel (status, ""), gateway) << status;
    EXPECT_EQ (blame_falls_on_channel (status, "a handler failed"), gateway) << status;
  }
}

/* A proxy's 404 or 403 is about the path or the caller, also where it is no gRPC. */
TEST (Blame, FallsOnTheChannelForAnAnswerThatIsNoGrpc)
{
  const char *text = "Received http2 header with status: 400";

  EXPECT_TRUE (blame_falls_on_channel (GRPC_STATUS_INTERNAL, text));
  EXPECT_TRUE (blame_falls_on_channel (GRPC_STATUS_UNKNOWN, "Received http2 header with status: 500"));
  EXPECT_FALSE (blame_falls_on_channel (GRPC_STATUS_UNIMPLEMENTED, "Received http2 header with status: 404"));
  EXPECT_FALSE (blame_falls_on_channel (GRPC_STATUS_PERMISSION_DENIED, "Received http2 header with status: 403"));
  EXPECT_FALSE (blame_falls_on_channel (GRPC_STATUS_INTERNAL, "we received http2 header with status: 400"));
}

TEST (Blame, SaysItsStatus)
{
  g_autofree char *whole = blame_to_string (14, "Socket closed"), *bare = blame_to_string (4, nullptr);

  EXPECT_STREQ (whole, "status 14: Socket closed");
  EXPECT_STREQ (bare, "status 4");
}

} // namespace
