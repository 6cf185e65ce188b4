/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector/lazy: as persistent, but nothing before somebody asks, and nothing any more once
 * nobody has for idle-timeout.
 *
 * Whoever gets, acquires or connects asks: one that waits is served by the first channel, and
 * a get that found nothing has asked as well.  Then the pool has the wanted number of channels,
 * which as always begin with one dial.  A pool is idle as a whole, because a picker may leave a
 * channel alone for long that the next moment needs: only when no channel was used, and none is
 * leased, for idle-timeout, all are closed.  That holds for channels that do not get through too.
 *
 * The state is whether the pool is awake, and since when it was not used.
 */
#include "roster.h"

#include <stdlib.h>

typedef struct Lazy {
  Roster *roster;
  bool is_awake;
  int64_t used_us;           /* while it is awake: when somebody asked for a channel, or used one */
} Lazy;

static int64_t
idle_timeout_of (const CenoteConnectorView *view)
{
  return CENOTE_VIEW_HAS (view, idle_timeout_us) ? view->idle_timeout_us : CENOTE_OFF;
}

/* When a channel was last used; now, where one is leased or somebody asks for one; -1: never. */
static int64_t
last_use (const Lazy *lazy, const CenoteConnectorView *view)
{
  const CenoteChannelView *channel;
  int64_t used_us = -1;
  uint32_t at = 0;

  if (view->n_waiters > 0 || view->refused > 0)
    return view->now_us;
  while ((channel = roster_next (lazy->roster, &at))) {
    if (channel->in_flight > 0)
      return view->now_us;
    if (channel->last_use_us > used_us)
      used_us = channel->last_use_us;
  }
  return used_us;
}

static void
fall_asleep_in_time (Lazy *lazy, const CenoteConnectorView *view, CenotePlan *plan)
{
  int64_t timeout_us = idle_timeout_of (view);

  if (!lazy->is_awake || timeout_us == CENOTE_OFF)
    return;
  if (view->now_us - lazy->used_us >= timeout_us)
    lazy->is_awake = false;
  else
    plan->wake_at (plan, lazy->used_us + timeout_us);
}

/* The number of channels that there should be. */
static uint32_t
decide (Lazy *lazy, const CenoteConnectorView *view, CenotePlan *plan)
{
  int64_t used_us = last_use (lazy, view);

  if (view->wanted == 0 || view->verb == CENOTE_VERB_DISCONNECT) {
    lazy->is_awake = false;
    return 0;
  }
  if (!lazy->is_awake && used_us == view->now_us) {
    lazy->is_awake = true;
    lazy->used_us = used_us;
  }
  if (used_us > lazy->used_us)
    lazy->used_us = used_us;
  fall_asleep_in_time (lazy, view, plan);
  return lazy->is_awake ? view->wanted : 0;
}

static void
plan (void *state, const CenoteConnectorView *view, CenotePlan *out_plan)
{
  Lazy *lazy = state;
  uint32_t wanted;

  if (!roster_begin (lazy->roster, view, out_plan))
    return;
  wanted = decide (lazy, view, out_plan);
  if (view->wanted > 0 && CENOTE_PLAN_HAS (out_plan, expect))
    out_plan->expect (out_plan, wanted, wanted > 0 ? "asked-for" : "idle-timeout");
  roster_keep (lazy->roster, wanted, wanted > 0 ? "resize" : view->wanted > 0 ? "idle-timeout" : "disconnect");
}

static void
destroy (void *state)
{
  Lazy *lazy = state;

  roster_free (lazy->roster);
  free (lazy);
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Lazy *lazy = calloc (1, sizeof *lazy);

  (void) values;
  if (lazy)
    lazy->roster = roster_new (host);
  if (!lazy || !lazy->roster) {
    free (lazy);
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  return lazy;
}

static const CenoteConnectorOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_CONNECTOR_MINDS_USE,
  .create = create,
  .plan = plan,
  .destroy = destroy,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_CONNECTOR),
  .name = "lazy",
  .version = "0.1.0",
  .summary = "Keeps the wanted number of channels from when somebody asks until nobody has for idle-timeout",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_CONNECTOR, "lazy")
