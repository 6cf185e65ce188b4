/* SPDX-License-Identifier: Apache-2.0 */
/* child-run: fork, read, wait.  See child-run.h. */
#include "child-run.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that writes more than this has lost its way. */
#define MAX_OUTPUT_BYTES (16u << 20)

/* Written last, behind the text, once the function has returned: an exit status may be anybody's. */
#define RETURNED '\0'

/* --------------------------------------------------------------- in the child */

/* stdout belongs to whoever started us, and a core file would be nobody's; nor does anybody else end us. */
static void
go_quiet (void)
{
  const struct rlimit none = { 0, 0 };

  (void) prctl (PR_SET_PDEATHSIG, SIGKILL);
  (void) dup2 (STDERR_FILENO, STDOUT_FILENO);
  (void) setrlimit (RLIMIT_CORE, &none);
}

static void
run_here (ChildFunc func, gpointer data, int fd)
{
  go_quiet ();
  func (fd, data);
  (void) fflush (NULL);
  if (write (fd, &(char) { RETURNED }, 1) != 1)
    _exit (1);
  _exit (0);
}

/* -------------------------------------------------------------- in the parent */

/* One child and who listens to it. */
typedef struct Watch {
  pid_t child;
  int fd;
  guint limit_ms;
  ChildListener listener;    /* (nullable) */
  gpointer listener_data;
  gint64 deadline_us;
} Watch;

static void
give_time (Watch *watch)
{
  watch->deadline_us = g_get_monotonic_time () + (gint64) watch->limit_ms * 1000;
}

/* FALSE when the time is over. */
static gboolean
await_bytes (const Watch *watch)
{
  for (;;) {
    gint64 left_ms = (watch->deadline_us - g_get_monotonic_time () + 999) / 1000;
    struct pollfd wanted = { watch->fd, POLLIN, 0 };
    int n = left_ms > 0 ? poll (&wanted, 1, (int) MIN (left_ms, G_MAXINT)) : 0;

    if (n >= 0 || errno != EINTR)
      return n > 0;
  }
}

/* FALSE at the end of all. */
static gboolean
read_some (int fd, GString *output)
{
  char bytes[4096];
  ssize_t n;

  do
    n = read (fd, bytes, sizeof bytes);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    g_string_append_len (output, bytes, n);
  return n > 0 && output->len < MAX_OUTPUT_BYTES;
}

static void
tell_listener (Watch *watch, GString *output)
{
  if (!watch->listener)
    return;
  watch->listener (output, watch->listener_data);
  give_time (watch);
}

/* FALSE when the time is over before the child's end. */
static gboolean
read_all (Watch *watch, GString *output)
{
  while (await_bytes (watch)) {
    if (!read_some (watch->fd, output))
      return TRUE;
    tell_listener (watch, output);
  }
  return FALSE;
}

/* How it ended; one that still runs has closed its end of the pipe, and is ended. */
static int
reap (pid_t child)
{
  int status = 0;

  (void) kill (child, SIGKILL);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  return status;
}

static gboolean
take_returned (GString *output)
{
  gboolean has_returned = output->len > 0 && output->str[output->len - 1] == RETURNED;

  if (has_returned)
    g_string_truncate (output, output->len - 1);
  return has_returned;
}

static void
watch_to_its_end (Watch *watch, ChildRun *out_run)
{
  GString *output = g_string_new (NULL);
  gboolean in_time;
  int status;

  give_time (watch);
  in_time = read_all (watch, output);
  status = reap (watch->child);
  if (take_returned (output))
    *out_run = (ChildRun) { CHILD_RETURNED, 0, output };
  else if (!in_time)
    *out_run = (ChildRun) { CHILD_OVERDUE, (int) watch->limit_ms, output };
  else if (WIFSIGNALED (status))
    *out_run = (ChildRun) { CHILD_SIGNALLED, WTERMSIG (status), output };
  else
    *out_run = (ChildRun) { CHILD_EXITED, WEXITSTATUS (status), output };
}

gboolean
child_run (ChildFunc func, gpointer data, guint limit_ms, ChildRun *out_run, GError **error)
{
  return child_run_listening (func, data, limit_ms, NULL, NULL, out_run, error);
}

gboolean
child_run_listening (ChildFunc func, gpointer data, guint limit_ms, ChildListener listener, gpointer listener_data,
                     ChildRun *out_run, GError **error)
{
  int ends[2];
  Watch watch = { -1, -1, limit_ms, listener, listener_data, 0 };

  if (!g_unix_open_pipe (ends, FD_CLOEXEC, error))
    return FALSE;
  (void) fflush (NULL);      /* or the child would print it, too */
  watch.fd = ends[0];
  watch.child = fork ();
  if (watch.child == 0)
    run_here (func, data, ends[1]);
  close (ends[1]);
  if (watch.child > 0)
    watch_to_its_end (&watch, out_run);
  else
    g_set_error (error, G_SPAWN_ERROR, G_SPAWN_ERROR_FORK, "no child process: %s", g_strerror (errno));
  close (ends[0]);
  return watch.child > 0;
}

void
child_run_clear (ChildRun *run)
{
  if (run->output)
    g_string_free (g_steal_pointer (&run->output), TRUE);
}

char *
child_run_describe_end (const ChildRun *run)
{
  switch (run->end) {
  case CHILD_RETURNED:
    break;
  case CHILD_EXITED:
    return g_strdup_printf ("exited with status %d", run->code);
  case CHILD_SIGNALLED:
    return g_strdup_printf ("was ended by signal %d (%s)", run->code, g_strsignal (run->code));
  case CHILD_OVERDUE:
    return g_strdup_printf ("did not end within %g s", run->code / 1000.0);
  }
  return g_strdup ("returned");
}
