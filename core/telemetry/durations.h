/* SPDX-License-Identifier: Apache-2.0 */
/*
 * durations: which of a pool's durations have a histogram, and how each is called.
 */
#ifndef CENOTE_CORE_DURATIONS_H
#define CENOTE_CORE_DURATIONS_H

#include "histogram.h"
#include "metric.h"

G_BEGIN_DECLS

typedef enum {
  DURATION_CREATE,           /* control thread: attempts that led to READY */
  DURATION_FAILED,           /* control thread: attempts that did not */
  DURATION_CONNECTED,        /* control thread: lost connections, how long they had stood */
  DURATION_DELAY,            /* control thread: what attempts were put off by */
  DURATION_PING,             /* control thread: pings that were answered */
  DURATION_SCALING,          /* control thread: from the wish for another size to its plan */
  DURATION_WAIT,             /* each acquire that had to wait, however it ended */
  DURATION_GET,              /* sampled, on callers' threads */
  DURATION_USE,              /* sampled: from get to release */
  DURATION_CALL,             /* each of Cenote's own calls, from its begin to its end */
  N_DURATIONS
} DurationId;

const MetricInfo *duration_get_info (DurationId id);

/* One for each. */
typedef struct Durations Durations;

Durations *durations_new (void);
void durations_free (Durations *durations);
/* Any thread, no lock. */
void durations_record (Durations *durations, DurationId id, gint64 ns);
/* (transfer none), any thread. */
const Histogram *durations_get (const Durations *durations, DurationId id);

G_END_DECLS

#endif
