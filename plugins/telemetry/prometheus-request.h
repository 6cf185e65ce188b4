/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-request: what a request asks for, read from its path and headers.  Pure: any text gives an answer. */
#ifndef CENOTE_PROMETHEUS_REQUEST_H
#define CENOTE_PROMETHEUS_REQUEST_H

#include <glib.h>

/* The spellings of metrics that are offered. */
typedef enum {
  FORMAT_TEXT,               /* Prometheus' text format 0.0.4 */
  FORMAT_OPENMETRICS         /* OpenMetrics 1.0.0 */
} Format;

/* What a request gets. */
typedef enum {
  ROUTE_PAGE,
  ROUTE_PAGE_DATA,
  ROUTE_METRICS,
  ROUTE_STATUS,
  ROUTE_HEALTH,
  ROUTE_NOT_FOUND,
  ROUTE_BAD_METHOD,
  ROUTE_BAD_HOST,
  ROUTE_HAS_BODY,
  ROUTE_TOO_LARGE
} Route;

/* As it came; each text may be NULL. */
typedef struct Request {
  const char *method;
  const char *path;
  const char *host;          /* the Host header */
  const char *accept;        /* the Accept header */
  const char *since;         /* of the query */
  gsize head_size;           /* bytes, from the method to the empty line */
  gboolean has_body;
  gboolean has_waited;       /* what it waited for has come, */
  gboolean is_late;          /* or has not come in time */
} Request;

/* HOSTS: names, besides number addresses and localhost, that the endpoint goes by; one "*": any. */
Route request_route (const Request *request, gsize max_size, const char *const *hosts);

/* OpenMetrics where ACCEPT (nullable) names it and likes nothing else better. */
Format request_format (const char *accept);

/* Whether HOST (nullable: an old client) cannot be a name that somebody else points at us. */
gboolean request_host_is_ours (const char *host, const char *const *hosts);

/* The number that SINCE (nullable) is; 0 where it is none. */
guint64 request_since (const char *since);

#endif
