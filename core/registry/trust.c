/* SPDX-License-Identifier: Apache-2.0 */
/* trust: one step at a time from "/", each judged before the next.  See trust.h. */
#include "trust.h"

#include <cenote/error.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "own-file.h"
#include "plugin-refuse.h"

#define MAX_LINKS 40u
#define NOBODY 65534u

#define FILE_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

static gboolean
refuse_look (GError **error, const char *path, int code)
{
  g_set_error (error, CENOTE_ERROR, code == ENOENT ? CENOTE_ERROR_NOT_FOUND : CENOTE_ERROR_PLUGIN,
               "%s cannot be looked at: %s", path, g_strerror (code));
  return FALSE;
}

/* ----------------------------------------------------------------- owners */

static gboolean
library_has (const TrustOwners *owners, uid_t owner)
{
  for (guint i = 0; i < owners->n_library; i++) {
    if (owners->library[i] == owner)
      return TRUE;
  }
  return FALSE;
}

static void
add_owner_of (TrustOwners *owners, const char *path)
{
  struct stat status;

  if (stat (path, &status) == 0 && owners->n_library < TRUST_MAX_OWNERS && !library_has (owners, status.st_uid))
    owners->library[owners->n_library++] = status.st_uid;
}

static void
owners_init (TrustOwners *owners)
{
  char *path = own_file_path ();

  *owners = (TrustOwners) { .us = geteuid () };
  while (path) {
    char *above = g_str_equal (path, "/") ? NULL : g_path_get_dirname (path);

    add_owner_of (owners, path);
    g_free (path);
    path = above;
  }
}

static char *
describe_library_owners (const TrustOwners *owners)
{
  GString *text = g_string_new (owners->n_library > 0 ? NULL : " (unknown)");

  for (guint i = 0; i < owners->n_library; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? ", " : " ", owners->library[i]);
  return g_string_free (text, FALSE);
}

/* -------------------------------------------------------------- judgement */

static const char *
type_name (mode_t mode)
{
  if (S_ISREG (mode))
    return "a file";
  if (S_ISDIR (mode))
    return "a directory";
  if (S_ISFIFO (mode))
    return "a FIFO";
  if (S_ISSOCK (mode))
    return "a socket";
  if (S_ISLNK (mode))
    return "a symbolic link";
  return "a device";
}

static gboolean
judge_type (const char *path, mode_t mode, TrustPlace place, GError **error)
{
  const mode_t expected = place == TRUST_FILE ? S_IFREG : place == TRUST_LINK ? S_IFLNK : S_IFDIR;

  return (mode & S_IFMT) == expected ||
         plugin_refuse (error, "%s is %s, expected %s", path, type_name (mode), type_name (expected));
}

/* Where everybody may have things of his own. */
static gboolean
is_common (const struct stat *status, TrustPlace place)
{
  return place == TRUST_PARENT && (status->st_mode & S_ISVTX);
}

static gboolean
judge_owner (const char *path, const struct stat *status, TrustPlace place, const TrustOwners *owners, GError **error)
{
  uid_t owner = status->st_uid;
  g_autofree char *library = NULL;

  if (owner == 0 || owner == owners->us || library_has (owners, owner) ||
      (owner == NOBODY && is_common (status, place)))
    return TRUE;
  library = describe_library_owners (owners);
  return plugin_refuse (error, "%s belongs to user %u, expected root, the running user %u or the owner of libcenote%s",
                        path, owner, owners->us, library);
}

static gboolean
judge_mode (const char *path, const struct stat *status, TrustPlace place, GError **error)
{
  guint mode = status->st_mode & 07777;

  if (!(mode & S_IWOTH) || place == TRUST_LINK || is_common (status, place))
    return TRUE;
  return plugin_refuse (error, "%s has mode %04o and anybody may write it, expected %04o (chmod o-w)", path, mode,
                        mode & ~(guint) S_IWOTH);
}

gboolean
trust_judge (const char *path, const struct stat *status, TrustPlace place, const TrustOwners *owners, GError **error)
{
  return judge_type (path, status->st_mode, place, error) && judge_owner (path, status, place, owners, error) &&
         judge_mode (path, status, place, error);
}

/* ------------------------------------------------------------------- walk */

/* On the way to a directory. */
typedef struct Walk {
  const TrustOwners *owners;
  const char *asked;         /* where to */
  GQueue left;               /* the names still to go, of char * */
  guint n_links;             /* followed so far */
  int fd;                    /* where it has come to; -1 before it begins */
  char *path;                /* of that, without symbolic links */
} Walk;

static void
walk_clear (Walk *walk)
{
  g_queue_clear_full (&walk->left, g_free);
  g_free (walk->path);
  if (walk->fd >= 0)
    close (walk->fd);
}

/* PATH's names come before those that are left. */
static void
walk_plan (Walk *walk, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, "/", -1);

  for (guint i = g_strv_length (names); i-- > 0;) {
    if (*names[i] && !g_str_equal (names[i], "."))
      g_queue_push_head (&walk->left, g_strdup (names[i]));
  }
}

/* What was found on the way is named along with what was asked for. */
static gboolean
walk_judge (const Walk *walk, const char *path, const struct stat *status, TrustPlace place, GError **error)
{
  if (trust_judge (path, status, place, walk->owners, error))
    return TRUE;
  if (!g_str_equal (path, walk->asked))
    g_prefix_error (error, "%s: ", walk->asked);
  return FALSE;
}

/* Goes into FD, which is PATH; takes both. */
static void
walk_enter (Walk *walk, int fd, char *path)
{
  if (walk->fd >= 0)
    close (walk->fd);
  g_free (walk->path);
  walk->fd = fd;
  walk->path = path;
}

static gboolean walk_into (Walk *walk, const char *name, char *path, GError **error);

static gboolean
walk_follow (Walk *walk, int link, const char *path, GError **error)
{
  char target[4096];
  ssize_t length = readlinkat (link, "", target, sizeof target - 1);

  if (length < 0)
    return refuse_look (error, walk->asked, errno);
  if (++walk->n_links > MAX_LINKS)
    return plugin_refuse (error, "%s leads over more than %u symbolic links, the last is %s", walk->asked, MAX_LINKS,
                          path);
  target[length] = '\0';
  walk_plan (walk, target);
  return target[0] != '/' || walk_into (walk, "/", g_strdup ("/"), error);
}

/* NAME of the directory that it has come to, or "/"; takes PATH, which is its path. */
static gboolean
walk_into (Walk *walk, const char *name, char *path, GError **error)
{
  int fd = openat (walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  gboolean is_link, is_good;

  if (fd < 0 || fstat (fd, &status) != 0) {
    refuse_look (error, walk->asked, errno);
    g_free (path);
    return FALSE;
  }
  is_link = S_ISLNK (status.st_mode);
  is_good = walk_judge (walk, path, &status, is_link ? TRUST_LINK : TRUST_PARENT, error);
  if (is_good && !is_link) {
    walk_enter (walk, fd, path);
    return TRUE;
  }
  is_good = is_good && walk_follow (walk, fd, path, error);
  close (fd);
  g_free (path);
  return is_good;
}

static gboolean
walk_step (Walk *walk, GError **error)
{
  g_autofree char *name = g_queue_pop_head (&walk->left);
  char *path = g_str_equal (name, "..") ? g_path_get_dirname (walk->path) : g_build_filename (walk->path, name, NULL);

  return walk_into (walk, name, path, error);
}

/* Where it has come to is no parent only, as it was judged on the way. */
static gboolean
walk_arrive (const Walk *walk, GError **error)
{
  struct stat status;

  if (fstat (walk->fd, &status) != 0)
    return refuse_look (error, walk->asked, errno);
  return walk_judge (walk, walk->path, &status, TRUST_DIRECTORY, error);
}

/* A descriptor of what was asked for, or -1. */
static int
walk_go (Walk *walk, GError **error)
{
  gboolean is_good;

  walk_plan (walk, walk->asked);
  is_good = walk_into (walk, "/", g_strdup ("/"), error);
  while (is_good && !g_queue_is_empty (&walk->left))
    is_good = walk_step (walk, error);
  return is_good && walk_arrive (walk, error) ? g_steal_fd (&walk->fd) : -1;
}

static int
open_directory (const char *path, const TrustOwners *owners, GError **error)
{
  g_autofree char *current = g_get_current_dir ();
  g_autofree char *absolute = g_path_is_absolute (path) ? g_strdup (path) : g_build_filename (current, path, NULL);
  Walk walk = { owners, absolute, G_QUEUE_INIT, 0, -1, NULL };
  int fd = walk_go (&walk, error);

  walk_clear (&walk);
  return fd;
}

int
trust_open_directory (const char *path, GError **error)
{
  TrustOwners owners;

  owners_init (&owners);
  return open_directory (path, &owners, error);
}

/* ------------------------------------------------------------------- file */

/* O_NONBLOCK: a FIFO of that name must not hang us. */
static int
open_beneath (int directory, const char *name)
{
  const struct open_how how = { .flags = FILE_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
  long fd = syscall (SYS_openat2, directory, name, &how, sizeof how);

  /* A kernel before 5.6, or a filter of system calls that does not know it. */
  if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EINVAL))
    return openat (directory, name, FILE_FLAGS);
  return (int) fd;
}

/* What there is in place of a file that can be read. */
static gboolean
refuse_open (GError **error, const char *path, int directory, const char *name, int code)
{
  struct stat status;
  char target[4096] = "";

  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return refuse_look (error, path, errno);
  if (S_ISREG (status.st_mode))
    return plugin_refuse (error, "%s cannot be opened: %s", path, g_strerror (code));
  if (!S_ISLNK (status.st_mode) || readlinkat (directory, name, target, sizeof target - 1) < 0)
    return judge_type (path, status.st_mode, TRUST_FILE, error);
  return plugin_refuse (error, "%s is a symbolic link to %s, expected a file", path, target);
}

/* FD, which was opened; takes it. */
static int
judge_opened (int fd, const char *path, const TrustOwners *owners, GError **error)
{
  struct stat status;

  if (fstat (fd, &status) != 0)
    refuse_look (error, path, errno);
  else if (trust_judge (path, &status, TRUST_FILE, owners, error))
    return fd;
  close (fd);
  return -1;
}

int
trust_open_file (const char *path, GError **error)
{
  g_autofree char *above = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  TrustOwners owners;
  int directory, fd;

  owners_init (&owners);
  directory = open_directory (above, &owners, error);
  if (directory < 0)
    return -1;
  fd = open_beneath (directory, name);
  if (fd < 0)
    refuse_open (error, path, directory, name, errno);
  close (directory);
  return fd < 0 ? -1 : judge_opened (fd, path, &owners, error);
}
