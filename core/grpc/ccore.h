/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ccore: everything that the core asks of gRPC's C-core, so that a new major of
 * it touches these files alone (ccore.c, ccore-args.c, ccore-call.c, ccore-stream.c;
 * transports create channels themselves).
 *
 * One Ccore a runtime: a callback completion queue for connectivity watches and
 * private calls, whose functors run on C-core's own threads and only leave a
 * note, and a queue that is polled to drive all connections of the process.
 * What each function rests on is in the comments ("FACTS n" is the number in
 * the measurements that the design was made from; see doc/design.md).
 */
#ifndef CENOTE_CORE_CCORE_H
#define CENOTE_CORE_CCORE_H

#include <cenote/pool.h>
#include <glib.h>

#include "core/runtime/control.h"


typedef struct Ccore Ccore;

/* Takes grpc_init(). */
Ccore *ccore_new (void);
/* Shuts the queues down; grpc_init() is given back when the last watch and call
 * on them is over.  WAIT: until then, at most 1 s, driving C-core meanwhile; not for
 * watches that were left. */
void ccore_free (Ccore *ccore, gboolean wait);

/* Drives what is ready, and returns at once. */
void ccore_poll_now (Ccore *ccore);
/* Drives, blocked, for at most TIMEOUT_MS. */
void ccore_poll_wait (Ccore *ccore, guint timeout_ms);
/* Makes a blocked ccore_poll_wait() return soon, and after the wall clock was
 * set lets C-core look at its timers again. */
void ccore_nudge (Ccore *ccore);

/* ---------------------------------------------------------------- channels */

/* One more grpc_init() for a channel that outlives its runtime, and its return. */
void ccore_hold (void);
void ccore_unhold (void);
void ccore_channel_destroy (grpc_channel *channel);
/* CONNECT: and begins to connect an idle one. */
CenoteChannelState ccore_channel_state (grpc_channel *channel, gboolean connect);
void ccore_channel_reset_backoff (grpc_channel *channel);

/* ----------------------------------------------------------------- watches */

/* Tells once for each arming that a channel left a state.  FIRED runs on any
 * thread, also when the channel is destroyed, and must only leave a note. */
typedef struct CcoreWatch CcoreWatch;
CcoreWatch *ccore_watch_new (Ccore *ccore, grpc_channel *channel, void (*fired) (gpointer data), gpointer data);
/* Not while armed. */
void ccore_watch_arm (CcoreWatch *watch, CenoteChannelState last);
void ccore_watch_free (CcoreWatch *watch);
/* Gives an armed watch up: FIRED will not run any more, and it frees itself.
 * FALSE: it has fired, or is about to call FIRED: wait for that. */
gboolean ccore_watch_abandon (CcoreWatch *watch);
/* The same, but that FUNC is called in FIRED's place, once, on any thread; it may destroy
 * the channel, and C-core may not.  Outlives the Ccore: where nobody is left to drive
 * C-core, it looks after its connections itself, every 5 s. */
gboolean ccore_watch_leave (CcoreWatch *watch, void (*func) (gpointer data), gpointer data);

/* ----------------------------------------------------------- private calls */

/* A unary call on the control side: error texts, pings, health, priming.  DONE
 * runs on the control thread exactly once, not inside ccore_call_start(). */
typedef struct CcoreCall CcoreCall;
typedef struct CcoreReply {
  int status;                /* grpc_status_code */
  const char *details;
  GBytes *message;           /* nullable */
  gint64 duration_us;
} CcoreReply;
typedef void (*CcoreCallDone) (const CcoreReply *reply, gpointer data);

/* Never waits for a channel to become ready.  Ends at the latest TIMEOUT_US from
 * now, by the monotonic clock.  REQUEST nullable: empty. */
CcoreCall *ccore_call_start (Ccore *ccore, Control *control, grpc_channel *channel, const char *method, GBytes *request,
                             gint64 timeout_us, CcoreCallDone done, gpointer data);
/* Ends it soon with CANCELLED. */
void ccore_call_cancel (CcoreCall *call);

/* --------------------------------------------------------------- arguments */

typedef struct CcoreArgs CcoreArgs;

typedef struct CcoreArgsInput {
  gint64 connect_timeout_us;
  gint64 max_message_bytes;
  gint64 max_metadata_bytes;
  gint64 keepalive_time_us;  /* CENOTE_OFF: none */
  gint64 keepalive_timeout_us;
  gboolean keepalive_permit_without_calls;
  gboolean http_proxy;
  const char *authority;                /* nullable: the name that a target of numbers is for */
  const char *service_config;           /* nullable, JSON */
  const char *const *extra;             /* nullable, "name=value" */
} CcoreArgsInput;

CcoreArgs *ccore_args_new (const CcoreArgsInput *input);
/* When C-core gives an attempt up that Cenote gives up after CONNECT_TIMEOUT_US. */
gint64 ccore_attempt_us (gint64 connect_timeout_us);
/* (transfer none): a const grpc_channel_args *, which has no tag to declare it by. */
const void *ccore_args_get (const CcoreArgs *args);
void ccore_args_free (CcoreArgs *args);

/* For ccore-call.c and ccore-stream.c: the callback queue. */
struct grpc_completion_queue *ccore_callback_queue (Ccore *ccore);

#endif
