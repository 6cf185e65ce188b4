/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc: one attempt of a caller's call on one channel: where calls meet C-core.
 *
 * An RpcRequest is what all attempts of a call send.  An Rpc is one grpc_call with
 * the queue that its steps end on.  Whoever waits for a step drives C-core meanwhile,
 * so that blocking calls scale with their threads.
 *
 * Threads: rpc_handle_cancel() any; else one at a time for each kind of step (a writer beside
 * a reader).  A step that was begun must have ended before rpc_free().
 */
#ifndef CENOTE_CORE_RPC_H
#define CENOTE_CORE_RPC_H

#include <cenote/call.h>

#include "ccore-credentials.h"
#include "core/call/headers.h"

typedef struct grpc_completion_queue RpcQueue;
typedef struct RpcRequest RpcRequest;
typedef struct Rpc Rpc;
typedef struct grpc_call RpcHandle;

/* ------------------------------------------------------------------ queues */

/* To wait on for one thing at a time. */
RpcQueue *rpc_queue_new (void);
/* For rpc_queue_next(). */
RpcQueue *rpc_next_queue_new (void);
/* Nothing is under way on it. */
void rpc_queue_free (RpcQueue *queue);

/* ---------------------------------------------------------------- requests */

/* NULL with CENOTE_ERROR_INVALID: METHOD is no path, or METADATA cannot be sent.
 * MESSAGE nullable: a stream's, whose messages come later. */
RpcRequest *rpc_request_new (const char *method, const CenoteMetadatum *metadata, gsize n_metadata, GBytes *message,
                             GError **error);
void rpc_request_free (RpcRequest *request);
/* The next attempts carry CREDENTIALS, as they are now, beside the metadata; while none is under way. */
void rpc_request_set_credentials (RpcRequest *request, CcoreCredentials *credentials);

/* ---------------------------------------------------------------- attempts */

/* REMAINING_US: until its deadline.  CHANNEL, QUEUE and REQUEST outlive it. */
Rpc *rpc_new (grpc_channel *channel, RpcQueue *queue, const RpcRequest *request, gint64 remaining_us);
/* Nothing is under way. */
void rpc_free (Rpc *rpc);
/* (transfer full): to cancel it by on any thread, also after rpc_free(). */
RpcHandle *rpc_handle (Rpc *rpc);
void rpc_handle_unref (RpcHandle *handle);
/* Ends it soon; the first word stands. */
void rpc_handle_cancel (RpcHandle *handle, int status, const char *why);

/* A server that sent its message and no status within so long may have sent a second
 * message, which C-core would keep silent about until the deadline (FACTS 19b). */
#define RPC_STATUS_WAIT_US (50 * 1000)

/* The whole of a unary call: blocks to its end.  Two messages, and OK without one, end as INTERNAL. */
void rpc_run_unary (Rpc *rpc);

/* The same in steps, for a thread that has many under way on one queue of rpc_next_queue_new().
 * Begins; OWNER is what rpc_queue_next() answers. */
void rpc_start_unary (Rpc *rpc, gpointer owner);
typedef enum {
  RPC_PROGRESS_NONE,
  RPC_PROGRESS_MESSAGE,      /* a message, and no status yet: give it RPC_STATUS_WAIT_US, then look */
  RPC_PROGRESS_OVER
} RpcProgress;
/* Blocks for the next step that ends, at most TIMEOUT_US.  (nullable): whose it was. */
gpointer rpc_queue_next (RpcQueue *queue, gint64 timeout_us, RpcProgress *out_progress);
void rpc_look_for_second_message (Rpc *rpc);

/* A stream.  Begins the call: sends the metadata. */
void rpc_begin_stream (Rpc *rpc);
/* Blocks until gRPC has taken it; FALSE: the call is over.  MESSAGE NULL: nothing but LAST, the half-close. */
gboolean rpc_write (Rpc *rpc, GBytes *message, gboolean last);
/* Blocks for at most TIMEOUT_US (G_MAXINT64: without end).  FALSE: nothing yet.  *OUT_MESSAGE NULL: no more come. */
gboolean rpc_read (Rpc *rpc, gint64 timeout_us, GBytes **out_message);
/* Blocks for the server's first metadata, or the end. */
void rpc_await_initial (Rpc *rpc);
/* Reads what is left, and blocks for the status. */
void rpc_await_status (Rpc *rpc);

/* After the end. */
int rpc_status (const Rpc *rpc);
const char *rpc_details (Rpc *rpc);
/* Whether anything of the server's came before the status. */
gboolean rpc_is_answered (const Rpc *rpc);
/* (transfer full): a unary call's, where the status is OK. */
GBytes *rpc_take_reply (Rpc *rpc);
/* (transfer full) */
Headers *rpc_initial (const Rpc *rpc);
Headers *rpc_trailing (const Rpc *rpc);

#endif
