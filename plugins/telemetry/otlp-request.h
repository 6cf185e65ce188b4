/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp-request: from metrics to the bytes of one ExportMetricsServiceRequest.
 *
 * Counters are monotonic sums, gauges gauges, histograms histograms with explicit
 * bounds in seconds; what adds up is cumulative since the start time.  Pure; one thread.
 */
#ifndef CENOTE_OTLP_REQUEST_H
#define CENOTE_OTLP_REQUEST_H

#include <cenote/telemetry.h>
#include <glib.h>

#include "bounds.h"

/* What is the same in all requests of a sink; borrowed for a request's life. */
typedef struct OtlpFrame {
  const CenoteLabel *resource;
  guint n_resource;
  const Bounds *bounds;
  gsize max_size;            /* of the request, in bytes */
} OtlpFrame;

typedef struct OtlpRequest OtlpRequest;

/* Nanoseconds since 1970: START, when what adds up was 0; NOW, when it was read. */
OtlpRequest *otlp_request_new (const OtlpFrame *frame, guint64 start_ns, guint64 now_ns);
void otlp_request_free (OtlpRequest *request);

/* METRIC is copied: a data point of its name's metric.  What has no room is left out. */
void otlp_request_add (OtlpRequest *request, const CenoteMetric *metric);
/* How many were left out. */
guint otlp_request_left_out (const OtlpRequest *request);
/* (transfer full): the message's bytes, at most max_size. */
guint8 *otlp_request_pack (OtlpRequest *request, gsize *out_size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (OtlpRequest, otlp_request_free)

#endif
