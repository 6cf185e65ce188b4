/* SPDX-License-Identifier: Apache-2.0 */
/* pool-rules: what no single row of the table can say: keys that need, exclude or bound each other. */
#include "pool-rules.h"

#include <string.h>

#include "argument.h"
#include "config-entry.h"
#include "credential.h"
#include "metadatum.h"
#include "profile.h"

/* The pool under the rules. */
typedef struct Rules {
  Check *check;
  const PoolSettings *pool;
  const ConfigGroup *group;
} Rules;

static const char *
key_of (PoolOption option)
{
  return pool_options.rows[option].name;
}

/* Its key, or for what a connection string says, how the string writes it. */
static const char *
label_of (const Rules *rules, PoolOption option)
{
  const ConfigEntry *entry = config_group_find (rules->group, key_of (option));

  return entry != NULL ? config_entry_label (entry) : key_of (option);
}

/* Also where the value was wrong or could not be read. */
static gboolean
is_written (const Rules *rules, PoolOption option)
{
  return config_group_find (rules->group, key_of (option)) != NULL;
}

/* Written as a key of its own, not in the pool's connection string. */
static gboolean
is_written_apart (const Rules *rules, PoolOption option)
{
  const ConfigEntry *entry = config_group_find (rules->group, key_of (option));

  return entry != NULL && !config_entry_is_from_uri (entry);
}

/* Whether OPTION is written and its value was right. */
static gboolean
is_good (const Rules *rules, PoolOption option)
{
  return setting_is_written (&rules->pool->options[option]);
}

static guint
line_of (const Rules *rules, PoolOption option)
{
  const ConfigEntry *entry = config_group_find (rules->group, key_of (option));

  return entry != NULL ? entry->line : rules->group->line;
}

static void
add_problem (const Rules *rules, PoolOption option, const char *what)
{
  problems_add (rules->check->problems, line_of (rules, option), rules->group->title, label_of (rules, option), "%s",
                what);
}

static void
add_note (const Rules *rules, PoolOption option, const char *what)
{
  problems_add (rules->check->notes, line_of (rules, option), rules->group->title, label_of (rules, option), "%s",
                what);
}

/* At the later of the two. */
static void
check_exclusive (const Rules *rules, PoolOption a, PoolOption b)
{
  PoolOption later = line_of (rules, a) > line_of (rules, b) ? a : b, earlier = later == a ? b : a;
  g_autofree char *place = NULL;
  g_autofree char *what = NULL;

  if (!is_written (rules, a) || !is_written (rules, b))
    return;
  place = config_place_name (label_of (rules, earlier), line_of (rules, earlier));
  what = g_strdup_printf ("contradicts %s (write one of them)", place);
  add_problem (rules, later, what);
}

/* ---------------------------------------------------------------- addresses */

static const Plugin *
plugin_of (const PluginUse *use)
{
  return use == NULL ? NULL : use->plugin;
}

static gboolean
is_dialled (const Rules *rules)
{
  const Plugin *plugin = plugin_of (rules->pool->connector);

  return plugin != NULL && (plugin->ops.connector.flags & CENOTE_CONNECTOR_DIALS) != 0;
}

static void
refuse_addresses (const Rules *rules)
{
  static const PoolOption addresses[] = { POOL_TARGET, POOL_TARGETS, POOL_URI };
  const char *connector = pool_text (rules->pool, POOL_CONNECTOR);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (addresses); i++) {
    if (is_written_apart (rules, addresses[i]))
      problems_add (rules->check->problems, line_of (rules, addresses[i]), rules->group->title, key_of (addresses[i]),
                    "contradicts connector=%s, whose addresses come from dial() (leave it out)", connector);
  }
  if (pool_number (rules->pool, POOL_INITIALIZATION) == INITIALIZATION_FAIL_FAST)
    problems_add (rules->check->problems, line_of (rules, POOL_INITIALIZATION), rules->group->title,
                  key_of (POOL_INITIALIZATION),
                  "fail-fast contradicts connector=%s: there is nothing to connect to before a dial() (eager, or manual)",
                  connector);
}

/* Also by the profile, or one that was wrong. */
static gboolean
has_address (const Rules *rules)
{
  return is_written (rules, POOL_TARGETS) || is_written (rules, POOL_TARGET) || is_written (rules, POOL_URI)
         || pool_text (rules->pool, POOL_TARGET) != NULL;
}

/* Where the connector cannot be had, or the profile was wrong, who knows. */
static gboolean
may_need_none (const Rules *rules)
{
  return plugin_of (rules->pool->connector) == NULL
         || (is_written (rules, POOL_PROFILE) && !is_good (rules, POOL_PROFILE));
}

/* The target that a connection string makes does not contradict it. */
static void
check_exclusive_addresses (const Rules *rules, PoolOption a, PoolOption b)
{
  if (is_written_apart (rules, a) && is_written_apart (rules, b))
    check_exclusive (rules, a, b);
}

static void
check_addresses (const Rules *rules)
{
  if (is_dialled (rules)) {
    refuse_addresses (rules);
    return;
  }
  check_exclusive_addresses (rules, POOL_TARGET, POOL_TARGETS);
  check_exclusive_addresses (rules, POOL_TARGET, POOL_URI);
  check_exclusive_addresses (rules, POOL_TARGETS, POOL_URI);
  if (!has_address (rules) && !may_need_none (rules))
    add_problem (rules, POOL_TARGET, "missing (target=HOST:PORT, or targets=HOST:PORT;HOST:PORT)");
}

/* The transport that is taken when none is written follows the first target. */
static void
check_mixture (const Rules *rules)
{
  char **targets = rules->pool->targets;
  gsize i;

  if (targets[0] == NULL || is_written (rules, POOL_TRANSPORT))
    return;
  for (i = 1; targets[i] != NULL; i++) {
    if (profile_target_is_unix (targets[i]) != profile_target_is_unix (targets[0])) {
      add_problem (rules, POOL_TARGETS,
                   "has both unix sockets and hosts, and a pool has one transport (two pools, or a transport that "
                   "does both)");
      return;
    }
  }
}

/* ----------------------------------------------------------------- security */

/* Whether anyone on the connections' way can read them. */
static gboolean
is_plaintext (const Rules *rules)
{
  const Plugin *transport = plugin_of (rules->pool->transport);

  return transport != NULL && (transport->ops.transport.flags & CENOTE_TRANSPORT_SECURE) == 0;
}

static void
check_production (const Rules *rules)
{
  const Plugin *transport = plugin_of (rules->pool->transport);

  if (pool_number (rules->pool, POOL_PROFILE) == PROFILE_PRODUCTION && transport != NULL
      && strcmp (transport->name, "insecure") == 0)
    add_problem (rules, POOL_TRANSPORT,
                 "contradicts profile=production, which is TLS (profile=local, test or custom, or another "
                 "transport)");
}

/* A scheme that says how its connections are, and a transport that is not so. */
static void
check_scheme (const Rules *rules)
{
  ConfigUriSecurity security = rules->group->uri == NULL ? CONFIG_URI_ANY : rules->group->uri->security;

  if (security == CONFIG_URI_ANY || plugin_of (rules->pool->transport) == NULL)
    return;
  if (security == CONFIG_URI_TLS && is_plaintext (rules))
    add_problem (rules, POOL_TRANSPORT,
                 "contradicts the connection string, which is TLS (a transport with TLS, or grpc://)");
  if (security == CONFIG_URI_PLAINTEXT && !is_plaintext (rules))
    add_problem (rules, POOL_TRANSPORT,
                 "contradicts the connection string, which is without TLS (another transport, or grpcs://)");
}

static void
check_api_key (const Rules *rules)
{
  const PoolCredentials credentials = { CREDENTIALS_API_KEY, (char *) pool_text (rules->pool, POOL_API_KEY) };
  g_autoptr (GError) error = NULL;

  if (credentials.value != NULL)
    g_free (credential_read (&credentials, &error));
  if (error != NULL)
    add_problem (rules, POOL_API_KEY, error->message);
}

static void
check_plaintext (const Rules *rules, PoolOption option, const char *what)
{
  g_autofree char *text =
    g_strconcat (what, "would be sent in plaintext (a transport with TLS, or allow-plaintext-credentials=yes)", NULL);

  if (is_plaintext (rules) && !pool_flag (rules->pool, POOL_ALLOW_PLAINTEXT_CREDENTIALS))
    add_problem (rules, option, text);
}

static void
check_credentials (const Rules *rules)
{
  static const PoolOption credentials[] = { POOL_API_KEY, POOL_TOKEN_FILE };
  guint i;

  check_exclusive (rules, POOL_API_KEY, POOL_TOKEN_FILE);
  for (i = 0; i < G_N_ELEMENTS (credentials); i++) {
    if (is_written (rules, credentials[i]))
      check_plaintext (rules, credentials[i], "");
  }
  if (rules->group->uri != NULL && rules->group->uri->user_password != NULL)
    check_plaintext (rules, POOL_URI, "user:password ");
  check_api_key (rules);
}

/* ----------------------------------------------------------------- metadata */

static void
check_metadata (const Rules *rules)
{
  const char *const *list = rules->pool->options[POOL_METADATA].value.list;
  gsize i;

  for (i = 0; list != NULL && list[i] != NULL; i++) {
    g_autofree char *problem = metadatum_check (list[i]);

    if (problem != NULL)
      add_problem (rules, POOL_METADATA, problem);
  }
}

/* What a program has to know of plaintext: channels carry call credentials over secure transports alone. */
static void
note_metadata (const Rules *rules)
{
  if (rules->pool->options[POOL_METADATA].value.list != NULL && is_plaintext (rules))
    add_note (rules, POOL_METADATA,
              "over a plaintext transport Cenote's own calls and C++ stubs carry it, and calls that a program makes on a "
              "leased channel do not");
}

/* ------------------------------------------------------------------- bounds */

/* SMALLER must not be above LARGER; told only where one of the two is written, at that one. */
static void
check_order (const Rules *rules, PoolOption smaller, PoolOption larger, gboolean both_written)
{
  gint64 low = pool_number (rules->pool, smaller), high = pool_number (rules->pool, larger);
  gboolean has_low = is_good (rules, smaller), has_high = is_good (rules, larger);
  gboolean at_high = has_high && (!has_low || line_of (rules, larger) > line_of (rules, smaller));
  PoolOption other = at_high ? smaller : larger;
  g_autofree char *place = NULL;
  g_autofree char *what = NULL;

  if (low <= high || !(both_written ? has_low && has_high : has_low || has_high))
    return;
  place = config_place_name (label_of (rules, other), line_of (rules, other));
  what = g_strdup_printf ("%" G_GINT64_FORMAT " is %s %s, which is %" G_GINT64_FORMAT "%s (%s must not be above %s)",
                          at_high ? high : low, at_high ? "below" : "above", place, at_high ? low : high,
                          (at_high ? has_low : has_high) ? "" : " by default", key_of (smaller), key_of (larger));
  add_problem (rules, at_high ? larger : smaller, what);
}

/* A size is bounded only by what is written: the bounds' defaults are meant for connectors that choose it. */
static void
check_bounds (const Rules *rules)
{
  check_order (rules, POOL_MIN_CHANNELS, POOL_MAX_CHANNELS, FALSE);
  check_order (rules, POOL_MIN_CHANNELS, POOL_SIZE, TRUE);
  check_order (rules, POOL_SIZE, POOL_MAX_CHANNELS, TRUE);
}

/* ------------------------------------------------------------------- values */

/* /package.Service/Method */
static gboolean
is_method (const char *text)
{
  const char *slash = *text == '/' ? strchr (text + 1, '/') : NULL;

  return slash != NULL && slash > text + 1 && slash[1] != '\0' && strchr (slash + 1, '/') == NULL
         && strpbrk (text, " \t") == NULL;
}

static void
check_prime (const Rules *rules)
{
  static const char *const words[] = { "none", "headers", "health", NULL };
  const char *text = pool_text (rules->pool, POOL_PRIME);
  const char *nearest;
  g_autofree char *what = NULL;

  if (g_strv_contains (words, text) || is_method (text))
    return;
  nearest = option_nearest (text, words);
  what = g_strdup_printf ("'%.60s' is nothing to prime with (none, headers, health or /PACKAGE.SERVICE/METHOD%s%s)",
                          text, nearest != NULL ? "; nearest: " : "", nearest != NULL ? nearest : "");
  add_problem (rules, POOL_PRIME, what);
}

static void
check_arguments (const Rules *rules)
{
  const char *const *list = rules->pool->options[POOL_CHANNEL_ARGS].value.list;
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gsize i;

  for (i = 0; list != NULL && list[i] != NULL; i++) {
    g_autofree char *problem = NULL;
    Argument argument;

    if (!argument_parse (list[i], &argument, &problem)) {
      add_problem (rules, POOL_CHANNEL_ARGS, problem);
      continue;
    }
    if (!g_hash_table_add (names, g_strdup (argument.name)))
      problems_add (rules->check->problems, line_of (rules, POOL_CHANNEL_ARGS), rules->group->title,
                    label_of (rules, POOL_CHANNEL_ARGS), "%s is given twice (leave one out)", argument.name);
    argument_clear (&argument);
  }
}

/* -------------------------------------------------------------------- notes */

static gboolean
is_default (const Rules *rules, PoolOption option)
{
  const CenoteOption *row = &pool_options.rows[option];
  g_autofree char *text = option_format (row, &rules->pool->options[option].value);
  g_autofree char *default_text = NULL;
  g_autofree char *problem = NULL;
  CenoteValue value = { 0 };

  if (row->default_text == NULL || !option_parse (row, row->default_text, &value, &problem))
    return !rules->pool->options[option].value.is_set;
  default_text = option_format (row, &value);
  option_value_clear (&value);
  return strcmp (text, default_text) == 0;
}

static void
note_pending (const Rules *rules)
{
  guint i;

  for (i = 0; i < N_POOL_OPTIONS; i++) {
    if (pool_options_pending[i] && setting_is_written (&rules->pool->options[i]) && !is_default (rules, (PoolOption) i))
      add_note (rules, (PoolOption) i, "has no effect yet in this version");
  }
}

/* Keys that say nothing because the key that switches their feature on is not set. */
static void
note_idle_keys (const Rules *rules)
{
  gboolean pings = pool_number (rules->pool, POOL_PING_INTERVAL) != CENOTE_OFF;
  gboolean keeps_alive = pool_number (rules->pool, POOL_KEEPALIVE_TIME) != CENOTE_OFF;
  gboolean asks_health = pool_number (rules->pool, POOL_HEALTH_CHECK) != HEALTH_CHECK_OFF;
  gboolean ages = pool_number (rules->pool, POOL_MAX_CONNECTION_AGE) != CENOTE_OFF;
  const struct {
    PoolOption option;
    gboolean has_effect;
    const char *what;
  } keys[] = {
    { POOL_KEEPALIVE_TIMEOUT, keeps_alive || pings, "has no effect while keepalive-time and ping-interval are off" },
    { POOL_KEEPALIVE_PERMIT_WITHOUT_CALLS, keeps_alive, "has no effect while keepalive-time is off" },
    { POOL_HEALTH_SERVICE, asks_health, "has no effect while health-check is off" },
    { POOL_MAX_CONNECTION_AGE_JITTER, ages, "has no effect while max-connection-age is off" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (keys); i++) {
    if (is_written (rules, keys[i].option) && !keys[i].has_effect)
      add_note (rules, keys[i].option, keys[i].what);
  }
}

/* A connector that chooses the size does so between min-channels and max-channels. */
static void
note_size (const Rules *rules)
{
  const Plugin *plugin = plugin_of (rules->pool->connector);

  if (plugin == NULL || (plugin->ops.connector.flags & CENOTE_CONNECTOR_SIZES_ITSELF) == 0 || !is_good (rules, POOL_SIZE))
    return;
  problems_add (rules->check->notes, line_of (rules, POOL_SIZE), rules->group->title, key_of (POOL_SIZE),
                "has no effect with connector %s, which chooses the size itself", plugin->name);
}

/* Only what C-core drives can be asked (pool-probes.c). */
static void
note_unasked (const Rules *rules)
{
  static const PoolOption options[] = { POOL_PRIME, POOL_PING_INTERVAL, POOL_HEALTH_CHECK };
  const Plugin *transport = plugin_of (rules->pool->transport);
  guint i;

  if (transport == NULL || !plugin_transport_drives_itself (transport))
    return;
  for (i = 0; i < G_N_ELEMENTS (options); i++) {
    if (is_good (rules, options[i]) && !is_default (rules, options[i]))
      problems_add (rules->check->notes, line_of (rules, options[i]), rules->group->title, key_of (options[i]),
                    "has no effect with transport %s, over which no call goes", transport->name);
  }
}

/* What a server that says nothing else puts up with (grpc's keepalive guide). */
#define BEARABLE_US (5 * 60 * G_USEC_PER_SEC)
#define BEARABLE_WITHOUT_CALLS_US (G_GINT64_CONSTANT (2) * 3600 * G_USEC_PER_SEC)

static void
note_keepalive (const Rules *rules)
{
  gint64 time_us = pool_number (rules->pool, POOL_KEEPALIVE_TIME);

  if (time_us == CENOTE_OFF)
    return;
  if (time_us < BEARABLE_US)
    add_note (rules, POOL_KEEPALIVE_TIME,
              "servers by default end connections that ping more often than every 5 min, with ENHANCE_YOUR_CALM (5min, "
              "or a server that permits it)");
  if (time_us < BEARABLE_WITHOUT_CALLS_US && pool_flag (rules->pool, POOL_KEEPALIVE_PERMIT_WITHOUT_CALLS))
    add_note (rules, POOL_KEEPALIVE_PERMIT_WITHOUT_CALLS,
              "servers by default end connections that without calls ping more often than every 2 h, with "
              "ENHANCE_YOUR_CALM (keepalive-time=2h, or a server that permits it)");
}

void
pool_rules_check (Check *check, const PoolSettings *pool, const ConfigGroup *group)
{
  const Rules rules = { check, pool, group };

  check_addresses (&rules);
  check_mixture (&rules);
  check_production (&rules);
  check_scheme (&rules);
  check_credentials (&rules);
  check_metadata (&rules);
  check_bounds (&rules);
  check_prime (&rules);
  check_arguments (&rules);
  note_pending (&rules);
  note_idle_keys (&rules);
  note_size (&rules);
  note_unasked (&rules);
  note_keepalive (&rules);
  note_metadata (&rules);
}
