/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: reads all that is measured of some pools and of the process, in the form that
 * sinks take: counters, then gauges, then histograms, each in the order of its table; of
 * one metric all its labels, pool by pool.
 *
 * Any thread.  Waits for nobody: what is read is atomic, or under a lock that is held for
 * the reading alone.  Numbers of one pool are read one after another, so two that change
 * together may be apart by what happens meanwhile.
 */
#ifndef CENOTE_CORE_METRICS_H
#define CENOTE_CORE_METRICS_H

#include "counts.h"

G_BEGIN_DECLS

void metrics_read (const CountSources *sources, CenoteMetricFunc func, void *data);

G_END_DECLS

#endif
