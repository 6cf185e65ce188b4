/* SPDX-License-Identifier: Apache-2.0 */
/* Its constructor ends the process, with a status that is not its own. */
#include <stdlib.h>

#include "least-backoff.h"

__attribute__ ((constructor)) static void
leave (void)
{
  exit (0);
}

LEAST_BACKOFF ("exits")
