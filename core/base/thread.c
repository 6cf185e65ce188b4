/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread: a new thread inherits its starter's signal mask, so all signals are
 * blocked around the start: they stay with the program's own threads, and a sink
 * that writes to a closed pipe gets EPIPE.
 */
#include "thread.h"

#include <signal.h>

GThread *
thread_start (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  sigset_t all, before;
  GThread *thread;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  thread = g_thread_try_new (name, func, data, error);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return thread;
}
