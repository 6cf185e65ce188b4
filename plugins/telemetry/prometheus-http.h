/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-http: one thread that serves HTTP from a listening socket, within limits.
 *
 * libmicrohttpd reads requests and writes replies; accepting, limits and times are ours, since at its own limit
 * newcomers wait for ever, and its timer starts again with each byte.  One request a connection, without a body.
 * What a connection may hold is bounded, and so is what all replies hold together.
 */
#ifndef CENOTE_PROMETHEUS_HTTP_H
#define CENOTE_PROMETHEUS_HTTP_H

#include <cenote/plugin.h>
#include <glib.h>

#include "prometheus-request.h"

typedef struct Header {
  const char *name;
  const char *value;
} Header;

typedef struct Reply {
  guint status;
  GBytes *body;              /* a reference of the reply's */
  Header headers[10];        /* borrowed for as long as the server is there; ends where a name is NULL */
} Reply;

typedef struct HttpFuncs {
  /* Fills OUT and answers 0; or, where request->has_waited is not set, leaves it and answers with a ticket: asked
   * again with has_waited when http_server_tell() has said that number, and also with is_late when the limit is over. */
  guint64 (*answer) (gpointer data, const Request *request, Reply *out);
  /* Something to be done from time to time: answers when next. */
  gint64 (*tick) (gpointer data, gint64 now_us);
} HttpFuncs;

typedef struct HttpLimits {
  guint max_connections;
  gsize max_request_bytes;
  gint64 request_timeout_us; /* from a request's first byte to its last; as long again for taking the reply */
} HttpLimits;

typedef struct HttpServer HttpServer;

/* Serves nobody yet; whoever connects to LISTEN_FD (the caller's) waits. */
HttpServer *http_server_new (const CenoteHost *host, int listen_fd, const HttpLimits *limits, const HttpFuncs *funcs,
                             gpointer data);
/* FALSE: the system gives no thread, or nothing to poll with. */
gboolean http_server_start (HttpServer *server);
/* Any thread: tickets up to TICKET can be answered. */
void http_server_tell (HttpServer *server, guint64 ticket);
/* Ends the thread, without waiting for any client, but keeps the object: nothing is answered any more. */
void http_server_stop (HttpServer *server);
void http_server_free (HttpServer *server);

#endif
