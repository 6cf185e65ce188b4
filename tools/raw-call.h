/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw-call: unary calls on a grpc_channel by C-core's own functions.
 *
 * A RawCaller owns one completion queue that only its thread plucks from, so it
 * serves one thread and one call at a time.  Every call has a deadline.
 */
#ifndef CENOTE_TOOLS_RAW_CALL_H
#define CENOTE_TOOLS_RAW_CALL_H

#include <glib.h>
#include <grpc/grpc.h>

G_BEGIN_DECLS

typedef struct RawCaller RawCaller;

/* What came back; clear with raw_reply_clear(). */
typedef struct RawReply {
  int status;                /* a grpc_status_code, or a larger number if the server sent one */
  char *details;             /* the status message, "" if none */
  GBytes *message;           /* NULL: none came */
} RawReply;

/* Takes grpc_init() and gives it back in raw_caller_free(). */
RawCaller *raw_caller_new (void);
void raw_caller_free (RawCaller *caller);

/* Calls METHOD ("/package.Service/Method") with the message REQUEST and waits
 * for its end, TIMEOUT_MS (≥ 0) at most.  The channel must stay alive meanwhile: hold its lease. */
void raw_caller_call (RawCaller *caller, grpc_channel *channel, const char *method, GBytes *request, gint64 timeout_ms,
                      RawReply *out_reply);
void raw_reply_clear (RawReply *reply);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawCaller, raw_caller_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RawReply, raw_reply_clear)

G_END_DECLS

#endif
