/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call-run: the same unary call many times, on one or more threads, and how the calls ended.
 */
#ifndef CENOTE_TOOLS_CALL_RUN_H
#define CENOTE_TOOLS_CALL_RUN_H

#include <cenote/call.h>

#include "core/telemetry/histogram.h"

G_BEGIN_DECLS

/* What is called; all of it borrowed. */
typedef struct CallJob {
  CenotePool *pool;
  const char *method;
  GBytes *request;
  const CenoteCallOptions *options;
  guint n_calls;
  guint n_threads;
  /* No call begins any more once it is not 0; those under way go on. */
  const int *interrupted;    /* atomic */
} CallJob;

/* Calls that ended alike. */
typedef struct CallEnd {
  GQuark domain;             /* 0: OK */
  int code;
  guint n;
  char *message;             /* of the first; NULL: OK */
} CallEnd;

typedef struct CallTally {
  guint n_over;
  guint n_ok;
  gint64 elapsed_us;
  GArray *ends;              /* of CallEnd, in the order in which they were first seen */
  HistogramReading *latencies; /* of the calls that were OK */
  GBytes *reply;             /* the one that came last; NULL: none */
} CallTally;

/* Calls until all are over; every 200 ms and at the end PROGRESS is told on the caller's thread.
 * NULL: the system gives no thread. */
CallTally *call_run (const CallJob *job, void (*progress) (guint n_over, guint n_ok, gpointer data), gpointer data,
                     GError **error);
void call_tally_free (CallTally *tally);

/* (transfer full): "OK", "UNAVAILABLE", "status 42", or of an error of Cenote's own "CENOTE_TIMEOUT". */
char *call_end_name (const CallEnd *end);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CallTally, call_tally_free)

G_END_DECLS

#endif
