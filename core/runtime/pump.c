/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"

#include "core/base/monitor.h"
#include "core/base/thread.h"

#define TICK_US (10 * 1000)
/* While something happens, and for a while after: losses and connects come in
 * bursts, and one poll takes in one socket's news. */
#define QUICK_TICK_US 1000
#define QUICK_SPAN_US (20 * 1000)
#define POLLS_A_TICK 4
#define POLL_MS 50
#define STAND_IN_US (20 * 1000)
#define NUDGE_US (50 * 1000)
#define NUDGES 20

struct Pump {
  Control *control;
  Ccore *ccore;
  gboolean (*look) (gpointer data);
  gpointer data;
  ControlTimer tick;
  gint64 quick_until_us;
  ControlTimer nudge;
  guint nudges_left;
  void (*each_nudge) (gpointer data);

  void (*stand_in) (gpointer data);
  GThread *poller;
  Monitor monitor;           /* wish */
  enum { POLLER_WAITS, POLLER_POLLS, POLLER_ENDS } wish;
};

static void
wish_for (Pump *pump, int wish)
{
  monitor_lock (&pump->monitor);
  pump->wish = wish;
  monitor_broadcast (&pump->monitor);
  monitor_unlock (&pump->monitor);
}

/* Without the lock. */
static void
poll_or_wait (Pump *pump, gboolean polls)
{
  if (polls) {
    ccore_poll_wait (pump->ccore, POLL_MS);
    return;
  }
  monitor_lock (&pump->monitor);
  if (pump->wish == POLLER_WAITS)
    monitor_wait_until (&pump->monitor, g_get_monotonic_time () + STAND_IN_US);
  monitor_unlock (&pump->monitor);
}

static int
read_wish (Pump *pump)
{
  int wish;

  monitor_lock (&pump->monitor);
  wish = pump->wish;
  monitor_unlock (&pump->monitor);
  return wish;
}

static gpointer
poller_thread (gpointer data)
{
  Pump *pump = data;
  int wish;

  while ((wish = read_wish (pump)) != POLLER_ENDS) {
    poll_or_wait (pump, wish == POLLER_POLLS);
    pump->stand_in (pump->data);
  }
  return NULL;
}

static void
set_tick (Pump *pump)
{
  gint64 now_us = control_now_us (pump->control);

  control_timer_set (pump->control, &pump->tick, now_us + (now_us < pump->quick_until_us ? QUICK_TICK_US : TICK_US));
}

static void
tick_is_due (gpointer data)
{
  Pump *pump = data;
  guint i;

  for (i = 0; i < POLLS_A_TICK && pump->ccore != NULL; i++)
    ccore_poll_now (pump->ccore);
  if (pump->look (pump->data))
    set_tick (pump);
  else
    wish_for (pump, POLLER_POLLS);
}

static void
nudge_is_due (gpointer data)
{
  Pump *pump = data;

  ccore_nudge (pump->ccore);
  pump->each_nudge (pump->data);
  if (--pump->nudges_left > 0)
    control_timer_set (pump->control, &pump->nudge, control_now_us (pump->control) + NUDGE_US);
}

Pump *
pump_new (Control *control, Ccore *ccore, gboolean (*look) (gpointer data), gpointer data)
{
  Pump *pump = g_new0 (Pump, 1);

  pump->control = control;
  pump->ccore = ccore;
  pump->look = look;
  pump->data = data;
  pump->tick = (ControlTimer) { .func = tick_is_due, .data = pump };
  pump->nudge = (ControlTimer) { .func = nudge_is_due, .data = pump };
  pump->wish = POLLER_POLLS;
  monitor_init (&pump->monitor);
  return pump;
}

gboolean
pump_start (Pump *pump, void (*stand_in) (gpointer data), GError **error)
{
  pump->stand_in = stand_in;
  if (pump->ccore != NULL)
    pump->poller = thread_start ("cenote-poller", poller_thread, pump, error);
  return pump->poller != NULL || pump->ccore == NULL;
}

void
pump_free (Pump *pump)
{
  if (pump == NULL)
    return;
  wish_for (pump, POLLER_ENDS);
  if (pump->poller != NULL) {
    ccore_nudge (pump->ccore);
    g_thread_join (pump->poller);
  }
  control_timer_unset (pump->control, &pump->tick);
  control_timer_unset (pump->control, &pump->nudge);
  monitor_clear (&pump->monitor);
  g_free (pump);
}

void
pump_wake (Pump *pump)
{
  if (pump->tick.at != NULL)
    return;
  wish_for (pump, POLLER_WAITS);
  if (pump->ccore != NULL)
    ccore_nudge (pump->ccore);
  set_tick (pump);
}

void
pump_stir (Pump *pump)
{
  gint64 now_us = control_now_us (pump->control);

  if (pump->tick.at != NULL && now_us < pump->quick_until_us)
    return;
  pump->quick_until_us = now_us + QUICK_SPAN_US;
  pump_wake (pump);
  set_tick (pump);
}

void
pump_clock_stepped (Pump *pump, void (*each) (gpointer data))
{
  if (pump->ccore == NULL)
    return;
  pump->each_nudge = each;
  pump->nudges_left = NUDGES;
  nudge_is_due (pump);
}
