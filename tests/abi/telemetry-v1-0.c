/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/v1-0: tells the log of each pool that begins and, at the end, what it saw.  Built with the headers of ABI 1.0. */
#include "telemetry-1.0.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if CENOTE_ABI_MAJOR != 1 || CENOTE_ABI_MINOR != 0
#error "this plugin must be built with the kept header, not with today's"
#endif

typedef struct Sight {
  const CenoteHost *host;
  unsigned failures;
  unsigned metrics;
} Sight;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Sight *sight = calloc (1, sizeof *sight);

  (void) values;
  if (sight)
    sight->host = host;
  else
    host->fail (host, fault, "out of memory");
  return sight;
}

static void
handle (void *state, const CenoteEvent *event)
{
  Sight *sight = state;

  if (event->kind == CENOTE_EVENT_CHANNEL_CONNECTION_FAILED && event->error)
    sight->failures++;
  if (event->kind == CENOTE_EVENT_POOL_INIT && event->pool)
    sight->host->log (sight->host, CENOTE_LOG_INFO, event->pool);
}

static void
note_metric (const CenoteMetric *metric, void *data)
{
  Sight *sight = data;

  for (uint32_t i = 0; i < metric->n_labels; i++)
    sight->metrics += strcmp (cenote_metric_label (metric, i)->name, "pool.name") == 0;
}

static int64_t
poll (void *state, int64_t now_us, uint32_t why)
{
  Sight *sight = state;
  char text[100];

  (void) now_us;
  if (why != CENOTE_POLL_LAST)
    return INT64_MAX;
  sight->host->read_metrics (sight->host, note_metric, sight);
  snprintf (text, sizeof text, "failures: %u, metrics of pools: %s", sight->failures, sight->metrics > 0 ? "some" : "none");
  sight->host->log (sight->host, CENOTE_LOG_INFO, text);
  return INT64_MAX;
}

static const CenoteTelemetryOps ops = {
  .struct_size = sizeof ops, .mask = CENOTE_EVENT_MASK_ALL, .create = create, .handle = handle, .destroy = free,
  .poll = poll
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TELEMETRY),
  .name = "v1-0", .version = "1.0", .summary = "Was built with the headers of ABI 1.0", .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "v1-0")
