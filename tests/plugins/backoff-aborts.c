/* SPDX-License-Identifier: Apache-2.0 */
/* Its constructor aborts, as one does that a broken library takes along. */
#include <stdlib.h>

#include "least-backoff.h"

__attribute__ ((constructor)) static void
give_up (void)
{
  abort ();
}

LEAST_BACKOFF ("aborts")
