/* SPDX-License-Identifier: Apache-2.0 */
#include "pool-names.h"

#include <arpa/inet.h>
#include <string.h>

#include "backoff.h"
#include "core/config/profile.h"
#include "core/config/targets.h"
#include "pool.h"

/* A name is not asked for again within that time because an address went down. */
#define DOUBT_US G_USEC_PER_SEC

typedef struct Name {
  CenotePool *pool;
  char *host;
  char *port;
  char *authority;           /* host:port */
  Instance *backoff;         /* paces the questions while it has no address */
  ResolverQuery *query;      /* NULL: not asked for now */
  ControlTimer timer;        /* to ask again */
  gint64 asked_us;           /* -1: never */
  gboolean failed;           /* the last answer had no address */
  guint n_addresses;         /* of its own, but for removed ones */
} Name;

/* ------------------------------------------------------------------- targets */

static gboolean
is_numeric (const char *host)
{
  struct in6_addr address;

  return strchr (host, ':') != NULL || inet_pton (AF_INET, host, &address) == 1;
}

static gboolean
is_this_machine (const char *host)
{
  return g_ascii_strcasecmp (host, "localhost") == 0 || g_str_has_suffix (host, ".localhost");
}

/* (nullable): what follows dns: and, perhaps, slashes; NULL with a server of its own to ask. */
static const char *
endpoint_of (const char *target)
{
  if (g_str_has_prefix (target, "dns:///"))
    return target + strlen ("dns:///");
  return g_str_has_prefix (target, "dns:") && !g_str_has_prefix (target, "dns:/") ? target + strlen ("dns:") : NULL;
}

static gboolean
is_for_ccore (const CenotePool *pool, const char *target)
{
  const PoolSettings *settings = pool->settings;

  return pool->site->resolver == NULL || pool_number (settings, POOL_DNS_REFRESH) == CENOTE_OFF ||
         (pool->transport->plugin->ops.transport.flags & CENOTE_TRANSPORT_TAKES_ADDRESSES) == 0 ||
         pool_flag (settings, POOL_HTTP_PROXY) ||
         profile_is_balanced (target, pool_text (settings, POOL_SERVICE_CONFIG));
}

/* ------------------------------------------------------------------- answers */

static char *
target_of (const Name *name, const char *text)
{
  gboolean is_ipv6 = strchr (text, ':') != NULL;
  g_autofree char *zoned = NULL;

  if (!is_ipv6)
    return g_strdup_printf ("ipv4:%s:%s", text, name->port);
  zoned = g_uri_escape_string (text, ":", FALSE); /* fe80::1%eth0 */
  return g_strdup_printf ("ipv6:[%s]:%s", zoned, name->port);
}

static GHashTable *
targets_of (const Name *name, const char *const *texts)
{
  GHashTable *targets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (; *texts != NULL; texts++)
    g_hash_table_add (targets, target_of (name, *texts));
  return targets;
}

/* TARGETS loses those that NAME has already. */
static void
mark_addresses (Name *name, GHashTable *targets)
{
  CenotePool *pool = name->pool;
  guint i;

  for (i = 0; i < pool->addresses->len; i++) {
    Address *address = pool->addresses->pdata[i];
    gboolean there;

    if (address->origin != name)
      continue;
    there = g_hash_table_remove (targets, address->target);
    if (address->removed == !there)
      continue;
    address->removed = !there;
    name->n_addresses += there ? 1u : -1u;
    pool_view_touch_address (pool, address);
    pool_want_plan (pool);
  }
}

static void
add_address (Name *name, const char *target)
{
  CenotePool *pool = name->pool;
  g_autoptr (GError) error = NULL;
  Address *address = pool_add_address (pool, target, target, &error);

  if (address == NULL) {
    pool_note_error (pool, NULL, error->message);
    return;
  }
  address->origin = name;
  address->authority = name->authority;
  name->n_addresses++;
  pool_want_plan (pool);
}

/* In the order of preference, which TEXTS have and TARGETS lost. */
static void
add_missing (Name *name, const char *const *texts, GHashTable *targets)
{
  for (; *texts != NULL; texts++) {
    g_autofree char *target = target_of (name, *texts);

    if (g_hash_table_remove (targets, target))
      add_address (name, target);
  }
}

static void
take_addresses (Name *name, const char *const *texts)
{
  g_autoptr (GHashTable) targets = targets_of (name, texts);

  mark_addresses (name, targets);
  add_missing (name, texts, targets);
  name->failed = FALSE;
  backoff_reset (name->backoff);
}

/* Told once, until there is an answer again. */
static void
note_failure (Name *name, const char *error)
{
  CenotePool *pool = name->pool;

  pool_note_error (pool, NULL, error);
  if (!name->failed)
    g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", pool->settings->name, "MESSAGE", "Pool %s: %s%s",
                      pool->settings->name, error,
                      name->n_addresses > 0 ? "; the addresses that it had stay in use" : "");
  name->failed = TRUE;
  pool_touch (pool);         /* whoever does not wait for it is to hear */
}

static gint64
next_delay_us (const Name *name)
{
  gint64 refresh_us = pool_number (name->pool->settings, POOL_DNS_REFRESH);

  if (name->n_addresses > 0)
    return refresh_us;
  return CLAMP (backoff_next (name->backoff), 0, refresh_us);
}

static void
answered (const char *const *addresses, const char *error, gpointer data)
{
  Name *name = data;
  Control *control = name->pool->control;

  name->query = NULL;
  if (addresses != NULL)
    take_addresses (name, addresses);
  else
    note_failure (name, error);
  control_timer_set (control, &name->timer, control_now_us (control) + next_delay_us (name));
}

/* ------------------------------------------------------------------- asking */

static void
ask (Name *name)
{
  Resolver *resolver = name->pool->site->resolver;

  if (name->query != NULL)
    return;
  control_timer_unset (name->pool->control, &name->timer);
  name->asked_us = control_now_us (name->pool->control);
  name->query = resolver->ask (resolver, name->host, answered, name);
}

static void
is_due (gpointer data)
{
  ask (data);
}

void
pool_names_ask (CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->names->len; i++)
    ask (pool->names->pdata[i]);
}

void
pool_names_doubt (CenotePool *pool, const Address *address)
{
  Name *name = address->origin;
  gint64 earliest_us;

  if (name == NULL || name->query != NULL || pool->phase != POOL_RUNNING)
    return;
  earliest_us = MAX (control_now_us (pool->control), name->asked_us + DOUBT_US);
  if (name->timer.due_us > earliest_us)
    control_timer_set (pool->control, &name->timer, earliest_us);
}

static void
rest (Name *name)
{
  control_timer_unset (name->pool->control, &name->timer);
  if (name->query != NULL)
    name->pool->site->resolver->cancel (g_steal_pointer (&name->query));
}

void
pool_names_rest (CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->names->len; i++)
    rest (pool->names->pdata[i]);
}

gboolean
pool_names_are_awaited (const CenotePool *pool)
{
  guint i;

  for (i = 0; i < pool->names->len; i++) {
    const Name *name = pool->names->pdata[i];

    if (name->n_addresses == 0 && !name->failed)
      return TRUE;
  }
  return FALSE;
}

/* -------------------------------------------------------------------- lives */

void
pool_name_free (gpointer data)
{
  Name *name = data;

  rest (name);
  instance_unref (name->backoff);
  g_free (name->host);
  g_free (name->port);
  g_free (name->authority);
  g_free (name);
}

gboolean
pool_names_follows (const CenotePool *pool, const char *target)
{
  const char *text = endpoint_of (target);
  g_autofree char *host = NULL;
  Endpoint endpoint;

  if (text == NULL || is_for_ccore (pool, target) || targets_read_endpoint (text, &endpoint) != ENDPOINT_GOOD)
    return FALSE;
  host = g_strndup (endpoint.host, endpoint.n_host);
  return !is_numeric (host) && !is_this_machine (host);
}

gboolean
pool_names_add (CenotePool *pool, const char *target, GError **error)
{
  Instance *backoff = instance_new (pool->settings->backoff, pool->settings->name, &pool->services, error);
  const char *text = endpoint_of (target);
  Endpoint endpoint;
  Name *name;

  if (backoff == NULL)
    return FALSE;
  targets_read_endpoint (text, &endpoint);
  name = g_new0 (Name, 1);
  name->pool = pool;
  name->host = g_strndup (endpoint.host, endpoint.n_host);
  name->port = g_strdup (endpoint.port);
  name->authority = g_strdup (text);
  name->backoff = backoff;
  name->asked_us = -1;
  name->timer = (ControlTimer) { .func = is_due, .data = name };
  g_ptr_array_add (pool->names, name);
  return TRUE;
}
