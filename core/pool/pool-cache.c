/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-cache: the addresses of a pool whose connector takes them from callers'
 * dials: their names, how many connections stand, and which were closed.
 *
 * An address comes with the first caller that waits for it; the connector says
 * when it goes.  Which addresses have a channel is its plan too: here is nothing
 * but what a plan cannot say.  Control thread only.
 */
#include "pool.h"

/* How many closed addresses cenote_pool_expire() is told of at most: the oldest are forgotten. */
#define MAX_CLOSED 10000

/* ---------------------------------------------------------------- addresses */

Address *
pool_cache_find (CenotePool *pool, const char *name)
{
  return g_hash_table_lookup (pool->address_names, name);
}

Address *
pool_cache_get (CenotePool *pool, const char *name, const char *target, GError **error)
{
  Address *address = pool_cache_find (pool, name);

  if (address != NULL)
    return address;
  address = pool_add_address (pool, name, target, error);
  if (address != NULL)
    g_hash_table_insert (pool->address_names, address->name, address);
  return address;
}

void
pool_cache_forget (CenotePool *pool, Address *address)
{
  g_hash_table_remove (pool->address_names, address->name);
  pool_view_remove_address (pool, address);
}

/* ------------------------------------------------------------------ counting */

static void
tell_count (CenotePool *pool)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CONNECTOR_CONNECTION_COUNT);

  gauges_set (pool->meters.gauges, GAUGE_CONNECTIONS, pool->n_connections);
  event.count = pool->n_connections;
  pool_emit (pool, &event);
  observers_connection_count (pool->observers, pool->n_connections);
}

/* (transfer full) (nullable): the oldest. */
static char *
pop_closed (CenotePool *pool)
{
  char *name = g_queue_pop_head (&pool->closed);

  if (name != NULL)
    g_hash_table_remove (pool->closed_names, name);
  return name;
}

static void
note_closed (CenotePool *pool, const Channel *channel)
{
  char *name;

  if (pool->phase != POOL_RUNNING || g_hash_table_contains (pool->closed_names, channel->address->name))
    return;
  name = g_strdup (channel->address->name);
  g_queue_push_tail (&pool->closed, name);
  g_hash_table_add (pool->closed_names, name);
  if (g_queue_get_length (&pool->closed) > MAX_CLOSED)
    g_free (pop_closed (pool));
}

/* One that is closed while it is connected was closed by us; else its connection was lost before. */
void
pool_cache_note (CenotePool *pool, Channel *channel)
{
  gboolean connected = channel->state != CENOTE_CHANNEL_SHUTDOWN && channel->ready_us >= 0;

  if (!pool->dials || connected == channel->connected)
    return;
  channel->connected = connected;
  pool->n_connections += connected ? 1u : -1u;
  if (channel->state == CENOTE_CHANNEL_SHUTDOWN)
    note_closed (pool, channel);
  tell_count (pool);
}

void
pool_cache_tell_miss (CenotePool *pool, const Address *address)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CONNECTOR_CACHE_MISS);

  counters_add (pool->meters.counters, COUNTER_CACHE_MISSES, 1);
  event.address = address->name;
  pool_emit (pool, &event);
  observers_cache_missed (pool->observers, address->name);
}

/* --------------------------------------------------------------------- verbs */

static char **
take_closed (CenotePool *pool)
{
  GPtrArray *closed = g_ptr_array_new ();
  char *name;

  while ((name = pop_closed (pool)) != NULL)
    g_ptr_array_add (closed, name);
  g_ptr_array_add (closed, NULL);
  return (char **) g_ptr_array_free (closed, FALSE);
}

char **
pool_cache_expire (CenotePool *pool)
{
  if (pool->phase < POOL_STOPPING && pool->connector != NULL)
    pool_plan_verb (pool, CENOTE_VERB_EXPIRE, CENOTE_NO_ADDRESS);
  return take_closed (pool);
}

gboolean
pool_cache_close_on_release (CenotePool *pool, const char *name)
{
  const Address *address = pool_cache_find (pool, name);

  if (address == NULL || pool->phase >= POOL_STOPPING)
    return FALSE;
  return pool_plan_verb (pool, CENOTE_VERB_CLOSE_ON_RELEASE, address->id) > 0;
}
