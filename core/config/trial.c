/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include "core/registry/instance.h"
#include "credential.h"

/* ----------------------------------------------------------------- services */

static gint64
now_us (gpointer data)
{
  (void) data;
  return g_get_monotonic_time ();
}

static guint64
random_bits (gpointer data)
{
  (void) data;
  return (guint64) g_random_int () << 32 | g_random_int ();
}

/* Without timers and events: nothing lives long enough for them. */
static const HostServices services = { .now_us = now_us, .random = random_bits };

/* ------------------------------------------------------------------- trying */

static void
try_plugin (const PoolSettings *pool, const PluginUse *use, Problems *problems)
{
  g_autoptr (GError) error = NULL;
  const char *kind = cenote_plugin_kind_to_string (use->kind);
  gboolean has_group = use->line != 0;
  g_autofree char *title = has_group ? g_strdup_printf ("%s:%s", kind, use->instance)
                                     : g_strdup_printf ("pool:%s", pool->name);
  Instance *instance = instance_new (use, pool->name, &services, &error);

  if (instance == NULL)
    problems_add (problems, has_group ? use->line : pool->line, title, NULL, "%s", error->message);
  instance_unref (instance);
}

static void
try_credentials (const PoolSettings *pool, Problems *problems)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *title = g_strdup_printf ("pool:%s", pool->name);
  g_autofree char *value = NULL;

  if (pool->credentials.kind == CREDENTIALS_NONE)
    return;
  value = credential_read (&pool->credentials, &error);
  if (value == NULL)
    problems_add (problems, pool->line, title, NULL, "%s", error->message);
}

static void
try_pool (const PoolSettings *pool, Problems *problems)
{
  if (pool->failure != NULL)
    return;
  try_plugin (pool, pool->transport, problems);
  try_plugin (pool, pool->connector, problems);
  try_plugin (pool, pool->picker, problems);
  try_plugin (pool, pool->backoff, problems);
  try_credentials (pool, problems);
}

void
trial_settings (const Settings *settings, Problems *problems, Problems *notes)
{
  guint i;

  for (i = 0; i < settings->pools->len; i++) {
    const PoolSettings *pool = settings->pools->pdata[i];

    try_pool (pool, pool_flag (pool, POOL_CRITICAL) ? problems : notes);
  }
}
