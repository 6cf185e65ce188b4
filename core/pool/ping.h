/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ping: asks one READY channel for a sign of life, every interval.
 *
 * What is sent is the cheapest round trip there is: the headers of a call to a
 * method that no server has (FACTS 9).  Whatever the peer answers, an error too,
 * shows that it lives; UNAVAILABLE, or nothing within the timeout, does not.
 * The first ping comes at a random time within the interval, so that channels
 * that connected together are not asked in one instant; one that is late is
 * waited for, and not overtaken by another.
 *
 * Traffic does not spare a channel its ping: a lease that was released says
 * nothing about the peer, and a ping costs less than knowing what would.
 *
 * Control thread only.
 */
#ifndef CENOTE_CORE_PING_H
#define CENOTE_CORE_PING_H

#include "core/grpc/link.h"
#include "core/grpc/stream.h"

typedef struct Ping Ping;

/* What all pings of a pool share. */
typedef struct PingSite {
  const StreamMaker *streams;
  gint64 interval_us;
  gint64 timeout_us;
  guint *n_alive;            /* as StreamSpec's */
  /* A ping of OWNER's ended; ERROR NULL: it lives.  It may be stopped here. */
  void (*ended) (gpointer owner, gint64 duration_us, const char *error);
} PingSite;

Ping *ping_new (const PingSite *site, gpointer owner);
/* Stops it first; not inside `ended`. */
void ping_free (Ping *ping);
/* From now on it asks LINK, which is READY. */
void ping_start (Ping *ping, Link *link);
/* Nothing is told any more; no effect where it was not started. */
void ping_stop (Ping *ping);

#endif
