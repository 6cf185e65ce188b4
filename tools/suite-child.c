/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suite-child: the child tells by lines on a pipe: "begin CHECK", "kept CHECK", "broken CHECK<tab>PROBLEM"
 * and at its end "end"; the problem is escaped.  See suite-child.h.
 */
#include "suite-child.h"

#include <errno.h>
#include <fcntl.h>
#include <grpc/grpc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/conformance.h"
#include "core/registry/plugin-load.h"

/* ------------------------------------------------------------------- child */

static Plugin *
load (gpointer data, GError **error)
{
  const SuiteRun *run = data;
  g_autofree char *path = g_canonicalize_filename (run->path, NULL);
  g_autofree char *name = NULL;
  CenotePluginKind kind;

  return plugin_path_parse (path, &kind, &name, error) ? plugin_load (path, kind, name, error) : NULL;
}

static void
tell (gpointer data, const ConformanceCheck *check, ConformanceVerdict verdict, const char *problem)
{
  static const char *const words[] = { "begin", "kept", "broken" };
  g_autofree char *escaped = g_strescape (problem ? problem : "", NULL);

  fprintf (data, "%s %s: %s\t%s\n", words[verdict], check->name, check->promise, escaped);
  fflush (data);
}

/* What the plugin prints is no result of ours: it goes to stderr. */
static G_NORETURN void
be_child (const SuiteRun *run, int fd)
{
  FILE *out = fdopen (fd, "w");

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  g_setenv ("GRPC_VERBOSITY", "NONE", FALSE); /* it is asked for targets that are none */
  grpc_init ();
  conformance_run_loading (load, (gpointer) run, run->settings, tell, out);
  fprintf (out, "end\n");
  fflush (out);
  _exit (0);
}

/* ------------------------------------------------------------------ parent */

typedef struct Parent {
  const SuiteRun *run;
  SuiteFunc func;
  gpointer data;
  GString *text;             /* read, and not a whole line yet */
  char *under_way;           /* the check that has begun (nullable) */
  gboolean has_ended;
} Parent;

static void
take_end_of_check (Parent *parent, const char *rest)
{
  g_auto (GStrv) parts = g_strsplit (rest, "\t", 2);
  g_autofree char *problem = g_strcompress (parts[1] ? parts[1] : "");

  parent->func (parent->data, parts[0], *problem ? problem : NULL);
  g_clear_pointer (&parent->under_way, g_free);
}

static void
take_line (Parent *parent, const char *line)
{
  const char *rest = strchr (line, ' ');

  if (g_str_equal (line, "end"))
    parent->has_ended = TRUE;
  else if (rest && g_str_has_prefix (line, "begin "))
    parent->under_way = g_strndup (rest + 1, strcspn (rest + 1, "\t"));
  else if (rest)
    take_end_of_check (parent, rest + 1);
}

static void
take_lines (Parent *parent)
{
  char *end;

  while ((end = strchr (parent->text->str, '\n'))) {
    g_autofree char *line = g_strndup (parent->text->str, end - parent->text->str);

    g_string_erase (parent->text, 0, end + 1 - parent->text->str);
    take_line (parent, line);
  }
}

/* FALSE: nothing was told in time. */
static gboolean
await (int fd, gint64 until_us)
{
  struct pollfd polled = { .fd = fd, .events = POLLIN };
  int n;

  do {
    gint64 left_ms = (until_us - g_get_monotonic_time () + 999) / 1000;

    n = poll (&polled, 1, (int) CLAMP (left_ms, 0, G_MAXINT));
  } while (n < 0 && errno == EINTR);
  return n > 0;
}

/* Until the child's end of the pipe is closed; FALSE: a check took too long. */
static gboolean
listen_to (Parent *parent, int fd)
{
  char buffer[4096];
  gssize n;

  do {
    if (!await (fd, g_get_monotonic_time () + (gint64) parent->run->limit_s * G_USEC_PER_SEC))
      return FALSE;
    n = read (fd, buffer, sizeof buffer);
    g_string_append_len (parent->text, buffer, MAX (n, 0));
    take_lines (parent);
  } while (n > 0);
  return TRUE;
}

static char *
say_end (int status)
{
  if (WIFSIGNALED (status))
    return g_strdup_printf ("the plugin was ended by signal %d (%s)", WTERMSIG (status), strsignal (WTERMSIG (status)));
  return g_strdup_printf ("the plugin ended the process, with exit status %d", WEXITSTATUS (status));
}

/* (transfer full) (nullable): what became of the child, where it did not come to its end. */
static char *
follow (Parent *parent, pid_t pid, int fd)
{
  gboolean in_time = listen_to (parent, fd);
  int status = 0;

  close (fd);
  if (!in_time)
    kill (pid, SIGKILL);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (!in_time)
    return g_strdup_printf ("not over after %u s", parent->run->limit_s);
  return parent->has_ended ? NULL : say_end (status);
}

/* -1: there is none; else its end of the pipe is at *OUT_FD. */
static pid_t
start_child (const SuiteRun *run, int *out_fd)
{
  int ends[2];
  pid_t pid;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    return -1;
  fflush (stdout);
  pid = fork ();
  if (pid == 0) {
    close (ends[0]);
    be_child (run, ends[1]);
  }
  close (ends[1]);
  if (pid < 0)
    close (ends[0]);
  *out_fd = ends[0];
  return pid;
}

gboolean
suite_child_run (const SuiteRun *run, SuiteFunc func, gpointer data, char **out_why)
{
  Parent parent = { .run = run, .func = func, .data = data };
  int fd;
  pid_t pid = start_child (run, &fd);

  if (pid < 0) {
    *out_why = g_strdup_printf ("no process can be started: %s", g_strerror (errno));
    return FALSE;
  }
  parent.text = g_string_new (NULL);
  *out_why = follow (&parent, pid, fd);
  if (*out_why && parent.under_way)
    func (data, parent.under_way, *out_why);
  g_free (parent.under_way);
  g_string_free (parent.text, TRUE);
  return *out_why == NULL;
}
