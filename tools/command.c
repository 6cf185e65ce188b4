/* SPDX-License-Identifier: Apache-2.0 */
/* command: what every command of `cenote` shares.  See command.h. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/config/option.h"
#include "terminal.h"

static GOptionContext *
context_new (const Command *command, va_list tables)
{
  g_autofree char *program = g_strdup_printf ("cenote %s", command->name);
  GOptionContext *context = g_option_context_new (command->arguments);
  const GOptionEntry *entries;

  g_set_prgname (program);
  g_option_context_set_summary (context, command->description);
  while ((entries = va_arg (tables, const GOptionEntry *)) != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

static gboolean
words_fit (const Command *command, char **words)
{
  guint n = words != NULL ? g_strv_length (words) : 0;

  if (n < command->min_words)
    command_misused (command, "a word is missing: cenote %s %s", command->name, command->arguments);
  else if (n > command->max_words)
    command_misused (command, "'%s' is one too many: cenote %s %s", words[command->max_words], command->name,
                     command->arguments);
  return n >= command->min_words && n <= command->max_words;
}

gboolean
command_parse (const Command *command, int argc, char **argv, char ***out_words, ...)
{
  g_auto (GStrv) words = NULL;
  const GOptionEntry rest[] = {
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  va_list tables;

  va_start (tables, out_words);
  context = context_new (command, tables);
  va_end (tables);
  g_option_context_add_main_entries (context, rest, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    command_misused (command, "%s", error->message);
    return FALSE;
  }
  if (!words_fit (command, words))
    return FALSE;
  *out_words = words != NULL ? g_steal_pointer (&words) : g_new0 (char *, 1);
  return TRUE;
}

int
command_misused (const Command *command, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *safe = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  safe = terminal_safe (text);
  fprintf (stderr, "cenote %s: %s (see 'cenote help %s')\n", command->name, safe, command->name);
  return EXIT_USAGE;
}

/* A keyfile's problem begins with the file, or with "(program)" where --set has made it. */
static gboolean
says_where (const char *line, const char *file)
{
  return g_str_has_prefix (line, "(program)") || (file != NULL && g_str_has_prefix (line, file));
}

int
command_failed (const Command *command, const char *file, const GError *error)
{
  g_auto (GStrv) lines = g_strsplit (error->message, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    g_autofree char *safe = terminal_safe (lines[i]);

    if (says_where (lines[i], file))
      fprintf (stderr, "%s\n", safe);
    else
      fprintf (stderr, "cenote %s: %s\n", command->name, safe);
  }
  return EXIT_FAILED;
}

const char *
command_nearest (const char *name, const Command *const *commands)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (; *commands != NULL; commands++)
    g_ptr_array_add (names, (gpointer) (*commands)->name);
  g_ptr_array_add (names, NULL);
  return option_nearest (name, (const char *const *) names->pdata);
}
