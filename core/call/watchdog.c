/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#define LOOK_US (50 * 1000)
/* The pump has C-core look at its timers again within this time. */
#define UNSURE_US G_USEC_PER_SEC

static void
look (gpointer data)
{
  Watchdog *watchdog = data;
  gint64 now_us = control_now_us (watchdog->control);

  if (calls_cancel_late (watchdog->calls, now_us, watchdog->watched_us) > 0)
    control_timer_set (watchdog->control, &watchdog->timer, now_us + LOOK_US);
}

void
watchdog_init (Watchdog *watchdog, Control *control, Calls *calls)
{
  *watchdog = (Watchdog) { .control = control, .calls = calls, .timer = { .func = look, .data = watchdog } };
}

void
watchdog_clock_stepped (Watchdog *watchdog)
{
  watchdog->watched_us = control_now_us (watchdog->control) + UNSURE_US;
  look (watchdog);
}
