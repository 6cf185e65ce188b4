/* SPDX-License-Identifier: Apache-2.0 */
/* cenote new KIND NAME [DIR]: a project for a plugin, which builds with one make. */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/config/option.h"
#include "core/registry/registry.h"
#include "templates.h"

/* What is written for one kind. */
typedef struct Kind {
  const char *name;
  const char *task;          /* what its plugins do, for the README */
  const char *source;
  const char *test;
  const char *keyfile;
  const char *packages;      /* that it is compiled with, by pkg-config */
  const char *libs;          /* that it links */
} Kind;

static const Kind kinds[] = {
  { "backoff", "says how long to wait before the next connection attempt", template_backoff_c, template_backoff_test_c,
    template_backoff_conf, "cenote", "" },
  { "connector", "says which channels a pool should have", template_connector_c, template_connector_test_c,
    template_connector_conf, "cenote", "" },
  { "picker", "chooses the channel that a caller gets", template_picker_c, template_picker_test_c, template_picker_conf,
    "cenote", "" },
  { "transport", "makes the channels to an address", template_transport_c, template_transport_test_c,
    template_transport_conf, "cenote grpc", "-Wl,--as-needed $(shell $(PKG_CONFIG) --libs grpc)" },
  { "telemetry", "is told what happens", template_telemetry_c, template_telemetry_test_c, template_telemetry_conf,
    "cenote", "" },
};

/* One project under way, and what there is to take back where it cannot be finished. */
typedef struct Project {
  const Kind *kind;
  const char *name;
  const char *directory;
  gboolean made_directory;
  GPtrArray *written;        /* paths */
} Project;

/* ------------------------------------------------------------------ words */

static const Kind *
find_kind (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].name, name))
      return &kinds[i];
  return NULL;
}

static int
unknown_kind (const Command *command, const char *name)
{
  const char *names[G_N_ELEMENTS (kinds) + 1] = { NULL };
  const char *nearest;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    names[i] = kinds[i].name;
  nearest = option_nearest (name, names);
  if (nearest != NULL)
    return command_misused (command, "'%s' is no kind of plugin; did you mean '%s'?", name, nearest);
  return command_misused (command, "'%s' is no kind of plugin: backoff, connector, picker, transport or telemetry", name);
}

/* (transfer full): TEMPLATE with the project's words. */
static char *
fill (const Project *project, const char *template)
{
  const struct { const char *mark, *word; } words[] = {
    { "@KIND@", project->kind->name },         { "@NAME@", project->name },      { "@TASK@", project->kind->task },
    { "@PACKAGES@", project->kind->packages }, { "@LIBS@", project->kind->libs },
  };
  GString *text = g_string_new (template);

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_replace (text, words[i].mark, words[i].word, 0);
  return g_string_free (text, FALSE);
}

/* ------------------------------------------------------------------ files */

static gboolean
is_empty (const char *directory, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, error);

  if (dir == NULL)
    return FALSE;
  if (g_dir_read_name (dir) == NULL)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_EXIST, "%s is not empty: name a directory that is, or one that is not there",
               directory);
  return FALSE;
}

static gboolean
make_directory (Project *project, GError **error)
{
  project->made_directory = g_mkdir (project->directory, 0777) == 0;
  if (project->made_directory)
    return TRUE;
  if (errno == EEXIST)
    return is_empty (project->directory, error);
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s cannot be made: %s", project->directory,
               g_strerror (errno));
  return FALSE;
}

static gboolean
write_file (Project *project, const char *file, const char *template, GError **error)
{
  g_autofree char *filled_file = fill (project, file);
  g_autofree char *text = fill (project, template);
  char *path = g_build_filename (project->directory, filled_file, NULL);

  g_ptr_array_add (project->written, path);
  return g_file_set_contents (path, text, -1, error);
}

static gboolean
write_files (Project *project, GError **error)
{
  const Kind *kind = project->kind;

  return write_file (project, "@NAME@.c", kind->source, error) && write_file (project, "test-@NAME@.c", kind->test, error)
         && write_file (project, "demo.conf", kind->keyfile, error)
         && write_file (project, "Makefile", template_project_mk, error)
         && write_file (project, "README.md", template_readme_md, error)
         && write_file (project, ".gitignore", template_gitignore, error);
}

static void
take_back (const Project *project)
{
  for (guint i = 0; i < project->written->len; i++)
    (void) g_unlink (project->written->pdata[i]);
  if (project->made_directory)
    (void) g_rmdir (project->directory);
}

/* All of it, or nothing. */
static gboolean
write_project (Project *project, GError **error)
{
  if (!make_directory (project, error))
    return FALSE;
  if (write_files (project, error))
    return TRUE;
  take_back (project);
  return FALSE;
}

/* ---------------------------------------------------------------- command */

static void
print_written (const Project *project)
{
  for (guint i = 0; i < project->written->len; i++)
    printf ("%s\n", (const char *) project->written->pdata[i]);
}

static int
run (const Command *command, int argc, char **argv)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) written = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *directory = NULL;
  Project project = { .written = written };

  if (!command_parse (command, argc, argv, &words, NULL))
    return EXIT_USAGE;
  project.kind = find_kind (words[0]);
  project.name = words[1];
  if (project.kind == NULL)
    return unknown_kind (command, words[0]);
  if (!plugin_name_check (project.name, &error))
    return command_misused (command, "%s", error->message);
  directory = words[2] != NULL ? g_strdup (words[2]) : g_strdup_printf ("%s-%s", words[0], words[1]);
  project.directory = directory;
  if (!write_project (&project, &error))
    return command_failed (command, NULL, error);
  print_written (&project);
  return EXIT_GOOD;
}

const Command new_command = {
  .name = "new",
  .arguments = "KIND NAME [DIR]",
  .summary = "begins a plugin: a project that builds with one make",
  .description = "Writes a plugin of KIND (backoff, connector, picker, transport, telemetry) called NAME\n"
                 "([a-z][a-z0-9-]*) into DIR, which is KIND-NAME unless given, and prints the files: its source with\n"
                 "an option table, a unit test, a Makefile that finds Cenote by pkg-config, a keyfile and a README.\n"
                 "DIR must be empty or not be there.",
  .min_words = 2,
  .max_words = 3,
  .run = run,
};
