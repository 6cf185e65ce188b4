/* SPDX-License-Identifier: Apache-2.0 */
#include "tls-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------ stamps */

static TlsStamp
stamp_of (const struct stat *info)
{
  return (TlsStamp) {
    .device = info->st_dev,
    .inode = info->st_ino,
    .size = info->st_size,
    .written = info->st_mtim,
    .changed = info->st_ctim,
  };
}

TlsStamp
tls_file_look (const char *path)
{
  struct stat info;

  return stat (path, &info) == 0 ? stamp_of (&info) : (TlsStamp) { 0 };
}

static gboolean
is_same_time (const struct timespec *a, const struct timespec *b)
{
  return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

gboolean
tls_stamp_equal (const TlsStamp *a, const TlsStamp *b)
{
  return a->device == b->device && a->inode == b->inode && a->size == b->size
         && is_same_time (&a->written, &b->written) && is_same_time (&a->changed, &b->changed);
}

/* ----------------------------------------------------------------- reading */

static const char *
describe_mode (mode_t mode)
{
  switch (mode & S_IFMT) {
  case S_IFDIR:
    return "is a directory (expected a regular file)";
  case S_IFIFO:
    return "is a FIFO (expected a regular file)";
  case S_IFSOCK:
    return "is a socket (expected a regular file)";
  default:
    return "is a device (expected a regular file)";
  }
}

/* (transfer full) (nullable): why what INFO describes is not read. */
static char *
find_fault (const struct stat *info)
{
  if (!S_ISREG (info->st_mode))
    return g_strdup (describe_mode (info->st_mode));
  if (info->st_size > TLS_FILE_MAX_BYTES)
    return g_strdup_printf ("has %" G_GINT64_FORMAT " bytes (expected at most %u)", (gint64) info->st_size,
                            TLS_FILE_MAX_BYTES);
  if (info->st_size == 0)
    return g_strdup ("is empty");
  return NULL;
}

/* (transfer full) (nullable): a file that shrinks under us is one that is being written.  One that grows was
 * read as it was. */
static char *
read_text (int fd, gsize size, char **out_fault)
{
  char *text = g_malloc (size + 1);
  gsize n = 0;
  gssize step = 1;

  while (n < size && step > 0) {
    step = read (fd, text + n, size - n);
    if (step < 0 && errno == EINTR)
      step = 1;
    else if (step > 0)
      n += (gsize) step;
  }
  text[n] = '\0';
  if (step < 0)
    *out_fault = g_strdup_printf ("cannot be read: %s", g_strerror (errno));
  else if (n < size)
    *out_fault = g_strdup ("became shorter while it was read");
  else if (strlen (text) < size)
    *out_fault = g_strdup ("has a NUL byte in it (expected PEM, which is text)");
  else
    return text;
  explicit_bzero (text, n);
  g_free (text);
  return NULL;
}

static gboolean
read_open (int fd, TlsFile *out_file, char **out_fault)
{
  struct stat info;
  char *text;

  if (fstat (fd, &info) != 0)
    *out_fault = g_strdup_printf ("cannot be looked at: %s", g_strerror (errno));
  else
    *out_fault = find_fault (&info);
  if (*out_fault)
    return FALSE;
  text = read_text (fd, (gsize) info.st_size, out_fault);
  if (!text)
    return FALSE;
  *out_file = (TlsFile) { .text = text, .stamp = stamp_of (&info), .mode = info.st_mode };
  return TRUE;
}

gboolean
tls_file_read (const char *path, TlsFile *out_file, char **out_fault)
{
  int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  gboolean done;

  if (fd < 0) {
    *out_fault = g_strdup_printf ("cannot be opened: %s", g_strerror (errno));
    return FALSE;
  }
  done = read_open (fd, out_file, out_fault);
  close (fd);
  return done;
}

void
tls_file_clear (TlsFile *file)
{
  if (file->text)
    explicit_bzero (file->text, strlen (file->text));
  g_clear_pointer (&file->text, g_free);
}
