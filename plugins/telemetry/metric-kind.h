/* SPDX-License-Identifier: Apache-2.0 */
/* metric-kind: the words for CenoteMetricKind, which Prometheus and jsonl share. */
#ifndef CENOTE_TELEMETRY_METRIC_KIND_H
#define CENOTE_TELEMETRY_METRIC_KIND_H

#include <cenote/telemetry.h>
#include <glib.h>

/* NULL: a kind that is newer than we are. */
static inline const char *
metric_kind_word (guint32 kind)
{
  switch ((CenoteMetricKind) kind) {
  case CENOTE_METRIC_COUNTER:
    return "counter";
  case CENOTE_METRIC_GAUGE:
    return "gauge";
  case CENOTE_METRIC_HISTOGRAM:
    return "histogram";
  }
  return NULL;
}

#endif
