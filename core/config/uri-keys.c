/* SPDX-License-Identifier: Apache-2.0 */
/* uri-keys: what a pool's connection string means to the pool. */
#include "uri-keys.h"

#include <string.h>

#include "config-entry.h"
#include "settings.h"
#include "uri.h"

#define KNOWN_KEYS                                                                                                     \
  "any key of a pool, transport.KEY, connector.KEY, picker.KEY, backoff.KEY, apiKey, disableTls or autoConnect"

typedef struct Keys {
  const CenoteConfig *config;
  ConfigGroup *pool;
  const ConfigEntry *entry; /* the pool's `uri` */
  const Uri *uri;
  Problems *problems;
  gboolean had_secret;   /* what follows may be the rest of a secret whose '&' was not encoded */
  gboolean has_tls_word; /* disableTls stands there */
  gboolean is_plain;     /* and is true */
} Keys;

/* Chronicle's own keys, which mean nothing here. */
static const struct {
  const char *name;
  const char *what;
} foreign_keys[] = {
  { "authPort", "OAuth2, which this version does not have" },
  { "srvNameServer", "SRV records, which are not looked up" },
  { "skipTlsValidation", "unverified TLS, which there is not (transport.ca-file=PATH names whom to trust)" },
  { "certificatePath", "a client's certificate (transport.cert-file=PATH and transport.key-file=PATH)" },
  { "certificatePassword", "a key with a passphrase, which is not taken (transport.key-file=PATH, without one)" },
  { "loadBalancer", "a choice of hosts (the connector and the picker make it: connector=NAME, picker=NAME)" },
};

/* ---------------------------------------------------------------- telling */

/* Whether the config is nothing but this string: the file's name then says what is meant. */
static gboolean
is_whole (const Keys *keys)
{
  return config_is_uri (keys->config) && keys->entry->layer == CONFIG_LAYER_KEYFILE;
}

/* (transfer full): how problems call KEY (nullable) of the connection string. */
static char *
label_of (const Keys *keys, const char *key)
{
  if (is_whole (keys))
    return g_strdup (key);
  return key == NULL ? g_strdup ("uri") : g_strconcat ("uri: ", key, NULL);
}

static void
tell (const Keys *keys, const char *key, const char *what)
{
  g_autofree char *label = label_of (keys, key);
  const char *title = is_whole (keys) ? NULL : keys->pool->title;

  problems_add (keys->problems, keys->entry->line, title, label, "%s", what);
}

static void
tell_contradiction (const Keys *keys, const char *key, const ConfigEntry *other)
{
  g_autofree char *place = config_place_name (other->key, other->line);
  g_autofree char *what = g_strdup_printf ("contradicts %s (write one of them)", place);

  tell (keys, key, what);
}

/* A key, or two words for it. */
static void
tell_twice (const Keys *keys, const char *key, const ConfigEntry *other)
{
  g_autofree char *label = label_of (keys, key);
  g_autofree char *what = NULL;

  if (strcmp (label, other->label) == 0)
    what = g_strdup ("is given twice (leave one out)");
  else
    what = g_strdup_printf ("means the same as %s (leave one out)", other->label);
  tell (keys, key, what);
}

/* ------------------------------------------------------------------ entries */

/* In front: the first entry of a key is the one that counts. */
static void
insert (const Keys *keys, ConfigGroup *group, const char *key, const char *written, const char *value)
{
  g_autofree char *label = label_of (keys, written);

  g_ptr_array_insert (
    group->entries, 0,
    config_entry_new_from_uri (key, value, label != NULL ? label : "uri", keys->pool->title, keys->entry));
}

/* KEY as the string has WRITTEN it, against what else the group says of it: a higher layer wins, and
 * in one layer there is one. */
static void
add_key (const Keys *keys, ConfigGroup *group, const char *key, const char *written, const char *value)
{
  const ConfigEntry *other = config_group_find (group, key);

  if (other != NULL && config_entry_is_from_uri (other))
    tell_twice (keys, written, other);
  else if (other != NULL && other->layer == keys->entry->layer)
    tell_contradiction (keys, written, other);
  else if (other == NULL || other->layer < keys->entry->layer)
    insert (keys, group, key, written, value);
}

/* What the scheme sets where nobody has written it. */
static void
add_default (const Keys *keys, ConfigGroup *group, const char *key, const char *value)
{
  if (config_group_find (group, key) == NULL)
    insert (keys, group, key, NULL, value);
}

/* ---------------------------------------------------------- plugins' options */

/* The pool's own group for KIND, made at its first use. */
static ConfigGroup *
own_group (const Keys *keys, const char *kind)
{
  ConfigGroup *group = (ConfigGroup *) config_group_find_own (keys->pool, kind);

  if (group == NULL) {
    group = config_group_new_own (keys->pool->title, kind, keys->entry->line);
    g_ptr_array_add (keys->pool->uri->own_groups, group);
  }
  return group;
}

static gboolean
is_plugin_kind (const char *kind)
{
  static const char *const kinds[] = { "transport", "connector", "picker", "backoff", NULL };

  return g_strv_contains (kinds, kind);
}

/* Whether KEY is KIND.OPTION. */
static gboolean
add_plugin_option (const Keys *keys, const char *key, const char *value)
{
  const char *dot = strchr (key, '.');
  g_autofree char *kind = dot == NULL ? NULL : g_strndup (key, (gsize) (dot - key));

  if (kind == NULL || dot[1] == '\0' || !is_plugin_kind (kind))
    return FALSE;
  if (strcmp (dot + 1, "plugin") == 0)
    tell (keys, key, "is no option (the key without .plugin names the plugin)");
  else
    add_key (keys, own_group (keys, kind), dot + 1, key, value);
  return TRUE;
}

/* -------------------------------------------------------------------- words */

/* TRUE, FALSE, or -1 with the problem told.  Chronicle takes them in any case. */
static int
read_bool (const Keys *keys, const UriItem *item)
{
  static const CenoteOption row = { .name = "boolean", .type = CENOTE_OPTION_BOOL };
  g_autofree char *word = g_ascii_strdown (item->value, -1);
  g_autofree char *problem = NULL;
  CenoteValue value = { 0 };

  if (option_parse (&row, word, &value, &problem))
    return value.number != 0;
  tell (keys, item->key, "is not a boolean (true/false, yes/no, on/off or 1/0)");
  return -1;
}

static void
read_auto_connect (Keys *keys, const UriItem *item)
{
  int value = read_bool (keys, item);

  if (value >= 0)
    add_key (keys, keys->pool, "initialization", item->key, value ? "eager" : "manual");
}

static void
read_disable_tls (Keys *keys, const UriItem *item)
{
  int value = read_bool (keys, item);

  if (keys->has_tls_word)
    tell (keys, item->key, "is given twice (leave one out)");
  keys->has_tls_word = TRUE;
  if (value == TRUE && keys->uri->scheme == URI_GRPCS)
    tell (keys, item->key, "contradicts grpcs://, which is TLS (write grpc://)");
  else if (value == FALSE && keys->uri->scheme != URI_GRPCS && keys->uri->scheme != URI_CHRONICLE)
    tell (keys, item->key, "contradicts the scheme, which is without TLS (write grpcs://)");
  else if (value == TRUE)
    keys->is_plain = TRUE;
}

static void
read_api_key (Keys *keys, const UriItem *item)
{
  add_key (keys, keys->pool, "api-key", item->key, item->value);
}

static const struct {
  const char *name;
  void (*read) (Keys *keys, const UriItem *item);
} words[] = {
  { "apiKey", read_api_key },
  { "autoConnect", read_auto_connect },
  { "disableTls", read_disable_tls },
};

/* Whether the item is one of the words that a pool has not. */
static gboolean
read_word (Keys *keys, const UriItem *item)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (words); i++) {
    if (strcmp (words[i].name, item->key) == 0) {
      words[i].read (keys, item);
      return TRUE;
    }
  }
  for (i = 0; i < G_N_ELEMENTS (foreign_keys); i++) {
    if (strcmp (foreign_keys[i].name, item->key) == 0) {
      g_autofree char *what = g_strconcat ("is Chronicle's word for ", foreign_keys[i].what, NULL);

      tell (keys, item->key, what);
      return TRUE;
    }
  }
  return FALSE;
}

/* --------------------------------------------------------------------- keys */

/* (transfer full): all that may stand in a query, for the nearest. */
static char **
known_names (void)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) rows = option_table_names (&pool_options);
  guint i;

  g_strv_builder_addv (names, (const char **) rows);
  for (i = 0; i < G_N_ELEMENTS (words); i++)
    g_strv_builder_add (names, words[i].name);
  return g_strv_builder_end (names);
}

/* What may be part of a secret is not shown: see uri.h. */
static void
tell_unknown (const Keys *keys, const char *key)
{
  g_auto (GStrv) names = known_names ();
  const char *nearest = option_nearest (key, (const char *const *) names);
  g_autofree char *what = NULL;

  if (keys->had_secret || keys->uri->has_stray_at) {
    tell (keys, NULL,
          "unknown key in the query, not shown lest it is part of a secret (" KNOWN_KEYS
          "; '&' in a value is written %26, '?' %3F and '@' %40)");
    return;
  }
  what = g_strdup_printf ("unknown key (" KNOWN_KEYS "%s%s)", nearest != NULL ? "; nearest: " : "",
                          nearest != NULL ? nearest : "");
  tell (keys, key, what);
}

/* Or may be: only the transport knows which of its options are. */
static gboolean
is_secret (const char *key)
{
  gint row = option_table_find (&pool_options, key);

  return strcmp (key, "apiKey") == 0 || g_str_has_prefix (key, "transport.") ||
         (row >= 0 && (pool_options.rows[row].flags & CENOTE_OPTION_SECRET) != 0);
}

static void
read_item (Keys *keys, const UriItem *item)
{
  static const char *const addresses[] = { "target", "targets", "uri", NULL };

  if (read_word (keys, item) || add_plugin_option (keys, item->key, item->value)) {
    /* told or added */
  } else if (option_table_find (&pool_options, item->key) < 0) {
    tell_unknown (keys, item->key);
  } else if (g_strv_contains (addresses, item->key)) {
    tell (keys, item->key, "contradicts the connection string, which names the addresses itself (leave it out)");
  } else {
    add_key (keys, keys->pool, item->key, item->key, item->value);
  }
  keys->had_secret |= is_secret (item->key);
}

/* ------------------------------------------------------------------- scheme */

static const char *
transport_of (const Keys *keys)
{
  switch (keys->uri->scheme) {
  case URI_GRPC:
    return "insecure";
  case URI_GRPCS:
    return "tls";
  case URI_UNIX:
    return "unix";
  case URI_CHRONICLE:
    break;
  }
  return keys->is_plain ? "insecure" : "tls";
}

static ConfigUriSecurity
security_of (const Keys *keys)
{
  if (keys->uri->scheme == URI_UNIX)
    return CONFIG_URI_ANY;
  return strcmp (transport_of (keys), "tls") == 0 ? CONFIG_URI_TLS : CONFIG_URI_PLAINTEXT;
}

/* Where target or targets stand beside it, that contradiction is told by the check. */
static void
add_addresses (const Keys *keys)
{
  char **addresses = keys->uri->addresses;
  g_autofree char *list = g_strjoinv (";", addresses);

  if (config_group_find (keys->pool, "target") != NULL || config_group_find (keys->pool, "targets") != NULL)
    return;
  add_default (keys, keys->pool, addresses[1] == NULL ? "target" : "targets", list);
}

/* Chronicle's: one connection, and its delays, which a backoff that somebody has chosen replaces. */
static void
add_chronicle (const Keys *keys)
{
  ConfigGroup *backoff;

  add_default (keys, keys->pool, "size", "1");
  if (config_group_find (keys->pool, "backoff") != NULL ||
      config_find_group (keys->config, "backoff", "exponential") != NULL)
    return;
  add_default (keys, keys->pool, "backoff", "exponential");
  backoff = own_group (keys, "backoff");
  add_default (keys, backoff, "initial", "1s");
  add_default (keys, backoff, "multiplier", "2");
  add_default (keys, backoff, "jitter", "0");
  add_default (keys, backoff, "max", "10s");
}

static void
check_credentials (const Keys *keys)
{
  static const char *const others[] = { "api-key", "token-file" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (others); i++) {
    const ConfigEntry *other = config_group_find (keys->pool, others[i]);
    g_autofree char *what = NULL;

    if (keys->uri->user_password == NULL || other == NULL)
      continue;
    what = g_strdup_printf ("has user:password, and the pool has %s as well (one kind of credentials)", others[i]);
    tell (keys, NULL, what);
  }
}

/* -------------------------------------------------------------------- whole */

static void
tell_all (const Keys *keys, const GPtrArray *problems)
{
  guint i;

  for (i = 0; i < problems->len; i++)
    tell (keys, NULL, g_ptr_array_index (problems, i));
}

void
uri_keys_apply (const CenoteConfig *config, ConfigGroup *pool, Problems *problems)
{
  const ConfigEntry *entry = config_group_find (pool, "uri");
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (Uri) uri = entry == NULL || entry->text == NULL ? NULL : uri_parse (entry->text, faults);
  Keys keys = { config, pool, entry, uri, problems, FALSE, FALSE, FALSE };
  guint i;

  tell_all (&keys, faults);
  if (uri == NULL)
    return;
  pool->uri = config_uri_new (uri->user_password);
  for (i = 0; i < uri->items->len; i++)
    read_item (&keys, g_ptr_array_index (uri->items, i));
  pool->uri->security = security_of (&keys);
  add_addresses (&keys);
  add_default (&keys, pool, "transport", transport_of (&keys));
  if (uri->scheme == URI_CHRONICLE)
    add_chronicle (&keys);
  check_credentials (&keys);
}
