/* SPDX-License-Identifier: Apache-2.0 */
#include "reload.h"

#include <string.h>

#include "core/config/reload.h"
#include "core/pool/pool.h"

static const PoolSettings *
find_settings (const Settings *settings, const char *name)
{
  guint i;

  for (i = 0; i < settings->pools->len; i++) {
    const PoolSettings *pool = settings->pools->pdata[i];

    if (strcmp (pool->name, name) == 0)
      return pool;
  }
  return NULL;
}

/* ------------------------------------------------------------------ comparing */

static void
compare_new_pools (const ReloadSite *site, const Settings *now, Problems *problems)
{
  guint i;

  for (i = 0; i < now->pools->len; i++) {
    const PoolSettings *pool = now->pools->pdata[i];
    g_autofree char *group = g_strdup_printf ("pool:%s", pool->name);

    if (find_settings (site->settings, pool->name) == NULL)
      problems_add (problems, pool->line, group, NULL, "is new, and a runtime's pools stay the same (a runtime of its own)");
  }
}

static void
compare_sinks (const ReloadSite *site, const Settings *now, Problems *problems)
{
  const GPtrArray *old = site->settings->sinks;
  gboolean same = old->len == now->sinks->len;
  guint i;

  for (i = 0; same && i < old->len; i++)
    same = reload_same_plugin (old->pdata[i], now->sinks->pdata[i]);
  if (!same)
    problems_add (problems, now->options[PROCESS_TELEMETRY].line, "cenote", "telemetry",
                  "other sinks, or other options of theirs, cannot be had without a restart");
}

/* One for each of the site's pools. */
static ReloadChange *
compare (const ReloadSite *site, const Settings *now, Problems *problems)
{
  ReloadChange *changes = g_new0 (ReloadChange, site->pools->len);
  guint i;

  compare_new_pools (site, now, problems);
  compare_sinks (site, now, problems);
  for (i = 0; i < site->pools->len; i++) {
    CenotePool *pool = site->pools->pdata[i];
    const PoolSettings *settings = find_settings (now, cenote_pool_get_name (pool));
    g_autofree char *group = g_strdup_printf ("pool:%s", cenote_pool_get_name (pool));

    if (settings == NULL)
      problems_add (problems, 0, group, NULL, "is gone, and a runtime's pools stay the same (keep it, or stop it)");
    else
      changes[i] = reload_compare (pool->settings, settings, problems);
  }
  return changes;
}

/* ------------------------------------------------------------------- applying */

static void
apply (const ReloadSite *site, const Settings *now, const ReloadChange *changes)
{
  guint i;

  site->budget->max = (guint) now->options[PROCESS_MAX_CONCURRENT_DIALS].value.number;
  for (i = 0; i < site->pools->len; i++) {
    CenotePool *pool = site->pools->pdata[i];

    if (changes[i].n > 0)
      pool_reload (pool, find_settings (now, cenote_pool_get_name (pool)), &changes[i]);
  }
}

gboolean
reload_pools (const ReloadSite *site, const Settings *now, GError **error)
{
  g_autoptr (Problems) problems = problems_new (now->file);
  g_autofree ReloadChange *changes = compare (site, now, problems);

  if (!problems_check (problems, error))
    return FALSE;
  apply (site, now, changes);
  return TRUE;
}
