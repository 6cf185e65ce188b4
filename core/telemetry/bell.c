/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bell: owns one word that is 1 while its sleeper sleeps or is about to.
 *
 * Both sides change the word by an exchange, so one comes first.  Is it the
 * ringer, the sleeper's exchange reads what the ringer left and thereby sees its
 * work; is it the sleeper, the ringer finds 1 and wakes it.  No lock, any thread.
 */
#include "bell.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void
bell_ring (Bell *bell)
{
  if (__atomic_exchange_n (&bell->asleep, 0, __ATOMIC_ACQ_REL) == 1)
    (void) syscall (SYS_futex, &bell->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Returns when the word is no longer 1, or it is UNTIL_US of the monotonic clock. */
static void
sleep_until (Bell *bell, gint64 until_us)
{
  const struct timespec until = { .tv_sec = until_us / G_USEC_PER_SEC, .tv_nsec = until_us % G_USEC_PER_SEC * 1000 };
  const struct timespec *timeout = until_us == G_MAXINT64 ? NULL : &until;

  /* FUTEX_WAIT_BITSET takes a time, where FUTEX_WAIT takes a span. */
  while (__atomic_load_n (&bell->asleep, __ATOMIC_ACQUIRE) == 1) {
    if (syscall (SYS_futex, &bell->asleep, FUTEX_WAIT_BITSET_PRIVATE, 1, timeout, NULL, FUTEX_BITSET_MATCH_ANY) < 0 &&
        errno == ETIMEDOUT)
      return;
  }
}

void
bell_wait (Bell *bell, gboolean (*has_work) (gpointer data), gpointer data, gint64 timeout_us)
{
  gint64 now_us = g_get_monotonic_time ();

  (void) __atomic_exchange_n (&bell->asleep, 1, __ATOMIC_ACQ_REL);
  if (!has_work (data))
    sleep_until (bell, timeout_us < G_MAXINT64 - now_us ? now_us + timeout_us : G_MAXINT64);
  (void) __atomic_exchange_n (&bell->asleep, 0, __ATOMIC_ACQ_REL);
}

gboolean
bell_is_asleep (const Bell *bell)
{
  return __atomic_load_n (&bell->asleep, __ATOMIC_ACQUIRE) == 1;
}
