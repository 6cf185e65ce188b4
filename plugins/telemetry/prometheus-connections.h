/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-connections: who is connected, how far each has come, and who has to go.
 *
 * A connection has one request: SILENT until its first byte, REQUEST until the last one, then REPLY (perhaps
 * with a while of WAITING before it).  Each phase has the same limit, counted from its beginning: a client that
 * drips its bytes gains nothing by it.  No clock and no socket here: times are given, and the caller closes.
 */
#ifndef CENOTE_PROMETHEUS_CONNECTIONS_H
#define CENOTE_PROMETHEUS_CONNECTIONS_H

#include <glib.h>

typedef enum {
  PHASE_SILENT,
  PHASE_REQUEST,
  PHASE_WAITING,             /* the request is whole; its answer is being made elsewhere */
  PHASE_REPLY,
  PHASE_CLOSING              /* has been told to go */
} Phase;

typedef struct Connection {
  GList link;                /* in Connections.all; data: itself */
  int fd;
  Phase phase;
  gint64 until_us;           /* when its phase is over the limit */
  guint64 ticket;            /* WAITING: for this one; 0: it has not waited */
  gboolean is_late;          /* it waited in vain */
  gsize reply_bytes;         /* REPLY: held for it */
  gpointer handle;           /* the caller's */
} Connection;

typedef struct Connections {
  GQueue all;                /* in order of arrival */
  guint max;
  gint64 limit_us;
  gsize max_reply_bytes;     /* of all replies together */
  gsize reply_bytes;
} Connections;

void connections_init (Connections *connections, guint max, gint64 limit_us, gsize max_reply_bytes);
Connection *connections_add (Connections *connections, int fd, gpointer handle, gint64 now_us);
/* Frees it. */
void connections_remove (Connections *connections, Connection *connection);

/* Enters PHASE, whose time begins NOW. */
void connection_enter (Connections *connections, Connection *connection, Phase phase, gint64 now_us);
/* Counts what its reply holds. */
void connection_hold (Connections *connections, Connection *connection, gsize bytes);

/* Who has to go (nullable): for a newcomer, where all places are taken: the oldest without a whole request, else the
 * oldest; */
Connection *connections_victim (const Connections *connections);
/* for the memory of a reply: the oldest other one that has a reply; */
Connection *connections_reply_victim (const Connections *connections, const Connection *spared);
/* because its time is over. */
Connection *connections_expired (const Connections *connections, gint64 now_us);
/* When the next one's time is over; G_MAXINT64: there is none. */
gint64 connections_next_us (const Connections *connections);

#endif
