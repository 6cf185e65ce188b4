/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statsd-spelling: metrics as statsd's lines.  Pure.
 *
 *   labels in the name   PREFIX.cenote.channel.count.users.ready:3|g
 *   labels as tags       PREFIX.cenote.channel.count:3|g|#pool.name:users,state:ready
 */
#ifndef CENOTE_PLUGINS_STATSD_SPELLING_H
#define CENOTE_PLUGINS_STATSD_SPELLING_H

#include <cenote/telemetry.h>
#include <glib.h>

typedef enum {
  STATSD_TAGS_NONE = 0,      /* labels' values are parts of the name; what is not in [A-Za-z0-9_-] becomes _ */
  STATSD_TAGS_DOGSTATSD      /* |#name:value,…; what is not in [A-Za-z0-9_./-] becomes _ */
} StatsdTags;

/* PREFIX "" or "app.": what stands before every name. */
typedef struct StatsdSpelling {
  const char *prefix;
  StatsdTags tags;
} StatsdSpelling;

/* A part of N durations that are one line: COUNT of them, a power of two, said by the rate 1/COUNT, which is exact. */
#define STATSD_MAX_SHARE_BITS 20

/* How many of N durations the next line says: its highest power of two, at most 2^STATSD_MAX_SHARE_BITS. */
guint64 statsd_share (guint64 n);

/* Append one line, without a newline. */
void statsd_line_counter (GString *out, const StatsdSpelling *spelling, const CenoteMetric *metric, guint64 delta);
void statsd_line_gauge (GString *out, const StatsdSpelling *spelling, const CenoteMetric *metric);
void statsd_line_durations (GString *out, const StatsdSpelling *spelling, const CenoteMetric *metric, gint64 ns,
                            guint64 share);

#endif
