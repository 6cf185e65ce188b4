/* SPDX-License-Identifier: Apache-2.0 */
#include "instance.h"

Instance *
instance_new (const PluginUse *use, const char *pool, const HostServices *services, GError **error)
{
  g_autoptr (CenoteHost) host = host_new (use->plugin, use->instance, pool, services);
  CenoteOptions options = plugin_use_options (use);
  gpointer state = host_create_state (host, &options, error);
  Instance *instance;

  if (state == NULL)
    return NULL;
  instance = g_new0 (Instance, 1);
  g_atomic_ref_count_init (&instance->refs);
  instance->plugin = plugin_ref (use->plugin);
  instance->host = g_steal_pointer (&host);
  instance->state = state;
  return instance;
}

Instance *
instance_ref (Instance *instance)
{
  g_atomic_ref_count_inc (&instance->refs);
  return instance;
}

void
instance_unref (Instance *instance)
{
  if (instance == NULL || !g_atomic_ref_count_dec (&instance->refs))
    return;
  host_destroy_state (instance->host, instance->state);
  host_free (instance->host);
  plugin_unref (instance->plugin);
  g_free (instance);
}
