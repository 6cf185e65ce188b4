/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-connections: one list; a few hundred are looked through, so it needs no order but that of arrival. */
#include "prometheus-connections.h"

void
connections_init (Connections *connections, guint max, gint64 limit_us, gsize max_reply_bytes)
{
  *connections = (Connections) { .max = max, .limit_us = limit_us, .max_reply_bytes = max_reply_bytes };
  g_queue_init (&connections->all);
}

Connection *
connections_add (Connections *connections, int fd, gpointer handle, gint64 now_us)
{
  Connection *connection = g_new0 (Connection, 1);

  connection->link.data = connection;
  connection->fd = fd;
  connection->handle = handle;
  g_queue_push_tail_link (&connections->all, &connection->link);
  connection_enter (connections, connection, PHASE_SILENT, now_us);
  return connection;
}

void
connections_remove (Connections *connections, Connection *connection)
{
  connection_hold (connections, connection, 0);
  g_queue_unlink (&connections->all, &connection->link);
  g_free (connection);
}

void
connection_enter (Connections *connections, Connection *connection, Phase phase, gint64 now_us)
{
  connection->phase = phase;
  connection->until_us = now_us + connections->limit_us;
}

void
connection_hold (Connections *connections, Connection *connection, gsize bytes)
{
  connections->reply_bytes += bytes - connection->reply_bytes;
  connection->reply_bytes = bytes;
}

/* ---------------------------------------------------------------- decisions */

static gboolean
has_whole_request (const Connection *connection)
{
  return connection->phase >= PHASE_WAITING;
}

Connection *
connections_victim (const Connections *connections)
{
  Connection *oldest = NULL;
  guint n = 0;

  for (GList *link = connections->all.head; link != NULL; link = link->next) {
    Connection *connection = link->data;

    if (connection->phase == PHASE_CLOSING)
      continue;
    n++;
    if (oldest == NULL || (has_whole_request (oldest) && !has_whole_request (connection)))
      oldest = connection;
  }
  return n >= connections->max ? oldest : NULL;
}

Connection *
connections_reply_victim (const Connections *connections, const Connection *spared)
{
  if (connections->reply_bytes <= connections->max_reply_bytes)
    return NULL;
  for (GList *link = connections->all.head; link != NULL; link = link->next) {
    Connection *connection = link->data;

    if (connection != spared && connection->phase == PHASE_REPLY && connection->reply_bytes > 0)
      return connection;
  }
  return NULL;
}

Connection *
connections_expired (const Connections *connections, gint64 now_us)
{
  for (GList *link = connections->all.head; link != NULL; link = link->next) {
    Connection *connection = link->data;

    if (connection->phase != PHASE_CLOSING && now_us >= connection->until_us)
      return connection;
  }
  return NULL;
}

gint64
connections_next_us (const Connections *connections)
{
  gint64 next_us = G_MAXINT64;

  for (GList *link = connections->all.head; link != NULL; link = link->next) {
    const Connection *connection = link->data;

    if (connection->phase != PHASE_CLOSING)
      next_us = MIN (next_us, connection->until_us);
  }
  return next_us;
}
