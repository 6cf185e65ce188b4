/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prime: asks one connected channel something, and wants an answer: before callers
 * may have it, and before one that was ejected comes back.
 *
 *   STOPPED ─▶ ASKING ──answer──▶ STOPPED
 *                │ ▲
 *                ▼ │ (as many tries as there are)
 *              PAUSED
 *
 * What is asked, and which answer is good enough:
 *
 *   HEADERS  the headers of a call to a method that no server has (FACTS 9): whatever
 *            a gRPC server answers shows that it is there (blame.h)
 *   HEALTH   Check of grpc.health.v1: SERVING, or that there is no such service
 *   METHOD   an empty message to a method of the server's own: OK
 *
 * A try that is not answered well enough in time is followed by another one at
 * once, or PAUSE_US after it was refused at once; the last one's fault is told.
 * Control thread only.
 */
#ifndef CENOTE_CORE_PRIME_H
#define CENOTE_CORE_PRIME_H

#include "core/grpc/link.h"
#include "core/grpc/stream.h"

typedef struct Prime Prime;

typedef enum { PRIME_NONE, PRIME_HEADERS, PRIME_HEALTH, PRIME_METHOD } PrimeKind;

/* What all of a pool share. */
typedef struct PrimeSite {
  const StreamMaker *streams;
  PrimeKind kind;
  const char *method;        /* METHOD's */
  GBytes *request;           /* HEALTH's */
  gint64 timeout_us;         /* of a try */
  guint n_tries;
  gsize max_message_bytes;
  guint *n_alive;            /* as StreamSpec's */
  /* OWNER's channel answered (ERROR NULL), or has used up its tries.  It may be started and stopped here. */
  void (*ended) (gpointer owner, const char *error);
} PrimeSite;

/* What a pool's key `prime` (nullable) says; FALSE where it says nothing of the kind. */
gboolean prime_kind_from_string (const char *text, PrimeKind *out_kind);

Prime *prime_new (const PrimeSite *site, gpointer owner);
/* Stops it first; not inside `ended`. */
void prime_free (Prime *prime);
/* Asks LINK, which is connected, with KIND. */
void prime_start (Prime *prime, Link *link, PrimeKind kind);
/* Nothing is told any more; no effect where it was not started. */
void prime_stop (Prime *prime);

#endif
