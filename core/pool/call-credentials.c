/* SPDX-License-Identifier: Apache-2.0 */
#include "call-credentials.h"

#include <sys/stat.h>

#include "core/config/credential.h"

/* What tells that the file is another one; zero: there is none. */
typedef struct Stamp {
  ino_t inode;
  off_t size;
  struct timespec written;
  struct timespec changed;
} Stamp;

struct CallCredentials {
  Control *control;
  const PoolCredentials *from;
  const char *pool;
  CcoreCredentials *ccore;
  ControlTimer timer;
  Stamp stamp;               /* of the file that the token is from, looked at before it was read */
  char *told;                /* what was told to be wrong with the file; NULL: nothing */
};

static Stamp
look (const char *path)
{
  struct stat info;

  if (stat (path, &info) != 0)
    return (Stamp) { 0 };
  return (Stamp) { info.st_ino, info.st_size, info.st_mtim, info.st_ctim };
}

static gboolean
is_same_time (const struct timespec *a, const struct timespec *b)
{
  return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static gboolean
is_same (const Stamp *a, const Stamp *b)
{
  return a->inode == b->inode && a->size == b->size && is_same_time (&a->written, &b->written)
         && is_same_time (&a->changed, &b->changed);
}

/* Once for each thing that is wrong. */
static void
tell_fault (CallCredentials *credentials, const GError *error)
{
  if (g_strcmp0 (credentials->told, error->message) != 0)
    g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", credentials->pool, "MESSAGE",
                      "Pool %s: %s: the file has changed, and calls go on with the token that was there before",
                      credentials->pool, error->message);
  g_free (credentials->told);
  credentials->told = g_strdup (error->message);
}

static void
reload (CallCredentials *credentials, const Stamp *stamp)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = credential_read (credentials->from, &error);

  if (value == NULL) {
    tell_fault (credentials, error);
    return;
  }
  g_clear_pointer (&credentials->told, g_free);
  credentials->stamp = *stamp;
  ccore_credentials_set (credentials->ccore, value);
}

static void
refresh (gpointer data)
{
  CallCredentials *credentials = data;
  const Stamp stamp = look (credentials->from->value);

  if (!is_same (&stamp, &credentials->stamp))
    reload (credentials, &stamp);
  call_credentials_start (credentials);
}

void
call_credentials_start (CallCredentials *credentials)
{
  if (credentials->from->kind == CREDENTIALS_TOKEN_FILE)
    control_timer_set (credentials->control, &credentials->timer,
                       control_now_us (credentials->control) + CALL_CREDENTIALS_REFRESH_US);
}

CallCredentials *
call_credentials_new (Control *control, const PoolCredentials *from, const char *const *metadata, const char *pool,
                      GError **error)
{
  const Stamp stamp = from->kind == CREDENTIALS_TOKEN_FILE ? look (from->value) : (Stamp) { 0 };
  g_autofree char *value = from->kind == CREDENTIALS_NONE ? NULL : credential_read (from, error);
  CallCredentials *credentials;

  if (value == NULL && from->kind != CREDENTIALS_NONE)
    return NULL;
  credentials = g_new0 (CallCredentials, 1);
  credentials->control = control;
  credentials->from = from;
  credentials->pool = pool;
  credentials->stamp = stamp;
  credentials->timer = (ControlTimer) { .func = refresh, .data = credentials };
  credentials->ccore = ccore_credentials_new (credential_header (from->kind), value, metadata);
  return credentials;
}

void
call_credentials_free (CallCredentials *credentials)
{
  if (credentials == NULL)
    return;
  control_timer_unset (credentials->control, &credentials->timer);
  ccore_credentials_free (credentials->ccore);
  g_free (credentials->told);
  g_free (credentials);
}

CcoreCredentials *
call_credentials_get (CallCredentials *credentials)
{
  return credentials->ccore;
}
