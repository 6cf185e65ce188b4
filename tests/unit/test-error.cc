// SPDX-License-Identifier: Apache-2.0
#include <cenote/error.h>
#include <gtest/gtest.h>

namespace {

TEST (Error, DomainsAreTwo)
{
  EXPECT_NE (0u, CENOTE_ERROR);
  EXPECT_NE (0u, CENOTE_STATUS);
  EXPECT_NE (CENOTE_ERROR, CENOTE_STATUS);
}

TEST (Error, DomainsKeepTheirNames)
{
  EXPECT_STREQ ("cenote-error-quark", g_quark_to_string (CENOTE_ERROR));
  EXPECT_STREQ ("cenote-status-quark", g_quark_to_string (CENOTE_STATUS));
}

TEST (Error, CodesDoNotMove)
{
  EXPECT_EQ (1, CENOTE_ERROR_CONFIG);
  EXPECT_EQ (4, CENOTE_ERROR_NOT_CONNECTED);
  EXPECT_EQ (9, CENOTE_ERROR_CALL);
}

} // namespace
