/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc: one attempt of a caller's call on one channel: where calls meet C-core.
 *
 * An RpcRequest is what all attempts of a call send.  An Rpc is one grpc_call with
 * the queue that its steps end on.  Whoever waits for a step drives C-core meanwhile,
 * so that blocking calls scale with their threads.
 *
 * Threads: one at a time for each kind of step (a writer beside a reader), but where it says so.
 * A step that was begun must have ended before the owner's rpc_unref().
 */
#ifndef CENOTE_CORE_RPC_H
#define CENOTE_CORE_RPC_H

#include <cenote/call.h>
#include <grpc/grpc.h>

#include "ccore-credentials.h"
#include "core/call/headers.h"
#include "rpc-bytes.h"

typedef struct grpc_completion_queue RpcQueue;
typedef struct Rpc Rpc;

/* ------------------------------------------------------------------ queues */

/* To wait on for one thing at a time. */
RpcQueue *rpc_queue_new (void);
/* For rpc_queue_next(). */
RpcQueue *rpc_next_queue_new (void);
/* Nothing is under way on it. */
void rpc_queue_free (RpcQueue *queue);

/* ---------------------------------------------------------------- requests */

/* Embedded in a call, and not moved.  Its fields are rpc-request.c's, and the attempts' to read. */
typedef struct RpcRequest {
  grpc_slice method;
  gboolean has_own_method;   /* to be freed with it */
  gboolean is_stream;        /* its messages come later */
  grpc_slice message;        /* the same for all attempts */
  grpc_metadata *metadata;   /* the caller's, then what credentials add, and a row for the deadline, not counted */
  gsize n_metadata;
  gsize n_credentials;       /* of them, the last ones */
  grpc_metadata deadline_row; /* metadata, where there is nothing else in it */
} RpcRequest;

/* FALSE with CENOTE_ERROR_INVALID, and nothing to clear: METHOD is no path, or METADATA cannot be sent.
 * PAYLOAD, which cannot be sent either where it is too large, is packed; nullable: a stream's. */
gboolean rpc_request_init (RpcRequest *request, const char *method, const CenoteMetadatum *metadata, gsize n_metadata,
                           const RpcPayload *payload, GError **error);
void rpc_request_clear (RpcRequest *request);
/* The next attempts carry CREDENTIALS, as they are now, beside the metadata; while none is under way. */
void rpc_request_set_credentials (RpcRequest *request, CcoreCredentials *credentials);

/* ---------------------------------------------------------------- attempts */

/* Times are of the monotonic clock.  CHANNEL, QUEUE and REQUEST outlive it. */
Rpc *rpc_new (grpc_channel *channel, RpcQueue *queue, RpcRequest *request, gint64 now_us, gint64 deadline_us);
/* The owner's last: nothing is under way. */
Rpc *rpc_ref (Rpc *rpc);
void rpc_unref (Rpc *rpc);
/* Any thread that has a reference.  Ends it soon; the first word stands. */
void rpc_cancel (Rpc *rpc, int status, const char *why);

/* A unary call: looks, by whoever has it under a lock that its owner takes to get it out of sight.
 * What takes longer than RPC_LOOK_US is to be looked at again and again: for its deadline, and for
 * a second message, about which C-core is silent until the status comes. */
#define RPC_LOOK_US (40 * 1000)
typedef enum { RPC_NEED_NOTHING, RPC_NEED_EXPIRE, RPC_NEED_ASK, RPC_NEED_CANCEL } RpcNeed;
RpcNeed rpc_look (Rpc *rpc, gint64 now_us);
/* Any thread that has a reference, without a lock; once for each look that answered NEED. */
void rpc_do (Rpc *rpc, RpcNeed need);

/* Blocks to its end. */
void rpc_run_unary (Rpc *rpc);
/* After that, and out of sight: what a look has begun is to end too. */
void rpc_await_second (Rpc *rpc);
/* At last.  Two messages, and OK without one, end as INTERNAL. */
void rpc_conclude_unary (Rpc *rpc);

/* The same in steps, for a thread that has many under way on one queue of rpc_next_queue_new().
 * Begins; OWNER is what rpc_queue_next() answers.  FALSE: gRPC does not take it, and it is over. */
gboolean rpc_start_unary (Rpc *rpc, gpointer owner);
/* Blocks for the next step that ends, until UNTIL_US (0: not at all).  (nullable): whose it was. */
gpointer rpc_queue_next (RpcQueue *queue, gint64 until_us);
gboolean rpc_is_ended (const Rpc *rpc);
/* Ended, and out of sight: a step is still to come. */
gboolean rpc_awaits_second (const Rpc *rpc);

/* A stream.  Begins the call: sends the metadata. */
void rpc_begin_stream (Rpc *rpc);
/* Blocks until gRPC has taken it; FALSE: the call is over.  MESSAGE NULL: nothing but LAST, the half-close. */
gboolean rpc_write (Rpc *rpc, grpc_byte_buffer *message, gboolean last);
/* Blocks until UNTIL_US (0: not at all, G_MAXINT64: without end).  FALSE: nothing yet.  *OUT_MESSAGE NULL: no more come. */
gboolean rpc_read (Rpc *rpc, gint64 until_us, GBytes **out_message);
/* Blocks for the server's first metadata, or the end. */
void rpc_await_initial (Rpc *rpc);
/* Reads what is left, and blocks for the status. */
void rpc_await_status (Rpc *rpc);

/* After the end. */
int rpc_status (const Rpc *rpc);
const char *rpc_details (Rpc *rpc);
/* Whether anything of the server's came before the status. */
gboolean rpc_is_answered (const Rpc *rpc);
/* (transfer full): a unary call's, which is readable, where the status is OK. */
grpc_byte_buffer *rpc_take_reply (Rpc *rpc);
/* (transfer full) */
Headers *rpc_initial (const Rpc *rpc);
Headers *rpc_trailing (const Rpc *rpc);

#endif
