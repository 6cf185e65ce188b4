/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include <string.h>

#define UNCHANGEABLE "cannot change while the pool runs (as it was, or a pool of another name, or a restart)"

/* What the reloadable rows bring about; those that are looked up whenever they are needed, nothing. */
static const guint effects[N_POOL_OPTIONS] = {
  [POOL_SIZE] = RELOAD_SIZE,
  [POOL_MIN_CHANNELS] = RELOAD_PLAN,
  [POOL_MAX_CHANNELS] = RELOAD_PLAN,
  [POOL_ACQUIRE_TIMEOUT] = RELOAD_LIMITS,
  [POOL_CONNECT_TIMEOUT] = RELOAD_LIMITS | RELOAD_CHANNELS,
  [POOL_MAX_CONCURRENT_DIALS] = RELOAD_LIMITS,
  [POOL_MAX_CONNECT_ATTEMPTS] = RELOAD_LIMITS,
  [POOL_PRIME_TIMEOUT] = RELOAD_LIMITS,
  [POOL_PRIME_TRIES] = RELOAD_LIMITS,
  [POOL_PING_INTERVAL] = RELOAD_LIMITS,
  [POOL_EJECTION_TIME] = RELOAD_LIMITS,
  [POOL_MAX_EJECTED] = RELOAD_LIMITS,
  [POOL_PANIC_THRESHOLD] = RELOAD_LIMITS,
  [POOL_KEEPALIVE_TIME] = RELOAD_CHANNELS,
  [POOL_KEEPALIVE_TIMEOUT] = RELOAD_LIMITS | RELOAD_CHANNELS,
  [POOL_KEEPALIVE_PERMIT_WITHOUT_CALLS] = RELOAD_CHANNELS,
  [POOL_IDLE_TIMEOUT] = RELOAD_PLAN,
  [POOL_MAX_CONNECTION_AGE] = RELOAD_LIMITS | RELOAD_AGES,
  [POOL_MAX_CONNECTION_AGE_JITTER] = RELOAD_LIMITS | RELOAD_AGES,
  [POOL_MAX_STREAMS_PER_CHANNEL] = RELOAD_PLAN,
  [POOL_STATUS_INTERVAL] = RELOAD_STATUS,
  [POOL_TELEMETRY_SAMPLE_RATE] = RELOAD_VIEW,
  [POOL_CHANNEL_ARGS] = RELOAD_CHANNELS,
};

/* Rows that say no more than others do (compared as targets, plugins and credentials), or
 * that matter at the start alone. */
static const gboolean is_said_elsewhere[N_POOL_OPTIONS] = {
  [POOL_TARGET] = TRUE,
  [POOL_TARGETS] = TRUE,
  [POOL_URI] = TRUE,
  [POOL_PROFILE] = TRUE,
  [POOL_TRANSPORT] = TRUE,
  [POOL_CONNECTOR] = TRUE,
  [POOL_PICKER] = TRUE,
  [POOL_BACKOFF] = TRUE,
  [POOL_TELEMETRY] = TRUE,
  [POOL_API_KEY] = TRUE,
  [POOL_TOKEN_FILE] = TRUE,
  [POOL_INITIALIZATION] = TRUE,
  [POOL_CRITICAL] = TRUE,
};

static gboolean
lists_are_equal (const char *const *a, const char *const *b)
{
  return a == NULL || b == NULL ? a == b : g_strv_equal (a, b);
}

static gboolean
values_are_equal (const CenoteValue *a, const CenoteValue *b)
{
  return a->is_set == b->is_set && a->number == b->number && a->real == b->real && g_strcmp0 (a->text, b->text) == 0 &&
         lists_are_equal (a->list, b->list);
}

gboolean
reload_same_plugin (const PluginUse *a, const PluginUse *b)
{
  guint i;

  if (a == NULL || b == NULL)
    return a == b;
  if (a->plugin != b->plugin || strcmp (a->instance, b->instance) != 0 || a->n_settings != b->n_settings)
    return FALSE;
  for (i = 0; i < a->n_settings; i++) {
    if (!values_are_equal (&a->settings[i].value, &b->settings[i].value))
      return FALSE;
  }
  return TRUE;
}

static gboolean
sinks_are_equal (const GPtrArray *a, const GPtrArray *b)
{
  guint i;

  if (a->len != b->len)
    return FALSE;
  for (i = 0; i < a->len; i++) {
    if (!reload_same_plugin (a->pdata[i], b->pdata[i]))
      return FALSE;
  }
  return TRUE;
}

/* ----------------------------------------------------------------- problems */

typedef struct Comparison {
  const PoolSettings *old;
  const PoolSettings *now;
  Problems *problems;
} Comparison;

static void
refuse (const Comparison *comparison, PoolOption row, const char *what)
{
  const PoolSettings *now = comparison->now;
  g_autofree char *group = g_strdup_printf ("pool:%s", now->name);
  guint line = now->options[row].line != 0 ? now->options[row].line : now->line;

  problems_add (comparison->problems, line, group, pool_options.rows[row].name, "%s", what);
}

static void
refuse_value (const Comparison *comparison, PoolOption row)
{
  const CenoteOption *option = &pool_options.rows[row];
  g_autofree char *was = option_format (option, &comparison->old->options[row].value);
  g_autofree char *is = option_format (option, &comparison->now->options[row].value);
  g_autofree char *what = g_strdup_printf ("%s in place of %s " UNCHANGEABLE, is, was);

  refuse (comparison, row, what);
}

static void
compare_plugin (const Comparison *comparison, PoolOption row, const PluginUse *old, const PluginUse *now)
{
  g_autofree char *what = NULL;

  if (reload_same_plugin (old, now))
    return;
  if (old == NULL || now == NULL)
    what = g_strdup (UNCHANGEABLE);
  else if (strcmp (old->instance, now->instance) != 0)
    what = g_strdup_printf ("%s in place of %s " UNCHANGEABLE, now->instance, old->instance);
  else
    what = g_strdup_printf ("the options of %s have changed, which " UNCHANGEABLE, now->instance);
  refuse (comparison, row, what);
}

static void
compare_whole (const Comparison *comparison)
{
  const PoolSettings *old = comparison->old, *now = comparison->now;

  if (!lists_are_equal ((const char *const *) old->targets, (const char *const *) now->targets))
    refuse (comparison, POOL_TARGET, "another address " UNCHANGEABLE);
  if (old->credentials.kind != now->credentials.kind || g_strcmp0 (old->credentials.value, now->credentials.value) != 0)
    refuse (comparison, POOL_API_KEY, "other credentials: they " UNCHANGEABLE);
  compare_plugin (comparison, POOL_TRANSPORT, old->transport, now->transport);
  compare_plugin (comparison, POOL_CONNECTOR, old->connector, now->connector);
  compare_plugin (comparison, POOL_PICKER, old->picker, now->picker);
  compare_plugin (comparison, POOL_BACKOFF, old->backoff, now->backoff);
  if (!sinks_are_equal (old->sinks, now->sinks))
    refuse (comparison, POOL_TELEMETRY, "other sinks, or other options of theirs: they " UNCHANGEABLE);
}

/* Some can change, but not to or from every value. */
static gboolean
may_change (const Comparison *comparison, guint row)
{
  const CenoteValue *old = &comparison->old->options[row].value, *now = &comparison->now->options[row].value;

  if ((pool_options.rows[row].flags & CENOTE_OPTION_RELOADABLE) == 0)
    return FALSE;
  if (row == POOL_DNS_REFRESH || row == POOL_PING_INTERVAL)
    return old->number != CENOTE_OFF && now->number != CENOTE_OFF;
  return row != POOL_MAX_STREAMS_PER_CHANNEL || !pool_flag (comparison->old, POOL_HARD_STREAM_LIMIT);
}

ReloadChange
reload_compare (const PoolSettings *old, const PoolSettings *now, Problems *problems)
{
  const Comparison comparison = { old, now, problems };
  ReloadChange change = { 0, 0 };
  guint row;

  compare_whole (&comparison);
  for (row = 0; row < N_POOL_OPTIONS; row++) {
    if (is_said_elsewhere[row] || values_are_equal (&old->options[row].value, &now->options[row].value))
      continue;
    if (!may_change (&comparison, row))
      refuse_value (&comparison, row);
    change.n++;
    change.effects |= effects[row];
  }
  return change;
}

void
reload_take (PoolSettings *pool, const PoolSettings *now)
{
  guint row;

  for (row = 0; row < N_POOL_OPTIONS; row++) {
    Setting *setting = &pool->options[row];

    if ((pool_options.rows[row].flags & CENOTE_OPTION_RELOADABLE) == 0)
      continue;
    option_value_clear (&setting->value);
    option_value_copy (&now->options[row].value, &setting->value);
    setting->layer = now->options[row].layer;
    setting->line = now->options[row].line;
  }
}
