/* SPDX-License-Identifier: Apache-2.0 */
/* pool-settings: one [pool:NAME] group, checked whole. */
#include "pool-settings.h"

#include <string.h>

#include "config-entry.h"
#include "pool-rules.h"
#include "plugin-use.h"
#include "profile.h"
#include "targets.h"

#define TLS_PORT 443

PoolSettings *
pool_settings_ref (PoolSettings *settings)
{
  g_atomic_ref_count_inc (&settings->refs);
  return settings;
}

void
pool_settings_unref (PoolSettings *settings)
{
  if (settings == NULL || !g_atomic_ref_count_dec (&settings->refs))
    return;
  check_clear_settings (settings->options, N_POOL_OPTIONS);
  g_free (settings->credentials.value);
  g_strfreev (settings->targets);
  plugin_use_unref (settings->transport);
  plugin_use_unref (settings->connector);
  plugin_use_unref (settings->picker);
  plugin_use_unref (settings->backoff);
  if (settings->sinks != NULL)
    g_ptr_array_unref (settings->sinks);
  g_clear_error (&settings->failure);
  g_free (settings->name);
  g_free (settings);
}

/* Where OPTION is written, or else the pool itself. */
static Place
place_of (const PoolSettings *pool, const ConfigGroup *group, PoolOption option)
{
  const Setting *setting = &pool->options[option];
  const char *key = pool_options.rows[option].name;
  const ConfigEntry *entry = config_group_find (group, key);

  return (Place) { setting_is_written (setting) ? setting->line : group->line, group->title,
                   entry != NULL ? config_entry_label (entry) : key };
}

/* ------------------------------------------------------------------ plugins */

/* A plugin that cannot be had stops a critical pool's program, and of the others only the pool. */
static void
take_failure (Check *check, PoolSettings *pool, const PluginUse *use, const Place *place, const char *hint)
{
  if (use->failure == NULL)
    return;
  if (pool_flag (pool, POOL_CRITICAL))
    plugin_use_tell_failure (check, use, place, hint);
  else if (pool->failure == NULL)
    pool->failure = g_error_copy (use->failure);
}

/* Whether what OPTION's value depends on was wrong, and has been told. */
static gboolean
is_spoilt (const PoolSettings *pool, const ConfigGroup *group, PoolOption option)
{
  if (config_group_find (group, pool_options.rows[option].name) != NULL)
    return !setting_is_written (&pool->options[option]);
  return option == POOL_TRANSPORT && (config_group_has_bad_uri (group) || is_spoilt (pool, group, POOL_PROFILE));
}

/* What a newcomer who writes nothing but a target has to know. */
static const char *
hint_for (const PoolSettings *pool, PoolOption option)
{
  if (option != POOL_TRANSPORT || setting_is_written (&pool->options[option])
      || pool_number (pool, POOL_PROFILE) != PROFILE_PRODUCTION)
    return NULL;
  return " (profile=production, the default, is TLS; profile=local and profile=test are without)";
}

/* (transfer full) (nullable): NULL where the value was wrong. */
static PluginUse *
use_option (Check *check, PoolSettings *pool, const ConfigGroup *group, PoolOption option, CenotePluginKind kind)
{
  const ConfigGroup *own = config_group_find_own (group, cenote_plugin_kind_to_string (kind));
  const char *name = pool_text (pool, option);
  Place place = place_of (pool, group, option);
  PluginUse *use;

  if (is_spoilt (pool, group, option))
    return NULL;
  if (name == NULL) {
    problems_add (check->problems, group->line, group->title, place.key,
                  "missing (profile=custom has no transport of its own: write "
                  "transport=NAME)");
    return NULL;
  }
  use = own == NULL ? plugin_use_get (check, kind, name, &place)
                    : plugin_use_get_own (check, kind, name, own, pool->name, &place);
  take_failure (check, pool, use, &place, hint_for (pool, option));
  return use;
}

GPtrArray *
pool_settings_read_sinks (Check *check, const Setting *names, const Place *place, GError **failure)
{
  GPtrArray *sinks = g_ptr_array_new_with_free_func ((GDestroyNotify) plugin_use_unref);
  const char *const *list = names->value.list;
  gsize i;

  for (i = 0; list != NULL && list[i] != NULL; i++) {
    PluginUse *use = plugin_use_get (check, CENOTE_PLUGIN_TELEMETRY, list[i], place);

    if (use->failure != NULL && failure == NULL)
      plugin_use_tell_failure (check, use, place, NULL);
    else if (use->failure != NULL && *failure == NULL)
      *failure = g_error_copy (use->failure);
    if (g_ptr_array_find (sinks, use, NULL))
      problems_add (check->problems, place->line, place->group, place->key, "'%s' is named twice (once is enough)",
                    list[i]);
    g_ptr_array_add (sinks, use);
  }
  return sinks;
}

static GPtrArray *
copy_sinks (const GPtrArray *sinks)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify) plugin_use_unref);
  guint i;

  for (i = 0; i < sinks->len; i++)
    g_ptr_array_add (copy, plugin_use_ref (g_ptr_array_index (sinks, i)));
  return copy;
}

static void
read_plugins (Check *check, PoolSettings *pool, const ConfigGroup *group, const GPtrArray *process_sinks)
{
  const Setting *names = &pool->options[POOL_TELEMETRY];
  Place place = place_of (pool, group, POOL_TELEMETRY);

  pool->transport = use_option (check, pool, group, POOL_TRANSPORT, CENOTE_PLUGIN_TRANSPORT);
  pool->connector = use_option (check, pool, group, POOL_CONNECTOR, CENOTE_PLUGIN_CONNECTOR);
  pool->picker = use_option (check, pool, group, POOL_PICKER, CENOTE_PLUGIN_PICKER);
  pool->backoff = use_option (check, pool, group, POOL_BACKOFF, CENOTE_PLUGIN_BACKOFF);
  if (names->value.is_set)
    pool->sinks =
      pool_settings_read_sinks (check, names, &place, pool_flag (pool, POOL_CRITICAL) ? NULL : &pool->failure);
  else
    pool->sinks = copy_sinks (process_sinks);
}

/* ------------------------------------------------------------------ targets */

static gboolean
connector_dials (const PoolSettings *pool)
{
  const Plugin *plugin = pool->connector == NULL ? NULL : pool->connector->plugin;

  return plugin != NULL && (plugin->ops.connector.flags & CENOTE_CONNECTOR_DIALS) != 0;
}

static TargetRules
rules_of (const PoolSettings *pool)
{
  const Plugin *transport = pool->transport == NULL ? NULL : pool->transport->plugin;

  return (TargetRules) {
    .default_port = pool_number (pool, POOL_PROFILE) == PROFILE_PRODUCTION ? TLS_PORT : 0,
    .any_scheme = transport != NULL && plugin_transport_drives_itself (transport),
  };
}

char *
pool_settings_whole_target (const PoolSettings *settings, const char *text, char **out_problem)
{
  const TargetRules rules = rules_of (settings);

  return targets_normalise (text, &rules, out_problem);
}

static void
add_target (Check *check, const Place *place, const TargetRules *rules, const char *text, GPtrArray *targets)
{
  g_autofree char *problem = NULL;
  g_autofree char *target = targets_normalise (text, rules, &problem);

  if (target == NULL)
    problems_add (check->problems, place->line, place->group, place->key, "%s", problem);
  else if (g_ptr_array_find_with_equal_func (targets, target, g_str_equal, NULL))
    problems_add (check->problems, place->line, place->group, place->key, "'%s' is named twice (once is enough)", text);
  else
    g_ptr_array_add (targets, g_steal_pointer (&target));
}

static char **
read_targets (Check *check, const PoolSettings *pool, const ConfigGroup *group)
{
  g_autoptr (GPtrArray) targets = g_ptr_array_new_with_free_func (g_free);
  const TargetRules rules = rules_of (pool);
  const char *const *list = pool->options[POOL_TARGETS].value.list;
  const Place one = place_of (pool, group, POOL_TARGET), several = place_of (pool, group, POOL_TARGETS);
  gsize i;

  if (pool_text (pool, POOL_TARGET) != NULL && !connector_dials (pool))
    add_target (check, &one, &rules, pool_text (pool, POOL_TARGET), targets);
  for (i = 0; list != NULL && list[i] != NULL; i++)
    add_target (check, &several, &rules, list[i], targets);
  g_ptr_array_add (targets, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&targets), FALSE);
}

/* -------------------------------------------------------------- credentials */

/* Of several kinds, which is a problem, the first. */
static PoolCredentials
read_credentials (const PoolSettings *pool, const ConfigGroup *group)
{
  if (group->uri != NULL && group->uri->user_password != NULL)
    return (PoolCredentials) { CREDENTIALS_BASIC, g_strdup (group->uri->user_password) };
  if (pool_text (pool, POOL_API_KEY) != NULL)
    return (PoolCredentials) { CREDENTIALS_API_KEY, g_strdup (pool_text (pool, POOL_API_KEY)) };
  if (pool_text (pool, POOL_TOKEN_FILE) != NULL)
    return (PoolCredentials) { CREDENTIALS_TOKEN_FILE, g_strdup (pool_text (pool, POOL_TOKEN_FILE)) };
  return (PoolCredentials) { CREDENTIALS_NONE, NULL };
}

/* -------------------------------------------------------------------- whole */

static const char *
default_of (const ConfigGroup *group, guint i)
{
  return profile_default (group, (PoolOption) i);
}

PoolSettings *
pool_settings_new (Check *check, const ConfigGroup *group, const GPtrArray *process_sinks)
{
  PoolSettings *pool = g_new0 (PoolSettings, 1);

  g_atomic_ref_count_init (&pool->refs);
  pool->name = g_strdup (group->name);
  pool->line = group->line;
  check_read_settings (check, group, &pool_options, default_of, NULL, pool->options);
  check_keys (check, group, &pool_options, NULL, "a pool");
  read_plugins (check, pool, group, process_sinks);
  pool->targets = read_targets (check, pool, group);
  pool->credentials = read_credentials (pool, group);
  pool_rules_check (check, pool, group);
  if (pool->failure != NULL)
    problems_add (check->notes, group->line, group->title, NULL,
                  "the pool cannot run, and as it is not critical the others do without: %s", pool->failure->message);
  return pool;
}
