/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls: what Cenote's own calls share in a runtime: a register of those under way, and
 * queues to wait on.
 *
 * The register is there for four: a stop, which cancels what is under way and waits
 * for it; the watchdog, which looks at unary calls that take long, for their deadlines
 * and second messages, and after a step of the wall clock cancels what C-core's timers
 * have forgotten (FACTS 14); and in-flight counts.  It has shards, one line for each
 * thread in turn, whose locks are taken by others only then.  No call into C-core is
 * made under a lock.
 *
 * What is looked at is in order: in `looks` for all that were entered or looked at, each
 * RPC_LOOK_US later; in `closing` for those that come to their deadline before that.
 *
 * Queues are kept for the next call of the same shard.
 *
 * Counted: each pool holds it, and each call its pool, so that a call may outlive its
 * runtime by a moment.  Any thread.
 */
#ifndef CENOTE_CORE_CALL_CALLS_H
#define CENOTE_CORE_CALL_CALLS_H

#include <glib.h>

#include "core/base/ring.h"
#include "core/grpc/rpc.h"
#include "loop.h"

typedef struct Calls Calls;

/* Embedded in a call; zeroed is not entered. */
typedef struct CallRecord CallRecord;
struct CallRecord {
  gconstpointer pool;
  gint64 begun_us;
  gint64 deadline_us;        /* monotonic */
  const grpc_channel *channel; /* of the attempt under way */
  gboolean unary;            /* it is looked at */
  Rpc *attempt;              /* (borrowed) under way; NULL: none now, or it was cancelled */
  gboolean cancelled;        /* by the register: no further attempt */
  gboolean silent;           /* cancelled by its caller: no callback */
  guint id;                  /* for calls_cancel_id(); 0: none */
  guint shard;
  gint64 look_us;            /* when to look at it */
  RingLink link;             /* in one of the shard's lists */
  guint list;                /* which */
};

Calls *calls_new (void);
Calls *calls_ref (Calls *calls);
void calls_unref (Calls *calls);

/* FALSE: closed; no call may begin. */
gboolean calls_enter (Calls *calls, CallRecord *record);
/* RPC, on CHANNEL and not begun, is RECORD's attempt from now on: cancelled where RECORD is. */
void calls_set_attempt (Calls *calls, CallRecord *record, Rpc *rpc, const grpc_channel *channel);
gboolean calls_is_cancelled (Calls *calls, const CallRecord *record);
/* The attempt is over, and may be freed after this.  FALSE: it was cancelled by the register. */
gboolean calls_clear_attempt (Calls *calls, CallRecord *record);
void calls_leave (Calls *calls, CallRecord *record);

/* A queue for one call at a time. */
RpcQueue *calls_take_queue (Calls *calls);
void calls_give_queue (Calls *calls, RpcQueue *queue);

/* (transfer none): where asynchronous calls end. */
Loops *calls_loops (Calls *calls);

/* Before the first call: WATCH (any thread, must not block) is called when there is something to look at again. */
void calls_set_watch (Calls *calls, void (*watch) (gpointer data), gpointer data);
/* Looks at what is due at NOW_US.  When to look next; G_MAXINT64: when WATCH is called. */
gint64 calls_look (Calls *calls, gint64 now_us);
/* Any thread, beside it: looks at what was due at DUE_US, as if it were then, and no further. */
void calls_look_overdue (Calls *calls, gint64 due_us);
/* Cancels with DEADLINE_EXCEEDED what is past its deadline at NOW_US.  How many calls there are that
 * began before BEFORE_US and are not over. */
guint calls_cancel_late (Calls *calls, gint64 now_us, gint64 before_us);
/* Cancels with CANCELLED, as its caller wishes. */
void calls_cancel_one (Calls *calls, CallRecord *record);
/* The same, of POOL's; its callback is not called.  FALSE: there is none such. */
gboolean calls_cancel_id (Calls *calls, gconstpointer pool, guint id);
/* Cancel with UNAVAILABLE and WHY: what is under way on CHANNEL (it may be tried again on another one);
 * what a pool has begun; everything. */
void calls_cancel_on (Calls *calls, const grpc_channel *channel, const char *why);
void calls_cancel_of (Calls *calls, gconstpointer pool, const char *why);
void calls_cancel_all (Calls *calls, const char *why);
guint calls_count (Calls *calls);
/* No call begins any more; those under way go on. */
void calls_close (Calls *calls);
gboolean calls_are_closed (const Calls *calls);
/* After calls_close(): waits until the last has left, and frees the queues: C-core may go. */
void calls_end (Calls *calls);

#endif
