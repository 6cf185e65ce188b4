/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc-private.h"

#include <grpc/byte_buffer.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <string.h>

/* ------------------------------------------------------------------ queues */

RpcQueue *
rpc_queue_new (void)
{
  return grpc_completion_queue_create_for_pluck (NULL);
}

void
rpc_queue_free (RpcQueue *queue)
{
  grpc_completion_queue_shutdown (queue);
  grpc_completion_queue_destroy (queue);
}

/* ------------------------------------------------------------------- steps */

gpr_timespec
rpc_from_now (gint64 us)
{
  if (us == G_MAXINT64)
    return gpr_inf_future (GPR_CLOCK_MONOTONIC);
  return gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), gpr_time_from_micros (us, GPR_TIMESPAN));
}

/* STEP is marked already: it may end on another thread before this returns. */
static void
start (Rpc *rpc, RpcStep step, const grpc_op *ops, gsize n)
{
  atomic_fetch_add_explicit (&rpc->ordering, 1, memory_order_release);
  if (grpc_call_start_batch (rpc->call, ops, n, rpc_tag (rpc, step), NULL) == GRPC_CALL_OK)
    return;
  rpc->steps[step] = STEP_DONE;
  rpc->good[step] = FALSE;
}

void
rpc_step_start (Rpc *rpc, RpcStep step, const grpc_op *ops, gsize n)
{
  rpc->steps[step] = STEP_UNDER_WAY;
  start (rpc, step, ops, n);
}

void
rpc_step_end (Rpc *rpc, RpcStep step, const grpc_event *event)
{
  (void) atomic_load_explicit (&rpc->ordering, memory_order_acquire);
  rpc->steps[step] = STEP_DONE;
  rpc->good[step] = event->success != 0;
}

gboolean
rpc_step_await (Rpc *rpc, RpcStep step, gint64 timeout_us)
{
  grpc_event event;

  if (rpc->steps[step] != STEP_UNDER_WAY)
    return TRUE;
  event = grpc_completion_queue_pluck (rpc->queue, rpc_tag (rpc, step), rpc_from_now (timeout_us), NULL);
  if (event.type != GRPC_OP_COMPLETE)
    return FALSE;
  rpc_step_end (rpc, step, &event);
  return TRUE;
}

grpc_op
rpc_op_send_initial (const Rpc *rpc)
{
  return (grpc_op) {
    .op = GRPC_OP_SEND_INITIAL_METADATA,
    .data.send_initial_metadata = { .count = rpc->request->n_metadata, .metadata = rpc->request->metadata },
  };
}

grpc_op
rpc_op_receive_initial (Rpc *rpc)
{
  return (grpc_op) { .op = GRPC_OP_RECV_INITIAL_METADATA,
                     .data.recv_initial_metadata.recv_initial_metadata = &rpc->initial };
}

grpc_op
rpc_op_receive_message (Rpc *rpc)
{
  return (grpc_op) { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &rpc->message };
}

grpc_op
rpc_op_receive_status (Rpc *rpc)
{
  return (grpc_op) { .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                     .data.recv_status_on_client = { .trailing_metadata = &rpc->trailing,
                                                     .status = &rpc->status,
                                                     .status_details = &rpc->details } };
}

/* -------------------------------------------------------------------- lives */

Rpc *
rpc_new (grpc_channel *channel, RpcQueue *queue, const RpcRequest *request, gint64 remaining_us)
{
  Rpc *rpc = g_new0 (Rpc, 1);

  rpc->queue = queue;
  rpc->request = request;
  rpc->details = grpc_empty_slice ();
  grpc_metadata_array_init (&rpc->initial);
  grpc_metadata_array_init (&rpc->trailing);
  rpc->call = grpc_channel_create_call (channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, request->method, NULL,
                                        rpc_from_now (MAX (0, remaining_us)), NULL);
  return rpc;
}

void
rpc_free (Rpc *rpc)
{
  if (rpc == NULL)
    return;
  grpc_metadata_array_destroy (&rpc->initial);
  grpc_metadata_array_destroy (&rpc->trailing);
  grpc_byte_buffer_destroy (rpc->sent);
  grpc_byte_buffer_destroy (rpc->message);
  grpc_byte_buffer_destroy (rpc->second);
  g_clear_pointer (&rpc->reply, g_bytes_unref);
  grpc_slice_unref (rpc->details);
  gpr_free (rpc->details_text);
  grpc_call_unref (rpc->call);
  g_free (rpc);
}

RpcHandle *
rpc_handle (Rpc *rpc)
{
  grpc_call_ref (rpc->call);
  return rpc->call;
}

void
rpc_handle_unref (RpcHandle *handle)
{
  grpc_call_unref (handle);
}

void
rpc_handle_cancel (RpcHandle *handle, int status, const char *why)
{
  grpc_call_cancel_with_status (handle, (grpc_status_code) status, why, NULL);
}

/* -------------------------------------------------------------------- unary */

static void
start_unary (Rpc *rpc)
{
  const grpc_op head[] = {
    rpc_op_send_initial (rpc),
    { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = rpc->sent },
    { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
    rpc_op_receive_initial (rpc),
    rpc_op_receive_message (rpc),
  };
  const grpc_op status = rpc_op_receive_status (rpc);

  rpc->steps[RPC_HEAD] = rpc->steps[RPC_STATUS] = STEP_UNDER_WAY;
  start (rpc, RPC_HEAD, head, G_N_ELEMENTS (head));
  start (rpc, RPC_STATUS, &status, 1);
}

void
rpc_begin_unary (Rpc *rpc)
{
  rpc->sent = rpc_buffer_from_bytes (rpc->request->message);
  start_unary (rpc);
}

/* Asking for a second message shows one that has come, and costs nothing where there is none. */
void
rpc_look_for_second_message (Rpc *rpc)
{
  const grpc_op second = { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &rpc->second };

  rpc_step_start (rpc, RPC_READ, &second, 1);
}

void
rpc_note_second_message (Rpc *rpc)
{
  if (rpc->second == NULL)
    return;
  rpc->fault = "the server sent more than one message in answer to a unary call";
  grpc_call_cancel (rpc->call, NULL);
}

void
rpc_conclude_unary (Rpc *rpc)
{
  if (rpc->status != GRPC_STATUS_OK || rpc->fault != NULL)
    return;
  rpc->reply = rpc_bytes_from_buffer (rpc->message);
  if (rpc->reply == NULL)
    rpc->fault = "the server said OK and sent no message that can be read";
}

void
rpc_run_unary (Rpc *rpc)
{
  rpc_begin_unary (rpc);
  rpc_step_await (rpc, RPC_HEAD, G_MAXINT64);
  if (!rpc_step_await (rpc, RPC_STATUS, rpc->message == NULL ? G_MAXINT64 : RPC_STATUS_WAIT_US)) {
    rpc_look_for_second_message (rpc);
    rpc_step_await (rpc, RPC_READ, G_MAXINT64);
    rpc_note_second_message (rpc);
    rpc_step_await (rpc, RPC_STATUS, G_MAXINT64);
  }
  rpc_conclude_unary (rpc);
}

/* --------------------------------------------------------------- the outcome */

static gboolean
is_destroyed (const Rpc *rpc)
{
  return rpc->status == GRPC_STATUS_UNKNOWN && grpc_slice_str_cmp (rpc->details, "Channel Destroyed") == 0;
}

static gboolean
starts_with (grpc_slice slice, const char *start)
{
  gsize length = strlen (start);

  return GRPC_SLICE_LENGTH (slice) >= length && memcmp (GRPC_SLICE_START_PTR (slice), start, length) == 0;
}

/* C-core calls a reply that is compressed against our word UNIMPLEMENTED, unless its message or its
 * end come first: gRPC's own rule is INTERNAL. */
static gboolean
is_compressed (const Rpc *rpc)
{
  return rpc->status == GRPC_STATUS_UNIMPLEMENTED && starts_with (rpc->details, "Compression algorithm '");
}

/* "Channel Destroyed" is C-core's word for a channel that went before the call began (FACTS 8).  A peer
 * can make C-core say -1, which is nobody's status. */
int
rpc_status (const Rpc *rpc)
{
  if (rpc->fault != NULL || is_compressed (rpc))
    return GRPC_STATUS_INTERNAL;
  if (is_destroyed (rpc))
    return GRPC_STATUS_UNAVAILABLE;
  return (int) rpc->status < 0 ? GRPC_STATUS_UNKNOWN : (int) rpc->status;
}

const char *
rpc_details (Rpc *rpc)
{
  if (rpc->fault != NULL)
    return rpc->fault;
  if (rpc->details_text == NULL)
    rpc->details_text = grpc_slice_to_c_string (rpc->details);
  return rpc->details_text;
}

gboolean
rpc_is_answered (const Rpc *rpc)
{
  return rpc->initial.count > 0 || rpc->trailing.count > 0 || rpc->message != NULL;
}

GBytes *
rpc_take_reply (Rpc *rpc)
{
  return g_steal_pointer (&rpc->reply);
}

static Headers *
headers_from_array (const grpc_metadata_array *array)
{
  Headers *headers = headers_new (array->count);
  gsize i;

  for (i = 0; i < array->count; i++) {
    const grpc_metadata *row = &array->metadata[i];

    headers_put (headers, i, (const char *) GRPC_SLICE_START_PTR (row->key), GRPC_SLICE_LENGTH (row->key),
                 (const char *) GRPC_SLICE_START_PTR (row->value), GRPC_SLICE_LENGTH (row->value));
  }
  return headers;
}

Headers *
rpc_initial (const Rpc *rpc)
{
  return headers_from_array (&rpc->initial);
}

Headers *
rpc_trailing (const Rpc *rpc)
{
  return headers_from_array (&rpc->trailing);
}
