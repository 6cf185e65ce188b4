/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: a private call on the control side that may bring several messages:
 * what pings and health checks ask a channel with.
 *
 * Messages come one at a time, each after it was asked for (the first one is), so
 * a peer that never stops talking waits for us.  A stream ends once: it tells
 * `ended`, or it is dropped, and after either nothing is told and the handle is
 * gone.  Until its last operation is given back it counts in *n_alive.
 *
 * StreamMaker is the seam: C-core's is in ccore-stream.c, a simulation has its
 * own.  Everything here is called, and calls back, on the control thread only,
 * never inside start().
 */
#ifndef CENOTE_CORE_STREAM_H
#define CENOTE_CORE_STREAM_H

#include "ccore-credentials.h"
#include "ccore.h"

typedef struct Stream Stream;

typedef struct StreamSpec {
  const char *method;        /* "/package.Service/Method" */
  GBytes *request;           /* (nullable) (borrowed): NULL sends headers alone */
  gint64 timeout_us;         /* of the whole stream, by the monotonic clock; CENOTE_OFF: none */
  gsize max_message_bytes;   /* a larger one ends the stream with RESOURCE_EXHAUSTED */
  void (*message) (GBytes *message, gpointer data);
  /* STATUS: a grpc_status_code, or a number that the peer made up. */
  void (*ended) (int status, const char *details, gpointer data);
  gpointer data;
  guint *n_alive;
} StreamSpec;

typedef struct StreamMaker StreamMaker;
struct StreamMaker {
  /* Never waits for CHANNEL to become ready. */
  Stream *(*start) (const StreamMaker *maker, grpc_channel *channel, const StreamSpec *spec);
  /* Asks for the next message; once for each that came. */
  void (*next) (Stream *stream);
  /* Ends it; nothing is told any more. */
  void (*drop) (Stream *stream);
  gboolean for_ccore;        /* only for channels that C-core drives */
  CcoreCredentials *credentials; /* (borrowed) (nullable): what streams carry because their channels do not */
  Control *control;
  gpointer data;
};

/* Streams over real channels. */
StreamMaker ccore_stream_maker (Ccore *ccore, Control *control);

#endif
