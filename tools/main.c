/* SPDX-License-Identifier: Apache-2.0 */
/* cenote: the command.  Finds the command that was named and runs it. */
#include <cenote/version.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "log-writer.h"
#include "terminal.h"

static const Command *const commands[] = {
  &check_command,       &explain_command, &plugins_command, &inspect_command, &new_command,
  &test_plugin_command, &status_command,  &call_command,    &advise_command,  &demo_command, NULL,
};

static const Command *
find (const char *name)
{
  for (guint i = 0; commands[i] != NULL; i++)
    if (g_str_equal (commands[i]->name, name))
      return commands[i];
  return NULL;
}

static int
help (void)
{
  printf ("cenote keeps gRPC channels; this command looks after keyfiles, plugins and pools.\n\n"
          "Usage: cenote COMMAND [OPTION...] ...\n\n");
  for (guint i = 0; commands[i] != NULL; i++) {
    g_autofree char *usage = g_strdup_printf ("%s %s", commands[i]->name, commands[i]->arguments);

    printf ("  %-22s %s\n", usage, commands[i]->summary);
  }
  printf ("  %-22s %s\n\n", "help [COMMAND]", "this list, or what COMMAND does and its options");
  printf ("Exit status: 0 good, 1 the check failed, 2 wrong usage.  See cenote(1) and cenote.conf(5).\n");
  return EXIT_GOOD;
}

static int
unknown (const char *name)
{
  const char *nearest = command_nearest (name, commands);
  g_autofree char *safe = terminal_safe (name);

  if (nearest != NULL)
    fprintf (stderr, "cenote: there is no command '%s'; did you mean '%s'? (see 'cenote help')\n", safe, nearest);
  else
    fprintf (stderr, "cenote: there is no command '%s' (see 'cenote help')\n", safe);
  return EXIT_USAGE;
}

static int
help_on (const char *name)
{
  const Command *command = find (name);
  char *arguments[] = { (char *) name, (char *) "--help", NULL };

  return command != NULL ? command->run (command, 2, arguments) : unknown (name);
}

static int
dispatch (int argc, char **argv)
{
  const Command *command;

  if (argc < 2) {
    fprintf (stderr, "cenote: which command? (see 'cenote help')\n");
    return EXIT_USAGE;
  }
  if (g_str_equal (argv[1], "help") && argc == 3)
    return help_on (argv[2]);
  if (argc == 2 && (g_str_equal (argv[1], "help") || g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h")))
    return help ();
  if (argc == 2 && g_str_equal (argv[1], "--version")) {
    printf ("cenote %s\n", cenote_version ());
    return EXIT_GOOD;
  }
  command = find (argv[1]);
  return command != NULL ? command->run (command, argc - 1, argv + 1) : unknown (argv[1]);
}

int
main (int argc, char **argv)
{
  int status;

  setlocale (LC_CTYPE, "");
  log_writer_install ();
  status = dispatch (argc, argv);
  if (fflush (stdout) != 0 || ferror (stdout)) {
    fprintf (stderr, "cenote: what it found cannot be written to stdout\n");
    return EXIT_FAILED;
  }
  return status;
}
