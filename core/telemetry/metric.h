/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric: how what is measured is called, by every sink alike.
 */
#ifndef CENOTE_CORE_METRIC_H
#define CENOTE_CORE_METRIC_H

#include <cenote/telemetry.h>

/* Besides pool.name. */
#define METRIC_MAX_LABELS 2

typedef struct MetricInfo {
  const char *name;          /* "cenote.scaling" */
  const char *summary;       /* one sentence */
  CenoteLabel labels[METRIC_MAX_LABELS]; /* name NULL: none */
} MetricInfo;

#endif
