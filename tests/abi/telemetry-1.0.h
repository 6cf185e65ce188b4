/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KEPT AS IT WAS: the header at ABI 1.0.  Never edit.
 *
 * <cenote/telemetry.h>: what happens, as events.
 *
 * Included by telemetry plugins (so it needs nothing but <cenote/plugin.h>, whose promise
 * holds here too) and
 * by programs, which subscribe with cenote_runtime_add_sink().  The names of the
 * kinds, and one line for people, are in <cenote/event-text.h>.
 */
#ifndef CENOTE_TELEMETRY_H
#define CENOTE_TELEMETRY_H

#include "plugin-1.0.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds keep their numbers for good; a mask has the bit 1 << kind.  A newer minor may have more of them. */
typedef enum {
  CENOTE_EVENT_CHANNEL_GET = 0,           /* sampled: a lease was taken, or not: duration_ns, channel (0: none), ok */
  CENOTE_EVENT_CHANNEL_CONNECTED,         /* duration_ns: of the attempt */
  CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, /* duration_ns: of the attempt; error */
  CENOTE_EVENT_CHANNEL_DISCONNECTED,      /* duration_ns: time connected; reason */
  CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, /* delay_ms: from time_us on; attempt, reason */
  CENOTE_EVENT_CHANNEL_PING,              /* duration_ns, ok; error where not */
  CENOTE_EVENT_CHANNEL_HEALTH,            /* ok, reason */
  CENOTE_EVENT_CHANNEL_DRAINED,           /* duration_ns: from drain to the last lease; reason */
  CENOTE_EVENT_POOL_INIT,                 /* expected_size, address; also to a new sink of a program, for each pool */
  CENOTE_EVENT_POOL_GET_CHANNEL,          /* sampled: duration_ns, channel (0: none), ok, current_size */
  CENOTE_EVENT_POOL_STATUS,               /* expected_size, current_size, in_flight, waiters; each status-interval */
  CENOTE_EVENT_POOL_SCALE_UP,             /* duration_ns, requested, succeeded, failed, new_size */
  CENOTE_EVENT_POOL_SCALE_DOWN,           /* duration_ns, requested, succeeded (drains begun), new_size */
  CENOTE_EVENT_POOL_WAITING,              /* a caller began to wait: waiters */
  CENOTE_EVENT_POOL_RELOAD,               /* ok, error */
  CENOTE_EVENT_CONNECTOR_DIAL,            /* sampled: a cached channel was leased: address, duration_ns, channel, ok;
                                             each that was not there: address, ok = 0 */
  CENOTE_EVENT_CONNECTOR_CACHE_MISS,      /* a connection is to be made for callers that dial: address */
  CENOTE_EVENT_CONNECTOR_CONNECTION_COUNT,/* connections were made, closed or lost: count, of those that stand */
  CENOTE_EVENT_PLUGIN_LOADED,             /* reason: "kind/name version path" */
  CENOTE_EVENT_PLUGIN_FAILED,             /* reason, error */
  CENOTE_EVENT_CHANNEL_STATE,             /* reason: "OLD -EVENT-> NEW" */
  CENOTE_EVENT_TELEMETRY_DROPPED,         /* count: events that this sink did not get since the last one */
  CENOTE_EVENT_CHANNEL_EJECTED,           /* its calls failed: delay_ms: for so long; count: so often in a row; reason */
  CENOTE_EVENT_CHANNEL_UNEJECTED,         /* in rotation again: duration_ns: it was out; count; reason */
  CENOTE_EVENT_LEASE_LEAK,                /* a lease is held longer than leak-threshold: duration_ns, so far; channel;
                                             reason: where it was taken; count: of such */
  CENOTE_N_EVENTS
} CenoteEventKind;

#define CENOTE_EVENT_BIT(kind) (UINT64_C (1) << (kind))
#define CENOTE_EVENT_MASK_ALL (CENOTE_EVENT_BIT (CENOTE_N_EVENTS) - 1)

/* Strings are NULL and numbers -1 where the kind does not have them. */
struct CenoteEvent {
  uint32_t struct_size;
  uint32_t kind;             /* CenoteEventKind */
  int64_t time_us;           /* monotonic, when it happened */
  int64_t wall_us;           /* microseconds since 1970, for people */
  const char *pool;
  uint64_t channel;          /* channel id; 0: none */
  const char *address;
  const char *reason;
  const char *error;
  int64_t duration_ns;
  int64_t delay_ms;
  int64_t attempt;           /* from 1 */
  int64_t expected_size;
  int64_t current_size;
  int64_t in_flight;
  int64_t waiters;
  int64_t requested;
  int64_t succeeded;
  int64_t failed;
  int64_t new_size;
  int64_t count;
  int64_t ok;                /* 1, 0 */
};

#define CENOTE_EVENT_HAS(event, member) \
  ((event)->struct_size >= offsetof (CenoteEvent, member) + sizeof ((event)->member))

#define CENOTE_EVENT_INIT(kind_) \
  { CENOTE_AS (uint32_t, sizeof (CenoteEvent)), CENOTE_AS (uint32_t, kind_), -1, -1, NULL, 0, NULL, NULL, NULL, \
    -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 }

/* ----------------------------------------------------------------- metrics */

typedef enum {
  CENOTE_METRIC_COUNTER = 0, /* value: so often since the runtime (or, where nobody knows whose it was, the
                              * process) began; never less than before */
  CENOTE_METRIC_GAUGE,       /* value: now */
  CENOTE_METRIC_HISTOGRAM    /* durations: count, sum_ns, buckets */
} CenoteMetricKind;

typedef struct CenoteLabel {
  const char *name;          /* "pool.name" */
  const char *value;
} CenoteLabel;

/* So many durations up to UPPER_NS, and above those of the bucket before.  A duration is within 1 % of its bucket's
 * upper bound; those below 128 ns are exact. */
typedef struct CenoteBucket {
  int64_t upper_ns;
  uint64_t count;
} CenoteBucket;

/* One metric with one set of labels, as read at one instant.  Names, labels and numbers are the same in every sink:
 * a sink only spells them as its world does.  Arrays carry the size of their elements. */
struct CenoteMetric {
  uint32_t struct_size;
  uint32_t kind;             /* CenoteMetricKind */
  const char *name;          /* "cenote.channel.count" */
  const char *summary;       /* one sentence */
  const CenoteLabel *labels; /* pool.name first, where it is a pool's */
  uint32_t n_labels;
  uint32_t label_size;
  int64_t value;
  uint64_t count;
  uint64_t sum_ns;
  const CenoteBucket *buckets; /* those that are not empty, ascending */
  uint32_t n_buckets;
  uint32_t bucket_size;
};

#define CENOTE_METRIC_HAS(metric, member) \
  ((metric)->struct_size >= offsetof (CenoteMetric, member) + sizeof ((metric)->member))

static inline const CenoteLabel *
cenote_metric_label (const CenoteMetric *metric, uint32_t i)
{
  return CENOTE_AS (const CenoteLabel *, cenote_element (metric->labels, i, metric->label_size));
}

static inline const CenoteBucket *
cenote_metric_bucket (const CenoteMetric *metric, uint32_t i)
{
  return CENOTE_AS (const CenoteBucket *, cenote_element (metric->buckets, i, metric->bucket_size));
}

/* How many durations are at most NS, to the bucket. */
static inline uint64_t
cenote_metric_count_up_to (const CenoteMetric *metric, int64_t ns)
{
  uint64_t count = 0;
  uint32_t i;

  for (i = 0; i < metric->n_buckets && cenote_metric_bucket (metric, i)->upper_ns <= ns; i++)
    count += cenote_metric_bucket (metric, i)->count;
  return count;
}

/* The duration that the part Q (0 … 1) of all is not above, within 1 %; -1: there is none. */
static inline int64_t
cenote_metric_quantile (const CenoteMetric *metric, double q)
{
  uint64_t seen = 0;
  uint32_t i;

  for (i = 0; i < metric->n_buckets; i++) {
    seen += cenote_metric_bucket (metric, i)->count;
    if (CENOTE_AS (double, seen) >= q * CENOTE_AS (double, metric->count))
      return cenote_metric_bucket (metric, i)->upper_ns;
  }
  return -1;
}

#ifdef __cplusplus
}
#endif

#endif
