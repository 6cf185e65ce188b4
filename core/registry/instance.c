/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"

#define REPORT_INTERVAL_US (60 * G_GINT64_CONSTANT (1000000))

static guint64 slow_calls;   /* atomic */

/* ----------------------------------------------------------------- timing */

gint64
instance_begin (const Instance *instance)
{
  return instance->host->now_us (instance->host);
}

static gboolean
is_report_due (Instance *instance, gint64 now_us)
{
  gint64 due_us = __atomic_load_n (&instance->next_report_us, __ATOMIC_RELAXED);

  return now_us >= due_us &&
         __atomic_compare_exchange_n (&instance->next_report_us, &due_us, now_us + REPORT_INTERVAL_US, FALSE,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static void
report (const Instance *instance, const char *operation, gint64 took_us, gint64 budget_us)
{
  g_autofree char *text =
    g_strdup_printf ("%s took %" G_GINT64_FORMAT " ms, and all pools waited for it (expected: at most %" G_GINT64_FORMAT
                     " ms)", operation, took_us / 1000, budget_us / 1000);

  instance->host->log (instance->host, CENOTE_LOG_WARNING, text);
}

static void
end_within (gint64 budget_us, Instance *instance, const char *operation, gint64 began_us)
{
  gint64 now_us = instance_begin (instance);

  if (now_us - began_us <= budget_us)
    return;
  (void) __atomic_add_fetch (&slow_calls, 1, __ATOMIC_RELAXED);
  if (is_report_due (instance, now_us))
    report (instance, operation, now_us - began_us, budget_us);
}

void
instance_end (Instance *instance, const char *operation, gint64 began_us)
{
  end_within (INSTANCE_BUDGET_US, instance, operation, began_us);
}

gint64
instance_take_turn (Instance *transport)
{
  gint64 began_us = instance_begin (transport);

  pthread_mutex_lock (&transport->turn);
  return began_us;
}

void
instance_give_turn (Instance *transport, const char *operation, gint64 began_us)
{
  pthread_mutex_unlock (&transport->turn);
  instance_end (transport, operation, began_us);
}

guint64
instance_slow_calls (void)
{
  return __atomic_load_n (&slow_calls, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------- life */

static void
create_state (Instance *instance, const PluginUse *use, GError **error)
{
  CenoteOptions options = plugin_use_options (use);
  gint64 began_us = instance_begin (instance);

  instance->state = host_create_state (instance->host, &options, error);
  end_within (INSTANCE_LIFE_BUDGET_US, instance, "create", began_us);
}

static void
destroy_state (Instance *instance)
{
  gint64 began_us = instance_begin (instance);

  host_destroy_state (instance->host, instance->state);
  end_within (INSTANCE_LIFE_BUDGET_US, instance, "destroy", began_us);
}

static void
instance_free (Instance *instance)
{
  host_free (instance->host);
  plugin_unref (instance->plugin);
  pthread_mutex_destroy (&instance->turn);
  if (instance->release != NULL)
    instance->release (instance->kept);
  g_free (instance);
}

Instance *
instance_new (const PluginUse *use, const char *pool, const HostServices *services, GError **error)
{
  Instance *instance = g_new0 (Instance, 1);

  instance->refs = 1;
  pthread_mutex_init (&instance->turn, NULL);
  instance->plugin = plugin_ref (use->plugin);
  instance->host = host_new (use->plugin, use->instance, pool, services);
  create_state (instance, use, error);
  if (instance->state == NULL)
    g_clear_pointer (&instance, instance_free);
  return instance;
}

void
instance_keep (Instance *instance, gpointer kept, GDestroyNotify release)
{
  instance->kept = kept;
  instance->release = release;
}

Instance *
instance_ref (Instance *instance)
{
  (void) __atomic_add_fetch (&instance->refs, 1, __ATOMIC_RELAXED);
  return instance;
}

void
instance_unref (Instance *instance)
{
  if (instance == NULL || __atomic_sub_fetch (&instance->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  destroy_state (instance);
  instance_free (instance);
}

void
instance_unref_orphan (Instance *instance)
{
  if (__atomic_sub_fetch (&instance->refs, 1, __ATOMIC_ACQ_REL) > 0)
    return;
  host_destroy_state (instance->host, instance->state);
  instance_free (instance);
}
