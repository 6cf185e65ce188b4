/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config-check: the checking pass for those who run nothing: `cenote check` and
 * `cenote explain`.  Owns nothing; any thread.
 */
#include "config.h"
#include "explain.h"
#include "settings.h"

gboolean
cenote_config_check_file (const char *path, const char *const *settings, CenoteRegistry *registry, char ***out_notes,
                          GError **error)
{
  static const char *const none[] = { NULL };
  g_autoptr (CenoteConfig) file = NULL;
  g_autoptr (CenoteConfig) config = NULL;
  g_autoptr (Settings) values = NULL;

  g_return_val_if_fail (path != NULL && registry != NULL, FALSE);
  file = config_open (path, error);
  if (file == NULL)
    return FALSE;
  config = config_overlay (file, settings != NULL ? settings : none);
  values = settings_new (config, registry, out_notes, error);
  return values != NULL;
}

char *
cenote_config_explain (CenoteConfig *config, CenoteRegistry *registry, gboolean json, GError **error)
{
  g_autoptr (Settings) values = NULL;

  g_return_val_if_fail (config != NULL && registry != NULL, NULL);
  values = settings_new (config, registry, NULL, error);
  return values != NULL ? explain_settings (values, json) : NULL;
}
