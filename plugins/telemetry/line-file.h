/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line-file: whole lines on their way into a file, a FIFO, a character device or stdout, by writes that do not wait.
 *
 * Owns the descriptor and at most LINE_FILE_ROOM bytes of lines that wait.  A line is taken whole or not at all;
 * of one that a write took in part the rest is written first, and only where its reader is gone, or the
 * file has given its name to another, is it lost.
 *
 * stdout belongs to the program: its flags stay, and a regular file keeps the one offset that both write at.
 *
 * One thread at a time.
 */
#ifndef CENOTE_PLUGINS_LINE_FILE_H
#define CENOTE_PLUGINS_LINE_FILE_H

#include <glib.h>

#define LINE_FILE_ROOM (256 * 1024)

typedef struct LineFile LineFile;

/* PATH NULL: stdout.  A file that is not there yet is made by the first write or look, not here.
 * NULL: *OUT_PROBLEM (transfer full) says why not, and what would be right. */
LineFile *line_file_new (const char *path, char **out_problem);
/* Writes what it can, once more. */
void line_file_free (LineFile *file);

/* "path: '/var/log/x'", or "stdout". */
const char *line_file_name (const LineFile *file);
/* Takes LINE, which ends with its newline.  FALSE: there is no room. */
gboolean line_file_add (LineFile *file, const char *line, gsize length);
/* Writes as much as can be written now.  TRUE: nothing waits any more. */
gboolean line_file_write (LineFile *file);
/* Opens anew where the name is another file's by now, or nobody's: what logrotate and mv leave behind. */
void line_file_look (LineFile *file);

gsize line_file_waiting (const LineFile *file);
/* The errno of why something waits; 0: nothing does, or it was not tried yet. */
int line_file_error (const LineFile *file);
/* Lines that were taken and then lost, since the last call. */
guint line_file_take_lost (LineFile *file);

#endif
