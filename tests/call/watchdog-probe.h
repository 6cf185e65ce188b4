/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog-probe: one more watchdog over a pool's calls, which is told of a step when nobody else
 * is; and a hold on the thread that they all look from.
 */
#ifndef CENOTE_TESTS_WATCHDOG_PROBE_H
#define CENOTE_TESTS_WATCHDOG_PROBE_H

#include <cenote/pool.h>

G_BEGIN_DECLS

typedef struct WatchdogProbe WatchdogProbe;

WatchdogProbe *watchdog_probe_new (CenotePool *pool);
void watchdog_probe_step (WatchdogProbe *probe);
/* Returns once the pool's control thread does nothing any more, until it is let go. */
void watchdog_probe_hold (WatchdogProbe *probe);
void watchdog_probe_let_go (WatchdogProbe *probe);
/* Not held. */
void watchdog_probe_free (WatchdogProbe *probe);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WatchdogProbe, watchdog_probe_free)

G_END_DECLS

#endif
