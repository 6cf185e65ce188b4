/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The streams of stream.h over C-core: one batch for what is sent, one for the
 * status, and one for each message; each one's end comes back as a note.
 *
 * The memory goes with the last batch that is given back.
 */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#include "rpc-bytes.h"
#include "stream.h"

typedef struct Batch {
  grpc_completion_queue_functor functor; /* first */
  ControlNote note;
  /* Orders what is written here before what the functor reads, for sanitizers that do not see into C-core. */
  _Atomic gboolean started;
  Stream *stream;
  void (*ended) (Stream *stream);
} Batch;

struct Stream {
  Control *control;
  grpc_call *call;
  StreamSpec spec;           /* its request and method are not looked at after the start */
  ControlTimer deadline;
  guint n_out;               /* batches that C-core has */
  gboolean dropped;
  gboolean has_status;
  Batch sent;
  Batch received;
  Batch over;
  grpc_byte_buffer *request;
  grpc_byte_buffer *response;
  grpc_metadata *carried;    /* as the maker's credentials say */
  gsize n_carried;
  grpc_metadata_array initial;
  grpc_metadata_array trailing;
  grpc_status_code status;
  grpc_slice details;
};

static void
stream_free (Stream *stream)
{
  (*stream->spec.n_alive)--;
  control_timer_unset (stream->control, &stream->deadline);
  grpc_byte_buffer_destroy (stream->request);
  grpc_byte_buffer_destroy (stream->response);
  grpc_metadata_array_destroy (&stream->initial);
  grpc_metadata_array_destroy (&stream->trailing);
  grpc_slice_unref (stream->details);
  ccore_metadata_clear (stream->carried, stream->n_carried);
  g_free (stream->carried);
  grpc_call_unref (stream->call);
  g_free (stream);
}

static void
tell_end (Stream *stream)
{
  char *details = grpc_slice_to_c_string (stream->details);

  stream->dropped = TRUE;
  stream->spec.ended ((int) stream->status, details, stream->spec.data);
  gpr_free (details);
}

static void
end_if_over (Stream *stream)
{
  if (stream->n_out > 0)
    return;
  if (stream->has_status && !stream->dropped)
    tell_end (stream);
  stream_free (stream);
}

/* ----------------------------------------------------------------- batches */

static void
batch_handle (ControlNote *note)
{
  Batch *batch = (Batch *) (void *) ((char *) note - G_STRUCT_OFFSET (Batch, note));
  Stream *stream = batch->stream;

  batch->ended (stream);
  stream->n_out--;
  end_if_over (stream);
}

/* On a thread of C-core's. */
static void
batch_run (grpc_completion_queue_functor *functor, int ok)
{
  Batch *batch = (Batch *) functor;

  (void) ok;
  atomic_load_explicit (&batch->started, memory_order_acquire);
  control_note (batch->stream->control, &batch->note);
}

static void
batch_init (Batch *batch, Stream *stream, void (*ended) (Stream *stream))
{
  batch->functor.functor_run = batch_run;
  batch->note.handle = batch_handle;
  batch->stream = stream;
  batch->ended = ended;
}

/* FALSE: C-core did not take it. */
static gboolean
batch_start (Batch *batch, const grpc_op *ops, gsize n_ops)
{
  Stream *stream = batch->stream;

  stream->n_out++;
  atomic_store_explicit (&batch->started, TRUE, memory_order_release);
  if (grpc_call_start_batch (stream->call, ops, n_ops, &batch->functor, NULL) == GRPC_CALL_OK)
    return TRUE;
  control_note (stream->control, &batch->note);
  return FALSE;
}

static void
read_message (Stream *stream)
{
  grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

  op.data.recv_message.recv_message = &stream->response;
  batch_start (&stream->received, &op, 1);
}

/* Always with RECV_INITIAL_METADATA: without it no status comes (FACTS 9). */
static void
send_request (Stream *stream)
{
  grpc_op ops[4] = {
    { .op = GRPC_OP_SEND_INITIAL_METADATA,
      .data.send_initial_metadata = { .count = stream->n_carried, .metadata = stream->carried } },
    { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
    { .op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &stream->initial },
    { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = stream->request },
  };

  batch_start (&stream->sent, ops, stream->request == NULL ? 3 : 4);
}

static void
read_status (Stream *stream)
{
  grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

  op.data.recv_status_on_client.trailing_metadata = &stream->trailing;
  op.data.recv_status_on_client.status = &stream->status;
  op.data.recv_status_on_client.status_details = &stream->details;
  if (!batch_start (&stream->over, &op, 1))
    stream->status = GRPC_STATUS_INTERNAL;
}

/* ------------------------------------------------------------ what comes back */

static void
request_sent (Stream *stream)
{
  (void) stream;
}

static void
message_received (Stream *stream)
{
  grpc_byte_buffer *buffer = g_steal_pointer (&stream->response);
  g_autoptr (GBytes) message = NULL;

  if (buffer == NULL)
    return;
  if (grpc_byte_buffer_length (buffer) > stream->spec.max_message_bytes)
    grpc_call_cancel_with_status (stream->call, GRPC_STATUS_RESOURCE_EXHAUSTED, "the answer is too large", NULL);
  else
    message = rpc_buffer_bytes (buffer);
  grpc_byte_buffer_destroy (buffer);
  if (message != NULL && !stream->dropped)
    stream->spec.message (message, stream->spec.data);
}

static void
status_received (Stream *stream)
{
  stream->has_status = TRUE;
}

static void
is_late (gpointer data)
{
  Stream *stream = data;

  grpc_call_cancel_with_status (stream->call, GRPC_STATUS_DEADLINE_EXCEEDED, "no answer in time", NULL);
}

/* -------------------------------------------------------------------- making */

static grpc_call *
make_call (Ccore *ccore, grpc_channel *channel, const char *method)
{
  grpc_slice path = grpc_slice_from_copied_string (method);
  grpc_call *call = grpc_channel_create_call (channel, NULL, GRPC_PROPAGATE_DEFAULTS, ccore_callback_queue (ccore), path, NULL,
                                              gpr_inf_future (GPR_CLOCK_REALTIME), NULL);

  grpc_slice_unref (path);
  return call;
}

static void
carry (Stream *stream, CcoreCredentials *credentials)
{
  stream->n_carried = ccore_credentials_count (credentials);
  stream->carried = g_new (grpc_metadata, stream->n_carried);
  ccore_credentials_add_to (credentials, stream->carried);
}

static Stream *
start (const StreamMaker *maker, grpc_channel *channel, const StreamSpec *spec)
{
  Stream *stream = g_new0 (Stream, 1);

  stream->control = maker->control;
  stream->spec = *spec;
  (*spec->n_alive)++;
  stream->details = grpc_empty_slice ();
  stream->deadline = (ControlTimer) { .func = is_late, .data = stream };
  batch_init (&stream->sent, stream, request_sent);
  batch_init (&stream->received, stream, message_received);
  batch_init (&stream->over, stream, status_received);
  grpc_metadata_array_init (&stream->initial);
  grpc_metadata_array_init (&stream->trailing);
  stream->request = spec->request == NULL ? NULL : rpc_buffer_from_payload (&(RpcPayload) { .bytes = spec->request });
  stream->call = make_call (maker->data, channel, spec->method);
  if (maker->credentials != NULL)
    carry (stream, maker->credentials);
  if (spec->timeout_us != CENOTE_OFF)
    control_timer_set (maker->control, &stream->deadline, control_now_us (maker->control) + spec->timeout_us);
  send_request (stream);
  read_message (stream);
  read_status (stream);
  return stream;
}

static void
next (Stream *stream)
{
  if (!stream->has_status && !stream->dropped)
    read_message (stream);
}

static void
drop (Stream *stream)
{
  if (stream->dropped)
    return;
  stream->dropped = TRUE;
  control_timer_unset (stream->control, &stream->deadline);
  grpc_call_cancel (stream->call, NULL);
}

StreamMaker
ccore_stream_maker (Ccore *ccore, Control *control)
{
  return (StreamMaker) {
    .start = start, .next = next, .drop = drop, .for_ccore = TRUE, .control = control, .data = ccore,
  };
}
