/* SPDX-License-Identifier: Apache-2.0 */
/* sink-thread: threads of a sink's own. */
#ifndef CENOTE_SINK_THREAD_H
#define CENOTE_SINK_THREAD_H

#include <glib.h>
#include <signal.h>

/* A thread that takes no signal: those are for the program's.  NULL: the system gives none. */
static inline GThread *
sink_thread_start (const char *name, GThreadFunc func, gpointer data)
{
  sigset_t all, before;
  GThread *thread;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  thread = g_thread_try_new (name, func, data, NULL);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  return thread;
}

#endif
