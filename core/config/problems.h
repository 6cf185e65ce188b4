/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problems: everything that is wrong with a keyfile, one line each, sorted by line.
 *
 * A line reads `FILE:LINE: [group] key: what is wrong (what would be right)`;
 * LINE is left out where it is 0, group and key where they are NULL, and
 * `(program)` stands in place of FILE:LINE for what the program has set.
 * Control characters are written as \xNN, so a problem is one line whatever the
 * keyfile holds.
 */
#ifndef CENOTE_CORE_PROBLEMS_H
#define CENOTE_CORE_PROBLEMS_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct Problems Problems;

/* The line of what comes from no file but from the program (the layer above); sorts last. */
#define PROBLEMS_PROGRAM G_MAXUINT

/* More than this are counted, not kept: the last line then says how many. */
#define PROBLEMS_MAX 1000
/* A longer one is cut, in bytes. */
#define PROBLEM_LENGTH_MAX 4096

Problems *problems_new (const char *file);
void problems_free (Problems *problems);
void problems_add (Problems *problems, guint line, const char *group, const char *key, const char *format, ...)
  G_GNUC_PRINTF (5, 6);
/* Adds copies of OTHERS, with their places. */
void problems_add_all (Problems *problems, const Problems *others);
guint problems_count (const Problems *problems);
/* (transfer full): sorted by line, then in the order of adding; joined by newlines; identical lines once. */
char *problems_to_string (const Problems *problems);
/* (transfer full): the same as a NULL-terminated array. */
char **problems_to_strv (const Problems *problems);
/* FALSE, and ERROR set in CENOTE_ERROR_CONFIG with problems_to_string(), where there are any; else TRUE. */
gboolean problems_check (const Problems *problems, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Problems, problems_free)

G_END_DECLS

#endif
