/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary: a unary call that blocks: a channel, an attempt, its outcome, and again
 * where retry says so.  The caller's thread alone, which drives C-core meanwhile.
 */
#include "call-plan.h"
#include "core/base/hot.h"
#include "core/runtime/process.h"

/* What a call has under way. */
typedef struct Attempt {
  CenoteLease lease;
  RpcQueue *queue;
  Rpc *rpc;                  /* NULL: there was none yet */
} Attempt;

/* FALSE with an error: there is no channel. */
static HOT gboolean
begin (CallPlan *plan, Attempt *attempt, GError **error)
{
  LeaseResult result = pool_get (plan->pool, &plan->wish, &attempt->lease);

  if (result != LEASE_GOT && !call_plan_wait (plan, result, &attempt->lease, error))
    return FALSE;
  rpc_unref (attempt->rpc);
  attempt->rpc = call_plan_attempt (plan, &attempt->lease, attempt->queue);
  return TRUE;
}

static void
pause_for (CallPlan *plan, gint64 us)
{
  if (us == 0)
    return;
  g_usleep ((gulong) us);
  call_plan_look_at_clock (plan);
}

/* FALSE with an error: there was never a channel.  Else attempt->rpc stands; where one attempt
 * was made and no channel comes for another, the first. */
static gboolean
run (CallPlan *plan, Attempt *attempt, GError **error)
{
  gboolean goes_on = begin (plan, attempt, error);
  gint64 pause_us;

  while (goes_on) {
    rpc_run_unary (attempt->rpc);
    call_plan_withdraw (plan);
    rpc_await_second (attempt->rpc);
    rpc_conclude_unary (attempt->rpc);
    pause_us = call_plan_judge (plan, attempt->rpc, &attempt->lease);
    goes_on = pause_us >= 0;
    if (goes_on) {
      pause_for (plan, pause_us);
      goes_on = begin (plan, attempt, NULL);
    }
  }
  return attempt->rpc != NULL;
}

static gboolean
take_reply (const CallPlan *plan, Rpc *rpc, GBytes **out_response, GError **error)
{
  GBytes *reply = rpc_take_reply (rpc);

  if (reply == NULL) {
    g_propagate_error (error, call_plan_error (plan, rpc));
    return FALSE;
  }
  if (out_response != NULL)
    *out_response = reply;
  else
    g_bytes_unref (reply);
  return TRUE;
}

HOT gboolean
cenote_call_unary (CenotePool *pool, const char *method, GBytes *request, const CenoteCallOptions *options,
                   GBytes **out_response, GError **error)
{
  g_autoptr (GBytes) empty = request == NULL ? g_bytes_new_static ("", 0) : NULL;
  Attempt attempt = { .lease = CENOTE_LEASE_INIT };
  gboolean good = FALSE;
  CallPlan plan;

  g_return_val_if_fail (pool != NULL, FALSE);
  if (process_check_may_block ("cenote_call_unary()", error) &&
      call_plan_init (&plan, pool, 0, method, request == NULL ? empty : request, options, error)) {
    attempt.queue = calls_take_queue (pool->calls);
    good = run (&plan, &attempt, error) && take_reply (&plan, attempt.rpc, out_response, error);
    rpc_unref (attempt.rpc);
    calls_give_queue (pool->calls, attempt.queue);
    call_plan_clear (&plan);
  }
  return good;
}
