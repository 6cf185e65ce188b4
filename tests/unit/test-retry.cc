/* SPDX-License-Identifier: Apache-2.0 */
#include "core/call/retry.h"

#include <grpc/status.h>
#include <gtest/gtest.h>

namespace {

class Retry : public ::testing::Test {
protected:
  void SetUp () override { retry_budget_init (&budget_); }

  gint64
  decide (CenoteRetry policy, int status, const char *details, gboolean answered = FALSE, guint64 luck = 0)
  {
    const Outcome outcome = { status, details, answered };
    gint64 pause_us = -1;

    kind_ = retry_decide (policy, &outcome, &budget_, &count_, luck, &pause_us);
    return pause_us;
  }

  void
  heed (int status, const char *details)
  {
    const Outcome outcome = { status, details, FALSE };

    retry_budget_heed (&budget_, &outcome);
  }

  RetryBudget budget_;
  RetryCount count_ = {};
  RetryKind kind_ = RETRY_NONE;
};

const char *const unsent[] = {
  "GOAWAY received",
  "Received RST_STREAM with error code 7",
  "Transport closed",
  "Stream IDs exhausted",
  "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused",
  "Channel Destroyed",
};

TEST_F (Retry, WhatWasNotSentIsTriedAgainAtOnce)
{
  for (const char *details : unsent) {
    count_ = {};
    EXPECT_EQ (0, decide (CENOTE_RETRY_UNSENT, GRPC_STATUS_UNAVAILABLE, details)) << details;
    EXPECT_EQ (RETRY_UNSENT, kind_);
    EXPECT_EQ (-1, decide (CENOTE_RETRY_NEVER, GRPC_STATUS_UNAVAILABLE, details)) << details;
  }
}

TEST_F (Retry, WhatSaysNothingIsNot)
{
  for (const char *details : { "Socket closed", "recvmsg:Connection reset by peer", "", "overloaded: GOAWAY received",
                               "Received RST_STREAM with error code 8" }) {
    EXPECT_EQ (-1, decide (CENOTE_RETRY_UNSENT, GRPC_STATUS_UNAVAILABLE, details)) << details;
    EXPECT_EQ (RETRY_NONE, kind_);
  }
}

TEST_F (Retry, AnotherStatusOrAnAnswerIsNot)
{
  for (int status : { GRPC_STATUS_OK, GRPC_STATUS_UNKNOWN, GRPC_STATUS_DEADLINE_EXCEEDED, GRPC_STATUS_INTERNAL })
    EXPECT_EQ (-1, decide (CENOTE_RETRY_UNSENT, static_cast<int> (status), "GOAWAY received")) << status;
  EXPECT_EQ (-1, decide (CENOTE_RETRY_UNSENT, GRPC_STATUS_UNAVAILABLE, "GOAWAY received", TRUE));
}

TEST_F (Retry, PausesGrowWhereNobodyTakesIt)
{
  const gint64 pauses[] = { 0, 0, 0, 1000, 2000, 4000, 8000, 16000, 32000, 50000, 50000 };

  for (gint64 pause_us : pauses)
    EXPECT_EQ (pause_us, decide (CENOTE_RETRY_UNSENT, GRPC_STATUS_UNAVAILABLE, "GOAWAY received"));
  for (int i = 0; i < 1000; i++)
    EXPECT_EQ (50000, decide (CENOTE_RETRY_UNSENT, GRPC_STATUS_UNAVAILABLE, "GOAWAY received"));
}

/* At most five attempts, and before each a random pause of at most 100, 200, 400, 800 ms. */
TEST_F (Retry, IdempotentRepeatsFourTimes)
{
  for (gint64 ceiling_us : { 100000, 200000, 400000, 800000 })
    EXPECT_EQ (ceiling_us, decide (CENOTE_RETRY_IDEMPOTENT, GRPC_STATUS_UNAVAILABLE, "Socket closed", FALSE,
                                   static_cast<guint64> (ceiling_us)));
  EXPECT_EQ (RETRY_REPEATED, kind_);
  EXPECT_EQ (-1, decide (CENOTE_RETRY_IDEMPOTENT, GRPC_STATUS_UNAVAILABLE, "Socket closed"));
  EXPECT_EQ (0, decide (CENOTE_RETRY_IDEMPOTENT, GRPC_STATUS_UNAVAILABLE, "GOAWAY received")) << "is bounded by the deadline alone";
}

TEST_F (Retry, IdempotentRepeatsNothingButUnavailable)
{
  EXPECT_EQ (-1, decide (CENOTE_RETRY_IDEMPOTENT, GRPC_STATUS_RESOURCE_EXHAUSTED, "busy"));
}

TEST_F (Retry, TheBudgetEndsRepeatsAtHalfAndComesBackByTenths)
{
  int failures = 0;

  while (decide (CENOTE_RETRY_IDEMPOTENT, GRPC_STATUS_UNAVAILABLE, "Socket closed") >= 0) {
    heed (GRPC_STATUS_UNAVAILABLE, "Socket closed");
    failures++;
    count_ = {};
  }
  EXPECT_EQ (RETRY_TOKENS / 2, failures);
  for (int i = 0; i < 10; i++) {
    EXPECT_EQ (i == 0 ? -1 : 0, decide (CENOTE_RETRY_IDEMPOTENT, GRPC_STATUS_UNAVAILABLE, "Socket closed"));
    count_ = {};
    heed (GRPC_STATUS_OK, "");
  }
}

/* A server that was not asked has not failed: a rolling restart does not end `idempotent`. */
TEST_F (Retry, WhatWasNotTakenCostsNoBudget)
{
  for (int i = 0; i < 10 * RETRY_TOKENS; i++)
    heed (GRPC_STATUS_UNAVAILABLE, "GOAWAY received");
  EXPECT_EQ (0, decide (CENOTE_RETRY_IDEMPOTENT, GRPC_STATUS_UNAVAILABLE, "Socket closed"));
}

TEST_F (Retry, OtherStatusesSayNothingToTheBudget)
{
  for (int i = 0; i < 10 * RETRY_TOKENS; i++)
    heed (GRPC_STATUS_INTERNAL, "broken");
  EXPECT_EQ (0, decide (CENOTE_RETRY_IDEMPOTENT, GRPC_STATUS_UNAVAILABLE, "Socket closed"));
}

} /* namespace */
