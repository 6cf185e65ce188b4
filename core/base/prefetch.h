/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefetch: asks for memory before it is used.
 *
 * What a call left behind when it was begun is no more in the near caches when it ends: gRPC and the
 * kernel have been there.  Asked for at once, its lines come together and not one after the other.
 */
#ifndef CENOTE_CORE_PREFETCH_H
#define CENOTE_CORE_PREFETCH_H

#include <glib.h>

#include "cache-line.h"

/* SIZE bytes, to be read and written. */
static inline void
prefetch (gconstpointer start, gsize size)
{
  gsize i;

  for (i = 0; i < size; i += CACHE_LINE)
    __builtin_prefetch ((const char *) start + i, 1);
}

#endif
