/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json-line: one line of JSON for each thing that is told.  Pure; each function appends one whole
 * line, with its newline, and leaves out what is absent.
 */
#ifndef CENOTE_PLUGINS_JSON_LINE_H
#define CENOTE_PLUGINS_JSON_LINE_H

#include <cenote/telemetry.h>
#include <glib.h>

/* {"event":"channel.connected","time":"2026-01-31T12:00:00.123456Z","time_us":…,"pool":"users",…} */
void json_line_event (GString *out, const CenoteEvent *event);
/* {"event":"metrics",…,"name":"cenote.gets","kind":"counter","labels":{"pool.name":"users"},"value":3}; a
 * histogram has count, sum_ns, and where there is a duration p50_ns, p90_ns, p99_ns and max_ns. */
void json_line_metric (GString *out, const CenoteMetric *metric, gint64 wall_us, gint64 time_us);
/* {"event":"telemetry.lost",…,"count":N}: so many lines are missing here. */
void json_line_lost (GString *out, guint64 count, gint64 wall_us, gint64 time_us);

#endif
