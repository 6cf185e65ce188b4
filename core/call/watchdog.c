/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog.h"

#define LOOK_US (50 * 1000)
/* Looks are not nearer to each other than this. */
#define BREATH_US (5 * 1000)
/* What is due for longer than this, the control thread has no time for. */
#define OVERDUE_US (10 * 1000)
/* The pump has C-core look at its timers again within this time. */
#define UNSURE_US G_USEC_PER_SEC

static void
look (gpointer data)
{
  Watchdog *watchdog = data;
  gint64 now_us = control_now_us (watchdog->control);
  gint64 next_us = calls_look (watchdog->calls, now_us);

  if (next_us != G_MAXINT64)
    control_timer_set (watchdog->control, &watchdog->looks, MAX (next_us, now_us + BREATH_US));
}

static void
begin (gpointer data)
{
  Watchdog *watchdog = data;

  if (watchdog->looks.at == NULL)
    control_timer_set (watchdog->control, &watchdog->looks, control_now_us (watchdog->control) + RPC_LOOK_US);
}

/* Any thread.  A control thread that has ended has nothing to look at. */
static void
watch (gpointer data)
{
  Watchdog *watchdog = data;

  control_post (watchdog->control, begin, watchdog);
}

static void
cancel_late (gpointer data)
{
  Watchdog *watchdog = data;
  gint64 now_us = control_now_us (watchdog->control);

  if (calls_cancel_late (watchdog->calls, now_us, watchdog->watched_us) > 0)
    control_timer_set (watchdog->control, &watchdog->late, now_us + LOOK_US);
}

void
watchdog_init (Watchdog *watchdog, Control *control, Calls *calls)
{
  *watchdog = (Watchdog) {
    .control = control,
    .calls = calls,
    .looks = { .func = look, .data = watchdog },
    .late = { .func = cancel_late, .data = watchdog },
  };
}

void
watchdog_begin (Watchdog *watchdog)
{
  calls_set_watch (watchdog->calls, watch, watchdog);
}

void
watchdog_clock_stepped (Watchdog *watchdog)
{
  watchdog->watched_us = control_now_us (watchdog->control) + UNSURE_US;
  cancel_late (watchdog);
}

void
watchdog_stand_in (Watchdog *watchdog)
{
  calls_look_overdue (watchdog->calls, control_now_us (watchdog->control) - OVERDUE_US);
}
