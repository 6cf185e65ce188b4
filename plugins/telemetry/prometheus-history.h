/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-history: what the page's plots show: the last seconds of each pool, one sample a second.
 *
 * Counters become what was added since the sample before, histograms the quantiles of what was added.  A sample has
 * a number, from 1; a reader says up to which he has them.  One thread.
 */
#ifndef CENOTE_PROMETHEUS_HISTORY_H
#define CENOTE_PROMETHEUS_HISTORY_H

#include <cenote/telemetry.h>
#include <glib.h>

#define HISTORY_STEP_US G_GINT64_CONSTANT (1000000)

typedef struct History History;

/* N: samples that are kept. */
History *history_new (guint n);
void history_free (History *history);

/* A sample at NOW: begin, then each metric, then end. */
void history_begin (History *history, gint64 now_us);
void history_add (const CenoteMetric *metric, void *history); /* a CenoteMetricFunc */
void history_end (History *history);

/* "last":N,"at_ms":[…],"series":{"POOL":{"gets":[…],…},…}: the samples after SINCE. */
void history_append_json (const History *history, guint64 since, GString *out);

#endif
