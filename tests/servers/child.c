/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 30000

extern char **environ;

struct Child {
  pid_t pid;                 /* 0: gone */
  int line;                  /* the other end of its stdin and stdout */
  GString *unread;
};

static int
spawn (pid_t *out_pid, const char *const *argv, const char *log_file, int line)
{
  posix_spawn_file_actions_t actions;
  int error;

  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, line, STDIN_FILENO);
  if (log_file == NULL) {
    posix_spawn_file_actions_adddup2 (&actions, line, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen (&actions, STDOUT_FILENO, log_file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2 (&actions, STDOUT_FILENO, STDERR_FILENO);
  }
  error = posix_spawnp (out_pid, argv[0], &actions, NULL, (char *const *) argv, environ);
  posix_spawn_file_actions_destroy (&actions);
  return error;
}

Child *
child_start (const char *const *argv, const char *log_file)
{
  int ends[2];
  Child *child;
  pid_t pid;
  int error;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return NULL;
  error = spawn (&pid, argv, log_file, ends[1]);
  close (ends[1]);
  if (error != 0) {
    fprintf (stderr, "%s cannot be started: %s\n", argv[0], g_strerror (error));
    close (ends[0]);
    return NULL;
  }
  child = g_new0 (Child, 1);
  child->pid = pid;
  child->line = ends[0];
  child->unread = g_string_new (NULL);
  return child;
}

void
child_signal (Child *child, int signal)
{
  if (child->pid != 0)
    kill (child->pid, signal);
}

static void
end_by (Child *child, int signal)
{
  if (child->pid == 0)
    return;
  kill (child->pid, signal);
  while (waitpid (child->pid, NULL, 0) < 0 && errno == EINTR)
    continue;
  child->pid = 0;
}

void
child_kill (Child *child)
{
  end_by (child, SIGKILL);
}

void
child_end (Child *child)
{
  end_by (child, SIGTERM);
}

void
child_free (Child *child)
{
  if (child == NULL)
    return;
  child_kill (child);
  close (child->line);
  g_string_free (child->unread, TRUE);
  g_free (child);
}

/* ------------------------------------------------------------------- lines */

static char *
take_line (GString *unread)
{
  const char *end = strchr (unread->str, '\n');
  char *line;

  if (end == NULL)
    return NULL;
  line = g_strndup (unread->str, (gsize) (end - unread->str));
  g_string_erase (unread, 0, end - unread->str + 1);
  return line;
}

/* FALSE: nothing came for long, or nothing will. */
static gboolean
read_more (Child *child)
{
  struct pollfd fd = { .fd = child->line, .events = POLLIN };
  char bytes[4096];
  ssize_t n;

  if (poll (&fd, 1, PATIENCE_MS) <= 0)
    return FALSE;
  n = read (child->line, bytes, sizeof bytes);
  if (n <= 0)
    return FALSE;
  g_string_append_len (child->unread, bytes, n);
  return TRUE;
}

char *
child_read (Child *child)
{
  char *line;

  while ((line = take_line (child->unread)) == NULL)
    if (!read_more (child))
      return NULL;
  return line;
}

gboolean
child_write (Child *child, const char *line)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);
  gsize length = strlen (text);

  return send (child->line, text, length, MSG_NOSIGNAL) == (ssize_t) length;
}

char *
child_ask (Child *child, const char *line)
{
  return child_write (child, line) ? child_read (child) : NULL;
}

char *
child_program (const char *path)
{
  const char *top = g_getenv ("abs_top_builddir");

  return g_build_filename (top == NULL ? "." : top, path, NULL);
}
