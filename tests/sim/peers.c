/* SPDX-License-Identifier: Apache-2.0 */
#include "peers.h"

#include <string.h>

/* grpc_status_code's. */
#define UNIMPLEMENTED 12

/* Where the plugin's states find the peers. */
static Peers *present;

/* ------------------------------------------------------------------- peers */

static void
peer_free (gpointer data)
{
  Peer *peer = data;

  g_queue_clear_full (&peer->script, g_free);
  g_array_unref (peer->dials);
  g_free (peer->name);
  g_free (peer);
}

Peers *
peers_new (void)
{
  Peers *peers = g_new0 (Peers, 1);

  g_assert (present == NULL);
  peers->peers = g_ptr_array_new_with_free_func (peer_free);
  peers->connections = g_ptr_array_new_with_free_func (g_free);
  present = peers;
  return peers;
}

void
peers_free (Peers *peers)
{
  present = NULL;
  g_ptr_array_unref (peers->connections);
  g_ptr_array_unref (peers->peers);
  g_free (peers);
}

static Peer *
peer_new (Peers *peers, const char *address)
{
  Peer *peer = g_new0 (Peer, 1);

  peer->peers = peers;
  peer->name = g_strdup (address);
  peer->always = (PeerStep){ PEER_ACCEPTS, 1000, PEER_FOREVER, NULL };
  peer->voice = (PeerVoice){ .after_us = 1000, .ping_status = UNIMPLEMENTED, .prime_status = UNIMPLEMENTED, .serving = 1 };
  g_queue_init (&peer->script);
  peer->dials = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_ptr_array_add (peers->peers, peer);
  return peer;
}

Peer *
peers_get (Peers *peers, const char *address)
{
  guint i;

  for (i = 0; i < peers->peers->len; i++) {
    Peer *peer = peers->peers->pdata[i];

    if (strcmp (peer->name, address) == 0)
      return peer;
  }
  return peer_new (peers, address);
}

void
peer_always (Peer *peer, PeerAnswer answer, gint64 after_us, gint64 lasts_us, const char *text)
{
  peer->always = (PeerStep){ answer, after_us, lasts_us, text };
}

void
peer_next (Peer *peer, PeerAnswer answer, gint64 after_us, gint64 lasts_us, const char *text)
{
  PeerStep *step = g_new (PeerStep, 1);

  *step = (PeerStep){ answer, after_us, lasts_us, text };
  g_queue_push_tail (&peer->script, step);
}

static PeerStep
take_step (Peer *peer)
{
  PeerStep *next = g_queue_pop_head (&peer->script);
  PeerStep step = next == NULL ? peer->always : *next;

  g_free (next);
  return step;
}

guint
peer_n_dials (const Peer *peer)
{
  return peer->dials->len;
}

gint64
peer_dial_time (const Peer *peer, guint i)
{
  return g_array_index (peer->dials, gint64, i);
}

void
peer_forget_dials (Peer *peer)
{
  g_array_set_size (peer->dials, 0);
}

Connection *
peer_nth_up (Peer *peer, guint i)
{
  GPtrArray *all = peer->peers->connections;
  guint k;

  for (k = 0; k < all->len; k++) {
    Connection *connection = all->pdata[k];

    if (connection->peer == peer && connection->state == CONNECTION_UP && i-- == 0)
      return connection;
  }
  return NULL;
}

void
peer_lose_all (Peer *peer, const char *text)
{
  Connection *connection;

  while ((connection = peer_nth_up (peer, 0)) != NULL)
    connection_lose (connection, text);
}

/* -------------------------------------------------------------- connections */

static void attempt_is_over (void *data);
static void connection_is_over (void *data);

/* A use of the transport that its contract does not allow. */
static gboolean
is_right (Connection *connection, gboolean right)
{
  connection->peer->peers->n_faults += !right;
  return right;
}

static void
tell (Connection *connection, CenoteChannelState state, const char *text)
{
  connection->notify (connection->notify_data, state, text);
}

/* FUNC in AFTER_US, which may be at once or never. */
static void
go_on (Connection *connection, gint64 after_us, void (*func) (void *data))
{
  if (after_us == PEER_INSIDE)
    func (connection);
  else if (after_us != PEER_FOREVER)
    connection->timer = connection->host->timer_start (connection->host, after_us, func, connection);
}

static void
count_dialing (Peer *peer, int by)
{
  peer->n_dialing += (guint) by;
  peer->most_dialing = MAX (peer->most_dialing, peer->n_dialing);
  peer->peers->n_dialing += (guint) by;
  peer->peers->most_dialing = MAX (peer->peers->most_dialing, peer->peers->n_dialing);
}

static void
enter (Connection *connection, ConnectionState state)
{
  Peer *peer = connection->peer;

  if (connection->state == CONNECTION_DIALING && !connection->by_itself)
    count_dialing (peer, -1);
  peer->n_up -= connection->state == CONNECTION_UP;
  connection->state = state;
  if (state == CONNECTION_DIALING && !connection->by_itself)
    count_dialing (peer, +1);
  peer->n_up += state == CONNECTION_UP;
}

static void
stop_timer (Connection *connection)
{
  connection->host->timer_stop (connection->host, g_steal_pointer (&connection->timer));
}

Connection *
connection_of (grpc_channel *channel)
{
  return (Connection *) (gpointer) channel;
}

void
connection_lose (Connection *connection, const char *text)
{
  stop_timer (connection);
  enter (connection, CONNECTION_IDLE);
  tell (connection, CENOTE_CHANNEL_IDLE, text);
}

void
connection_fail (Connection *connection, const char *text)
{
  stop_timer (connection);
  enter (connection, CONNECTION_FAILED);
  tell (connection, CENOTE_CHANNEL_TRANSIENT_FAILURE, text);
}

static void
connection_is_over (void *data)
{
  Connection *connection = data;

  connection->timer = NULL;
  connection_lose (connection, connection->step.text);
}

static void
attempt_is_over (void *data)
{
  Connection *connection = data;

  connection->timer = NULL;
  if (connection->step.answer != PEER_ACCEPTS) {
    connection_fail (connection, connection->step.text);
    return;
  }
  enter (connection, CONNECTION_UP);
  connection->peer->n_accepted++;
  tell (connection, CENOTE_CHANNEL_READY, NULL);
  go_on (connection, connection->step.lasts_us, connection_is_over);
}

static void
dial (Connection *connection, gboolean by_itself)
{
  connection->by_itself = by_itself;
  enter (connection, CONNECTION_DIALING);
  connection->step = take_step (connection->peer);
  tell (connection, CENOTE_CHANNEL_CONNECTING, NULL);
  if (connection->step.answer != PEER_HANGS)
    go_on (connection, connection->step.after_us, attempt_is_over);
}

void
connection_dial_by_itself (Connection *connection)
{
  g_assert (connection->state == CONNECTION_IDLE);
  dial (connection, TRUE);
}

/* ------------------------------------------------------------------ plugin */

typedef struct Transport {
  const CenoteHost *host;
  Peers *peers;
} Transport;

static void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  Transport *transport = g_new0 (Transport, 1);

  (void) options;
  (void) fault;
  transport->host = host;
  transport->peers = present;
  transport->peers->n_states++;
  return transport;
}

static struct grpc_channel *
create_channel (void *state, const char *address, const void *args, CenoteFault *fault)
{
  Transport *transport = state;
  Peer *peer = peers_get (transport->peers, address);
  const PeerStep *next = g_queue_is_empty (&peer->script) ? &peer->always : g_queue_peek_head (&peer->script);
  Connection *connection;

  (void) args;
  if (next->answer == PEER_HAS_NO_CHANNEL) {
    gint64 now_us = transport->host->now_us (transport->host);

    g_array_append_val (peer->dials, now_us);
    transport->host->fail (transport->host, fault, take_step (peer).text);
    return NULL;
  }
  connection = g_new0 (Connection, 1);
  connection->peer = peer;
  connection->host = transport->host;
  g_ptr_array_add (transport->peers->connections, connection);
  connection->number = transport->peers->connections->len;
  transport->peers->n_open++;
  return (struct grpc_channel *) (gpointer) connection;
}

static void
watch (void *state, struct grpc_channel *channel, CenoteTransportNotify notify, void *notify_data)
{
  Connection *connection = connection_of (channel);

  (void) state;
  is_right (connection, connection->notify == NULL);
  connection->notify = notify;
  connection->notify_data = notify_data;
}

/* One that has dialled by itself meanwhile is left to that, and to what came of it. */
static void
connect_channel (void *state, struct grpc_channel *channel)
{
  Connection *connection = connection_of (channel);
  gint64 now_us = connection->host->now_us (connection->host);

  (void) state;
  if (!is_right (connection, connection->state != CONNECTION_CLOSED) || connection->state != CONNECTION_IDLE)
    return;
  connection->n_dials++;
  g_array_append_val (connection->peer->dials, now_us);
  dial (connection, FALSE);
}

static void
close_channel (void *state, struct grpc_channel *channel)
{
  Connection *connection = connection_of (channel);

  (void) state;
  if (!is_right (connection, connection->state != CONNECTION_CLOSED))
    return;
  if (connection->peer->peers->on_close != NULL)
    connection->peer->peers->on_close (connection);
  stop_timer (connection);
  enter (connection, CONNECTION_CLOSED);
  connection->peer->peers->n_open--;
}

static void
destroy (void *state)
{
  Transport *transport = state;

  transport->peers->n_states--;
  g_free (transport);
}

static const CenoteTransportOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_TRANSPORT_TAKES_ADDRESSES,
  .create = create,
  .create_channel = create_channel,
  .watch = watch,
  .connect = connect_channel,
  .close_channel = close_channel,
  .destroy = destroy,
};

const CenotePlugin peers_plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TRANSPORT),    .name = "peers",         .version = "0.1.0",
  .summary = "Leads to the peers of a simulation", .license = "Apache-2.0", .ops = &ops,
};
