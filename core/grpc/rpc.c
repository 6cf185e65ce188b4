/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc-private.h"

#include <grpc/byte_buffer.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <string.h>

#include "core/base/hot.h"

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
rpc_time (gint64 us)
{
  if (us == G_MAXINT64)
    return gpr_inf_future (GPR_CLOCK_MONOTONIC);
  return (gpr_timespec) { .tv_sec = us / G_USEC_PER_SEC, .tv_nsec = (gint32) (us % G_USEC_PER_SEC) * 1000,
                          .clock_type = GPR_CLOCK_MONOTONIC };
}

HOT gboolean
rpc_step_start (Rpc *rpc, RpcStep step, const grpc_op *ops, gsize n)
{
  rpc->steps[step] = STEP_UNDER_WAY;
  atomic_fetch_add_explicit (&rpc->ordering, 1, memory_order_release);
  if (grpc_call_start_batch (rpc->call, ops, n, rpc_tag (rpc, step), NULL) == GRPC_CALL_OK)
    return TRUE;
  rpc->steps[step] = STEP_DONE;
  rpc->good[step] = FALSE;
  return FALSE;
}

HOT void
rpc_step_end (Rpc *rpc, RpcStep step, const grpc_event *event)
{
  (void) atomic_load_explicit (&rpc->ordering, memory_order_acquire);
  rpc->steps[step] = STEP_DONE;
  rpc->good[step] = event->success != 0;
}

HOT gboolean
rpc_step_await (Rpc *rpc, RpcStep step, gint64 until_us)
{
  grpc_event event;

  if (rpc->steps[step] != STEP_UNDER_WAY)
    return TRUE;
  event = grpc_completion_queue_pluck (rpc->queue, rpc_tag (rpc, step), rpc_time (until_us), NULL);
  if (event.type != GRPC_OP_COMPLETE)
    return FALSE;
  rpc_step_end (rpc, step, &event);
  return TRUE;
}

/* -------------------------------------------------------------------- lives */

/* C-core's timers cost more than anything of ours, and wait on the wall clock (FACTS 14).  A
 * unary call is looked at anyway, so it has none, and its deadline goes to the server as
 * C-core would send it.  One that is nearer than two looks is left to C-core. */
static gboolean
keeps_deadline (const RpcRequest *request, gint64 now_us, gint64 deadline_us)
{
  return !request->is_stream && deadline_us - now_us > 2 * RPC_LOOK_US;
}

HOT Rpc *
rpc_new (grpc_channel *channel, RpcQueue *queue, RpcRequest *request, gint64 now_us, gint64 deadline_us)
{
  Rpc *rpc = g_malloc (sizeof *rpc);

  memset (rpc, 0, G_STRUCT_OFFSET (Rpc, outgoing));
  atomic_init (&rpc->refs, 1);
  rpc->queue = queue;
  rpc->request = request;
  rpc->begun_us = now_us;
  rpc->deadline_us = deadline_us;
  rpc->own_deadline = keeps_deadline (request, now_us, deadline_us);
  rpc->details = grpc_empty_slice ();
  rpc_buffer_init (&rpc->outgoing, request->message);
  rpc->call = grpc_channel_create_call (channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, request->method, NULL,
                                        rpc_time (rpc->own_deadline ? G_MAXINT64 : deadline_us), NULL);
  return rpc;
}

Rpc *
rpc_ref (Rpc *rpc)
{
  atomic_fetch_add_explicit (&rpc->refs, 1, memory_order_relaxed);
  return rpc;
}

/* What a call mostly has not; asked here, it costs no way into gRPC. */
static void
free_rarities (Rpc *rpc)
{
  if (rpc->initial.metadata != NULL)
    grpc_metadata_array_destroy (&rpc->initial);
  if (rpc->trailing.metadata != NULL)
    grpc_metadata_array_destroy (&rpc->trailing);
  if (rpc->second != NULL)
    grpc_byte_buffer_destroy (rpc->second);
  if (rpc->details.refcount != NULL)
    grpc_slice_unref (rpc->details);
  if (rpc->details_text != NULL)
    gpr_free (rpc->details_text);
}

HOT void
rpc_unref (Rpc *rpc)
{
  if (rpc == NULL || atomic_fetch_sub_explicit (&rpc->refs, 1, memory_order_acq_rel) > 1)
    return;
  free_rarities (rpc);
  grpc_byte_buffer_destroy (rpc->message);
  rpc_buffer_clear (&rpc->outgoing);
  grpc_call_unref (rpc->call);
  g_free (rpc);
}

void
rpc_cancel (Rpc *rpc, int status, const char *why)
{
  grpc_call_cancel_with_status (rpc->call, (grpc_status_code) status, why, NULL);
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
HOT int
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

HOT gboolean
rpc_is_answered (const Rpc *rpc)
{
  return rpc->initial.count > 0 || rpc->trailing.count > 0 || rpc->message != NULL;
}

HOT grpc_byte_buffer *
rpc_take_reply (Rpc *rpc)
{
  return rpc_status (rpc) == GRPC_STATUS_OK ? g_steal_pointer (&rpc->message) : NULL;
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
