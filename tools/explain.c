/* SPDX-License-Identifier: Apache-2.0 */
/* cenote explain FILE: every effective value, and where it comes from. */
#include <stdio.h>

#include "command.h"
#include "keyfile.h"

static int
run (const Command *command, int argc, char **argv)
{
  g_auto (Keyfile) keyfile = { .config = NULL };
  g_autofree GOptionEntry *keyfile_entries = keyfile_options (&keyfile);
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    G_OPTION_ENTRY_NULL
  };
  g_auto (GStrv) words = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (!command_parse (command, argc, argv, &words, entries, keyfile_entries, NULL))
    return EXIT_USAGE;
  if (!keyfile_open (&keyfile, words[0], NULL, &error))
    return command_failed (command, words[0], error);
  text = cenote_config_explain (keyfile.config, keyfile.registry, json, &error);
  if (text == NULL)
    return command_failed (command, words[0], error);
  printf ("%s%s", text, g_str_has_suffix (text, "\n") ? "" : "\n");
  return EXIT_GOOD;
}

const Command explain_command = {
  .name = "explain",
  .arguments = "FILE",
  .summary = "every effective value, and where it comes from",
  .description = "Prints every value that FILE's process, pools and plugins would run with, and where each\n"
                 "comes from: a default, a profile, a line of the keyfile, or --set.  Opens no connection.",
  .min_words = 1,
  .max_words = 1,
  .run = run,
};
