/* SPDX-License-Identifier: Apache-2.0 */
/* raw-call: unary calls on a grpc_channel by C-core's own functions.  See raw-call.h. */
#include "raw-call.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <string.h>

struct RawCaller {
  grpc_completion_queue *queue;
};

/* What C-core writes while a call runs. */
typedef struct Answer {
  grpc_metadata_array initial;
  grpc_metadata_array trailing;
  grpc_byte_buffer *message;
  grpc_status_code status;
  grpc_slice details;
} Answer;

RawCaller *
raw_caller_new (void)
{
  RawCaller *caller = g_new0 (RawCaller, 1);

  grpc_init ();
  caller->queue = grpc_completion_queue_create_for_pluck (NULL);
  return caller;
}

void
raw_caller_free (RawCaller *caller)
{
  if (caller == NULL)
    return;
  grpc_completion_queue_shutdown (caller->queue);
  grpc_completion_queue_destroy (caller->queue);
  g_free (caller);
  grpc_shutdown ();
}

/* A unary call is one batch of six.  RECV_INITIAL_METADATA has to be among them:
 * without it the status does not come before the deadline. */
static grpc_call_error
start (grpc_call *call, grpc_byte_buffer *request, Answer *answer)
{
  grpc_op ops[6];

  memset (ops, 0, sizeof ops);
  ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[1].op = GRPC_OP_SEND_MESSAGE;
  ops[1].data.send_message.send_message = request;
  ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
  ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
  ops[3].data.recv_initial_metadata.recv_initial_metadata = &answer->initial;
  ops[4].op = GRPC_OP_RECV_MESSAGE;
  ops[4].data.recv_message.recv_message = &answer->message;
  ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  ops[5].data.recv_status_on_client.trailing_metadata = &answer->trailing;
  ops[5].data.recv_status_on_client.status = &answer->status;
  ops[5].data.recv_status_on_client.status_details = &answer->details;
  return grpc_call_start_batch (call, ops, G_N_ELEMENTS (ops), call, NULL);
}

static GBytes *
bytes_of (grpc_byte_buffer *buffer)
{
  grpc_byte_buffer_reader reader;
  grpc_slice slice;
  GBytes *bytes;

  if (buffer == NULL || !grpc_byte_buffer_reader_init (&reader, buffer))
    return NULL;
  slice = grpc_byte_buffer_reader_readall (&reader);
  bytes = g_bytes_new (GRPC_SLICE_START_PTR (slice), GRPC_SLICE_LENGTH (slice));
  grpc_slice_unref (slice);
  grpc_byte_buffer_reader_destroy (&reader);
  return bytes;
}

static char *
text_of (grpc_slice slice)
{
  return g_strndup ((const char *) GRPC_SLICE_START_PTR (slice), GRPC_SLICE_LENGTH (slice));
}

void
raw_caller_call (RawCaller *caller, grpc_channel *channel, const char *method, GBytes *request, gint64 timeout_ms,
                 RawReply *out_reply)
{
  gpr_timespec deadline = gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), gpr_time_from_millis (timeout_ms, GPR_TIMESPAN));
  grpc_slice path = grpc_slice_from_copied_string (method);
  grpc_slice body = grpc_slice_from_copied_buffer (g_bytes_get_data (request, NULL), g_bytes_get_size (request));
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create (&body, 1);
  grpc_call *call =
    grpc_channel_create_call (channel, NULL, GRPC_PROPAGATE_DEFAULTS, caller->queue, path, NULL, deadline, NULL);
  Answer answer = { .message = NULL, .status = GRPC_STATUS_INTERNAL, .details = grpc_empty_slice () };

  grpc_metadata_array_init (&answer.initial);
  grpc_metadata_array_init (&answer.trailing);
  if (start (call, message, &answer) == GRPC_CALL_OK)
    grpc_completion_queue_pluck (caller->queue, call, gpr_inf_future (GPR_CLOCK_MONOTONIC), NULL);
  *out_reply = (RawReply) {
    .status = (int) answer.status, .details = text_of (answer.details), .message = bytes_of (answer.message),
  };

  grpc_metadata_array_destroy (&answer.initial);
  grpc_metadata_array_destroy (&answer.trailing);
  grpc_byte_buffer_destroy (answer.message);
  grpc_byte_buffer_destroy (message);
  grpc_slice_unref (answer.details);
  grpc_slice_unref (body);
  grpc_slice_unref (path);
  grpc_call_unref (call);
}

void
raw_reply_clear (RawReply *reply)
{
  g_clear_pointer (&reply->details, g_free);
  g_clear_pointer (&reply->message, g_bytes_unref);
}
