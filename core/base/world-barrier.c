/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world-barrier: owns the process's one registration with the kernel.
 */
#include "world-barrier.h"

#include <linux/membarrier.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static long
membarrier (int command)
{
  return syscall (SYS_membarrier, command, 0, 0);
}

static gboolean
register_process (void)
{
  long known = membarrier (MEMBARRIER_CMD_QUERY);

  return known > 0 && (known & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 && (known & MEMBARRIER_CMD_GLOBAL) != 0
         && membarrier (MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0
         && membarrier (MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;
}

gboolean
barrier_available (void)
{
  static gsize answer; /* 0: not asked, 1: no, 2: yes */

  if (g_once_init_enter (&answer))
    g_once_init_leave (&answer, register_process () ? 2 : 1);
  return answer == 2;
}

/* A kernel out of memory may refuse the quick form; the slow one needs none.  It
 * must not be skipped: whoever called would destroy what others use. */
void
barrier_heavy (gpointer data)
{
  (void) data;
  while (membarrier (MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 && membarrier (MEMBARRIER_CMD_GLOBAL) != 0)
    ;
}

void
barrier_own (gpointer data)
{
  (void) data;
  atomic_thread_fence (memory_order_seq_cst);
}
