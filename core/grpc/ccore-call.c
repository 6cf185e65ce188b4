/* SPDX-License-Identifier: Apache-2.0 */
/* The private call of ccore.h: one batch, whose end comes back as a note. */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

#include "ccore.h"
#include "rpc-bytes.h"

struct CcoreCall {
  grpc_completion_queue_functor functor; /* first */
  ControlNote note;
  /* Orders what is written here before what the functor reads, for sanitizers that do not see into C-core. */
  _Atomic gboolean started;
  ControlTimer deadline;
  Control *control;
  grpc_call *call;
  CcoreCallDone done;
  gpointer data;
  gint64 begun_us;
  grpc_byte_buffer *request;
  grpc_byte_buffer *response;
  grpc_metadata_array initial;
  grpc_metadata_array trailing;
  grpc_status_code status;
  grpc_slice details;
};

static void
call_free (CcoreCall *call)
{
  grpc_byte_buffer_destroy (call->request);
  grpc_byte_buffer_destroy (call->response);
  grpc_metadata_array_destroy (&call->initial);
  grpc_metadata_array_destroy (&call->trailing);
  grpc_slice_unref (call->details);
  grpc_call_unref (call->call);
  g_free (call);
}

static void
call_ended (ControlNote *note)
{
  CcoreCall *call = (CcoreCall *) ((char *) note - G_STRUCT_OFFSET (CcoreCall, note));
  char *details = grpc_slice_to_c_string (call->details);
  g_autoptr (GBytes) message = rpc_buffer_bytes (call->response);
  const CcoreReply reply = {
    .status = (int) call->status,
    .details = details,
    .message = message,
    .duration_us = control_now_us (call->control) - call->begun_us,
  };

  control_timer_unset (call->control, &call->deadline);
  call->done (&reply, call->data);
  gpr_free (details);
  call_free (call);
}

/* On a thread of C-core's. */
static void
call_run (grpc_completion_queue_functor *functor, int ok)
{
  CcoreCall *call = (CcoreCall *) functor;

  (void) ok;
  atomic_load_explicit (&call->started, memory_order_acquire);
  control_note (call->control, &call->note);
}

static void
call_is_late (gpointer data)
{
  CcoreCall *call = data;

  grpc_call_cancel_with_status (call->call, GRPC_STATUS_DEADLINE_EXCEEDED, "no answer in time", NULL);
}

/* Always with RECV_INITIAL_METADATA: without it no status comes (FACTS 9). */
static void
call_start_batch (CcoreCall *call)
{
  grpc_op ops[6] = {
    { .op = GRPC_OP_SEND_INITIAL_METADATA },
    { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->request },
    { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
    { .op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &call->initial },
    { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->response },
    { .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
      .data.recv_status_on_client = { .trailing_metadata = &call->trailing,
                                      .status = &call->status,
                                      .status_details = &call->details } },
  };
  grpc_call_error error;

  atomic_store_explicit (&call->started, TRUE, memory_order_release);
  error = grpc_call_start_batch (call->call, ops, G_N_ELEMENTS (ops), &call->functor, NULL);

  if (error == GRPC_CALL_OK)
    return;
  call->status = GRPC_STATUS_INTERNAL;
  call->details = grpc_slice_from_static_string (grpc_call_error_to_string (error));
  control_note (call->control, &call->note);
}

CcoreCall *
ccore_call_start (Ccore *ccore, Control *control, grpc_channel *channel, const char *method, GBytes *request, gint64 timeout_us,
                  CcoreCallDone done, gpointer data)
{
  CcoreCall *call = g_new0 (CcoreCall, 1);
  grpc_slice path = grpc_slice_from_copied_string (method);

  call->functor.functor_run = call_run;
  call->note.handle = call_ended;
  call->deadline = (ControlTimer) { .func = call_is_late, .data = call };
  call->control = control;
  call->done = done;
  call->data = data;
  call->begun_us = control_now_us (control);
  call->details = grpc_empty_slice ();
  call->request = rpc_buffer_from_payload (&(RpcPayload) { .bytes = request });
  grpc_metadata_array_init (&call->initial);
  grpc_metadata_array_init (&call->trailing);
  call->call = grpc_channel_create_call (channel, NULL, GRPC_PROPAGATE_DEFAULTS, ccore_callback_queue (ccore), path, NULL,
                                         gpr_inf_future (GPR_CLOCK_REALTIME), NULL);
  grpc_slice_unref (path);
  control_timer_set (control, &call->deadline, call->begun_us + timeout_us);
  call_start_batch (call);
  return call;
}

void
ccore_call_cancel (CcoreCall *call)
{
  grpc_call_cancel (call->call, NULL);
}
