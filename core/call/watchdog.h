/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog: looks at unary calls that take long, whose deadlines are ours to keep; and after
 * the wall clock was set, ends those whose deadlines C-core's timers may have forgotten
 * (FACTS 14).  It sleeps while there are none.  Control thread only, but for the stand-in.
 */
#ifndef CENOTE_CORE_CALL_WATCHDOG_H
#define CENOTE_CORE_CALL_WATCHDOG_H

#include "calls.h"
#include "core/runtime/control.h"

typedef struct Watchdog {
  Control *control;
  Calls *calls;
  gint64 watched_us;         /* calls that began before this are watched */
  ControlTimer looks;
  ControlTimer late;
} Watchdog;

void watchdog_init (Watchdog *watchdog, Control *control, Calls *calls);
/* Before the first call: it is the one that looks. */
void watchdog_begin (Watchdog *watchdog);
void watchdog_clock_stepped (Watchdog *watchdog);
/* Another thread: looks at what the control thread should have looked at by now. */
void watchdog_stand_in (Watchdog *watchdog);

#endif
