/* SPDX-License-Identifier: Apache-2.0 */
/* cenote test-plugin FILE.so: whether a plugin keeps the promises of its kind, in TAP. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "suite-child.h"
#include "terminal.h"

enum { LIMIT_S = 60, LIMIT_MAX_S = 86400 };

typedef struct Tally {
  guint checks;
  guint broken;
} Tally;

static void
print_problem (const char *problem)
{
  g_auto (GStrv) lines = g_strsplit (problem, "\n", -1);

  for (char **line = lines; *line != NULL; line++) {
    g_autofree char *safe = terminal_safe (*line);

    printf ("# %s\n", safe);
  }
}

static void
print_check (gpointer data, const char *check, const char *problem)
{
  Tally *tally = data;

  tally->checks++;
  tally->broken += problem != NULL;
  printf ("%s %u - %s\n", problem != NULL ? "not ok" : "ok", tally->checks, check);
  if (problem != NULL)
    print_problem (problem);
  fflush (stdout);
}

/* FALSE, and stderr has been told. */
static gboolean
settings_are_well_formed (const Command *command, char **settings)
{
  for (char **setting = settings; setting != NULL && *setting != NULL; setting++) {
    if (strchr (*setting, '=') == NULL || **setting == '=') {
      command_misused (command, "--set %s: expected KEY=VALUE", *setting);
      return FALSE;
    }
  }
  return TRUE;
}

static int
test (const SuiteRun *suite)
{
  g_autofree char *why = NULL;
  Tally tally = { 0, 0 };

  if (!suite_child_run (suite, print_check, &tally, &why))
    printf ("Bail out! %s\n", why);
  else
    printf ("1..%u\n", tally.checks);
  return why == NULL && tally.broken == 0 ? EXIT_GOOD : EXIT_FAILED;
}

static int
run (const Command *command, int argc, char **argv)
{
  g_auto (GStrv) words = NULL;
  g_auto (GStrv) settings = NULL;
  int limit_s = LIMIT_S;
  const GOptionEntry entries[] = {
    { "set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &settings,
      "Give the plugin's option KEY this VALUE in all checks", "KEY=VALUE" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &limit_s, "How long one check may take (60)", "SECONDS" },
    G_OPTION_ENTRY_NULL
  };

  if (!command_parse (command, argc, argv, &words, entries, NULL))
    return EXIT_USAGE;
  if (limit_s < 1 || limit_s > LIMIT_MAX_S)
    return command_misused (command, "--timeout %d: expected 1 to %d seconds", limit_s, LIMIT_MAX_S);
  if (!settings_are_well_formed (command, settings))
    return EXIT_USAGE;
  return test (&(SuiteRun) { words[0], (const char *const *) settings, (guint) limit_s });
}

const Command test_plugin_command = {
  .name = "test-plugin",
  .arguments = "FILE.so",
  .summary = "whether a plugin keeps the promises of its kind",
  .description = "Puts the plugin in FILE.so to the conformance suite of its kind, in a process of its own, and\n"
                 "reports each check in TAP.  Exits 0 where all are kept.",
  .min_words = 1,
  .max_words = 1,
  .run = run,
};
