/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statsd-socket: datagrams to a daemon, without waiting for it.
 *
 * Owns the socket, which is connected, so that a daemon that is not there is told of; it is made anew after
 * each failure, so that one that comes back, at another inode or not, is found.
 *
 * One thread at a time.
 */
#ifndef CENOTE_PLUGINS_STATSD_SOCKET_H
#define CENOTE_PLUGINS_STATSD_SOCKET_H

#include "statsd-address.h"

typedef struct StatsdSocket StatsdSocket;

typedef enum {
  STATSD_SENT,
  STATSD_LATER,              /* no room, or the address is still looked up */
  STATSD_FAILED
} StatsdResult;

/* ADDRESS (transfer full). */
StatsdSocket *statsd_socket_new (StatsdAddress *address);
void statsd_socket_free (StatsdSocket *self);

/* PATIENCE_MS: for so long it may wait for room.  *OUT_WHY (transfer full): where FAILED.  What a network, or a
 * daemon whose own queue is full, loses without a word counts as sent. */
StatsdResult statsd_socket_send (StatsdSocket *self, const char *bytes, gsize n, gint patience_ms, char **out_why);

#endif
