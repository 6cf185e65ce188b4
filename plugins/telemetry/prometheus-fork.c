/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-fork: one list for the process, because fork() is the process's; its lock is held over a fork. */
#include "prometheus-fork.h"

#include <glib.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GArray *guarded;      /* of int */

static void
before_fork (void)
{
  pthread_mutex_lock (&lock);
}

static void
in_parent (void)
{
  pthread_mutex_unlock (&lock);
}

static void
in_child (void)
{
  for (guint i = 0; i < guarded->len; i++)
    close (g_array_index (guarded, int, i));
  g_array_set_size (guarded, 0);
  pthread_mutex_unlock (&lock);
}

void
fork_guard_add (int fd)
{
  pthread_mutex_lock (&lock);
  if (guarded == NULL) {
    guarded = g_array_new (FALSE, FALSE, sizeof (int));
    pthread_atfork (before_fork, in_parent, in_child);
  }
  g_array_append_val (guarded, fd);
  pthread_mutex_unlock (&lock);
}

void
fork_guard_remove (int fd)
{
  pthread_mutex_lock (&lock);
  for (guint i = 0; i < guarded->len; i++)
    if (g_array_index (guarded, int, i) == fd) {
      g_array_remove_index_fast (guarded, i);
      break;
    }
  pthread_mutex_unlock (&lock);
}
