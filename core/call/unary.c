/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary: a unary call that blocks: a channel, an attempt, its outcome, and again
 * where retry says so.  The caller's thread alone, which drives C-core meanwhile.
 */
#include "call-plan.h"
#include "core/runtime/process.h"

/* One attempt on a leased channel.  Microseconds until the next, or -1: *RPC stands. */
static gint64
attempt (CallPlan *plan, CenoteLease *lease, RpcQueue *queue, Rpc **rpc)
{
  rpc_free (*rpc);
  *rpc = call_plan_attempt (plan, lease, queue);
  rpc_run_unary (*rpc);
  return call_plan_judge (plan, *rpc, lease);
}

static gboolean
take_channel (CallPlan *plan, CenoteLease *lease, GError **error)
{
  return pool_acquire_for_call (plan->pool, &plan->wish, call_plan_remaining_us (plan), plan->wait_for_ready, lease, error);
}

/* (nullable) (transfer full): the attempt that stands.  NULL, with an error: there was never
 * a channel; where one attempt was made and no channel comes for another, that one stands. */
static Rpc *
run (CallPlan *plan, RpcQueue *queue, GError **error)
{
  CenoteLease lease;
  Rpc *rpc = NULL;
  gint64 pause_us;

  while (take_channel (plan, &lease, rpc == NULL ? error : NULL)) {
    pause_us = attempt (plan, &lease, queue, &rpc);
    if (pause_us < 0)
      break;
    if (pause_us > 0)
      g_usleep ((gulong) pause_us);
  }
  return rpc;
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

static GBytes *
empty_message (void)
{
  return g_bytes_new_static ("", 0);
}

gboolean
cenote_call_unary (CenotePool *pool, const char *method, GBytes *request, const CenoteCallOptions *options,
                   GBytes **out_response, GError **error)
{
  g_autoptr (GBytes) message = request == NULL ? empty_message () : g_bytes_ref (request);
  gboolean good = FALSE;
  RpcQueue *queue;
  CallPlan plan;
  Rpc *rpc;

  g_return_val_if_fail (pool != NULL, FALSE);
  if (!process_check_may_block ("cenote_call_unary()", error) ||
      !call_plan_init (&plan, pool, method, message, options, error))
    return FALSE;
  queue = calls_take_queue (pool->calls);
  rpc = run (&plan, queue, error);
  if (rpc != NULL)
    good = take_reply (&plan, rpc, out_response, error);
  rpc_free (rpc);
  calls_give_queue (pool->calls, queue);
  call_plan_clear (&plan);
  return good;
}
