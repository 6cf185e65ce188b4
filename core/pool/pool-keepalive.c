/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-keepalive: with what arguments each channel is made, its keepalive interval
 * among them, and who is told when an address seems to bear less of it (keepalive.h).
 */
#include "pool.h"

static gint64
configured_us (const CenotePool *pool)
{
  return pool_number (pool->settings, POOL_KEEPALIVE_TIME);
}

/* An address that differs from the others in nothing has the pool's arguments. */
static const CcoreArgs *
args_of (CenotePool *pool, Address *address, gint64 keepalive_us)
{
  if (address->authority == NULL && keepalive_us == configured_us (pool))
    return pool->args;
  if (address->args == NULL || address->args_keepalive_us != keepalive_us) {
    ccore_args_free (address->args);
    address->args = pool_args_new (pool->settings, keepalive_us, address->authority);
    address->args_keepalive_us = keepalive_us;
  }
  return address->args;
}

void
pool_forget_args (Address *address)
{
  ccore_args_free (g_steal_pointer (&address->args));
}

const void *
pool_channel_args_for (gpointer owner)
{
  Channel *channel = owner;
  CenotePool *pool = channel->site->pool;
  gint64 learned_us = channel->address->keepalive.learned_us;

  channel->keepalive_us = configured_us (pool);
  if (channel->keepalive_us != CENOTE_OFF)
    channel->keepalive_us = MAX (channel->keepalive_us, learned_us);
  return ccore_args_get (args_of (pool, channel->address, channel->keepalive_us));
}

static void
warn (const CenotePool *pool, const Address *address, const char *reason)
{
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", pool->settings->name, "MESSAGE",
                    "Pool %s: %s: %s; new channels to it ping every %" G_GINT64_FORMAT
                    " ms (raise keepalive-time, or have the server permit it)",
                    pool->settings->name, address->name, reason, address->keepalive.learned_us / 1000);
}

/* (transfer full) (nullable): why it was lost, where that is known.  C-core has
 * doubled the interval of this channel's own object meanwhile. */
static char *
heed_loss (CenotePool *pool, Channel *channel)
{
  gint64 now_us = control_now_us (pool->control);
  gint64 interval_us = channel->keepalive_us;
  KeepaliveVerdict verdict;
  char *reason;

  if (interval_us == CENOTE_OFF)
    return NULL;
  verdict = keepalive_heed_loss (&channel->address->keepalive, interval_us, now_us - channel->ready_us, now_us);
  if (verdict == KEEPALIVE_INNOCENT)
    return NULL;
  channel->keepalive_us = 2 * interval_us;
  reason = g_strdup_printf ("the connection was lost, probably by ENHANCE_YOUR_CALM for keepalive pings every "
                            "%" G_GINT64_FORMAT " ms: its age is that of three strikes", interval_us / 1000);
  if (verdict == KEEPALIVE_LEARNED)
    warn (pool, channel->address, reason);
  return reason;
}

void
pool_link_event (gpointer owner, LinkEvent event, const char *error)
{
  Channel *channel = owner;
  g_autofree char *reason = NULL;

  if (event == LINK_LOST && error == NULL && channel->state == CENOTE_CHANNEL_READY)
    reason = heed_loss (channel->site->pool, channel);
  channel_link_event (owner, event, reason == NULL ? error : reason);
}
