/* SPDX-License-Identifier: Apache-2.0 */
#include "hangup.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

static GMutex lock;
static guint watchers;           /* under lock */
static gboolean stands;          /* under lock: our handler was set and not put back */
static struct sigaction program; /* what the program has; written before our handler is set, read by it */
static atomic_uint hangups;

/* ----------------------------------------------------------------- handler */

static void
end_as_before (void)
{
  (void) sigaction (SIGHUP, &program, NULL);
  (void) raise (SIGHUP); /* it comes when the handler returns */
}

static gboolean
is_default (const struct sigaction *action)
{
  return (action->sa_flags & SA_SIGINFO) == 0 && action->sa_handler == SIG_DFL;
}

static void
on_hangup (int number, siginfo_t *info, void *context)
{
  int error = errno;

  atomic_fetch_add (&hangups, 1);
  if (program.sa_flags & SA_SIGINFO)
    program.sa_sigaction (number, info, context);
  else if (program.sa_handler != SIG_DFL)
    program.sa_handler (number);
  else if (info->si_code > 0) /* from the kernel */
    end_as_before ();
  errno = error;
}

/* ---------------------------------------------------------------- watching */

static gboolean
is_ours (const struct sigaction *action)
{
  return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == on_hangup;
}

/* The program's own mask and flags hold for its handler as before. */
static void
stand (void)
{
  struct sigaction ours;

  if (sigaction (SIGHUP, NULL, &program) != 0 ||
      ((program.sa_flags & SA_SIGINFO) == 0 && program.sa_handler == SIG_IGN))
    return;
  ours = program;
  ours.sa_sigaction = on_hangup;
  ours.sa_flags = is_default (&program) ? SA_RESTART : program.sa_flags & ~(int) SA_RESETHAND;
  ours.sa_flags |= SA_SIGINFO | SA_ONSTACK;
  stands = sigaction (SIGHUP, &ours, NULL) == 0;
}

static void
stand_back (void)
{
  struct sigaction now;

  if (sigaction (SIGHUP, NULL, &now) == 0 && is_ours (&now))
    stands = sigaction (SIGHUP, &program, NULL) != 0;
}

void
hangup_watch (void)
{
  g_mutex_lock (&lock);
  if (watchers++ == 0 && !stands)
    stand ();
  g_mutex_unlock (&lock);
}

void
hangup_unwatch (void)
{
  g_mutex_lock (&lock);
  if (--watchers == 0 && stands)
    stand_back ();
  g_mutex_unlock (&lock);
}

guint
hangup_count (void)
{
  return atomic_load (&hangups);
}
