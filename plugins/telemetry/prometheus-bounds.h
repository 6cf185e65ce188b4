/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-bounds: the upper bounds of histograms' buckets, as the option says them. */
#ifndef CENOTE_PROMETHEUS_BOUNDS_H
#define CENOTE_PROMETHEUS_BOUNDS_H

#include <glib.h>

#define MAX_BOUNDS 64

/* Nanoseconds, ascending. */
typedef struct Bounds {
  guint n;
  gint64 ns[MAX_BOUNDS];
} Bounds;

/* Reads LIST, durations like "2.5ms", into OUT.  NULL, or (transfer full) what is wrong, and what would be right. */
char *bounds_read (const char *const *list, Bounds *out);

#endif
