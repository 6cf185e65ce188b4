/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram: durations in nanoseconds, by value, with a relative error of at most 1 %.
 *
 * Buckets are log-linear: below 256 ns one for each nanosecond; above, 128 for each
 * doubling, so that a bucket's ends are within 1/128 of all that it holds.  Count
 * and sum are exact.  Many threads record, each in a shard of its own; a reading
 * adds the shards up, and readings can be added to each other.
 */
#ifndef CENOTE_CORE_HISTOGRAM_H
#define CENOTE_CORE_HISTOGRAM_H

#include <cenote/telemetry.h>
#include <glib.h>

G_BEGIN_DECLS

/* From here on (208 days) everything is in one last bucket. */
#define HISTOGRAM_LIMIT_NS (G_GINT64_CONSTANT (1) << 54)

typedef struct Histogram Histogram;

Histogram *histogram_new (void);
void histogram_free (Histogram *histogram);
/* Any thread, no lock; allocates (1 KiB) the first time that one of four shards sees a doubling.  Negative is 0. */
void histogram_record (Histogram *histogram, gint64 ns);

/* A reading: no more than numbers, its owner's alone. */
typedef struct HistogramReading HistogramReading;

/* An empty one, to merge into. */
HistogramReading *histogram_reading_new (void);
/* (transfer full): all that was recorded before, and perhaps a part of what is being recorded. */
HistogramReading *histogram_read (const Histogram *histogram);
void histogram_reading_free (HistogramReading *reading);
void histogram_reading_merge (HistogramReading *into, const HistogramReading *from);

guint64 histogram_reading_count (const HistogramReading *reading);
/* Nanoseconds in all. */
guint64 histogram_reading_sum (const HistogramReading *reading);
/* How many are at most NS: exact where NS is a bucket's upper bound, else within 1 % of NS. */
guint64 histogram_reading_count_up_to (const HistogramReading *reading, gint64 ns);
/* Fills BUCKETS (of CenoteBucket) with those that are not empty, ascending. */
void histogram_reading_list (const HistogramReading *reading, GArray *buckets);
/* The value that the part Q (0 … 1) of all is not above, within 1 %; -1: nothing was recorded. */
gint64 histogram_reading_quantile (const HistogramReading *reading, double q);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HistogramReading, histogram_reading_free)

G_END_DECLS

#endif
