/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram: owns N_SHARDS times up to N_BLOCKS blocks of bucket counts, one for each
 * doubling that occurs, each made by the first thread that needs it and published by a
 * compare-and-swap.  All counting is atomic and relaxed; no lock.
 */
#include "histogram.h"

#include <stdatomic.h>

#include "core/base/cache-line.h"
#include "core/base/hot.h"
#include "counters.h"

#define N_SHARDS 4
#define STEP_BITS 7          /* 128 buckets for each doubling */
#define N_STEPS (1 << STEP_BITS)
#define LIMIT_BITS 54
#define N_BLOCKS (LIMIT_BITS - STEP_BITS + 1)
#define N_BUCKETS (N_BLOCKS * N_STEPS)

G_STATIC_ASSERT (HISTOGRAM_LIMIT_NS == G_GINT64_CONSTANT (1) << LIMIT_BITS);

typedef struct Block {
  _Atomic guint64 counts[N_STEPS];
} Block;

typedef struct Shard {
  _Alignas (CACHE_LINE) _Atomic guint64 sum;
  Block *_Atomic blocks[N_BLOCKS];
} Shard;

struct Histogram {
  Shard shards[N_SHARDS];
};

struct HistogramReading {
  guint64 count;
  guint64 sum;
  guint64 counts[N_BUCKETS];
};

/* ---------------------------------------------------------------- buckets */

static guint
bucket_of (gint64 ns)
{
  guint64 value = (guint64) CLAMP (ns, 0, HISTOGRAM_LIMIT_NS - 1);
  guint bits = g_bit_storage (value);
  guint doubling = bits > STEP_BITS + 1 ? bits - STEP_BITS - 1 : 0;

  return doubling * N_STEPS + (guint) (value >> doubling);
}

/* The bucket's lowest value, and how many values it holds. */
static gint64
bucket_begin (guint bucket, gint64 *out_width)
{
  guint doubling = bucket < 2 * N_STEPS ? 0 : bucket / N_STEPS - 1;

  *out_width = G_GINT64_CONSTANT (1) << doubling;
  return (gint64) (bucket - doubling * N_STEPS) << doubling;
}

static gint64
bucket_middle (guint bucket)
{
  gint64 width, begin = bucket_begin (bucket, &width);

  return begin + width / 2;
}

/* -------------------------------------------------------------- recording */

Histogram *
histogram_new (void)
{
  return g_aligned_alloc0 (1, sizeof (Histogram), CACHE_LINE);
}

static void
shard_clear (Shard *shard)
{
  for (guint i = 0; i < N_BLOCKS; i++)
    g_free (atomic_load (&shard->blocks[i]));
}

void
histogram_free (Histogram *histogram)
{
  if (histogram == NULL)
    return;
  for (guint i = 0; i < N_SHARDS; i++)
    shard_clear (&histogram->shards[i]);
  g_aligned_free (histogram);
}

static Block *
block_make (Block *_Atomic *place)
{
  Block *block = g_new0 (Block, 1), *other = NULL;

  if (atomic_compare_exchange_strong_explicit (place, &other, block, memory_order_acq_rel, memory_order_acquire))
    return block;
  g_free (block);
  return other;
}

HOT void
histogram_record (Histogram *histogram, gint64 ns)
{
  Shard *shard = &histogram->shards[counters_shard (N_SHARDS)];
  guint bucket = bucket_of (ns);
  Block *_Atomic *place = &shard->blocks[bucket / N_STEPS];
  Block *block = atomic_load_explicit (place, memory_order_acquire);

  if (G_UNLIKELY (block == NULL))
    block = block_make (place);
  atomic_fetch_add_explicit (&shard->sum, (guint64) MAX (ns, 0), memory_order_relaxed);
  atomic_fetch_add_explicit (&block->counts[bucket % N_STEPS], 1, memory_order_relaxed);
}

/* ---------------------------------------------------------------- reading */

HistogramReading *
histogram_reading_new (void)
{
  return g_new0 (HistogramReading, 1);
}

void
histogram_reading_free (HistogramReading *reading)
{
  g_free (reading);
}

static void
add_block (HistogramReading *reading, guint first, const Block *block)
{
  for (guint i = 0; i < N_STEPS; i++) {
    guint64 count = atomic_load_explicit (&block->counts[i], memory_order_relaxed);

    reading->counts[first + i] += count;
    reading->count += count;
  }
}

static void
add_shard (HistogramReading *reading, const Shard *shard)
{
  for (guint i = 0; i < N_BLOCKS; i++) {
    const Block *block = atomic_load_explicit (&shard->blocks[i], memory_order_acquire);

    if (block != NULL)
      add_block (reading, i * N_STEPS, block);
  }
  reading->sum += atomic_load_explicit (&shard->sum, memory_order_relaxed);
}

HistogramReading *
histogram_read (const Histogram *histogram)
{
  HistogramReading *reading = histogram_reading_new ();

  for (guint i = 0; i < N_SHARDS; i++)
    add_shard (reading, &histogram->shards[i]);
  return reading;
}

void
histogram_reading_merge (HistogramReading *into, const HistogramReading *from)
{
  for (guint i = 0; i < N_BUCKETS; i++)
    into->counts[i] += from->counts[i];
  into->count += from->count;
  into->sum += from->sum;
}

guint64
histogram_reading_count (const HistogramReading *reading)
{
  return reading->count;
}

guint64
histogram_reading_sum (const HistogramReading *reading)
{
  return reading->sum;
}

guint64
histogram_reading_count_up_to (const HistogramReading *reading, gint64 ns)
{
  guint64 count = 0;

  if (ns < 0)
    return 0;
  for (guint i = 0; i <= bucket_of (ns); i++)
    count += reading->counts[i];
  return count;
}

void
histogram_reading_list (const HistogramReading *reading, GArray *buckets)
{
  g_array_set_size (buckets, 0);
  for (guint i = 0; i < N_BUCKETS; i++) {
    gint64 width, begin = bucket_begin (i, &width);
    CenoteBucket bucket = { begin + width - 1, reading->counts[i] };

    if (bucket.count > 0)
      g_array_append_val (buckets, bucket);
  }
}

/* The place, from 1, of the value that the part Q of COUNT values is not above. */
static guint64
rank_of (double q, guint64 count)
{
  double exact = CLAMP (q, 0.0, 1.0) * (double) count;
  guint64 rank = (guint64) exact;

  return CLAMP ((double) rank < exact ? rank + 1 : rank, 1, count);
}

gint64
histogram_reading_quantile (const HistogramReading *reading, double q)
{
  guint64 rank, seen = 0;

  if (reading->count == 0)
    return -1;
  rank = rank_of (q, reading->count);
  for (guint i = 0; i < N_BUCKETS; i++) {
    seen += reading->counts[i];
    if (seen >= rank)
      return bucket_middle (i);
  }
  return bucket_middle (N_BUCKETS - 1);
}
