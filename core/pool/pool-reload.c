/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-reload: the settings that others keep a copy of, and how a pool that runs takes over new ones.
 *
 * A pool's settings are its own: the control thread changes them here, those rows alone
 * that no other thread reads (config/reload.h).
 */
#include "pool.h"

/* How often Check is called where there is no Watch and no ping-interval to follow. */
#define CHECK_INTERVAL_US (5 * G_USEC_PER_SEC)

void
pool_heed_settings (CenotePool *pool)
{
  const PoolSettings *settings = pool->settings;
  gint64 ping_us = pool_number (settings, POOL_PING_INTERVAL);

  atomic_store_explicit (&pool->acquire_timeout_us, pool_number (settings, POOL_ACQUIRE_TIMEOUT), memory_order_relaxed);
  pool->links.attempt_us = ccore_attempt_us (pool_number (settings, POOL_CONNECT_TIMEOUT));
  pool->channel_site.connect_timeout_us = pool_number (settings, POOL_CONNECT_TIMEOUT);
  pool->channel_site.max_age_us = pool_number (settings, POOL_MAX_CONNECTION_AGE);
  pool->channel_site.age_jitter = pool_real (settings, POOL_MAX_CONNECTION_AGE_JITTER);
  pool->address_site.max_dials = (guint) pool_number (settings, POOL_MAX_CONCURRENT_DIALS);
  pool->address_site.max_attempts = (guint) pool_number (settings, POOL_MAX_CONNECT_ATTEMPTS);
  pool->prime_site.timeout_us = pool_number (settings, POOL_PRIME_TIMEOUT);
  pool->prime_site.n_tries = (guint) pool_number (settings, POOL_PRIME_TRIES);
  pool->ping_site.interval_us = ping_us;
  pool->ping_site.timeout_us = pool_number (settings, POOL_KEEPALIVE_TIMEOUT);
  pool->health_site.answer_timeout_us = pool_number (settings, POOL_CONNECT_TIMEOUT);
  pool->health_site.interval_us = ping_us == CENOTE_OFF ? CHECK_INTERVAL_US : ping_us;
  pool->ejection_rules = (EjectionRules) {
    .max_share = pool_real (settings, POOL_MAX_EJECTED),
    .panic_share = pool_real (settings, POOL_PANIC_THRESHOLD),
    .base_us = MAX (1, pool_number (settings, POOL_EJECTION_TIME)),
  };
}

static void
heed_ages (CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->channels->len; i++)
    channel_renew_age (pool->channels->pdata[i]);
}

static void
renew_channels (CenotePool *pool)
{
  guint i;

  ccore_args_free (pool->args);
  pool->args = pool_args_new (pool->settings, pool_number (pool->settings, POOL_KEEPALIVE_TIME), NULL);
  pool->links.channel_args = ccore_args_get (pool->args);
  for (i = 0; i < pool->addresses->len; i++)
    pool_forget_args (pool->addresses->pdata[i]);
  pool_renew (pool, STALE_RELOAD, "what they are made with has changed");
}

static void
resize (CenotePool *pool)
{
  guint old = pool->wanted, size = (guint) pool_number (pool->settings, POOL_SIZE);

  pool_set_wanted (pool, size);
  pool_tell_scaling (pool, old, size, "reload", control_now_us (pool->control));
}

/* Each depends on what stands before it. */
static void
carry_out (CenotePool *pool, guint effects)
{
  pool_heed_settings (pool);
  if (effects & RELOAD_AGES)
    heed_ages (pool);
  if (effects & RELOAD_STATUS)
    pool_begin_status (pool);
  if (effects & RELOAD_SIZE)
    resize (pool);
  if (effects & RELOAD_CHANNELS)
    renew_channels (pool);
  if (effects & RELOAD_PLAN)
    pool_want_plan (pool);
  if (effects & RELOAD_VIEW)
    pool_republish (pool);
}

void
pool_reload (CenotePool *pool, const PoolSettings *now, const ReloadChange *change)
{
  if (pool->phase >= POOL_STOPPING || pool->settings->failure != NULL)
    return;
  reload_take (pool->settings, now);
  carry_out (pool, change->effects);
  pool_tell_reload (pool, NULL);
}

void
pool_tell_reload (CenotePool *pool, const char *error)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_RELOAD);

  event.ok = error == NULL;
  event.error = error;
  pool_emit (pool, &event);
}
