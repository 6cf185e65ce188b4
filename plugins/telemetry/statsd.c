/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry/statsd: all metrics, each interval and when the runtime stops, to a statsd daemon.
 *
 *   counters    |c, what came since the last that was sent; at first 0, so that a daemon knows them all
 *   gauges      |g
 *   durations   |ms, each at its bucket's upper bound; many in one bucket are few lines with rates |@1/2^k,
 *               whose reciprocals are exact: a daemon counts each duration once
 *
 * What could not be sent is sent with the next interval's: a daemon that was away misses nothing.  A name in
 * `address` is looked up once, beside everything else; until it has an address nothing is lost.
 */
#include <cenote/plugin.h>
#include <cenote/telemetry.h>
#include <glib.h>
#include <string.h>

#include "complaint.h"
#include "statsd-socket.h"
#include "statsd-spelling.h"

#define RETRY_INTERVAL_US (100 * G_GINT64_CONSTANT (1000))
#define LAST_PATIENCE_US (200 * G_GINT64_CONSTANT (1000))

/* What a packet adds to a cell once it is sent. */
typedef struct Share {
  guint64 *cell;
  guint64 n;
} Share;

typedef struct StatsdSink {
  const CenoteHost *host;
  StatsdSocket *socket;
  char *what;                /* "address: '127.0.0.1:8125'" */
  char *prefix;
  StatsdSpelling spelling;
  gint64 interval_us;
  gint64 next_us;            /* when it sends again */
  gsize max_packet;
  GHashTable *sent;          /* key of a counter or a bucket -> guint64: so many of it are sent */
  GString *packet;
  GArray *shares;            /* of Share: those in the packet */
  GString *line, *key;       /* scratch */
  Complaint failures;
  StatsdResult round;        /* how this round goes: after what is not SENT nothing more is tried */
  gint64 patient_until_us;   /* this round may wait for the daemon's queue until then */
} StatsdSink;

enum { ROW_ADDRESS, ROW_PREFIX, ROW_INTERVAL, ROW_TAGS, ROW_MAX_PACKET };

static const CenoteOption options[] = {
  [ROW_ADDRESS] = { "address", CENOTE_OPTION_STRING, 0, "127.0.0.1:8125", NULL, NULL, NULL,
                    "Where the daemon is: HOST:PORT, [IPV6]:PORT or unix:///PATH; a name is looked up once, at the start" },
  [ROW_PREFIX] = { "prefix", CENOTE_OPTION_STRING, 0, "", NULL, NULL, NULL,
                   "What stands before each name, with a dot between them" },
  [ROW_INTERVAL] = { "interval", CENOTE_OPTION_DURATION, 0, "10s", "100ms", "1h", NULL, "How often metrics are sent" },
  [ROW_TAGS] = { "tags", CENOTE_OPTION_ENUM, 0, "none", NULL, NULL, "none|dogstatsd",
                 "Whether the pool and other labels are parts of the name, or tags as DogStatsD reads them" },
  [ROW_MAX_PACKET] = { "max-packet", CENOTE_OPTION_SIZE, 0, "1432B", "64B", "65507B", NULL,
                       "The most bytes of lines in one datagram" }
};

/* ---------------------------------------------------------------- creation */

static gboolean
is_prefix (const char *text)
{
  return strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.") == strlen (text);
}

static char *
problem_with_prefix (const char *text)
{
  return g_strdup_printf ("prefix: '%s' has other characters than letters, digits, _, - and .", text);
}

/* The address of VALUES; NULL: FAULT says which option is wrong. */
static StatsdAddress *
read_address (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  const char *prefix = cenote_options_at (values, ROW_PREFIX)->text;
  g_autofree char *problem = is_prefix (prefix) ? NULL : problem_with_prefix (prefix);
  StatsdAddress *address = NULL;

  if (problem == NULL)
    address = statsd_address_new (cenote_options_at (values, ROW_ADDRESS)->text, &problem);
  if (address == NULL)
    host->fail (host, fault, problem);
  return address;
}

static char *
end_with_dot (const char *prefix)
{
  return g_strconcat (prefix, *prefix == '\0' || g_str_has_suffix (prefix, ".") ? "" : ".", NULL);
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  StatsdAddress *address = read_address (host, values, fault);
  StatsdSink *sink;

  if (address == NULL)
    return NULL;
  sink = g_new0 (StatsdSink, 1);
  sink->host = host;
  sink->socket = statsd_socket_new (address);
  sink->what = g_strdup_printf ("address: '%s'", cenote_options_at (values, ROW_ADDRESS)->text);
  sink->prefix = end_with_dot (cenote_options_at (values, ROW_PREFIX)->text);
  sink->spelling = (StatsdSpelling) { sink->prefix, (StatsdTags) cenote_options_at (values, ROW_TAGS)->number };
  sink->interval_us = cenote_options_at (values, ROW_INTERVAL)->number;
  sink->max_packet = (gsize) cenote_options_at (values, ROW_MAX_PACKET)->number;
  sink->sent = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  sink->packet = g_string_new (NULL);
  sink->shares = g_array_new (FALSE, FALSE, sizeof (Share));
  sink->line = g_string_new (NULL);
  sink->key = g_string_new (NULL);
  return sink;
}

/* ----------------------------------------------------------------- packets */

static void
add_shares (StatsdSink *sink)
{
  for (guint i = 0; i < sink->shares->len; i++) {
    const Share *share = &g_array_index (sink->shares, Share, i);

    *share->cell += share->n;
  }
}

static gint
patience_ms (const StatsdSink *sink)
{
  return (gint) (MAX (sink->patient_until_us - sink->host->now_us (sink->host), 0) / 1000);
}

/* The packet is sent, or what it says stays unsent. */
static void
send_packet (StatsdSink *sink)
{
  g_autofree char *why = NULL;

  if (sink->round == STATSD_SENT && sink->packet->len > 0)
    sink->round = statsd_socket_send (sink->socket, sink->packet->str, sink->packet->len, patience_ms (sink), &why);
  if (sink->round == STATSD_SENT)
    add_shares (sink);
  if (why != NULL)
    complain (&sink->failures, sink->host, sink->host->now_us (sink->host), 1, sink->what, why);
  g_string_truncate (sink->packet, 0);
  g_array_set_size (sink->shares, 0);
}

/* Puts the line into a packet that says N more of CELL (nullable). */
static void
put_line (StatsdSink *sink, guint64 *cell, guint64 n)
{
  const Share share = { cell, n };

  if (sink->packet->len > 0 && sink->packet->len + 1 + sink->line->len > sink->max_packet)
    send_packet (sink);
  if (sink->packet->len > 0)
    g_string_append_c (sink->packet, '\n');
  g_string_append_len (sink->packet, sink->line->str, (gssize) sink->line->len);
  if (cell != NULL)
    g_array_append_val (sink->shares, share);
  g_string_truncate (sink->line, 0);
}

/* ----------------------------------------------------------------- metrics */

/* What METRIC, or its bucket to UPPER_NS, is known by.  Not its spelling, which two may share. */
static const char *
key_of (StatsdSink *sink, const CenoteMetric *metric, gint64 upper_ns)
{
  g_string_printf (sink->key, "%s %" G_GINT64_FORMAT, metric->name, upper_ns);
  for (guint i = 0; i < metric->n_labels; i++)
    g_string_append_printf (sink->key, "\n%s", cenote_metric_label (metric, i)->value);
  return sink->key->str;
}

static guint64 *
cell_of (StatsdSink *sink, const CenoteMetric *metric, gint64 upper_ns, gboolean *out_is_new)
{
  const char *key = key_of (sink, metric, upper_ns);
  guint64 *cell = g_hash_table_lookup (sink->sent, key);

  *out_is_new = cell == NULL;
  if (cell == NULL) {
    cell = g_new0 (guint64, 1);
    g_hash_table_insert (sink->sent, g_strdup (key), cell);
  }
  return cell;
}

static void
put_counter (StatsdSink *sink, const CenoteMetric *metric)
{
  gboolean is_new;
  guint64 *cell = cell_of (sink, metric, 0, &is_new);
  guint64 delta = (guint64) metric->value - *cell;

  if (delta == 0 && !is_new)
    return;
  statsd_line_counter (sink->line, &sink->spelling, metric, delta);
  put_line (sink, cell, delta);
}

/* A daemon takes one with a sign as a difference: -1, which is "none", cannot be said. */
static void
put_gauge (StatsdSink *sink, const CenoteMetric *metric)
{
  if (metric->value < 0)
    return;
  statsd_line_gauge (sink->line, &sink->spelling, metric);
  put_line (sink, NULL, 0);
}

static void
put_bucket (StatsdSink *sink, const CenoteMetric *metric, const CenoteBucket *bucket)
{
  gboolean is_new;
  guint64 *cell = cell_of (sink, metric, bucket->upper_ns, &is_new);
  guint64 share;

  for (guint64 left = bucket->count - *cell; left > 0; left -= share) {
    share = statsd_share (left);
    statsd_line_durations (sink->line, &sink->spelling, metric, bucket->upper_ns, share);
    put_line (sink, cell, share);
  }
}

static void
put_metric (const CenoteMetric *metric, void *data)
{
  StatsdSink *sink = data;

  switch ((CenoteMetricKind) metric->kind) {
  case CENOTE_METRIC_COUNTER:
    put_counter (sink, metric);
    return;
  case CENOTE_METRIC_GAUGE:
    put_gauge (sink, metric);
    return;
  case CENOTE_METRIC_HISTOGRAM:
    for (guint i = 0; i < metric->n_buckets; i++)
      put_bucket (sink, metric, cenote_metric_bucket (metric, i));
    return;
  }
}

static void
send_metrics (StatsdSink *sink, gint64 patience_us)
{
  sink->round = STATSD_SENT;
  sink->patient_until_us = sink->host->now_us (sink->host) + patience_us;
  sink->host->read_metrics (sink->host, put_metric, sink);
  send_packet (sink);
}

/* -------------------------------------------------------------- operations */

static uint64_t
interest (void *state)
{
  (void) state;
  return 0;
}

/* Required, and not called. */
static void
handle (void *state, const CenoteEvent *event)
{
  (void) state;
  (void) event;
}

static int64_t
poll_sink (void *state, int64_t now_us, uint32_t why)
{
  StatsdSink *sink = state;

  if (why == CENOTE_POLL_DUE && now_us < sink->next_us)
    return sink->next_us;
  send_metrics (sink, why == CENOTE_POLL_LAST ? LAST_PATIENCE_US : 0);
  sink->next_us = now_us + (sink->round == STATSD_LATER ? MIN (RETRY_INTERVAL_US, sink->interval_us) : sink->interval_us);
  return sink->next_us;
}

static void
destroy (void *state)
{
  StatsdSink *sink = state;

  send_metrics (sink, LAST_PATIENCE_US);
  statsd_socket_free (sink->socket);
  g_hash_table_unref (sink->sent);
  g_array_unref (sink->shares);
  g_string_free (sink->packet, TRUE);
  g_string_free (sink->line, TRUE);
  g_string_free (sink->key, TRUE);
  g_free (sink->prefix);
  g_free (sink->what);
  g_free (sink);
}

/* ------------------------------------------------------------- descriptor */

static const CenoteTelemetryOps ops = {
  .struct_size = sizeof ops,
  .mask = CENOTE_EVENT_MASK_ALL,
  .create = create,
  .handle = handle,
  .destroy = destroy,
  .interest = interest,
  .poll = poll_sink
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TELEMETRY),
  .name = "statsd",
  .version = "0.1.0",
  .summary = "Sends metrics to a statsd daemon, by UDP or over a Unix socket",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops
};
CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "statsd")
