/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-apart: the child answers with a description or with a refusal.  See plugin-apart.h. */
#include "plugin-apart.h"

#include <string.h>
#include <unistd.h>

#include "child-run.h"
#include "core/registry/plugin-load.h"

/* For one plugin to load and to describe itself. */
#define LIMIT_MS 10000u

/* What an answer begins with. */
#define DESCRIBED '+'
#define REFUSED '-'

/* ----------------------------------------------------------- in the child */

/* (transfer full) (nullable) */
static char *
describe_file (const char *path, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autoptr (Plugin) plugin = NULL;
  CenotePluginKind kind;

  if (!plugin_path_parse (path, &kind, &name, error))
    return NULL;
  plugin = plugin_load (absolute, kind, name, error);
  return plugin != NULL ? plugin_describe_json (plugin) : NULL;
}

static void
answer (int fd, char head, const char *text)
{
  g_autofree char *all = g_strdup_printf ("%c%s", head, text);
  gsize left = strlen (all);

  for (const char *at = all; left > 0;) {
    ssize_t n = write (fd, at, left);

    if (n < 0)
      return;
    at += n;
    left -= (gsize) n;
  }
}

/* Runs code of the plugin: its constructors and its query function. */
static void
describe (int fd, gpointer data)
{
  const PluginApart *apart = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *json = apart->file != NULL
                            ? describe_file (apart->file, &error)
                            : cenote_registry_describe_json (apart->registry, apart->kind, apart->name, &error);

  if (json != NULL)
    answer (fd, DESCRIBED, json);
  else
    answer (fd, REFUSED, error->message);
}

/* ---------------------------------------------------------- in the parent */

char *
plugin_apart_describe (const PluginApart *apart, GError **error)
{
  g_auto (ChildRun) run = { .output = NULL };
  g_autofree char *end = NULL;

  if (!child_run (describe, (gpointer) apart, LIMIT_MS, &run, error))
    return NULL;
  end = child_run_describe_end (&run);
  if (run.end != CHILD_RETURNED)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "the process that loaded it %s", end);
  else if (run.output->str[0] != DESCRIBED)
    g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, run.output->str + MIN (run.output->len, 1));
  else
    return g_strdup (run.output->str + 1);
  return NULL;
}
