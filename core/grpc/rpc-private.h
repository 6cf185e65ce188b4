/* SPDX-License-Identifier: Apache-2.0 */
/* What rpc.c, rpc-unary.c, rpc-async.c, rpc-stream.c and rpc-request.c share. */
#ifndef CENOTE_CORE_RPC_PRIVATE_H
#define CENOTE_CORE_RPC_PRIVATE_H

#include <stdatomic.h>

#include "rpc.h"

/* What ends with an event of its own on the queue. */
typedef enum {
  RPC_WHOLE,                 /* unary: all of it */
  RPC_HEAD,                  /* a stream: its begin */
  RPC_INITIAL,               /* a stream: the server's first metadata */
  RPC_STATUS,
  RPC_WRITE,
  RPC_READ,
  N_RPC_STEPS
} RpcStep;

typedef enum { STEP_IDLE, STEP_UNDER_WAY, STEP_DONE } StepState;

/* How far looks at a unary call have come. */
typedef enum {
  STAGE_WAITS,               /* for its message */
  STAGE_SEEN,                /* it has come, and no status */
  STAGE_ASKED,               /* whether there is a second one */
  STAGE_CANCELLED            /* there is */
} RpcStage;

struct Rpc {
  _Atomic guint refs;        /* not GLib's, which a sanitizer does not see */
  grpc_call *call;
  RpcQueue *queue;
  RpcRequest *request;       /* (borrowed) */
  gint64 begun_us;           /* monotonic */
  gint64 deadline_us;
  gboolean own_deadline;     /* kept by looks, unknown to C-core */
  gpointer owner;            /* on a queue of rpc_next_queue_new() */
  StepState steps[N_RPC_STEPS]; /* each written by the one thread that does such steps */
  gboolean good[N_RPC_STEPS];   /* how the last of its kind ended */
  _Atomic guint ordering;    /* orders what is written here before what C-core reads, for sanitizers */
  grpc_metadata_array initial;
  grpc_metadata_array trailing;
  grpc_byte_buffer *message; /* the one that was read last */
  gboolean no_more;          /* a stream: a read found the end */
  /* A unary call's: */
  RpcStage stage;            /* of looks */
  _Atomic gboolean asked;    /* for a second message: RPC_READ is under way, or has ended */
  grpc_byte_buffer *second;  /* which is a fault */
  grpc_status_code status;
  grpc_slice details;
  char *details_text;
  const char *fault;         /* why it is INTERNAL, whatever the server said; NULL: nothing */
  grpc_byte_buffer outgoing; /* last, because large: a unary call's request; gRPC takes what is in it */
};

/* A step's tag: from it the Rpc is found, and nothing of that read before rpc_step_end(). */
G_STATIC_ASSERT (N_RPC_STEPS <= sizeof (gpointer));
static inline gpointer
rpc_tag (Rpc *rpc, RpcStep step)
{
  return (char *) rpc + step;
}

static inline RpcStep
rpc_step_of_tag (gconstpointer tag)
{
  return (RpcStep) ((gsize) tag % sizeof (gpointer));
}

/* Starts OPS as STEP, which may have ended, and RPC be gone, when this returns.  FALSE: gRPC does
 * not take them: STEP is done and not good. */
gboolean rpc_step_start (Rpc *rpc, RpcStep step, const grpc_op *ops, gsize n);
/* Waits for the end of STEP, which is under way; FALSE: it is UNTIL_US (G_MAXINT64: never). */
gboolean rpc_step_await (Rpc *rpc, RpcStep step, gint64 until_us);
/* The event that ended STEP. */
void rpc_step_end (Rpc *rpc, RpcStep step, const grpc_event *event);
/* A time of the monotonic clock; G_MAXINT64: never. */
gpr_timespec rpc_time (gint64 us);
/* FALSE: gRPC does not take it: it is over. */
gboolean rpc_begin_unary (Rpc *rpc);
/* What the next attempt says of its deadline. */
void rpc_request_set_timeout (RpcRequest *request, gint64 us);

/* Here, so that they are made where they are used. */
static inline grpc_op
rpc_op_send_initial (const Rpc *rpc)
{
  return (grpc_op) {
    .op = GRPC_OP_SEND_INITIAL_METADATA,
    .data.send_initial_metadata = { .count = rpc->request->n_metadata + (rpc->own_deadline ? 1 : 0),
                                    .metadata = rpc->request->metadata },
  };
}

static inline grpc_op
rpc_op_receive_initial (Rpc *rpc)
{
  return (grpc_op) { .op = GRPC_OP_RECV_INITIAL_METADATA,
                     .data.recv_initial_metadata.recv_initial_metadata = &rpc->initial };
}

static inline grpc_op
rpc_op_receive_message (Rpc *rpc)
{
  return (grpc_op) { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &rpc->message };
}

static inline grpc_op
rpc_op_receive_status (Rpc *rpc)
{
  return (grpc_op) { .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
                     .data.recv_status_on_client = { .trailing_metadata = &rpc->trailing,
                                                     .status = &rpc->status,
                                                     .status_details = &rpc->details } };
}

#endif
