/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry: whether a call that ended badly is made once more, and when: pure, but for
 * the budget that the calls of one pool share.
 *
 * C-core's own retries are off: with them, trailers without a status abort the
 * process (FACTS 19).
 */
#ifndef CENOTE_CORE_CALL_RETRY_H
#define CENOTE_CORE_CALL_RETRY_H

#include <cenote/call.h>

G_BEGIN_DECLS

/* How one attempt ended. */
typedef struct Outcome {
  int status;                /* grpc_status_code, or one that gRPC does not define */
  const char *details;
  gboolean answered;         /* something of the server's came: metadata, or a message */
} Outcome;

/* gRFC A6's token bucket: a failure takes a whole token (but for a call that was not taken), a
 * success gives a tenth; above half of RETRY_TOKENS calls are tried again.  Any thread. */
#define RETRY_TOKENS 100
typedef struct RetryBudget {
  gint thousandths;          /* of tokens; atomic, nothing is ordered by it */
} RetryBudget;

void retry_budget_init (RetryBudget *budget);
/* An attempt ended so. */
void retry_budget_heed (RetryBudget *budget, const Outcome *outcome);

/* What a call has used up; zeroed at its begin. */
typedef struct RetryCount {
  guint unsent;
  guint repeated;
} RetryCount;

/* Attempts of `idempotent` that may have run, the first one included (gRFC A6). */
#define RETRY_MAX_ATTEMPTS 5

typedef enum {
  RETRY_NONE,
  RETRY_UNSENT,              /* the server did not take the call */
  RETRY_REPEATED             /* it may have */
} RetryKind;

/* What the next attempt is, after *OUT_PAUSE_US, which is set where there is to be one.  COUNT is brought
 * up to date.  LUCK: 64 random bits. */
RetryKind retry_decide (CenoteRetry policy, const Outcome *outcome, RetryBudget *budget, RetryCount *count, guint64 luck,
                        gint64 *out_pause_us);
/* Whether OUTCOME says that the server did not take the call (see CENOTE_RETRY_UNSENT). */
gboolean retry_is_unsent (const Outcome *outcome);

G_END_DECLS

#endif
