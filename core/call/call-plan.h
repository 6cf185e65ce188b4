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
  CenotePool *pool;          /* (reference) */
  RpcRequest *request;
  CallRecord record;
  RetryCount count;
  RetryKind retries;         /* what the next attempt is */
  CenoteRetry retry;
  LeaseWish wish;            /* another channel than the attempt before had */
  gboolean wait_for_ready;
} CallPlan;

/* FALSE with CENOTE_ERROR_INVALID, or _STOPPED: then there is nothing to clear.
 * MESSAGE nullable: a stream. */
gboolean call_plan_init (CallPlan *plan, CenotePool *pool, const char *method, GBytes *message,
                         const CenoteCallOptions *options, GError **error);
void call_plan_clear (CallPlan *plan);

gint64 call_plan_now_us (const CallPlan *plan);
gint64 call_plan_remaining_us (const CallPlan *plan);
/* (transfer full): the next attempt, on LEASE, to be begun on QUEUE. */
Rpc *call_plan_attempt (CallPlan *plan, const CenoteLease *lease, RpcQueue *queue);
/* RPC, which ran on LEASE, is over: gives the lease back with its outcome.  FALSE: there is to be
 * no other attempt. */
gboolean call_plan_settle (CallPlan *plan, Rpc *rpc, CenoteLease *lease);
/* The same.  Microseconds until the next attempt, or -1: this one stands. */
gint64 call_plan_judge (CallPlan *plan, Rpc *rpc, CenoteLease *lease);
/* (transfer full): the error of RPC, which ended other than OK. */
GError *call_plan_error (const CallPlan *plan, Rpc *rpc);

#endif
