/* SPDX-License-Identifier: Apache-2.0 */
#include "retry.h"

#include <grpc/status.h>
#include <string.h>

#include "core/base/hot.h"

/* How C-core 1.51 begins its texts for a stream that the peer did not take (FACTS 19a).
 * "Socket closed" and "recvmsg:… reset" are not among them: they say nothing either way. */
static const char *const unsent_texts[] = {
  "GOAWAY received",                        /* the stream's number is above the last that the peer takes */
  "Received RST_STREAM with error code 7",  /* REFUSED_STREAM */
  "Transport closed",                       /* it was gone before the stream began */
  "Stream IDs exhausted",
  "failed to connect to all addresses",
  "Channel Destroyed",
};

/* The first tries follow at once: another channel is likely to take the call.  Then a
 * pause that doubles, for a pool whose channels have not yet left the rotation. */
#define QUICK_TRIES 3
#define FIRST_PAUSE_US 1000
#define LONGEST_PAUSE_US (50 * 1000)

/* gRFC A6: random between 0 and initial × multiplier^(n − 1), at most max. */
#define REPEAT_INITIAL_US (100 * 1000)
#define REPEAT_MAX_US G_USEC_PER_SEC
#define REPEAT_MULTIPLIER 2

#define TOKEN 1000
#define TOKEN_RATIO 100 /* a tenth */

void
retry_budget_init (RetryBudget *budget)
{
  budget->thousandths = RETRY_TOKENS * TOKEN;
}

/* A full bucket is not written: calls that go well share a line that nobody writes. */
HOT static void
note (RetryBudget *budget, gboolean ok)
{
  gint now = __atomic_load_n (&budget->thousandths, __ATOMIC_RELAXED);
  gint then;

  do {
    then = ok ? MIN (now + TOKEN_RATIO, RETRY_TOKENS * TOKEN) : MAX (now - TOKEN, 0);
    if (then == now)
      return;
  } while (!__atomic_compare_exchange_n (&budget->thousandths, &now, then, TRUE, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

static gboolean
has_budget (RetryBudget *budget)
{
  return __atomic_load_n (&budget->thousandths, __ATOMIC_RELAXED) > RETRY_TOKENS * TOKEN / 2;
}

gboolean
retry_is_unsent (const Outcome *outcome)
{
  gsize i;

  if (outcome->status != GRPC_STATUS_UNAVAILABLE || outcome->answered)
    return FALSE;
  for (i = 0; i < G_N_ELEMENTS (unsent_texts); i++) {
    if (g_str_has_prefix (outcome->details, unsent_texts[i]))
      return TRUE;
  }
  return FALSE;
}

/* As gRFC A6 has its transparent retries: a server that was not asked has not failed. */
HOT void
retry_budget_heed (RetryBudget *budget, const Outcome *outcome)
{
  if (outcome->status == GRPC_STATUS_OK)
    note (budget, TRUE);
  else if (outcome->status == GRPC_STATUS_UNAVAILABLE && !retry_is_unsent (outcome))
    note (budget, FALSE);
}

static gint64
pause_after_unsent (guint n)
{
  guint doublings = n <= QUICK_TRIES ? 0 : MIN (n - QUICK_TRIES - 1, 16);

  return n <= QUICK_TRIES ? 0 : MIN ((gint64) FIRST_PAUSE_US << doublings, LONGEST_PAUSE_US);
}

static gint64
pause_before_repeat (guint n, guint64 luck)
{
  gint64 ceiling_us = REPEAT_INITIAL_US;

  while (--n > 0)
    ceiling_us = MIN (ceiling_us * REPEAT_MULTIPLIER, REPEAT_MAX_US);
  return (gint64) (luck % (guint64) (ceiling_us + 1));
}

RetryKind
retry_decide (CenoteRetry policy, const Outcome *outcome, RetryBudget *budget, RetryCount *count, guint64 luck,
              gint64 *out_pause_us)
{
  gboolean may_repeat = policy == CENOTE_RETRY_IDEMPOTENT && outcome->status == GRPC_STATUS_UNAVAILABLE;

  if (policy == CENOTE_RETRY_NEVER)
    return RETRY_NONE;
  if (retry_is_unsent (outcome)) {
    *out_pause_us = pause_after_unsent (++count->unsent);
    return RETRY_UNSENT;
  }
  if (!may_repeat || !has_budget (budget) || count->repeated + 1 >= RETRY_MAX_ATTEMPTS)
    return RETRY_NONE;
  *out_pause_us = pause_before_repeat (++count->repeated, luck);
  return RETRY_REPEATED;
}
