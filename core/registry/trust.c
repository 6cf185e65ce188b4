/* SPDX-License-Identifier: Apache-2.0 */
/* trust: stat, then judge. */
#include "trust.h"

#include <cenote/error.h>
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

/* Root where the library's own file cannot be told: then nobody is trusted on its account. */
static uid_t
library_owner (void)
{
  struct stat status;
  Dl_info info;

  if (dladdr ((gpointer) plugin_trust_check, &info) == 0 || !info.dli_fname || stat (info.dli_fname, &status) != 0)
    return 0;
  return status.st_uid;
}

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
  return "a device";
}

gboolean
trust_judge (const char *path, const struct stat *status, const TrustOwners *owners, GError **error)
{
  guint mode = status->st_mode & 07777;
  gboolean is_directory = S_ISDIR (status->st_mode);

  if (!is_directory && !S_ISREG (status->st_mode))
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s is %s, expected a file", path,
                 type_name (status->st_mode));
  else if (status->st_uid != 0 && status->st_uid != owners->us && status->st_uid != owners->library)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN,
                 "%s belongs to user %u, expected root, the running user %u or the owner of libcenote %u", path,
                 status->st_uid, owners->us, owners->library);
  else if ((mode & S_IWOTH) && !(is_directory && (mode & S_ISVTX)))
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN,
                 "%s has mode %04o and anybody may write it, expected %04o (chmod o-w)", path, mode,
                 mode & ~(guint) S_IWOTH);
  else
    return TRUE;
  return FALSE;
}

static gboolean
look (const char *path, const TrustOwners *owners, struct stat *out_status, GError **error)
{
  if (stat (path, out_status) != 0) {
    int code = errno;

    g_set_error (error, CENOTE_ERROR, code == ENOENT ? CENOTE_ERROR_NOT_FOUND : CENOTE_ERROR_PLUGIN,
                 "%s cannot be looked at: %s", path, g_strerror (code));
    return FALSE;
  }
  return trust_judge (path, out_status, owners, error);
}

gboolean
plugin_trust_check (const char *path, GError **error)
{
  TrustOwners owners = { geteuid (), library_owner () };
  g_autofree char *directory = g_path_get_dirname (path);
  struct stat status;

  if (!look (path, &owners, &status, error))
    return FALSE;
  return S_ISDIR (status.st_mode) || look (directory, &owners, &status, error);
}
