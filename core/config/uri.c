/* SPDX-License-Identifier: Apache-2.0 */
/* uri: a connection string, taken apart. */
#include "uri.h"

#include <string.h>

#include "option.h"
#include "targets.h"

/* As much of a wrong scheme as a problem repeats. */
#define SCHEME_SHOWN_MAX 32

static const struct {
  const char *name;
  guint default_port; /* 0: each host needs one */
} schemes[] = {
  [URI_GRPC] = { "grpc", 0 },
  [URI_GRPCS] = { "grpcs", 443 },
  [URI_UNIX] = { "unix", 0 },
  [URI_CHRONICLE] = { "chronicle", 35000 },
};

typedef struct Parser {
  Uri *uri;
  GPtrArray *problems; /* of char * */
} Parser;

static void G_GNUC_PRINTF (2, 3) tell (Parser *parser, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (parser->problems, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

const char *
uri_scheme_name (UriScheme scheme)
{
  return schemes[scheme].name;
}

static void
item_free (gpointer data)
{
  UriItem *item = data;

  g_free (item->key);
  g_free (item->value);
  g_free (item);
}

void
uri_free (Uri *uri)
{
  if (uri == NULL)
    return;
  g_strfreev (uri->addresses);
  g_free (uri->user_password);
  g_ptr_array_unref (uri->items);
  g_free (uri);
}

/* ----------------------------------------------------------------- decoding */

static gboolean
has_control (const char *text)
{
  const char *p;

  for (p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return TRUE;
  }
  return FALSE;
}

/* (transfer full) (nullable): Chronicle's strings are forms, where a '+' is a blank. */
static char *
decode (Parser *parser, const char *text, const char *what)
{
  g_autofree char *spaced = g_strdup (text);
  g_autofree char *plain = NULL;

  if (parser->uri->scheme == URI_CHRONICLE)
    g_strdelimit (spaced, "+", ' ');
  plain = g_uri_unescape_string (spaced, NULL);
  if (plain != NULL && g_utf8_validate (plain, -1, NULL) && !has_control (plain))
    return g_steal_pointer (&plain);
  tell (parser, "%s cannot be decoded (%%XX with two hexadecimal digits; UTF-8 without control characters)", what);
  return NULL;
}

/* ------------------------------------------------------------------- scheme */

static void
tell_scheme (Parser *parser, const char *scheme)
{
  static const char *const names[] = { "grpc", "grpcs", "unix", "chronicle", NULL };
  const char *nearest = option_nearest (scheme, names);

  if (g_str_has_suffix (scheme, "+srv"))
    tell (parser,
          "%.*s:// is not supported, because SRV records are not looked up (name the hosts: HOST:PORT,HOST:PORT)",
          SCHEME_SHOWN_MAX, scheme);
  else
    tell (parser, "unsupported scheme '%.*s' (grpc, grpcs, unix or chronicle%s%s)", SCHEME_SHOWN_MAX, scheme,
          nearest != NULL ? "; nearest: " : "", nearest != NULL ? nearest : "");
}

/* What follows SCHEME://, or NULL. */
static const char *
read_scheme (Parser *parser, const char *text)
{
  gsize length = strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "+.-");
  g_autofree char *scheme = g_ascii_strdown (text, (gssize) length);
  guint i;

  if (!g_ascii_isalpha (*text) || !g_str_has_prefix (text + length, "://")) {
    tell (parser,
          "the connection string must include a scheme (grpc://HOST:PORT, grpcs://HOST for TLS, or unix:///PATH)");
    return NULL;
  }
  for (i = 0; i < G_N_ELEMENTS (schemes); i++) {
    if (strcmp (schemes[i].name, scheme) == 0) {
      parser->uri->scheme = (UriScheme) i;
      return text + length + strlen ("://");
    }
  }
  tell_scheme (parser, scheme);
  return NULL;
}

/* -------------------------------------------------------------------- hosts */

static void
tell_endpoint (Parser *parser, const char *text, const char *who, EndpointResult result)
{
  const char *colon = strchr (text, ':');
  gboolean is_bare_ipv6 = *text != '[' && colon != NULL && strchr (colon + 1, ':') != NULL;

  if (result == ENDPOINT_NO_BRACKETS || is_bare_ipv6)
    tell (parser,
          "%s has more than one ':' (hosts are separated by ',', and an IPv6 address needs brackets: [ADDRESS]:PORT)",
          who);
  else if (result == ENDPOINT_BAD_PORT)
    tell (parser, "the port of %s must be between 1 and 65535", who);
  else
    tell (parser, "%s cannot be read (a name, an IPv4 address, or an IPv6 address in brackets)", who);
}

/* A zone's % is itself encoded, for C-core decodes what it is given. */
static gboolean
has_bad_zone (const char *text)
{
  const char *percent = *text == '[' ? strchr (text, '%') : NULL;

  return percent != NULL && (!g_str_has_prefix (percent, "%25") || strchr (percent + 1, '%') != NULL);
}

static gboolean
lacks_host (const char *text)
{
  return *text == '\0' || (*text == ':' && strchr (text + 1, ':') == NULL);
}

/* (transfer full) (nullable): NUMBER counts from 1; 0: the only one. */
static char *
read_host (Parser *parser, const char *text, guint number)
{
  g_autofree char *who = number == 0 ? g_strdup ("the host") : g_strdup_printf ("host %u", number);
  guint default_port = schemes[parser->uri->scheme].default_port;
  Endpoint endpoint = { 0 };
  EndpointResult result = has_bad_zone (text) ? ENDPOINT_BAD_HOST : targets_read_endpoint (text, &endpoint);

  if (lacks_host (text))
    tell (parser, "the connection string must include a host%s%s (HOST:PORT)", number == 0 ? "" : ", and lacks ",
          number == 0 ? "" : who);
  else if (result != ENDPOINT_GOOD)
    tell_endpoint (parser, text, who, result);
  else if (endpoint.port != NULL)
    return g_strdup (text);
  else if (default_port != 0)
    return g_strdup_printf ("%s:%u", text, default_port);
  else
    tell (parser, "%s names no port (HOST:PORT; only grpcs:// has one for all, 443, and chronicle://, 35000)", who);
  return NULL;
}

static void
read_hosts (Parser *parser, const char *text)
{
  g_auto (GStrv) hosts = g_strsplit (text, ",", URI_HOSTS_MAX + 1);
  g_autoptr (GStrvBuilder) addresses = g_strv_builder_new ();
  gboolean has_several = strchr (text, ',') != NULL;
  guint i;

  if (*text == '\0')
    g_free (read_host (parser, text, 0));
  if (g_strv_length (hosts) > URI_HOSTS_MAX) {
    tell (parser, "there are more than %d hosts", URI_HOSTS_MAX);
    return;
  }
  for (i = 0; hosts[i] != NULL; i++) {
    g_autofree char *address = read_host (parser, hosts[i], has_several ? i + 1 : 0);

    if (address != NULL)
      g_strv_builder_add (addresses, address);
  }
  parser->uri->addresses = g_strv_builder_end (addresses);
}

/* ---------------------------------------------------------------- authority */

static void
read_user (Parser *parser, const char *text)
{
  const char *colon = strchr (text, ':');
  g_autofree char *name = colon == NULL ? g_strdup (text) : g_strndup (text, (gsize) (colon - text));
  g_autofree char *user = decode (parser, name, "the user");
  g_autofree char *password = decode (parser, colon == NULL ? "" : colon + 1, "the password");

  if (parser->uri->scheme == URI_CHRONICLE)
    tell (parser, "user:password with chronicle:// means OAuth2 client credentials, which this version does not have "
                  "(apiKey=KEY)");
  else if (user != NULL && *user == '\0')
    tell (parser, "the user before the '@' is empty (USER:PASSWORD@HOST)");
  else if (user != NULL && strchr (user, ':') != NULL)
    tell (parser, "the user has a ':' in it, which Basic credentials cannot carry");
  else if (user != NULL && password != NULL)
    parser->uri->user_password = g_strconcat (user, ":", password, NULL);
}

static void
read_authority (Parser *parser, char *text)
{
  char *slash = strchr (text, '/'), *at;

  if (slash != NULL && slash[1] != '\0')
    tell (parser, "the connection string has a path, which would mean nothing (SCHEME://HOST:PORT?KEY=VALUE; a '/' in "
                  "the user or the password is written %%2F)");
  if (slash != NULL)
    *slash = '\0';
  at = strchr (text, '@');
  if (at != NULL && strchr (at + 1, '@') != NULL) {
    tell (parser, "there is more than one '@' before the hosts (one in the user or the password is written %%40)");
    return;
  }
  read_hosts (parser, at != NULL ? at + 1 : text);
  if (at == NULL)
    return;
  *at = '\0';
  read_user (parser, text);
}

static void
read_path (Parser *parser, const char *text)
{
  g_autofree char *path = NULL;

  if (*text != '/' || text[1] == '\0') {
    tell (parser, "unix:// takes a path and nothing before it (unix:///PATH)");
    return;
  }
  path = decode (parser, text, "the path");
  if (path == NULL)
    return;
  parser->uri->addresses = g_new0 (char *, 2);
  parser->uri->addresses[0] = g_strconcat ("unix://", text, NULL);
}

/* -------------------------------------------------------------------- query */

static void
read_item (Parser *parser, const char *text, guint number)
{
  const char *equals = strchr (text, '=');
  g_autofree char *what = g_strdup_printf ("the value of key %u of the query", number);
  g_autofree char *value = NULL;
  UriItem *item;

  if (equals == NULL || equals == text) {
    tell (parser, "key %u of the query is not KEY=VALUE (an '&' in a value is written %%26)", number);
    return;
  }
  value = decode (parser, equals + 1, what);
  if (value == NULL)
    return;
  item = g_new0 (UriItem, 1);
  item->key = g_strndup (text, (gsize) (equals - text));
  item->value = g_steal_pointer (&value);
  g_ptr_array_add (parser->uri->items, item);
}

static void
read_query (Parser *parser, const char *text)
{
  g_auto (GStrv) items = g_strsplit (text, "&", URI_ITEMS_MAX + 1);
  guint i;

  parser->uri->has_stray_at = strchr (text, '@') != NULL;
  if (g_strv_length (items) > URI_ITEMS_MAX) {
    tell (parser, "there are more than %d keys in the query", URI_ITEMS_MAX);
    return;
  }
  for (i = 0; items[i] != NULL; i++)
    read_item (parser, items[i], i + 1);
}

/* -------------------------------------------------------------------- whole */

/* REST: what follows the scheme. */
static void
read_rest (Parser *parser, char *rest)
{
  char *query = strchr (rest, '?');

  if (strchr (rest, '#') != NULL) {
    tell (parser, "the connection string has a fragment, which would mean nothing (a '#' in a value is written %%23)");
    return;
  }
  if (query != NULL)
    *query++ = '\0';
  if (parser->uri->scheme == URI_UNIX)
    read_path (parser, rest);
  else
    read_authority (parser, rest);
  if (query != NULL)
    read_query (parser, query);
}

static gboolean
check_characters (Parser *parser, const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    tell (parser, "the connection string is not UTF-8");
  else if (strchr (text, ' ') != NULL || has_control (text))
    tell (parser, "the connection string has a blank or a control character in it (a blank is written %%20)");
  else
    return TRUE;
  return FALSE;
}

Uri *
uri_parse (const char *text, GPtrArray *problems)
{
  g_autoptr (Uri) uri = g_new0 (Uri, 1);
  Parser parser = { uri, problems };
  guint before = problems->len;
  const char *rest;

  uri->items = g_ptr_array_new_with_free_func (item_free);
  rest = check_characters (&parser, text) ? read_scheme (&parser, text) : NULL;
  if (rest != NULL) {
    g_autofree char *copy = g_strdup (rest);

    read_rest (&parser, copy);
  }
  return problems->len == before ? g_steal_pointer (&uri) : NULL;
}
