/* SPDX-License-Identifier: Apache-2.0 */
/* targets: from an address as people write it to the one that a channel is made for. */
#include "targets.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "option.h"
#include "quantity.h"

#define PORT_MAX 65535
/* As C-core takes it: a path and its NUL fill sun_path. */
#define UNIX_PATH_MAX (sizeof (((struct sockaddr_un *) 0)->sun_path) - 1)

/* Schemes whose text we read; the others are C-core's own affair. */
static const char *const schemes[] = {
  "dns", "ipv4", "ipv6", "unix", "unix-abstract", "vsock", "xds", "google-c2p", NULL
};

/* What people write out of habit, which C-core would take for a host's name. */
static const char *const foreign_schemes[] = { "http", "https", "grpc", "grpcs", "tcp", "h2", "h2c", NULL };

/* ------------------------------------------------------------ host and port */

static gboolean
split_bracketed (const char *text, Endpoint *out)
{
  const char *close = strchr (text, ']');

  if (close == NULL || (close[1] != '\0' && close[1] != ':'))
    return FALSE;
  *out = (Endpoint) { text + 1, (gsize) (close - text - 1), TRUE, close[1] == ':' ? close + 2 : NULL };
  return TRUE;
}

static gboolean
split (const char *text, Endpoint *out)
{
  const char *colon = strchr (text, ':');

  if (*text == '[')
    return split_bracketed (text, out);
  *out = (Endpoint) { .host = text, .n_host = strcspn (text, ":"), .port = colon != NULL ? colon + 1 : NULL };
  return TRUE;
}

/* An IPv6 address may have a zone behind %. */
static gboolean
is_ipv6 (const char *host, gsize length)
{
  g_autofree char *text = g_strndup (host, length);
  struct in6_addr address;

  text[strcspn (text, "%")] = '\0';
  return inet_pton (AF_INET6, text, &address) == 1;
}

static gboolean
is_host (const Endpoint *endpoint)
{
  gsize i;

  if (endpoint->is_bracketed)
    return is_ipv6 (endpoint->host, endpoint->n_host);
  for (i = 0; i < endpoint->n_host; i++) {
    guchar c = (guchar) endpoint->host[i];

    if (!g_ascii_isalnum (c) && strchr ("-._", c) == NULL && c < 0x80)
      return FALSE;
  }
  return endpoint->n_host > 0;
}

static gboolean
is_port (const char *text)
{
  gint64 number;

  return quantity_read_int (text, &number) == QUANTITY_OK && number >= 1 && number <= PORT_MAX;
}

EndpointResult
targets_read_endpoint (const char *text, Endpoint *out)
{
  *out = (Endpoint) { .host = text };
  if (is_ipv6 (text, strlen (text)))
    return ENDPOINT_NO_BRACKETS;
  if (!split (text, out) || !is_host (out))
    return ENDPOINT_BAD_HOST;
  return out->port != NULL && !is_port (out->port) ? ENDPOINT_BAD_PORT : ENDPOINT_GOOD;
}

/* (transfer full): what is wrong with TEXT as an endpoint. */
static char *
describe_bad_endpoint (const char *text, const Endpoint *endpoint, EndpointResult result)
{
  if (result == ENDPOINT_NO_BRACKETS)
    return g_strdup_printf ("'%s' has no brackets around its IPv6 address ([%s]:PORT)", text, text);
  if (result == ENDPOINT_BAD_PORT)
    return g_strdup_printf ("'%s' is not a port in '%s' (1 to %d)", endpoint->port, text, PORT_MAX);
  return g_strdup_printf ("'%s' has no host that can be read (HOST:PORT, or [IPv6]:PORT)", text);
}

/* Whether TEXT is a host and, with a default or not, a port. */
static gboolean
check_endpoint (const char *text, const TargetRules *rules, Endpoint *out, char **out_problem)
{
  EndpointResult result = targets_read_endpoint (text, out);

  if (result != ENDPOINT_GOOD)
    *out_problem = describe_bad_endpoint (text, out, result);
  else if (out->port == NULL && rules->default_port == 0)
    *out_problem =
      g_strdup_printf ("'%s' names no port (HOST:PORT; only profile=production has one for all, 443)", text);
  else
    return TRUE;
  return FALSE;
}

/* (transfer full) (nullable): TEXT with its port. */
static char *
complete_endpoint (const char *text, const TargetRules *rules, char **out_problem)
{
  Endpoint endpoint;

  if (!check_endpoint (text, rules, &endpoint, out_problem))
    return NULL;
  return endpoint.port != NULL ? g_strdup (text) : g_strdup_printf ("%s:%u", text, rules->default_port);
}

/* ------------------------------------------------------------------ schemes */

/* dns:[//authority/]host[:port] */
static char *
complete_dns (const char *rest, const TargetRules *rules, char **out_problem)
{
  const char *host = rest;
  g_autofree char *endpoint = NULL;

  if (g_str_has_prefix (rest, "//")) {
    host = strchr (rest + 2, '/');
    if (host == NULL) {
      *out_problem = g_strdup_printf ("'dns:%s' has no host (dns:///HOST:PORT, with three slashes)", rest);
      return NULL;
    }
    host++;
  }
  endpoint = complete_endpoint (host, rules, out_problem);
  return endpoint == NULL ? NULL : g_strdup_printf ("dns:%.*s%s", (int) (host - rest), rest, endpoint);
}

/* ipv4:address:port,… and ipv6:[address]:port,…; C-core reads the same with slashes in front. */
static char *
complete_addresses (const char *scheme, const char *rest, const TargetRules *rules, char **out_problem)
{
  const char *list = rest + strspn (rest, "/");
  g_auto (GStrv) items = g_strsplit (list, ",", -1);
  g_autofree char *whole = NULL;
  gsize i;

  if (*list == '\0') {
    *out_problem = g_strdup_printf ("'%s:%s' has no address (%s:%s:PORT)", scheme, rest, scheme,
                                    strcmp (scheme, "ipv4") == 0 ? "192.0.2.1" : "[2001:db8::1]");
    return NULL;
  }
  for (i = 0; items[i] != NULL; i++) {
    char *endpoint = complete_endpoint (items[i], rules, out_problem);

    if (endpoint == NULL)
      return NULL;
    g_free (items[i]);
    items[i] = endpoint;
  }
  whole = g_strjoinv (",", items);
  return g_strdup_printf ("%s:%.*s%s", scheme, (int) (list - rest), rest, whole);
}

/* unix:relative or unix:///absolute */
static char *
check_unix (const char *rest, char **out_problem)
{
  const char *path = g_str_has_prefix (rest, "//") ? rest + 2 : rest;

  if (*path == '\0')
    *out_problem = g_strdup ("'unix:' has no path (unix:///PATH)");
  else if (path != rest && *path != '/')
    *out_problem = g_strdup_printf ("'unix:%s' has too few slashes (unix:///PATH)", rest);
  else if (strlen (path) > UNIX_PATH_MAX)
    *out_problem =
      g_strdup_printf ("the path of the socket has %" G_GSIZE_FORMAT " bytes (at most %" G_GSIZE_FORMAT ")",
                       strlen (path), UNIX_PATH_MAX);
  else
    return g_strdup_printf ("unix:%s", rest);
  return NULL;
}

static char *
complete_scheme (const char *text, const char *scheme, const TargetRules *rules, char **out_problem)
{
  const char *rest = text + strlen (scheme) + 1;

  if (strcmp (scheme, "dns") == 0)
    return complete_dns (rest, rules, out_problem);
  if (strcmp (scheme, "ipv4") == 0 || strcmp (scheme, "ipv6") == 0)
    return complete_addresses (scheme, rest, rules, out_problem);
  if (strcmp (scheme, "unix") == 0)
    return check_unix (rest, out_problem);
  if (*rest != '\0')
    return g_strdup (text);
  *out_problem = g_strdup_printf ("'%s' has nothing behind its scheme", text);
  return NULL;
}

static char *
describe_scheme (const char *scheme)
{
  const char *nearest = option_nearest (scheme, schemes);

  if (g_strv_contains (foreign_schemes, scheme))
    return g_strdup_printf ("'%s://' begins a URL, not a gRPC target (HOST:PORT, and the transport says whether it is "
                            "TLS; or a connection string in the key uri)", scheme);
  if (nearest == NULL)
    return g_strdup_printf ("'%s' is no target's scheme (HOST:PORT, dns:///HOST:PORT or unix:///PATH)", scheme);
  return g_strdup_printf ("'%s' is no target's scheme (nearest: %s)", scheme, nearest);
}

/* (transfer full) (nullable): what stands before the first ':' where it is a scheme and not a host. */
static char *
scheme_of (const char *text)
{
  const char *colon = strchr (text, ':');
  g_autofree char *scheme = NULL;

  if (colon == NULL || colon == text)
    return NULL;
  scheme = g_strndup (text, (gsize) (colon - text));
  return colon[1] == '/' || g_strv_contains (schemes, scheme) ? g_steal_pointer (&scheme) : NULL;
}

/* Whether TEXT has what only a connection string has, and so perhaps a password: it is then not shown. */
static gboolean
looks_like_uri (const char *text, const char *scheme)
{
  static const char *const hosts[] = { "dns", "ipv4", "ipv6", NULL };

  return (scheme == NULL || g_strv_contains (hosts, scheme)) && strpbrk (text, "@?") != NULL;
}

char *
targets_normalise (const char *text, const TargetRules *rules, char **out_problem)
{
  g_autofree char *scheme = scheme_of (text);
  g_autofree char *endpoint = NULL;

  if (*text == '\0') {
    *out_problem = g_strdup ("the address is empty (HOST:PORT)");
    return NULL;
  }
  if (looks_like_uri (text, scheme) && !rules->any_scheme) {
    *out_problem = g_strdup ("has a '@' or '?' in it, which a target has not (a connection string is written in the "
                             "key uri, with its scheme)");
    return NULL;
  }
  if (scheme != NULL && g_strv_contains (schemes, scheme))
    return complete_scheme (text, scheme, rules, out_problem);
  if (scheme != NULL) {
    if (rules->any_scheme)
      return g_strdup (text);
    *out_problem = describe_scheme (scheme);
    return NULL;
  }
  endpoint = complete_endpoint (text, rules, out_problem);
  if (endpoint != NULL)
    return g_strdup_printf ("dns:///%s", endpoint);
  if (!rules->any_scheme)
    return NULL;
  g_clear_pointer (out_problem, g_free);
  return g_strdup (text);
}
