/* SPDX-License-Identifier: Apache-2.0 */
#include "line-file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0640
#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

/* How a write is kept from waiting. */
typedef enum {
  WAY_NONBLOCKING,           /* the descriptor does not wait */
  WAY_FILE,                  /* a regular file's never does */
  WAY_SOCKET,                /* each send says that it does not */
  WAY_ASKED                  /* it would: asked for room first, and given no more than a pipe surely takes */
} Way;

struct LineFile {
  char *path;                /* NULL: stdout */
  char *name;
  int fd;                    /* -1: not open */
  Way way;
  dev_t device;              /* of the open file */
  ino_t inode;
  GString *lines;            /* those that wait */
  gsize written;             /* bytes at their head that are out */
  guint lost;
  int error;
};

/* ----------------------------------------------------------------- opening */

static const char *
type_name (mode_t mode)
{
  return S_ISDIR (mode) ? "a directory" : S_ISSOCK (mode) ? "a socket" : S_ISBLK (mode) ? "a block device" : "no file";
}

static gboolean
is_writable_type (mode_t mode)
{
  return S_ISREG (mode) || S_ISFIFO (mode) || S_ISCHR (mode);
}

/* The file of PATH; -1: errno says why not. */
static int
open_path (const char *path, int more_flags, struct stat *out_stat)
{
  int fd = open (path, OPEN_FLAGS | more_flags, FILE_MODE);

  if (fd < 0)
    return -1;
  if (fstat (fd, out_stat) == 0 && is_writable_type (out_stat->st_mode))
    return fd;
  (void) close (fd);
  errno = EINVAL;
  return -1;
}

static void
take_descriptor (LineFile *file, int fd, const struct stat *status)
{
  if (file->fd >= 0)
    (void) close (file->fd);
  file->fd = fd;
  file->way = S_ISREG (status->st_mode) ? WAY_FILE : WAY_NONBLOCKING;
  file->device = status->st_dev;
  file->inode = status->st_ino;
  file->error = 0;
}

/* Where the new one cannot be opened, what was open stays open. */
static gboolean
reopen (LineFile *file)
{
  struct stat status;
  int fd = open_path (file->path, O_CREAT, &status);

  if (fd < 0)
    file->error = errno;
  else
    take_descriptor (file, fd, &status);
  return fd >= 0;
}

/* Why a file could not be made at PATH, where there is none; NULL: it could. */
static char *
problem_with_making (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);

  if (access (directory, F_OK) != 0)
    return g_strdup_printf ("path: '%s': there is no directory '%s'; one that is there would do", path, directory);
  if (faccessat (AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) != 0)
    return g_strdup_printf ("path: '%s': no file can be made in '%s': %s; a directory that this user may write to would do",
                            path, directory, g_strerror (errno));
  return NULL;
}

static char *
problem_with_type (const char *path, mode_t mode)
{
  return g_strdup_printf ("path: '%s' is %s; a file, a FIFO or a character device would do%s", path, type_name (mode),
                          S_ISSOCK (mode) ? ", or for standard output '-'" : "");
}

static char *
problem_with_opening (const char *path)
{
  return g_strdup_printf ("path: '%s': %s; a file that this user may write to would do", path, g_strerror (errno));
}

/* A file that is there is opened, one that is not is left to the first write, and so is a FIFO that nobody reads. */
static char *
problem_with_path (LineFile *file)
{
  struct stat status;
  int fd;

  if (stat (file->path, &status) != 0)
    return errno == ENOENT ? problem_with_making (file->path) : problem_with_opening (file->path);
  if (!is_writable_type (status.st_mode))
    return problem_with_type (file->path, status.st_mode);
  fd = open_path (file->path, 0, &status);
  if (fd < 0)
    return errno == ENXIO ? NULL : problem_with_opening (file->path);
  take_descriptor (file, fd, &status);
  return NULL;
}

/* A descriptor of stdout that does not wait.  The flags of the program's own would change for the program too, so a
 * pipe or a terminal is opened again; a regular file is not, because it would get a second offset. */
static char *
problem_with_stdout (LineFile *file)
{
  struct stat status;

  if (fstat (STDOUT_FILENO, &status) != 0)
    return g_strdup_printf ("path: standard output: %s; the path of a file would do", g_strerror (errno));
  if (S_ISFIFO (status.st_mode) || S_ISCHR (status.st_mode))
    file->fd = open ("/proc/self/fd/1", OPEN_FLAGS);
  if (file->fd >= 0)
    return NULL;
  file->fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  file->way = S_ISREG (status.st_mode) ? WAY_FILE : S_ISSOCK (status.st_mode) ? WAY_SOCKET : WAY_ASKED;
  return file->fd >= 0 ? NULL : g_strdup_printf ("path: standard output: %s", g_strerror (errno));
}

LineFile *
line_file_new (const char *path, char **out_problem)
{
  LineFile *file = g_new0 (LineFile, 1);
  char *problem;

  file->fd = -1;
  file->path = g_strdup (path);
  file->name = path != NULL ? g_strdup_printf ("path: '%s'", path) : g_strdup ("stdout");
  file->lines = g_string_new (NULL);
  problem = path != NULL ? problem_with_path (file) : problem_with_stdout (file);
  if (problem == NULL)
    return file;
  *out_problem = problem;
  line_file_free (file);
  return NULL;
}

void
line_file_free (LineFile *file)
{
  if (file == NULL)
    return;
  (void) line_file_write (file);
  if (file->fd >= 0)
    (void) close (file->fd);
  g_string_free (file->lines, TRUE);
  g_free (file->name);
  g_free (file->path);
  g_free (file);
}

/* ----------------------------------------------------------------- writing */

/* write() that a reader who is gone answers by EPIPE alone, also on a thread of the program's. */
static gssize
write_without_signal (int fd, const char *bytes, gsize n)
{
  const struct timespec none = { 0, 0 };
  sigset_t pipe, pending, before;
  gssize result;
  int error;

  sigemptyset (&pipe);
  sigaddset (&pipe, SIGPIPE);
  sigpending (&pending);
  pthread_sigmask (SIG_BLOCK, &pipe, &before);
  result = write (fd, bytes, n);
  error = errno;
  if (result < 0 && error == EPIPE && !sigismember (&pending, SIGPIPE))
    (void) sigtimedwait (&pipe, NULL, &none);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  errno = error;
  return result;
}

static gssize
write_where_there_is_room (int fd, const char *bytes, gsize n)
{
  struct pollfd room = { fd, POLLOUT, 0 };

  if (poll (&room, 1, 0) == 1)
    return write_without_signal (fd, bytes, MIN (n, PIPE_BUF));
  errno = EAGAIN;
  return -1;
}

static gssize
write_some (LineFile *file, const char *bytes, gsize n)
{
  switch (file->way) {
  case WAY_SOCKET:
    return send (file->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
  case WAY_ASKED:
    return write_where_there_is_room (file->fd, bytes, n);
  case WAY_FILE:
    return write (file->fd, bytes, n);
  case WAY_NONBLOCKING:
    break;
  }
  return write_without_signal (file->fd, bytes, n);
}

/* Nobody is to read the rest of a line whose head went elsewhere. */
static void
lose_rest_of_line (LineFile *file)
{
  const char *rest = file->lines->str + file->written;

  if (file->written == 0 || rest[-1] == '\n')
    return;
  file->written = (gsize) (strchr (rest, '\n') + 1 - file->lines->str);
  file->lost++;
}

/* A FIFO's next reader begins with a line. */
static void
leave_reader (LineFile *file)
{
  lose_rest_of_line (file);
  if (file->path == NULL)
    return;
  (void) close (file->fd);
  file->fd = -1;
}

static void
forget_written (LineFile *file)
{
  g_string_erase (file->lines, 0, (gssize) file->written);
  file->written = 0;
}

gboolean
line_file_write (LineFile *file)
{
  if (line_file_waiting (file) == 0)
    return TRUE;
  if (file->fd < 0 && !reopen (file))
    return FALSE;

  file->error = 0;
  while (line_file_waiting (file) > 0 && file->error == 0) {
    gssize n = write_some (file, file->lines->str + file->written, line_file_waiting (file));

    if (n > 0)
      file->written += (gsize) n;
    else if (n == 0 || errno != EINTR)
      file->error = n == 0 ? EAGAIN : errno;
  }
  if (file->error == EPIPE || file->error == ECONNRESET)
    leave_reader (file);
  if (file->error == 0)
    forget_written (file);
  return file->error == 0;
}

gboolean
line_file_add (LineFile *file, const char *line, gsize length)
{
  if (line_file_waiting (file) + length > LINE_FILE_ROOM)
    return FALSE;
  if (file->lines->len + length > LINE_FILE_ROOM && file->written > 0) {
    gboolean inside = file->lines->str[file->written - 1] != '\n';

    /* One byte of what is out stays, so that it is seen to be inside a line. */
    g_string_erase (file->lines, 0, (gssize) (file->written - inside));
    file->written = inside;
  }
  g_string_append_len (file->lines, line, (gssize) length);
  return TRUE;
}

/* ---------------------------------------------------------------- rotation */

static gboolean
name_has_gone (const LineFile *file)
{
  struct stat status;

  return stat (file->path, &status) != 0 || status.st_dev != file->device || status.st_ino != file->inode;
}

void
line_file_look (LineFile *file)
{
  if (file->path == NULL || (file->fd >= 0 && !name_has_gone (file)))
    return;
  if (file->fd >= 0)
    (void) line_file_write (file);
  if (reopen (file))
    lose_rest_of_line (file);
}

/* ------------------------------------------------------------------- state */

const char *
line_file_name (const LineFile *file)
{
  return file->name;
}

gsize
line_file_waiting (const LineFile *file)
{
  return file->lines->len - file->written;
}

int
line_file_error (const LineFile *file)
{
  return file->error;
}

guint
line_file_take_lost (LineFile *file)
{
  guint lost = file->lost;

  file->lost = 0;
  return lost;
}
