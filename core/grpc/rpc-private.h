/* SPDX-License-Identifier: Apache-2.0 */
/* What rpc.c, rpc-stream.c, rpc-async.c and rpc-request.c share. */
#ifndef CENOTE_CORE_RPC_PRIVATE_H
#define CENOTE_CORE_RPC_PRIVATE_H

#include <grpc/grpc.h>
#include <stdatomic.h>

#include "rpc.h"

struct RpcRequest {
  grpc_slice method;
  grpc_metadata *metadata;
  gsize n_metadata;
  grpc_byte_buffer *message; /* NULL: a stream's */
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

typedef enum { STEP_IDLE, STEP_UNDER_WAY, STEP_DONE } StepState;

struct Rpc {
  grpc_call *call;
  RpcQueue *queue;
  const RpcRequest *request;
  char tags[N_RPC_STEPS];    /* a step's tag is the address of its own */
  StepState steps[N_RPC_STEPS]; /* each written by the one thread that does such steps */
  gboolean good[N_RPC_STEPS];   /* how the last of its kind ended */
  _Atomic guint ordering;    /* orders what is written here before what C-core reads, for sanitizers */
  grpc_metadata_array initial;
  grpc_metadata_array trailing;
  grpc_byte_buffer *message; /* the one that was read last */
  gboolean no_more;          /* a stream: a read found the end */
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
grpc_op rpc_op_send_initial (const Rpc *rpc);
grpc_op rpc_op_receive_initial (Rpc *rpc);
grpc_op rpc_op_receive_message (Rpc *rpc);
grpc_op rpc_op_receive_status (Rpc *rpc);

#endif
