/* SPDX-License-Identifier: Apache-2.0 */
/* text-file: reads a small regular file, and nothing that could hang or swamp us. */
#include "text-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quantity.h"

static gboolean
fail_with_errno (const char *path, const char *verb, GError **error)
{
  int code = errno;
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, CENOTE_ERROR, code == ENOENT || code == ENOTDIR ? CENOTE_ERROR_NOT_FOUND : CENOTE_ERROR_CONFIG,
               "%s: cannot be %s: %s", name, verb, g_strerror (code));
  return FALSE;
}

static gboolean
fail (const char *path, const char *what, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG, "%s: %s", name, what);
  return FALSE;
}

static gboolean
fail_too_large (const char *path, gsize max, GError **error)
{
  g_autofree char *limit = quantity_write_size ((gint64) max);
  g_autofree char *what = g_strdup_printf ("is larger than %s", limit);

  return fail (path, what, error);
}

static const char *
describe_mode (mode_t mode)
{
  switch (mode & S_IFMT) {
  case S_IFDIR:
    return "is a directory, not a regular file";
  case S_IFIFO:
    return "is a FIFO, not a regular file";
  case S_IFSOCK:
    return "is a socket, not a regular file";
  default:
    return "is a device, not a regular file";
  }
}

static gboolean
check_file (int fd, const char *path, gsize max, GError **error)
{
  struct stat info;

  if (fstat (fd, &info) != 0)
    return fail_with_errno (path, "looked at", error);
  if (!S_ISREG (info.st_mode))
    return fail (path, describe_mode (info.st_mode), error);
  if ((guint64) info.st_size > max)
    return fail_too_large (path, max, error);
  return TRUE;
}

/* The size that fstat told may be wrong by now (or 0, in /proc): the bytes decide. */
static gboolean
read_all (int fd, const char *path, gsize max, GString *text, GError **error)
{
  char buffer[16384];
  gssize n;

  do {
    n = read (fd, buffer, sizeof buffer);
    if (n > 0)
      g_string_append_len (text, buffer, n);
    if (text->len > max)
      return fail_too_large (path, max, error);
  } while (n > 0 || (n < 0 && errno == EINTR));
  return n == 0 || fail_with_errno (path, "read", error);
}

char *
text_file_read (const char *path, gsize max, gsize *out_length, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  gboolean done;

  if (fd < 0) {
    fail_with_errno (path, "opened", error);
    return NULL;
  }
  done = check_file (fd, path, max, error) && read_all (fd, path, max, text, error);
  close (fd);
  if (!done)
    return NULL;
  *out_length = text->len;
  return g_string_free (g_steal_pointer (&text), FALSE);
}
