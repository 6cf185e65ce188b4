/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-site: each answer is made anew for whoever asks; only the page itself is kept. */
#include "prometheus-site.h"

#include <string.h>

#include "prometheus-exposition.h"
#include "prometheus-health.h"

/* ----------------------------------------------------------------- replies */

static void
add_header (Reply *reply, const char *name, const char *value)
{
  guint i = 0;

  while (reply->headers[i].name != NULL)
    i++;
  reply->headers[i] = (Header) { name, value };
}

/* BODY: (transfer full). */
static void
set_reply (Reply *reply, guint status, const char *type, GBytes *body)
{
  *reply = (Reply) { .status = status, .body = body };
  add_header (reply, "Content-Type", type);
  add_header (reply, "Cache-Control", "no-store");
  add_header (reply, "X-Content-Type-Options", "nosniff");
  add_header (reply, "Referrer-Policy", "no-referrer");
  add_header (reply, "Cross-Origin-Resource-Policy", "same-origin");
}

static void
set_text (Reply *reply, guint status, const char *text)
{
  set_reply (reply, status, "text/plain; charset=utf-8", g_bytes_new (text, strlen (text)));
}

static void
set_json (Reply *reply, GString *json)
{
  set_reply (reply, 200, "application/json", g_string_free_to_bytes (json));
}

/* ------------------------------------------------------------------- answers */

static void
answer_page (const Site *site, Reply *reply)
{
  set_reply (reply, 200, "text/html; charset=utf-8", g_bytes_ref (site->page.html));
  add_header (reply, "Content-Security-Policy", site->page.policy);
}

static void
answer_metrics (const Site *site, const Request *request, Reply *reply)
{
  Format format = request_format (request->accept);
  Exposition exposition;

  exposition_init (&exposition, format, &site->bounds);
  site->host->read_metrics (site->host, exposition_add, &exposition);
  set_reply (reply, 200, exposition_content_type (format), exposition_end (&exposition));
  add_header (reply, "Vary", "Accept");
}

static void
answer_health (const Site *site, Reply *reply)
{
  g_autofree char *down = health_pools_down (site->host);
  g_autofree char *text = down != NULL ? g_strdup_printf ("down: %s\n", down) : g_strdup ("ok\n");

  set_text (reply, down != NULL ? 503 : 200, text);
}

static void
answer_status (const Site *site, Reply *reply)
{
  GBytes *status = status_desk_take (site->desk);

  if (status != NULL)
    set_reply (reply, 200, "application/json", status);
  else
    set_text (reply, 503, "there is no status: the runtime begins or ends\n");
}

static void
answer_page_data (const Site *site, const Request *request, Reply *reply)
{
  g_autoptr (GBytes) status = request->is_late ? NULL : status_desk_take (site->desk);
  GString *json = g_string_new ("{");
  gsize size = 0;
  const char *text = status != NULL ? g_bytes_get_data (status, &size) : NULL;

  g_string_append_printf (json, "\"born\":\"%" G_GUINT64_FORMAT "\",", site->born);
  if (site->history != NULL) {
    history_append_json (site->history, request_since (request->since), json);
    g_string_append_c (json, ',');
  }
  g_string_append (json, "\"errors\":");
  errors_append_json (site->errors, json);
  g_string_append (json, ",\"status\":");
  g_string_append_len (json, text != NULL ? text : "null", text != NULL ? (gssize) size : 4);
  g_string_append_c (json, '}');
  set_json (reply, json);
}

/* What is wrong with the request. */
static void
answer_fault (Route route, Reply *reply)
{
  switch (route) {
  case ROUTE_BAD_METHOD:
    set_text (reply, 405, "only GET and HEAD are answered here\n");
    add_header (reply, "Allow", "GET, HEAD");
    return;
  case ROUTE_BAD_HOST:
    set_text (reply, 421, "this endpoint does not go by the name in the Host header; its option hosts= lists the names "
                          "that it goes by besides localhost and number addresses\n");
    return;
  case ROUTE_HAS_BODY:
    set_text (reply, 413, "requests have no body here\n");
    return;
  case ROUTE_TOO_LARGE:
    set_text (reply, 431, "the request is larger than max-request-size\n");
    return;
  case ROUTE_PAGE:
  case ROUTE_PAGE_DATA:
  case ROUTE_METRICS:
  case ROUTE_STATUS:
  case ROUTE_HEALTH:
  case ROUTE_NOT_FOUND:
    break;
  }
  set_text (reply, 404, "there is nothing here; there are /, /metrics, /status.json and /healthz\n");
}

static void
fill_reply (const Site *site, Route route, const Request *request, Reply *reply)
{
  if (route == ROUTE_PAGE)
    answer_page (site, reply);
  else if (route == ROUTE_METRICS)
    answer_metrics (site, request, reply);
  else if (route == ROUTE_HEALTH)
    answer_health (site, reply);
  else if (route == ROUTE_STATUS && request->is_late)
    set_text (reply, 503, "the status did not come in time: the control thread is held up\n");
  else if (route == ROUTE_STATUS)
    answer_status (site, reply);
  else if (route == ROUTE_PAGE_DATA)
    answer_page_data (site, request, reply);
  else
    answer_fault (route, reply);
}

/* ------------------------------------------------------------ for the server */

static gboolean
needs_status (Route route)
{
  return route == ROUTE_STATUS || route == ROUTE_PAGE_DATA;
}

static guint64
answer (gpointer data, const Request *request, Reply *reply)
{
  const Site *site = data;
  Route route = request_route (request, site->max_request_bytes, (const char *const *) site->hosts);

  if (needs_status (route) && !request->has_waited)
    return status_desk_ask (site->desk);
  fill_reply (site, route, request, reply);
  return 0;
}

static gint64
tick (gpointer data, gint64 now_us)
{
  const Site *site = data;

  if (site->history == NULL)
    return G_MAXINT64;
  history_begin (site->history, now_us);
  site->host->read_metrics (site->host, history_add, site->history);
  history_end (site->history);
  return now_us + HISTORY_STEP_US;
}

const HttpFuncs site_funcs = { .answer = answer, .tick = tick };
