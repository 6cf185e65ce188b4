/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bell: owns one word that is 1 while its sleeper sleeps or is about to.
 *
 * Both sides change the word by an exchange, so one comes first.  Is it the
 * ringer, the sleeper's exchange reads what the ringer left and thereby sees its
 * work; is it the sleeper, the ringer finds 1 and wakes it.  No lock, any thread.
 */
#include "bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
futex (guint32 *word, int operation, guint32 value)
{
  (void) syscall (SYS_futex, word, operation, value, NULL, NULL, 0);
}

void
bell_ring (Bell *bell)
{
  if (__atomic_exchange_n (&bell->asleep, 0, __ATOMIC_ACQ_REL) == 1)
    futex (&bell->asleep, FUTEX_WAKE_PRIVATE, 1);
}

void
bell_wait (Bell *bell, gboolean (*has_work) (gpointer data), gpointer data)
{
  (void) __atomic_exchange_n (&bell->asleep, 1, __ATOMIC_ACQ_REL);
  if (has_work (data)) {
    (void) __atomic_exchange_n (&bell->asleep, 0, __ATOMIC_ACQ_REL);
    return;
  }
  while (__atomic_load_n (&bell->asleep, __ATOMIC_ACQUIRE) == 1)
    futex (&bell->asleep, FUTEX_WAIT_PRIVATE, 1);
}

gboolean
bell_is_asleep (const Bell *bell)
{
  return __atomic_load_n (&bell->asleep, __ATOMIC_ACQUIRE) == 1;
}
