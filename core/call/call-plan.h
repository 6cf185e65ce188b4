/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call-plan: what a caller asked for, checked, and what its attempts share.
 *
 * Embedded in a call of any face.  Its owner's thread only, but for the register's part.
 */
#ifndef CENOTE_CORE_CALL_PLAN_H
#define CENOTE_CORE_CALL_PLAN_H

#include "calls.h"
#include "core/pool/pool.h"
#include "retry.h"

typedef struct CallPlan {
  CenotePool *pool;          /* (borrowed) */
  CallRecord record;
  gint64 begun_ns;
  gint64 now_us;             /* when the clock was looked at last */
  int status;                /* of the last attempt; -1: there was none */
  gboolean goes_on;          /* its last attempt was not cancelled by the register */
  RetryCount count;
  RetryKind retries;         /* what the next attempt is */
  CenoteRetry retry;
  LeaseWish wish;            /* another channel than the attempt before had */
  gboolean wait_for_ready;
  RpcRequest request;        /* last: it has an init of its own */
} CallPlan;

/* Enters the register.  Looks at the clock.  FALSE with CENOTE_ERROR_INVALID, or _STOPPED: then there is nothing to clear.
 * POOL outlives it.  ID: to cancel it by; 0: none.  PAYLOAD nullable: a stream. */
gboolean call_plan_init (CallPlan *plan, CenotePool *pool, guint id, const char *method, const RpcPayload *payload,
                         const CenoteCallOptions *options, GError **error);
/* The call is over, and counted.  From here on the runtime may end. */
void call_plan_clear (CallPlan *plan);

gint64 call_plan_look_at_clock (CallPlan *plan);
/* The same. */
gint64 call_plan_remaining_us (CallPlan *plan);
/* Blocks for a channel, until the deadline, after a get that answered RESULT.  Looks at the clock. */
gboolean call_plan_wait (CallPlan *plan, LeaseResult result, CenoteLease *lease, GError **error);
/* (transfer full): in the register, and not begun, at the time of the last look at the clock. */
Rpc *call_plan_attempt (CallPlan *plan, const CenoteLease *lease, RpcQueue *queue);
/* The attempt has ended: from here on nobody else looks at it. */
void call_plan_withdraw (CallPlan *plan);
/* RPC, which ran on LEASE, is over and withdrawn: gives the lease back with its outcome.  FALSE: there is to be
 * no other attempt. */
gboolean call_plan_settle (CallPlan *plan, Rpc *rpc, CenoteLease *lease);
/* The same.  Microseconds until the next attempt, or -1: this one stands. */
gint64 call_plan_judge (CallPlan *plan, Rpc *rpc, CenoteLease *lease);
/* (transfer full): the error of RPC, which ended other than OK. */
GError *call_plan_error (const CallPlan *plan, Rpc *rpc);

#endif
