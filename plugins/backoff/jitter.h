/* SPDX-License-Identifier: Apache-2.0 */
/* jitter: spreads a delay by a fraction to both sides, so that clients do not come back all at once. */
#ifndef CENOTE_BACKOFF_JITTER_H
#define CENOTE_BACKOFF_JITTER_H

#include <cenote/plugin.h>

/* LUCK (64 random bits) as a number in [-1, 1). */
static inline double
jitter_from_luck (uint64_t luck)
{
  return (double) (luck >> 11) * 0x1p-52 - 1.0;
}

/* DELAY_US moved by at most FRACTION (0 to 1) of itself; 0 or more. */
static inline int64_t
jitter_apply (double delay_us, double fraction, uint64_t luck)
{
  return (int64_t) (delay_us * (1.0 + fraction * jitter_from_luck (luck)) + 0.5);
}

#endif
