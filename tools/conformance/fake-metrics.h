/* SPDX-License-Identifier: Apache-2.0 */
/* fake-metrics: one of everything that a sink may read.  Any thread. */
#ifndef CENOTE_TOOLS_FAKE_METRICS_H
#define CENOTE_TOOLS_FAKE_METRICS_H

#include <cenote/telemetry.h>
#include <glib.h>

G_BEGIN_DECLS

/* Calls FUNC for each, as read_metrics() does.  Returns how many FUNC has changed. */
guint fake_metrics_give (CenoteMetricFunc func, void *data);

G_END_DECLS

#endif
