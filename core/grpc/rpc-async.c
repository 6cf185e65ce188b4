/* SPDX-License-Identifier: Apache-2.0 */
/* rpc-async: unary calls that end on a queue which one thread looks after. */
#include "rpc-private.h"

RpcQueue *
rpc_next_queue_new (void)
{
  return grpc_completion_queue_create_for_next (NULL);
}

void
rpc_start_unary (Rpc *rpc, gpointer owner)
{
  rpc->owner = owner;
  rpc_begin_unary (rpc);
}

static gboolean
is_over (const Rpc *rpc)
{
  return rpc->steps[RPC_HEAD] == STEP_DONE && rpc->steps[RPC_STATUS] == STEP_DONE && rpc->steps[RPC_READ] != STEP_UNDER_WAY;
}

static RpcProgress
progress_after (Rpc *rpc, RpcStep step)
{
  if (step == RPC_READ)
    rpc_note_second_message (rpc);
  if (is_over (rpc)) {
    rpc_conclude_unary (rpc);
    return RPC_PROGRESS_OVER;
  }
  return step == RPC_HEAD && rpc->message != NULL ? RPC_PROGRESS_MESSAGE : RPC_PROGRESS_NONE;
}

gpointer
rpc_queue_next (RpcQueue *queue, gint64 timeout_us, RpcProgress *out_progress)
{
  grpc_event event = grpc_completion_queue_next (queue, rpc_from_now (timeout_us), NULL);
  gsize step = GPOINTER_TO_SIZE (event.tag) & RPC_TAG_STEP;
  Rpc *rpc;

  if (event.type != GRPC_OP_COMPLETE)
    return NULL;
  rpc = (Rpc *) (gpointer) ((char *) event.tag - step);
  rpc_step_end (rpc, (RpcStep) step, &event);
  *out_progress = progress_after (rpc, (RpcStep) step);
  return rpc->owner;
}
