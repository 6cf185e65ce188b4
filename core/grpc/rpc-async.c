/* SPDX-License-Identifier: Apache-2.0 */
/* rpc-async: unary calls that end on a queue which one thread looks after. */
#include "core/base/hot.h"
#include "core/base/prefetch.h"
#include "rpc-private.h"

RpcQueue *
rpc_next_queue_new (void)
{
  return grpc_completion_queue_create_for_next (NULL);
}

HOT gboolean
rpc_start_unary (Rpc *rpc, gpointer owner)
{
  rpc->owner = owner;
  return rpc_begin_unary (rpc);
}

HOT gpointer
rpc_queue_next (RpcQueue *queue, gint64 until_us)
{
  grpc_event event = grpc_completion_queue_next (queue, rpc_time (until_us), NULL);
  RpcStep step;
  Rpc *rpc;

  if (event.type != GRPC_OP_COMPLETE)
    return NULL;
  step = rpc_step_of_tag (event.tag);
  rpc = (Rpc *) (gpointer) ((char *) event.tag - step);
  prefetch (rpc, G_STRUCT_OFFSET (Rpc, outgoing.data.raw.slice_buffer.inlined));
  rpc_step_end (rpc, step, &event);
  if (step == RPC_READ && rpc->second != NULL)
    grpc_call_cancel (rpc->call, NULL);
  return rpc->owner;
}

gboolean
rpc_is_ended (const Rpc *rpc)
{
  return rpc->steps[RPC_WHOLE] == STEP_DONE;
}
