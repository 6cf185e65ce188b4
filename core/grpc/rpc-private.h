/* SPDX-License-Identifier: Apache-2.0 */
/* What rpc.c, rpc-stream.c, rpc-async.c and rpc-request.c share. */
#ifndef CENOTE_CORE_RPC_PRIVATE_H
#define CENOTE_CORE_RPC_PRIVATE_H

#include <grpc/grpc.h>
#include <stdatomic.h>

#include "rpc-bytes.h"
#include "rpc.h"

struct RpcRequest {
  grpc_slice method;
  grpc_metadata *metadata;   /* the caller's, and then what credentials add */
  gsize n_metadata;
  gsize n_credentials;       /* of them, the last ones */
  GBytes *message;           /* NULL: a stream's */
};

/* What ends with an event of its own on the queue. */
typedef enum {
  RPC_HEAD,                  /* unary: all but the status; a stream: its begin */
  RPC_INITIAL,               /* a stream: the server's first metadata */
  RPC_STATUS,
  RPC_WRITE,
  RPC_READ,
  N_RPC_STEPS
} RpcStep;

/* A step's tag is the Rpc's address, which has these bits free, and the step: so nothing of it is read
 * before its ordering is. */
#define RPC_TAG_STEP ((gsize) 7)
G_STATIC_ASSERT (N_RPC_STEPS <= RPC_TAG_STEP + 1);

static inline void *
rpc_tag (Rpc *rpc, RpcStep step)
{
  return (char *) rpc + step;
}

typedef enum { STEP_IDLE, STEP_UNDER_WAY, STEP_DONE } StepState;

struct Rpc {
  grpc_call *call;
  RpcQueue *queue;
  const RpcRequest *request;
  gpointer owner;            /* on a queue of rpc_next_queue_new() */
  StepState steps[N_RPC_STEPS]; /* each written by the one thread that does such steps */
  gboolean good[N_RPC_STEPS];   /* how the last of its kind ended */
  _Atomic guint ordering;    /* orders what is written here before what C-core reads, for sanitizers */
  grpc_metadata_array initial;
  grpc_metadata_array trailing;
  grpc_byte_buffer *sent;    /* a unary call's request: C-core takes what is in it, so each attempt has its own */
  grpc_byte_buffer *message; /* the one that was read last */
  gboolean no_more;          /* a stream: a read found the end */
  grpc_byte_buffer *second;  /* a unary call's second message, which is a fault */
  GBytes *reply;             /* a unary call's message */
  grpc_status_code status;
  grpc_slice details;
  char *details_text;
  const char *fault;         /* why it is INTERNAL, whatever the server said; NULL: nothing */
};

/* Starts OPS as STEP; where gRPC does not take them, STEP is done and not good. */
void rpc_step_start (Rpc *rpc, RpcStep step, const grpc_op *ops, gsize n);
/* Waits for the end of STEP, which is under way; FALSE: not within TIMEOUT_US. */
gboolean rpc_step_await (Rpc *rpc, RpcStep step, gint64 timeout_us);
/* The event that ended STEP. */
void rpc_step_end (Rpc *rpc, RpcStep step, const grpc_event *event);
gpr_timespec rpc_from_now (gint64 us);
void rpc_begin_unary (Rpc *rpc);
/* A second message was asked for, and that has ended. */
void rpc_note_second_message (Rpc *rpc);
void rpc_conclude_unary (Rpc *rpc);
grpc_op rpc_op_send_initial (const Rpc *rpc);
grpc_op rpc_op_receive_initial (Rpc *rpc);
grpc_op rpc_op_receive_message (Rpc *rpc);
grpc_op rpc_op_receive_status (Rpc *rpc);

#endif
