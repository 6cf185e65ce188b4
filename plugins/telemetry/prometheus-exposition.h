/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-exposition: metrics as Prometheus reads them.
 *
 * "cenote.acquire.wait_time" becomes cenote_acquire_wait_time_seconds; a counter ends in _total; a gauge
 * "x.count" is called xs, since _count is a histogram's.  Metrics of one name must come one after another.
 */
#ifndef CENOTE_PROMETHEUS_EXPOSITION_H
#define CENOTE_PROMETHEUS_EXPOSITION_H

#include <cenote/telemetry.h>

#include "bounds.h"
#include "prometheus-request.h"

typedef struct Exposition {
  Format format;
  const Bounds *bounds;
  GString *out;
  char *last_name;           /* of the metric before */
} Exposition;

/* BOUNDS (borrowed) outlives it. */
void exposition_init (Exposition *exposition, Format format, const Bounds *bounds);
/* A CenoteMetricFunc. */
void exposition_add (const CenoteMetric *metric, void *exposition);
/* The text, whole; the exposition is over. */
GBytes *exposition_end (Exposition *exposition);

const char *exposition_content_type (Format format);

#endif
