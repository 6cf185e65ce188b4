/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo-delays: the delays before attempts that a backoff has set, as the runtime's events tell them.
 *
 * Filled on the telemetry thread, read on another.  Lock: its own.
 */
#ifndef CENOTE_TOOLS_DEMO_DELAYS_H
#define CENOTE_TOOLS_DEMO_DELAYS_H

#include <cenote/runtime.h>

typedef struct DemoDelays DemoDelays;

DemoDelays *demo_delays_new (void);
/* The runtime must have stopped. */
void demo_delays_free (DemoDelays *delays);
void demo_delays_follow (DemoDelays *delays, CenoteRuntime *runtime);
void demo_delays_clear (DemoDelays *delays);
guint demo_delays_count (DemoDelays *delays);
/* Waits until there are N; FALSE where UNTIL_US (monotonic) came first. */
gboolean demo_delays_wait (DemoDelays *delays, guint n, gint64 until_us);
/* (transfer full): "100, 163, 241 ms" */
char *demo_delays_to_string (DemoDelays *delays);

#endif
