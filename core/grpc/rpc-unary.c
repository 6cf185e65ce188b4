/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc-unary: the whole of a unary call is one batch, which costs least, and ends only
 * with the status.  What C-core keeps silent about until then, looks find: the deadline,
 * which is not C-core's, and a second message (FACTS 19b).
 */
#include "core/base/hot.h"
#include "rpc-private.h"

HOT gboolean
rpc_begin_unary (Rpc *rpc)
{
  const grpc_op ops[] = {
    rpc_op_send_initial (rpc),
    { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = &rpc->outgoing },
    { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
    rpc_op_receive_initial (rpc),
    rpc_op_receive_message (rpc),
    rpc_op_receive_status (rpc),
  };

  if (rpc->own_deadline)
    rpc_request_set_timeout (rpc->request, rpc->deadline_us - rpc->begun_us);
  if (rpc_step_start (rpc, RPC_WHOLE, ops, G_N_ELEMENTS (ops)))
    return TRUE;
  rpc->fault = "gRPC does not take the call";
  return FALSE;
}

/* -------------------------------------------------------------------- looks */

/* C-core writes a message down when it has come, long before its batch ends. */
static gboolean
has_come (grpc_byte_buffer *const *message)
{
  return __atomic_load_n (message, __ATOMIC_RELAXED) != NULL;
}

/* Of one that is about to begin there is nothing to see. */
static gboolean
is_begun (const Rpc *rpc)
{
  return atomic_load_explicit (&rpc->ordering, memory_order_acquire) != 0;
}

/* Asking for a second message shows one that has come, and costs nothing where there is
 * none.  It is refused while C-core is at the first one: so that is seen a look before. */
static RpcNeed
look_for_second_message (Rpc *rpc)
{
  switch (rpc->stage) {
  case STAGE_WAITS:
    rpc->stage = has_come (&rpc->message) ? STAGE_SEEN : STAGE_WAITS;
    return RPC_NEED_NOTHING;
  case STAGE_SEEN:
    rpc->stage = STAGE_ASKED;
    atomic_store (&rpc->asked, TRUE);
    return RPC_NEED_ASK;
  case STAGE_ASKED:
    if (!has_come (&rpc->second))
      return RPC_NEED_NOTHING;
    rpc->stage = STAGE_CANCELLED;
    return RPC_NEED_CANCEL;
  case STAGE_CANCELLED:
    return RPC_NEED_NOTHING;
  }
  g_return_val_if_reached (RPC_NEED_NOTHING);
}

RpcNeed
rpc_look (Rpc *rpc, gint64 now_us)
{
  if (!is_begun (rpc))
    return RPC_NEED_NOTHING;
  if (!rpc->own_deadline || now_us < rpc->deadline_us)
    return look_for_second_message (rpc);
  rpc->own_deadline = FALSE;
  return RPC_NEED_EXPIRE;
}

static void
ask (Rpc *rpc)
{
  const grpc_op second = { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &rpc->second };

  atomic_fetch_add_explicit (&rpc->ordering, 1, memory_order_release);
  if (grpc_call_start_batch (rpc->call, &second, 1, rpc_tag (rpc, RPC_READ), NULL) != GRPC_CALL_OK)
    atomic_store (&rpc->asked, FALSE);
  else if (has_come (&rpc->second))
    grpc_call_cancel (rpc->call, NULL);
}

void
rpc_do (Rpc *rpc, RpcNeed need)
{
  switch (need) {
  case RPC_NEED_NOTHING:
    break;
  case RPC_NEED_EXPIRE:
    rpc_cancel (rpc, GRPC_STATUS_DEADLINE_EXCEEDED, "Deadline Exceeded");
    break;
  case RPC_NEED_ASK:
    ask (rpc);
    break;
  case RPC_NEED_CANCEL:
    grpc_call_cancel (rpc->call, NULL);
    break;
  }
}

/* ---------------------------------------------------------------------- end */

HOT void
rpc_run_unary (Rpc *rpc)
{
  rpc_begin_unary (rpc);
  rpc_step_await (rpc, RPC_WHOLE, G_MAXINT64);
}

HOT gboolean
rpc_awaits_second (const Rpc *rpc)
{
  return atomic_load (&rpc->asked) && rpc->steps[RPC_READ] != STEP_DONE;
}

HOT void
rpc_await_second (Rpc *rpc)
{
  while (rpc_awaits_second (rpc)) {
    rpc->steps[RPC_READ] = STEP_UNDER_WAY;
    rpc_step_await (rpc, RPC_READ, g_get_monotonic_time () + RPC_LOOK_US);
  }
}

HOT void
rpc_conclude_unary (Rpc *rpc)
{
  if (rpc->second != NULL)
    rpc->fault = "the server sent more than one message in answer to a unary call";
  else if (rpc->status == GRPC_STATUS_OK && !rpc_buffer_is_readable (rpc->message))
    rpc->fault = "the server said OK and sent no message that can be read";
}
