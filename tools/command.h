/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: what every command of `cenote` shares: its entry in the table, how it
 * reads its arguments, and how it speaks of errors.
 *
 * Results go to stdout, everything else to stderr.
 */
#ifndef CENOTE_TOOLS_COMMAND_H
#define CENOTE_TOOLS_COMMAND_H

#include <glib.h>

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct Command Command;
struct Command {
  const char *name;
  const char *arguments;     /* "FILE [POOL]" */
  const char *summary;       /* half a line, for the list of commands */
  const char *description;   /* a paragraph for its help */
  guint min_words;           /* how many words it takes besides its options */
  guint max_words;
  /* ARGV[0] is the command's name.  Returns one of EXIT_*. */
  int (*run) (const Command *command, int argc, char **argv);
};

extern const Command advise_command;
extern const Command call_command;
extern const Command check_command;
extern const Command explain_command;
extern const Command inspect_command;
extern const Command new_command;
extern const Command plugins_command;
extern const Command status_command;
extern const Command test_plugin_command;
extern const Command demo_command;

/* Reads the options ENTRIES (any number of NULL-ended tables) and leaves the
 * words, NULL-terminated, in OUT_WORDS (transfer full).  FALSE: wrong usage,
 * and stderr has been told.  `--help` prints the help and exits. */
gboolean command_parse (const Command *command, int argc, char **argv, char ***out_words, ...) G_GNUC_NULL_TERMINATED;

/* One line on stderr, with where to find help; returns EXIT_USAGE. */
int command_misused (const Command *command, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* ERROR on stderr, each line with the command's name before it, or as it is where
 * it begins with FILE (nullable) and so says itself where; returns EXIT_FAILED. */
int command_failed (const Command *command, const char *file, const GError *error);

/* The command that NAME most likely meant, or NULL. */
const char *command_nearest (const char *name, const Command *const *commands);

#endif
