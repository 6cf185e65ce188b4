/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig: what the benches with real connections stand on: servers in processes of
 * their own, a pool to one, calls in flight on its channels, and the figures.
 *
 * What cannot be set up ends the program.
 */
#ifndef CENOTE_BENCH_RIG_H
#define CENOTE_BENCH_RIG_H

#include <cenote/cenote.h>
#include <grpc/grpc.h>

#include "bench.h"
#include "tests/servers/child.h"

/* ----------------------------------------------------------------- servers */

/* The demo's server on *PORT, or, where that is 0, on any, which is then in *PORT. */
Child *rig_start_server (guint *port);
/* tests/servers/health in the same way, whose Echo answers after DELAY_MS, with at most STREAMS calls at once on one
 * connection (0: no limit). */
#define RIG_SLOW_ECHO_METHOD "/cenote.test.Work/Echo"
Child *rig_start_slow_server (guint delay_ms, guint streams, guint *port);
/* bench/late-server, which does the same to calls of any method and takes less of the machine than its clients; on any port. */
Child *rig_start_late_server (guint delay_ms, guint streams, guint *out_port);
/* tests/servers/peer carrying connections to PORT; its own is in *OUT_PORT. */
Child *rig_start_proxy (guint port, guint *out_port);

/* -------------------------------------------------------------------- pool */

typedef struct Rig {
  CenoteRuntime *runtime;
  CenotePool *pool;
  GMutex lock;
  GCond changed;
  GArray *lost_us;           /* monotonic, of gint64: when channels were seen to be disconnected */
  GArray *found_us;          /* the same of connected */
} Rig;

/* Five channels to 127.0.0.1:PORT, once all are ready. */
Rig *rig_new (guint port);
void rig_free (Rig *rig);
/* Forgets what happened so far. */
void rig_forget (Rig *rig);
/* Waits until N channels were lost, or found.  The monotonic µs of the first and of the last. */
void rig_await_lost (Rig *rig, guint n, gint64 *out_first_us, gint64 *out_last_us);
void rig_await_found (Rig *rig, guint n, gint64 *out_first_us, gint64 *out_last_us);

/* A channel made by hand as a pool makes them: a connection of its own, no retries, no proxy, identity alone. */
grpc_channel *rig_plain_channel (const char *target);
/* As most people write it: gRPC's defaults, its retries among them, but with a connection of its own. */
grpc_channel *rig_default_channel (const char *target);

/* ------------------------------------------------------------------- calls */

/* Below N, as luck of the thread's own has it: no lock, and no line that threads share. */
guint rig_random (guint n);

/* Reads a reply. */
typedef void (*RigTake) (const guint8 *bytes, gsize size);

/* Where a call's channel comes from, and what travels. */
typedef struct RigSource {
  grpc_channel *(*take) (gpointer data, CenoteLease *lease); /* LEASE, where it takes one, is released by the call */
  gpointer data;
  grpc_slice (*pack) (void); /* (nullable): the request; the rig has one of its own */
  RigTake read;              /* (nullable) */
} RigSource;

/* One of the pool's channels, leased for the call. */
RigSource rig_source_of_pool (CenotePool *pool);
/* Makes N echo calls, at most IN_FLIGHT at a time, on the caller's thread, which takes them from a queue as they end.
 * How many failed. */
guint64 rig_call (const RigSource *source, guint64 n, guint in_flight);
/* The same one after another, each plucked. */
guint64 rig_pluck (const RigSource *source, guint64 n);
/* The same of METHOD (static), which gives back a message. */
guint64 rig_call_method (const RigSource *source, const char *method, guint64 n, guint in_flight);

/* One such call by hand; it stays where it is until its end. */
typedef struct RigCall {
  grpc_call *call;
  grpc_metadata_array initial, trailing;
  grpc_byte_buffer *request; /* gRPC takes what is in it: each call has its own */
  grpc_byte_buffer *response;
  grpc_status_code status;
  grpc_slice details;
} RigCall;

/* Of METHOD with MESSAGE; TAG comes out of QUEUE when it is over, also where TIMEOUT_MS ends it. */
void rig_call_begin (RigCall *call, grpc_channel *channel, grpc_completion_queue *queue, grpc_slice method,
                     grpc_slice message, gint64 timeout_ms, gpointer tag);
/* Frees what it holds.  Whether it is OK, with a message, which TAKE (nullable) is given: as a client does that wants to know. */
gboolean rig_call_end (RigCall *call, RigTake take);

/* ----------------------------------------------------------------- figures */

/* Heads the figures to come. */
void rig_title (const char *title);
/* Median, 10th and 90th percentile of VALUES (sorted by this), and whether the median keeps to the bar. */
void rig_print (const char *what, const char *unit, GArray *values, BenchBar bar, double limit);
void rig_add (GArray *values, double value);
/* The value below which SHARE of VALUES (sorted by this, not empty) are. */
double rig_quantile (GArray *values, double share);

#endif
