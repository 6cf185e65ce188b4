/* SPDX-License-Identifier: Apache-2.0 */
/* rpc-stream: an rpc whose messages come and go one by one. */
#include <grpc/byte_buffer.h>

#include "rpc-private.h"

void
rpc_begin_stream (Rpc *rpc)
{
  const grpc_op head = rpc_op_send_initial (rpc);
  const grpc_op initial = rpc_op_receive_initial (rpc);
  const grpc_op status = rpc_op_receive_status (rpc);

  rpc_step_start (rpc, RPC_HEAD, &head, 1);
  rpc_step_start (rpc, RPC_INITIAL, &initial, 1);
  rpc_step_start (rpc, RPC_STATUS, &status, 1);
}

gboolean
rpc_write (Rpc *rpc, grpc_byte_buffer *message, gboolean last)
{
  grpc_op ops[2];
  gsize n = 0;

  rpc_step_await (rpc, RPC_HEAD, G_MAXINT64);
  if (message != NULL)
    ops[n++] = (grpc_op) { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message };
  if (last)
    ops[n++] = (grpc_op) { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };
  rpc_step_start (rpc, RPC_WRITE, ops, n);
  rpc_step_await (rpc, RPC_WRITE, G_MAXINT64);
  return rpc->good[RPC_WRITE];
}

gboolean
rpc_read (Rpc *rpc, gint64 until_us, GBytes **out_message)
{
  const grpc_op read = rpc_op_receive_message (rpc);

  if (rpc->steps[RPC_READ] != STEP_UNDER_WAY)
    rpc_step_start (rpc, RPC_READ, &read, 1);
  if (!rpc_step_await (rpc, RPC_READ, until_us))
    return FALSE;
  rpc->no_more = rpc->message == NULL;
  *out_message = rpc_buffer_bytes (rpc->message);
  if (*out_message == NULL && rpc->message != NULL)
    rpc->fault = "the server sent a compressed message, and nobody asked for that";
  grpc_byte_buffer_destroy (rpc->message);
  rpc->message = NULL;
  return TRUE;
}

void
rpc_await_initial (Rpc *rpc)
{
  rpc_step_await (rpc, RPC_INITIAL, G_MAXINT64);
}

/* C-core tells the status only when every message was read. */
void
rpc_await_status (Rpc *rpc)
{
  GBytes *rest = NULL;

  while (!rpc->no_more) {
    rpc_read (rpc, G_MAXINT64, &rest);
    g_clear_pointer (&rest, g_bytes_unref);
  }
  rpc_step_await (rpc, RPC_STATUS, G_MAXINT64);
  rpc_step_await (rpc, RPC_INITIAL, G_MAXINT64);
  rpc_step_await (rpc, RPC_HEAD, G_MAXINT64);
}
