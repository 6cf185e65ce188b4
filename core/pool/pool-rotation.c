/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-rotation: channels that are to be replaced while they are connected, and those that were.
 *
 * A stale channel is shown as such to the connector, which has it replaced when its
 * turn comes, make before break: that is all there is to max-connection-age, to
 * changed certificates, to reconnect and to reload.
 */
#include "pool.h"

typedef struct Refresh {
  CounterId counter;
  const char *why;           /* the replaced one drains */
} Refresh;

/* One that is not stale was replaced to be elsewhere. */
static const Refresh refreshes[] = {
  [STALE_NOT] = { COUNTER_REFRESHES_ADDRESS, "was replaced by one to another address" },
  [STALE_AGE] = { COUNTER_REFRESHES_AGE, "was replaced: its connection had reached max-connection-age" },
  [STALE_CERTIFICATE] = { COUNTER_REFRESHES_CERTIFICATE, "was replaced: its transport has changed" },
  [STALE_RECONNECT] = { COUNTER_REFRESHES_RECONNECT, "was replaced: the pool reconnects" },
  [STALE_RELOAD] = { COUNTER_REFRESHES_RELOAD, "was replaced: the config has changed" },
};
static const Refresh of_ejected = { COUNTER_REFRESHES_EJECTION, "was replaced: its calls failed" };

static const Refresh *
refresh_of (const Channel *old)
{
  return old->ejection == EJECTION_NONE ? &refreshes[old->stale] : &of_ejected;
}

void
pool_count_replaced (CenotePool *pool, const Channel *old)
{
  counters_add (pool->meters.counters, refresh_of (old)->counter, 1);
}

const char *
pool_why_replaced (const Channel *old)
{
  return refresh_of (old)->why;
}

/* A channel that connects already may have been made with what was there before: it is stale as well. */
void
pool_renew (CenotePool *pool, Staleness stale, const char *why)
{
  guint i;

  if (pool->phase >= POOL_STOPPING)
    return;
  g_log_structured ("Cenote", G_LOG_LEVEL_INFO, "CENOTE_POOL", pool->settings->name, "MESSAGE",
                    "Pool %s: its channels are being replaced: %s", pool->settings->name, why);
  for (i = 0; i < pool->channels->len; i++)
    channel_mark_stale (pool->channels->pdata[i], stale);
  pool_view_touch_all (pool);
  pool_want_plan (pool);
}
