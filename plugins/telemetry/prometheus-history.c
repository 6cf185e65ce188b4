/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-history: for each pool a ring of rows, a value of each series in a row; -1: there is none.
 *
 * Sample S of every pool is in row S % n.  A pool that is not told of any more keeps its place, with rows of -1.
 */
#include "prometheus-history.h"

#include <string.h>

#include "json-text.h"

typedef enum {
  SERIES_GETS,
  SERIES_CALLS,
  SERIES_FAILED,
  SERIES_IN_FLIGHT,
  SERIES_WAITING,
  SERIES_READY,
  SERIES_CALL_P50,
  SERIES_CALL_P99,
  SERIES_LEASE_P50,
  SERIES_LEASE_P99,
  N_SERIES
} Series;

static const char *const series_names[] = {
  "gets", "calls", "failed", "in_flight", "waiting", "ready", "call_p50_ns", "call_p99_ns", "lease_p50_ns", "lease_p99_ns"
};
G_STATIC_ASSERT (G_N_ELEMENTS (series_names) == N_SERIES);

#define N_HISTOGRAMS 2       /* calls, leases */

typedef struct Row {
  gint64 values[N_SERIES];
} Row;

typedef struct PoolHistory {
  Row *rows;
  gint64 before[N_SERIES];   /* counters, at the sample before; -1: there was none */
  GArray *buckets[N_HISTOGRAMS]; /* of CenoteBucket, at the sample before */
} PoolHistory;

struct History {
  guint n;
  guint64 last;              /* the newest sample's number */
  gint64 *at_us;             /* ring */
  GHashTable *pools;         /* name → PoolHistory */
  GPtrArray *names;          /* in the order in which they came; owned by pools */
};

/* -------------------------------------------------------------------- pools */

static void
clear_row (Row *row)
{
  for (guint i = 0; i < N_SERIES; i++)
    row->values[i] = -1;
}

static PoolHistory *
pool_new (guint n)
{
  PoolHistory *pool = g_new0 (PoolHistory, 1);

  pool->rows = g_new (Row, n);
  for (guint i = 0; i < n; i++)
    clear_row (&pool->rows[i]);
  for (guint i = 0; i < N_SERIES; i++)
    pool->before[i] = -1;
  for (guint i = 0; i < N_HISTOGRAMS; i++)
    pool->buckets[i] = g_array_new (FALSE, FALSE, sizeof (CenoteBucket));
  return pool;
}

static void
pool_free (gpointer data)
{
  PoolHistory *pool = data;

  for (guint i = 0; i < N_HISTOGRAMS; i++)
    g_array_unref (pool->buckets[i]);
  g_free (pool->rows);
  g_free (pool);
}

static PoolHistory *
pool_named (History *history, const char *name)
{
  PoolHistory *pool = g_hash_table_lookup (history->pools, name);
  char *key;

  if (pool != NULL)
    return pool;
  key = g_strdup (name);
  pool = pool_new (history->n);
  g_hash_table_insert (history->pools, key, pool);
  g_ptr_array_add (history->names, key);
  return pool;
}

static Row *
row_of (const History *history, const PoolHistory *pool, guint64 sample)
{
  return &pool->rows[sample % history->n];
}

History *
history_new (guint n)
{
  History *history = g_new0 (History, 1);

  history->n = n;
  history->at_us = g_new0 (gint64, n);
  history->pools = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, pool_free);
  history->names = g_ptr_array_new ();
  return history;
}

void
history_free (History *history)
{
  if (history == NULL)
    return;
  g_ptr_array_unref (history->names);
  g_hash_table_unref (history->pools);
  g_free (history->at_us);
  g_free (history);
}

/* ------------------------------------------------------------------- values */

static void
add_value (Row *row, Series series, gint64 value)
{
  row->values[series] = MAX (row->values[series], 0) + value;
}

static const char *
label_of (const CenoteMetric *metric, const char *name)
{
  for (guint i = 0; i < metric->n_labels; i++)
    if (g_str_equal (cenote_metric_label (metric, i)->name, name))
      return cenote_metric_label (metric, i)->value;
  return NULL;
}

/* How often durations up to UPPER_NS, and above the bucket's before, had been seen at the sample before; *CURSOR only
 * goes forward, as UPPER_NS does. */
static guint64
seen_before (const GArray *before, gint64 upper_ns, guint *cursor)
{
  while (*cursor < before->len && g_array_index (before, CenoteBucket, *cursor).upper_ns < upper_ns)
    ++*cursor;
  if (*cursor == before->len || g_array_index (before, CenoteBucket, *cursor).upper_ns != upper_ns)
    return 0;
  return g_array_index (before, CenoteBucket, *cursor).count;
}

/* What METRIC has beyond BEFORE, in OUT, which has room; the answer is how many buckets. */
static guint
new_buckets (const CenoteMetric *metric, const GArray *before, CenoteBucket *out, guint64 *out_count)
{
  guint n = 0, cursor = 0;

  *out_count = 0;
  for (guint i = 0; i < metric->n_buckets; i++) {
    const CenoteBucket *bucket = cenote_metric_bucket (metric, i);
    guint64 seen = seen_before (before, bucket->upper_ns, &cursor);

    if (bucket->count <= seen)
      continue;
    out[n++] = (CenoteBucket) { bucket->upper_ns, bucket->count - seen };
    *out_count += bucket->count - seen;
  }
  return n;
}

static void
keep_buckets (const CenoteMetric *metric, GArray *before)
{
  g_array_set_size (before, 0);
  for (guint i = 0; i < metric->n_buckets; i++)
    g_array_append_vals (before, cenote_metric_bucket (metric, i), 1);
}

/* P50 and the series after it: of the durations since the sample before. */
static void
add_quantiles (Row *row, Series p50, const CenoteMetric *metric, GArray *before)
{
  g_autofree CenoteBucket *buckets = g_new (CenoteBucket, MAX (metric->n_buckets, 1));
  CenoteMetric since = { .buckets = buckets, .bucket_size = sizeof (CenoteBucket) };

  since.n_buckets = new_buckets (metric, before, buckets, &since.count);
  row->values[p50] = cenote_metric_quantile (&since, 0.5);
  row->values[p50 + 1] = cenote_metric_quantile (&since, 0.99);
  keep_buckets (metric, before);
}

/* ------------------------------------------------------------------ sampling */

static gboolean
is_ok (const CenoteMetric *metric)
{
  return g_strcmp0 (label_of (metric, "status"), "OK") == 0;
}

static gboolean
is_ready (const CenoteMetric *metric)
{
  return g_strcmp0 (label_of (metric, "state"), "ready") == 0;
}

void
history_begin (History *history, gint64 now_us)
{
  GHashTableIter iter;
  gpointer pool;

  history->last++;
  history->at_us[history->last % history->n] = now_us;
  g_hash_table_iter_init (&iter, history->pools);
  while (g_hash_table_iter_next (&iter, NULL, &pool))
    clear_row (row_of (history, pool, history->last));
}

void
history_add (const CenoteMetric *metric, void *data)
{
  History *history = data;
  const char *name = label_of (metric, "pool.name");
  PoolHistory *pool = name != NULL ? pool_named (history, name) : NULL;
  Row *row = pool != NULL ? row_of (history, pool, history->last) : NULL;

  if (row == NULL)
    return;
  if (g_str_equal (metric->name, "cenote.gets"))
    add_value (row, SERIES_GETS, metric->value);
  else if (g_str_equal (metric->name, "cenote.calls"))
    add_value (row, is_ok (metric) ? SERIES_CALLS : SERIES_FAILED, metric->value);
  else if (g_str_equal (metric->name, "cenote.gets_refused"))
    add_value (row, SERIES_FAILED, metric->value);
  else if (g_str_equal (metric->name, "cenote.channel.in_flight"))
    add_value (row, SERIES_IN_FLIGHT, metric->value);
  else if (g_str_equal (metric->name, "cenote.pending_requests"))
    add_value (row, SERIES_WAITING, metric->value);
  else if (g_str_equal (metric->name, "cenote.channel.count") && is_ready (metric))
    add_value (row, SERIES_READY, metric->value);
  else if (g_str_equal (metric->name, "cenote.call.duration"))
    add_quantiles (row, SERIES_CALL_P50, metric, pool->buckets[0]);
  else if (g_str_equal (metric->name, "cenote.lease.use_time"))
    add_quantiles (row, SERIES_LEASE_P50, metric, pool->buckets[1]);
}

/* From what there was in all to what was added; nothing can be said of the first sample. */
static void
end_counter (PoolHistory *pool, Row *row, Series series)
{
  gint64 all = row->values[series], before = pool->before[series];

  row->values[series] = all < 0 || before < 0 ? -1 : MAX (all - before, 0);
  pool->before[series] = all;
}

void
history_end (History *history)
{
  GHashTableIter iter;
  gpointer pool;

  g_hash_table_iter_init (&iter, history->pools);
  while (g_hash_table_iter_next (&iter, NULL, &pool)) {
    Row *row = row_of (history, pool, history->last);

    end_counter (pool, row, SERIES_GETS);
    end_counter (pool, row, SERIES_CALLS);
    end_counter (pool, row, SERIES_FAILED);
  }
}

/* ------------------------------------------------------------------- telling */

/* The first sample that a reader who has all up to SINCE is to get. */
static guint64
first_after (const History *history, guint64 since)
{
  guint64 oldest = history->last >= history->n ? history->last - history->n + 1 : 1;

  return since > history->last ? oldest : MAX (oldest, since + 1);
}

/* NUMBER, or null where it is negative; with a comma before it unless it is the first of an array. */
static void
append_element (GString *out, gint64 number)
{
  if (out->str[out->len - 1] != '[')
    g_string_append_c (out, ',');
  if (number < 0)
    g_string_append (out, "null");
  else
    g_string_append_printf (out, "%" G_GINT64_FORMAT, number);
}

static void
append_pool (const History *history, const char *name, guint64 first, GString *out)
{
  const PoolHistory *pool = g_hash_table_lookup (history->pools, name);

  json_append_string (out, name);
  for (guint series = 0; series < N_SERIES; series++) {
    g_string_append_printf (out, "%s\"%s\":[", series == 0 ? ":{" : ",", series_names[series]);
    for (guint64 sample = first; sample <= history->last; sample++)
      append_element (out, row_of (history, pool, sample)->values[series]);
    g_string_append_c (out, ']');
  }
  g_string_append_c (out, '}');
}

void
history_append_json (const History *history, guint64 since, GString *out)
{
  guint64 first = first_after (history, since);

  g_string_append_printf (out, "\"last\":%" G_GUINT64_FORMAT ",\"keep\":%u,\"at_ms\":[", history->last, history->n);
  for (guint64 sample = first; sample <= history->last; sample++)
    append_element (out, history->at_us[sample % history->n] / 1000);
  g_string_append (out, "],\"series\":{");
  for (guint i = 0; i < history->names->len; i++) {
    if (i > 0)
      g_string_append_c (out, ',');
    append_pool (history, history->names->pdata[i], first, out);
  }
  g_string_append_c (out, '}');
}
