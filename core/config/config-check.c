/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config-check: the checking pass for those who run nothing: `cenote check` and
 * `cenote explain`.  Owns nothing; any thread.
 */
#include "config.h"
#include "explain.h"
#include "settings.h"
#include "trial.h"

/* Appends what a trial notes to NOTES (nullable). */
static void
append_notes (char ***notes, const Problems *more)
{
  g_autoptr (GStrvBuilder) all = NULL;
  g_auto (GStrv) strings = NULL;

  if (notes == NULL || problems_count (more) == 0)
    return;
  all = g_strv_builder_new ();
  strings = problems_to_strv (more);
  g_strv_builder_addv (all, (const char **) *notes);
  g_strv_builder_addv (all, (const char **) strings);
  g_strfreev (*notes);
  *notes = g_strv_builder_end (all);
}

static gboolean
try_settings (const Settings *settings, char ***notes, GError **error)
{
  g_autoptr (Problems) problems = problems_new (settings->file);
  g_autoptr (Problems) odd = problems_new (settings->file);

  trial_settings (settings, problems, odd);
  append_notes (notes, odd);
  return problems_check (problems, error);
}

gboolean
cenote_config_check_file (const char *path, const char *const *settings, CenoteRegistry *registry, char ***out_notes,
                          GError **error)
{
  static const char *const none[] = { NULL };
  g_autoptr (CenoteConfig) file = NULL;
  g_autoptr (CenoteConfig) config = NULL;
  g_autoptr (Settings) values = NULL;
  g_auto (GStrv) notes = NULL;
  gboolean sound;

  g_return_val_if_fail (path != NULL && registry != NULL, FALSE);
  file = config_open (path, error);
  if (file == NULL)
    return FALSE;
  config = config_overlay (file, settings != NULL ? settings : none);
  values = settings_new (config, registry, &notes, error);
  sound = values != NULL && try_settings (values, &notes, error);
  if (out_notes != NULL)
    *out_notes = g_steal_pointer (&notes);
  return sound;
}

char *
cenote_config_explain (CenoteConfig *config, CenoteRegistry *registry, gboolean json, GError **error)
{
  g_autoptr (Settings) values = NULL;

  g_return_val_if_fail (config != NULL && registry != NULL, NULL);
  values = settings_new (config, registry, NULL, error);
  return values != NULL ? explain_settings (values, json) : NULL;
}
