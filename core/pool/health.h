/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health: asks one READY channel, by grpc.health.v1, whether its server serves.
 *
 *              ┌── broke ──▶ RESTING ──┐
 *   STOPPED ─▶ WATCHING ◀── backoff ───┘
 *                 └─ UNIMPLEMENTED ─▶ CHECKING ◀─ interval ─▶ WAITING
 *                                        └─ UNIMPLEMENTED ─▶ WITHOUT_OPINION
 *
 * WATCHING   a Watch is open, and the server tells of each change
 * RESTING    it broke; it is opened again after a backoff, at once where it had stood
 * CHECKING   no Watch there: a Check is on its way;  WAITING  for the next one
 * WITHOUT_OPINION  neither is there: it serves, as long as this connection lasts
 *
 * Only SERVING serves.  While nothing is known it does not: a Watch that breaks, a
 * Check that fails, or no answer within answer_timeout, and the channel is out of
 * the rotation until the server says otherwise (gRFC A17 does the same).
 *
 * A server that tells changes faster than every 10 ms is listened to at that pace.
 * Control thread only.
 */
#ifndef CENOTE_CORE_HEALTH_H
#define CENOTE_CORE_HEALTH_H

#include "core/grpc/link.h"
#include "core/grpc/stream.h"

typedef struct Health Health;

/* What all health checks of a pool share. */
typedef struct HealthSite {
  const StreamMaker *streams;
  GBytes *request;
  gint64 answer_timeout_us;  /* for a Watch's first answer, and a Check's */
  gint64 interval_us;        /* between Checks */
  guint *n_alive;            /* as StreamSpec's */
  /* The opinion on OWNER changed, or is the first one.  It may be stopped here. */
  void (*told) (gpointer owner, gboolean serves, const char *why);
} HealthSite;

Health *health_new (const HealthSite *site, gpointer owner);
/* Stops it first; not inside `told`. */
void health_free (Health *health);
/* From now on it asks LINK, which is READY; what was known before is forgotten. */
void health_start (Health *health, Link *link);
/* Nothing is told any more; no effect where it was not started. */
void health_stop (Health *health);

#endif
