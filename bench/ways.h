/* SPDX-License-Identifier: Apache-2.0 */
/* ways: what leases are compared with, and the comparisons that every lease stands. */
#ifndef CENOTE_BENCH_WAYS_H
#define CENOTE_BENCH_WAYS_H

#include "bench.h"

/* Against one shared atomic add and a round robin under a mutex, with 1 and 2
 * threads; and its rate with 2 threads against that with 1.  LEASE's run() gets and
 * releases N times.  WITH_BARS: the project's bars (at most 2.0, at least 1.8) apply. */
void bench_compare_lease (const char *title, const BenchWay *lease, gboolean with_bars);

#endif
