/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suite-child: the child tells by lines: "begin CHECK", "kept CHECK", "broken CHECK<tab>PROBLEM"; the problem is
 * escaped.  See suite-child.h.
 */
#include "suite-child.h"

#include <grpc/grpc.h>
#include <stdio.h>
#include <string.h>

#include "child-run.h"
#include "conformance/conformance.h"
#include "core/registry/plugin-load.h"

/* ------------------------------------------------------------------- child */

static Plugin *
load (gpointer data, GError **error)
{
  const SuiteRun *run = data;
  g_autofree char *path = g_canonicalize_filename (run->path, NULL);
  g_autofree char *name = NULL;
  CenotePluginKind kind;

  return plugin_path_parse (path, &kind, &name, error) ? plugin_load (path, kind, name, error) : NULL;
}

static void
tell (gpointer data, const ConformanceCheck *check, ConformanceVerdict verdict, const char *problem)
{
  static const char *const words[] = { "begin", "kept", "broken" };
  g_autofree char *escaped = g_strescape (problem ? problem : "", NULL);

  fprintf (data, "%s %s: %s\t%s\n", words[verdict], check->name, check->promise, escaped);
  fflush (data);
}

static void
run_suite (int fd, gpointer data)
{
  const SuiteRun *run = data;
  FILE *out = fdopen (fd, "w");

  g_setenv ("GRPC_VERBOSITY", "NONE", FALSE); /* it is asked for targets that are none */
  grpc_init ();
  conformance_run_loading (load, data, run->settings, tell, out);
}

/* ------------------------------------------------------------------ parent */

typedef struct Parent {
  SuiteFunc func;
  gpointer data;
  char *under_way;           /* the check that has begun (nullable) */
} Parent;

static void
take_end_of_check (Parent *parent, const char *rest)
{
  g_auto (GStrv) parts = g_strsplit (rest, "\t", 2);
  g_autofree char *problem = g_strcompress (parts[1] ? parts[1] : "");

  parent->func (parent->data, parts[0], *problem ? problem : NULL);
  g_clear_pointer (&parent->under_way, g_free);
}

static void
take_line (Parent *parent, const char *line)
{
  const char *rest = strchr (line, ' ');

  if (rest && g_str_has_prefix (line, "begin "))
    parent->under_way = g_strndup (rest + 1, strcspn (rest + 1, "\t"));
  else if (rest)
    take_end_of_check (parent, rest + 1);
}

/* What is not a whole line yet stays. */
static void
take_lines (GString *output, gpointer data)
{
  char *end;

  while ((end = strchr (output->str, '\n'))) {
    g_autofree char *line = g_strndup (output->str, end - output->str);

    g_string_erase (output, 0, end + 1 - output->str);
    take_line (data, line);
  }
}

/* (transfer full) (nullable): what became of the child, where it did not come to its end. */
static char *
follow (const SuiteRun *run, Parent *parent)
{
  g_auto (ChildRun) child = { .output = NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *end = NULL;

  if (!child_run_listening (run_suite, (gpointer) run, run->limit_s * 1000, take_lines, parent, &child, &error))
    return g_strdup (error->message);
  end = child_run_describe_end (&child);
  return child.end == CHILD_RETURNED ? NULL : g_strdup_printf ("the plugin's process %s", end);
}

gboolean
suite_child_run (const SuiteRun *run, SuiteFunc func, gpointer data, char **out_why)
{
  Parent parent = { func, data, NULL };

  *out_why = follow (run, &parent);
  if (*out_why && parent.under_way)
    func (data, parent.under_way, *out_why);
  g_free (parent.under_way);
  return *out_why == NULL;
}
