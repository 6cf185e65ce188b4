/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"

#include "core/base/monitor.h"
#include "core/base/thread.h"

#define TICK_US (10 * 1000)
/* One poll takes in one socket's news.  Where callers drive C-core, it does a piece of their work, on
 * another processor than theirs: with four a tick, that took 1 % of their rate.  Where nobody does, what
 * it finds is soon something that happened. */
#define POLLS_A_TICK 1
/* While something happens, and for a while after: losses and connects come in bursts.  (Of 400 connections that were lost
 * at once, with 4 polls a quick tick the last was known of after 0.22 s, with 16 after 0.12 s.) */
#define QUICK_TICK_US 1000
#define QUICK_SPAN_US (20 * 1000)
#define POLLS_A_QUICK_TICK 16
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

static gboolean
is_quick (const Pump *pump)
{
  return control_now_us (pump->control) < pump->quick_until_us;
}

static void
set_tick (Pump *pump)
{
  control_timer_set (pump->control, &pump->tick,
                     control_now_us (pump->control) + (is_quick (pump) ? QUICK_TICK_US : TICK_US));
}

static void
tick_is_due (gpointer data)
{
  Pump *pump = data;
  guint polls = is_quick (pump) ? POLLS_A_QUICK_TICK : POLLS_A_TICK;

  while (polls-- > 0 && pump->ccore != NULL)
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
  if (pump->tick.at != NULL && is_quick (pump))
    return;
  pump->quick_until_us = control_now_us (pump->control) + QUICK_SPAN_US;
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
