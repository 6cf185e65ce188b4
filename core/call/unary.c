/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary: a unary call that blocks: a channel, an attempt, its outcome, and again
 * where retry says so.  The caller's thread alone, which drives C-core meanwhile.
 */
#include <grpc/byte_buffer.h>

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

/* (transfer full): NULL with an error. */
static HOT grpc_byte_buffer *
take_reply (const CallPlan *plan, Rpc *rpc, GError **error)
{
  grpc_byte_buffer *reply = rpc_take_reply (rpc);

  if (reply == NULL)
    g_propagate_error (error, call_plan_error (plan, rpc));
  return reply;
}

/* (transfer full): the reply, which may outlive the runtime; NULL with an error. */
static HOT grpc_byte_buffer *
call (CenotePool *pool, const char *method, const RpcPayload *payload, const CenoteCallOptions *options, GError **error)
{
  Attempt attempt = { .lease = CENOTE_LEASE_INIT };
  grpc_byte_buffer *reply = NULL;
  CallPlan plan;

  if (!call_plan_init (&plan, pool, 0, method, payload, options, error))
    return NULL;
  attempt.queue = calls_take_queue (pool->calls);
  if (run (&plan, &attempt, error))
    reply = take_reply (&plan, attempt.rpc, error);
  rpc_unref (attempt.rpc);
  calls_give_queue (pool->calls, attempt.queue);
  call_plan_clear (&plan);
  return reply;
}

HOT gboolean
cenote_call_unary (CenotePool *pool, const char *method, GBytes *request, const CenoteCallOptions *options,
                   GBytes **out_response, GError **error)
{
  const RpcPayload payload = { .bytes = request };
  grpc_byte_buffer *reply;

  g_return_val_if_fail (pool != NULL, FALSE);
  if (!process_check_may_block ("cenote_call_unary()", error) ||
      (reply = call (pool, method, &payload, options, error)) == NULL)
    return FALSE;
  if (out_response != NULL)
    *out_response = rpc_buffer_bytes (reply);
  grpc_byte_buffer_destroy (reply);
  return TRUE;
}

static COLD void
blame_unpack (GError **error)
{
  g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "The call's unpack function returned FALSE without an error");
}

static gboolean
unpack_reply (CenoteUnpackFunc unpack, grpc_byte_buffer *reply, gpointer user_data, GError **error)
{
  GError *why = NULL;
  gsize length;
  const guint8 *bytes = rpc_buffer_view (reply, &length);
  gboolean good = unpack (bytes, length, user_data, &why);

  if (!good && why == NULL)
    blame_unpack (&why);
  if (!good)
    g_propagate_error (error, why);
  return good;
}

HOT gboolean
cenote_call_unary_packed (CenotePool *pool, const char *method, const CenotePackable *request,
                          const CenoteCallOptions *options, CenoteUnpackFunc unpack, gpointer user_data, GError **error)
{
  const RpcPayload payload = { .packable = request };
  grpc_byte_buffer *reply;
  gboolean good;

  g_return_val_if_fail (pool != NULL && request != NULL, FALSE);
  if (!process_check_may_block ("cenote_call_unary_packed()", error) ||
      (reply = call (pool, method, &payload, options, error)) == NULL)
    return FALSE;
  good = unpack == NULL || unpack_reply (unpack, reply, user_data, error);
  grpc_byte_buffer_destroy (reply);
  return good;
}
