/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-probes: which of a pool's channels are primed (prime.h), asked for a sign of
 * life (ping.h) and for their health (health.h), and what follows from the answers.
 *
 * A channel is primed before it becomes READY, and asked from then on until it leaves it.  Only what C-core drives
 * can be asked: of a transport that drives itself, nobody knows how.
 */
#include "core/grpc/health-message.h"
#include "pool.h"

typedef struct Probes {
  Prime *prime;
  Ping *ping;                /* nullable */
  Health *health;            /* nullable */
} Probes;

static gboolean
can_ask (const CenotePool *pool)
{
  const StreamMaker *streams = &pool->streams;
  const PluginUse *transport = pool->settings->transport;

  if (streams->start == NULL || transport == NULL || transport->plugin == NULL)
    return FALSE;
  return !streams->for_ccore || !plugin_transport_drives_itself (transport->plugin);
}

static gboolean
asks_life (const CenotePool *pool)
{
  return pool_number (pool->settings, POOL_PING_INTERVAL) != CENOTE_OFF && can_ask (pool);
}

gboolean
pool_asks_health (const CenotePool *pool)
{
  return pool_number (pool->settings, POOL_HEALTH_CHECK) == HEALTH_CHECK_GRPC && can_ask (pool);
}

/* A place whose channel was ejected gets no other that has not answered. */
static gboolean
wants_prime (const Channel *channel)
{
  const CenotePool *pool = channel->site->pool;

  return (pool->prime_site.kind != PRIME_NONE || pool_remembered_ejections (channel) > 0) && can_ask (pool);
}

/* --------------------------------------------------------- what answers mean */

static void
prime_ended (gpointer owner, const char *error)
{
  Channel *channel = owner;
  g_autofree char *reason = error == NULL ? NULL : g_strdup_printf ("prime failed: %s", error);

  if (channel->state == CENOTE_CHANNEL_READY)
    pool_ejection_answered (channel, error);
  else
    channel_handle (channel, error == NULL ? CHANNEL_PRIMED : CHANNEL_PRIME_FAILED, reason);
}

static void
ping_ended (gpointer owner, gint64 duration_us, const char *error)
{
  Channel *channel = owner;
  CenotePool *pool = channel->site->pool;
  PoolMeters *meters = &pool->meters;
  CenoteEvent event = pool_channel_event (channel, CENOTE_EVENT_CHANNEL_PING);

  counters_add (meters->counters, error == NULL ? COUNTER_PINGS_ANSWERED : COUNTER_PINGS_FAILED, 1);
  if (error == NULL)
    durations_record (meters->durations, DURATION_PING, duration_us * 1000);
  event.duration_ns = duration_us * 1000;
  event.ok = error == NULL;
  event.error = error;
  pool_emit (pool, &event);
  if (error != NULL)
    channel_handle (channel, CHANNEL_PING_FAILED, error);
}

/* Whoever is told that it serves can get it, and who is told that it does not gets it no more. */
static void
health_told (gpointer owner, gboolean serves, const char *why)
{
  Channel *channel = owner;
  CenotePool *pool = channel->site->pool;
  CenoteEvent event = pool_channel_event (channel, CENOTE_EVENT_CHANNEL_HEALTH);
  g_autofree char *error = NULL;

  channel_handle (channel, serves ? CHANNEL_SERVES : CHANNEL_SERVES_NOT, why);
  if (serves)
    pool_republish (pool);
  event.ok = serves;
  event.reason = why;
  pool_emit (pool, &event);
  if (!serves) {
    error = g_strdup_printf ("%s does not serve: %s", channel->address->name, why);
    pool_note_error (pool, channel->address, error);
  }
}

/* ------------------------------------------------------------------- asking */

static void
begin (Probes *probes, const Channel *channel)
{
  if (probes->ping != NULL)
    ping_start (probes->ping, channel->link);
  if (probes->health != NULL)
    health_start (probes->health, channel->link);
}

static void
end (Probes *probes)
{
  prime_stop (probes->prime);
  if (probes->ping != NULL)
    ping_stop (probes->ping);
  if (probes->health != NULL)
    health_stop (probes->health);
}

static Probes *
probes_new (CenotePool *pool, Channel *channel)
{
  Probes *probes = g_new0 (Probes, 1);

  probes->prime = prime_new (&pool->prime_site, channel);
  if (asks_life (pool))
    probes->ping = ping_new (&pool->ping_site, channel);
  if (pool_asks_health (pool))
    probes->health = health_new (&pool->health_site, channel);
  return probes;
}

void
pool_forget_probes (Channel *channel)
{
  Probes *probes = g_steal_pointer (&channel->probes);

  if (probes == NULL)
    return;
  prime_free (probes->prime);
  ping_free (probes->ping);
  health_free (probes->health);
  g_free (probes);
}

static Probes *
probes_of (Channel *channel)
{
  if (channel->probes == NULL)
    channel->probes = probes_new (channel->site->pool, channel);
  return channel->probes;
}

static void
prime (Channel *channel)
{
  const CenotePool *pool = channel->site->pool;
  PrimeKind kind = pool->prime_site.kind == PRIME_NONE ? PRIME_HEADERS : pool->prime_site.kind;

  prime_start (probes_of (channel)->prime, channel->link, kind);
}

gboolean
pool_ask_for_life (Channel *channel)
{
  gboolean can = can_ask (channel->site->pool);

  if (can)
    prime (channel);
  return can;
}

void
pool_probe_channel (Channel *channel, CenoteChannelState old)
{
  gboolean was_ready = old == CENOTE_CHANNEL_READY;
  gboolean is_ready = channel->state == CENOTE_CHANNEL_READY;

  if (channel->probes != NULL && old == CENOTE_CHANNEL_CONNECTING && channel->state != old)
    prime_stop (channel->probes->prime);
  if (was_ready == is_ready)
    return;
  if (is_ready)
    begin (probes_of (channel), channel);
  else
    end (probes_of (channel));
}

/* ------------------------------------------------------------------- wiring */

static void
wire_prime (CenotePool *pool)
{
  const PoolSettings *settings = pool->settings;
  const char *text = pool_text (settings, POOL_PRIME);

  pool->prime_site = (PrimeSite) {
    .streams = &pool->site->streams,
    .method = text,
    .request = health_request_new (pool_text (settings, POOL_HEALTH_SERVICE)),
    .max_message_bytes = (gsize) pool_number (settings, POOL_MAX_MESSAGE_SIZE),
    .n_alive = &pool->n_streams,
    .ended = prime_ended,
  };
  if (!prime_kind_from_string (text, &pool->prime_site.kind))
    pool->prime_site.kind = PRIME_NONE;
  pool->channel_site.wants_prime = wants_prime;
  pool->channel_site.prime = prime;
}

void
pool_wire_probes (CenotePool *pool)
{
  wire_prime (pool);
  pool->ping_site = (PingSite) {
    .streams = &pool->streams,
    .n_alive = &pool->n_streams,
    .ended = ping_ended,
  };
  pool->health_site = (HealthSite) {
    .streams = &pool->streams,
    .request = health_request_new (pool_text (pool->settings, POOL_HEALTH_SERVICE)),
    .n_alive = &pool->n_streams,
    .told = health_told,
  };
}
