/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry/prometheus: an HTTP endpoint that shows what goes on: /metrics for Prometheus, /healthz for whoever
 * restarts processes, /status.json for scripts, and a page for people at /.
 *
 * Its answers are made on threads of its own (prometheus-http, prometheus-status).  Of events it keeps the last bad
 * ones (prometheus-errors); numbers are read when somebody asks, and once a second for the page's plots.
 */
#include <cenote/plugin.h>
#include <cenote/telemetry.h>

#include "prometheus-listen.h"
#include "prometheus-site.h"

typedef struct Sink {
  const CenoteHost *host;
  ListenAddress address;
  int listen_fd;
  Site site;
  HttpServer *server;
} Sink;

enum { ROW_LISTEN, ROW_HOSTS, ROW_BUCKETS, ROW_MAX_CONNECTIONS, ROW_MAX_REQUEST_SIZE, ROW_REQUEST_TIMEOUT, ROW_HISTORY };

static const CenoteOption options[] = {
  [ROW_LISTEN] = { "listen", CENOTE_OPTION_STRING, 0, "127.0.0.1:9464", NULL, NULL, NULL,
                   "Where it listens: ADDRESS:PORT with a number address ([::1] for IPv6; port 0: any free one, which is "
                   "logged), localhost:PORT, or unix:///PATH" },
  [ROW_HOSTS] = { "hosts", CENOTE_OPTION_LIST, 0, NULL, NULL, NULL, NULL,
                  "Names that it goes by, besides localhost and number addresses: requests to others are refused, which "
                  "keeps foreign web pages out; * is any" },
  [ROW_BUCKETS] = { "buckets", CENOTE_OPTION_LIST, 0,
                    "1us;10us;100us;250us;500us;1ms;2.5ms;5ms;10ms;25ms;50ms;100ms;250ms;500ms;1s;2.5s;5s;10s;1min;10min;1h;24h",
                    NULL, NULL, NULL, "The upper bounds of histograms' buckets: at most 64 durations, ascending" },
  [ROW_MAX_CONNECTIONS] = { "max-connections", CENOTE_OPTION_INT, 0, "256", "1", "4096", NULL,
                            "Connections at once: beyond it the oldest one without a whole request is closed" },
  [ROW_MAX_REQUEST_SIZE] = { "max-request-size", CENOTE_OPTION_SIZE, 0, "8KiB", "1KiB", "64KiB", NULL,
                             "The largest request, with its headers" },
  [ROW_REQUEST_TIMEOUT] = { "request-timeout", CENOTE_OPTION_DURATION, 0, "5s", "100ms", "1min", NULL,
                            "From a request's first byte to its last, and again until its reply is taken" },
  [ROW_HISTORY] = { "history", CENOTE_OPTION_DURATION, CENOTE_OPTION_MAY_BE_OFF, "2min", "10s", "1h", NULL,
                    "How far back the page's plots go, at one sample a second" }
};

/* ------------------------------------------------------------------- making */

/* The desk's thread. */
static void
status_arrived (gpointer data, guint64 ticket)
{
  const Sink *sink = data;

  http_server_tell (sink->server, ticket);
}

/* NULL, or (transfer full) what is wrong with the options. */
static char *
read_options (Sink *sink, const CenoteOptions *values)
{
  const CenoteValue *history = cenote_options_at (values, ROW_HISTORY);
  char *wrong = listen_address_read (cenote_options_at (values, ROW_LISTEN)->text, &sink->address);

  if (wrong == NULL)
    wrong = bounds_read (cenote_options_at (values, ROW_BUCKETS)->list, &sink->site.bounds);
  sink->site.hosts = g_strdupv ((char **) cenote_options_at (values, ROW_HOSTS)->list);
  sink->site.max_request_bytes = (gsize) cenote_options_at (values, ROW_MAX_REQUEST_SIZE)->number;
  if (history->number != CENOTE_OFF)
    sink->site.history = history_new ((guint) (history->number / HISTORY_STEP_US));
  return wrong;
}

/* NULL, or (transfer full) why it cannot serve. */
static char *
open_endpoint (Sink *sink, const CenoteOptions *values)
{
  const HttpLimits limits = {
    .max_connections = (guint) cenote_options_at (values, ROW_MAX_CONNECTIONS)->number,
    .max_request_bytes = sink->site.max_request_bytes,
    .request_timeout_us = cenote_options_at (values, ROW_REQUEST_TIMEOUT)->number,
  };
  char *wrong = NULL;

  sink->listen_fd = listen_open (&sink->address, &wrong);
  if (sink->listen_fd < 0)
    return wrong;
  sink->server = http_server_new (sink->host, sink->listen_fd, &limits, &site_funcs, &sink->site);
  sink->site.desk = status_desk_new (sink->host, status_arrived, sink);
  if (sink->site.desk == NULL || !http_server_start (sink->server))
    return g_strdup ("The system gives no more threads or file descriptors (RLIMIT_NPROC, RLIMIT_NOFILE, memory)");
  return NULL;
}

static void
log_place (const Sink *sink)
{
  g_autofree char *url = listen_url (&sink->address, sink->listen_fd);
  g_autofree char *text = g_strconcat ("serves ", url, NULL);

  sink->host->log (sink->host, CENOTE_LOG_INFO, text);
}

static void destroy (void *state);

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Sink *sink = g_new0 (Sink, 1);
  g_autofree char *wrong = NULL;

  sink->host = sink->site.host = host;
  sink->listen_fd = -1;
  sink->site.errors = errors_new ();
  sink->site.born = host->random (host);
  page_init (&sink->site.page);
  wrong = read_options (sink, values);
  if (wrong == NULL)
    wrong = open_endpoint (sink, values);
  if (wrong == NULL) {
    log_place (sink);
    return sink;
  }
  host->fail (host, fault, wrong);
  destroy (sink);
  return NULL;
}

/* Takes down in the other order; clients that hang are let go. */
static void
destroy (void *state)
{
  Sink *sink = state;

  if (sink->server != NULL)
    http_server_stop (sink->server);
  status_desk_free (sink->site.desk);
  http_server_free (sink->server);
  if (sink->listen_fd >= 0)
    listen_close (&sink->address, sink->listen_fd);
  listen_address_clear (&sink->address);
  history_free (sink->site.history);
  errors_free (sink->site.errors);
  page_clear (&sink->site.page);
  g_strfreev (sink->site.hosts);
  g_free (sink);
}

static void
handle (void *state, const CenoteEvent *event)
{
  const Sink *sink = state;

  errors_take (sink->site.errors, event);
}

/* ------------------------------------------------------------- descriptor */

static const CenoteTelemetryOps ops = {
  .struct_size = sizeof ops,
  .mask = ERROR_EVENTS,
  .create = create,
  .handle = handle,
  .destroy = destroy
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TELEMETRY),
  .name = "prometheus",
  .version = "0.1.0",
  .summary = "Serves metrics to Prometheus, the pools' health and status, and a page for people, over HTTP",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops
};
CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "prometheus")
