/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog-probe.h"

#include "core/base/monitor.h"
#include "core/call/watchdog.h"
#include "core/pool/pool.h"

typedef enum { HOLD_NONE, HOLD_ASKED, HOLD_HELD } Hold;

struct WatchdogProbe {
  CenotePool *pool;
  Watchdog watchdog;
  Monitor monitor;           /* hold */
  Hold hold;
};

WatchdogProbe *
watchdog_probe_new (CenotePool *pool)
{
  WatchdogProbe *probe = g_new0 (WatchdogProbe, 1);

  probe->pool = cenote_pool_ref (pool);
  monitor_init (&probe->monitor);
  watchdog_init (&probe->watchdog, pool->control, pool->calls);
  return probe;
}

static void
step (gpointer data)
{
  watchdog_clock_stepped (data);
}

void
watchdog_probe_step (WatchdogProbe *probe)
{
  control_call (probe->pool->control, step, &probe->watchdog);
}

static void
set_hold (WatchdogProbe *probe, Hold hold)
{
  monitor_lock (&probe->monitor);
  probe->hold = hold;
  monitor_broadcast (&probe->monitor);
  monitor_unlock (&probe->monitor);
}

static void
await_other_than (WatchdogProbe *probe, Hold hold)
{
  monitor_lock (&probe->monitor);
  while (probe->hold == hold)
    monitor_wait (&probe->monitor);
  monitor_unlock (&probe->monitor);
}

static void
be_held (gpointer data)
{
  set_hold (data, HOLD_HELD);
  await_other_than (data, HOLD_HELD);
}

void
watchdog_probe_hold (WatchdogProbe *probe)
{
  set_hold (probe, HOLD_ASKED);
  control_post (probe->pool->control, be_held, probe);
  await_other_than (probe, HOLD_ASKED);
}

void
watchdog_probe_let_go (WatchdogProbe *probe)
{
  set_hold (probe, HOLD_NONE);
}

static void
unset (gpointer data)
{
  Watchdog *watchdog = data;

  control_timer_unset (watchdog->control, &watchdog->late);
}

void
watchdog_probe_free (WatchdogProbe *probe)
{
  if (probe == NULL)
    return;
  control_call (probe->pool->control, unset, &probe->watchdog);
  monitor_clear (&probe->monitor);
  cenote_pool_unref (probe->pool);
  g_free (probe);
}
