/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child-run: a function run in a child process: what it wrote, and how it ended.
 *
 * For code that may end, crash or hang the process that it runs in.  The caller
 * has no other thread: the child is a fork of it, with its memory as it was.
 */
#ifndef CENOTE_TOOLS_CHILD_RUN_H
#define CENOTE_TOOLS_CHILD_RUN_H

#include <glib.h>

typedef enum ChildEnd {
  CHILD_RETURNED,            /* the function returned */
  CHILD_EXITED,              /* the process exited before; code: its status */
  CHILD_SIGNALLED,           /* a signal ended it; code: which one */
  CHILD_OVERDUE              /* it was killed when its time was over; code: that time in ms */
} ChildEnd;

typedef struct ChildRun {
  ChildEnd end;
  int code;
  GString *output;           /* all that was written to FD; what else it printed went to stderr */
} ChildRun;

/* In the child: writes what there is to say, text, to FD. */
typedef void (*ChildFunc) (int fd, gpointer data);

/* Runs FUNC and waits for its end, for LIMIT_MS at the longest.
 * FALSE: G_SPAWN_ERROR or G_UNIX_ERROR where the system gives no process or pipe. */
gboolean child_run (ChildFunc func, gpointer data, guint limit_ms, ChildRun *out_run, GError **error);

/* In the parent: OUTPUT has grown; what has been read of it may be taken out. */
typedef void (*ChildListener) (GString *output, gpointer data);

/* The same with a LISTENER; LIMIT_MS begins anew with whatever the child writes. */
gboolean child_run_listening (ChildFunc func, gpointer data, guint limit_ms, ChildListener listener,
                              gpointer listener_data, ChildRun *out_run, GError **error);
void child_run_clear (ChildRun *run);

/* (transfer full): "exited with status 3", "was ended by signal 6 (Aborted)", "did not end within 10 s"; "returned". */
char *child_run_describe_end (const ChildRun *run);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ChildRun, child_run_clear)

#endif
