/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child: a server in a process of its own, for tests and benches.
 *
 * It is spoken to by lines: its stdin and stdout are ours.  Our servers end when
 * their stdin does, so none outlives a test that dies; a foreign one is started
 * under setpriv --pdeathsig.
 *
 * One thread at a time may use a Child.
 */
#ifndef CENOTE_TESTS_CHILD_H
#define CENOTE_TESTS_CHILD_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct Child Child;

/* Starts the program ARGV[0] (looked for in PATH).  NULL: it cannot be started; the reason is on stderr.
 * LOG_FILE: where its stdout and stderr go, in place of the lines; or NULL. */
Child *child_start (const char *const *argv, const char *log_file);
/* Kills it, waits for its end, and frees. */
void child_free (Child *child);
/* Sends SIGNAL (SIGSTOP, SIGCONT). */
void child_signal (Child *child, int signal);
/* SIGKILL: returns when it is gone. */
void child_kill (Child *child);
/* SIGTERM: returns when it has ended. */
void child_end (Child *child);

/* (transfer full) (nullable): the next line, without its end; NULL: none within 30 s, or it has ended. */
char *child_read (Child *child);
/* LINE and its end.  FALSE: it has ended. */
gboolean child_write (Child *child, const char *line);
/* (transfer full) (nullable): what it answers to LINE. */
char *child_ask (Child *child, const char *line);

/* The program PATH of the build tree ($abs_top_builddir, else the working directory).  (transfer full) */
char *child_program (const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Child, child_free)

G_END_DECLS

#endif
