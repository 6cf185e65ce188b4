/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-request: owns nothing; every function is of its arguments alone. */
#include "prometheus-request.h"

#include <arpa/inet.h>
#include <string.h>

#include "decimal.h"

#define OPENMETRICS "application/openmetrics-text"

/* ------------------------------------------------------------------ accept */

/* One range of an Accept header: "text/plain;version=0.0.4;q=0.5". */
typedef struct MediaRange {
  char *type;
  char *version;             /* NULL: any */
  double q;
} MediaRange;

static void
read_parameter (MediaRange *range, const char *text)
{
  const char *equals = strchr (text, '=');
  g_autofree char *name = equals != NULL ? g_strstrip (g_strndup (text, (gsize) (equals - text))) : g_strdup ("");
  g_autofree char *value = equals != NULL ? g_strstrip (g_strdup (equals + 1)) : NULL;

  if (g_ascii_strcasecmp (name, "q") == 0)
    range->q = CLAMP (g_ascii_strtod (value, NULL), 0, 1);
  if (g_ascii_strcasecmp (name, "version") == 0 && range->version == NULL)
    range->version = g_strdup (g_strstrip (g_strdelimit (value, "\"", ' ')));
}

static void
media_range_init (MediaRange *range, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ";", 8);

  *range = (MediaRange) { .type = g_strstrip (g_ascii_strdown (parts[0] != NULL ? parts[0] : "", -1)), .q = 1 };
  for (guint i = 1; i < g_strv_length (parts); i++)
    read_parameter (range, parts[i]);
}

static void
media_range_clear (MediaRange *range)
{
  g_free (range->type);
  g_free (range->version);
}

static gboolean
is_openmetrics (const MediaRange *range)
{
  return g_str_equal (range->type, OPENMETRICS) &&
         (range->version == NULL || g_str_equal (range->version, "1.0.0"));
}

static gboolean
is_text (const MediaRange *range)
{
  return g_str_equal (range->type, "text/plain") || g_str_equal (range->type, "text/*");
}

Format
request_format (const char *accept)
{
  g_auto (GStrv) ranges = g_strsplit (accept != NULL ? accept : "", ",", 64);
  double openmetrics = 0, text = 0;

  for (guint i = 0; ranges[i] != NULL; i++) {
    MediaRange range;

    media_range_init (&range, ranges[i]);
    if (is_openmetrics (&range))
      openmetrics = MAX (openmetrics, range.q);
    if (is_text (&range))
      text = MAX (text, range.q);
    media_range_clear (&range);
  }
  return openmetrics > 0 && openmetrics >= text ? FORMAT_OPENMETRICS : FORMAT_TEXT;
}

/* -------------------------------------------------------------------- host */

/* HOST without its port, and an IPv6 address without its brackets. */
static char *
host_name (const char *host)
{
  const char *end = strchr (host, ']');

  if (host[0] == '[' && end != NULL)
    return g_strndup (host + 1, (gsize) (end - host - 1));
  return g_strndup (host, strcspn (host, ":"));
}

static gboolean
is_number_address (const char *name)
{
  struct in6_addr address;

  return inet_pton (AF_INET, name, &address) == 1 || inet_pton (AF_INET6, name, &address) == 1;
}

static gboolean
is_among (const char *name, const char *const *names)
{
  for (; names != NULL && *names != NULL; names++)
    if (g_str_equal (*names, "*") || g_ascii_strcasecmp (*names, name) == 0)
      return TRUE;
  return FALSE;
}

/* A page of somebody else's reaches us only by a name of theirs that they point here. */
gboolean
request_host_is_ours (const char *host, const char *const *hosts)
{
  g_autofree char *name = host_name (host != NULL ? host : "");

  return host == NULL || g_ascii_strcasecmp (name, "localhost") == 0 || is_number_address (name) ||
         is_among (name, hosts);
}

/* ------------------------------------------------------------------- route */

static Route
route_of_path (const char *path)
{
  static const struct { const char *path; Route route; } routes[] = {
    { "/", ROUTE_PAGE },
    { "/page.json", ROUTE_PAGE_DATA },
    { "/metrics", ROUTE_METRICS },
    { "/status.json", ROUTE_STATUS },
    { "/healthz", ROUTE_HEALTH }
  };

  for (guint i = 0; i < G_N_ELEMENTS (routes); i++)
    if (g_strcmp0 (path, routes[i].path) == 0)
      return routes[i].route;
  return ROUTE_NOT_FOUND;
}

static gboolean
only_reads (const char *method)
{
  return g_strcmp0 (method, "GET") == 0 || g_strcmp0 (method, "HEAD") == 0;
}

Route
request_route (const Request *request, gsize max_size, const char *const *hosts)
{
  Route route = route_of_path (request->path);

  if (request->head_size > max_size)
    return ROUTE_TOO_LARGE;
  if (!request_host_is_ours (request->host, hosts))
    return ROUTE_BAD_HOST;
  if (route != ROUTE_NOT_FOUND && !only_reads (request->method))
    return ROUTE_BAD_METHOD;
  return request->has_body ? ROUTE_HAS_BODY : route;
}

guint64
request_since (const char *since)
{
  guint64 number;

  if (since == NULL || !decimal_read (since, 0, G_MAXUINT64, &number))
    return 0;
  return number;
}
