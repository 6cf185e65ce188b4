/* SPDX-License-Identifier: Apache-2.0 */
#include "watchdog-probe.h"

#include "core/call/watchdog.h"
#include "core/pool/pool.h"

struct WatchdogProbe {
  CenotePool *pool;
  Watchdog watchdog;
};

WatchdogProbe *
watchdog_probe_new (CenotePool *pool)
{
  WatchdogProbe *probe = g_new0 (WatchdogProbe, 1);

  probe->pool = cenote_pool_ref (pool);
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
  cenote_pool_unref (probe->pool);
  g_free (probe);
}
