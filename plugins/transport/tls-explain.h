/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-explain: from C-core's words for a failed connection to what a person can act on.
 *
 * Pure.  C-core tells the reasons of OpenSSL and of its own by name only, and they
 * are recognised by parts of them; what is not recognised stays as it is.
 */
#ifndef CENOTE_TLS_EXPLAIN_H
#define CENOTE_TLS_EXPLAIN_H

#include <glib.h>

G_BEGIN_DECLS

/* What is known of the attempt that failed. */
typedef struct TlsAttempt {
  const char *error;         /* C-core's */
  const char *refusal;       /* nullable: why we did not trust the server */
  gboolean was_trusted;      /* the handshake was over, and the server trusted */
  gboolean has_identity;     /* a client certificate was there to be sent */
  const char *identity_fault;/* nullable: what is wrong with it by now, e.g. "expired on …" */
  const char *authorities;   /* what they are called, for people */
  const char *min_version;
} TlsAttempt;

/* (transfer full) (nullable): NULL where C-core's words are the best there are. */
char *tls_explain (const TlsAttempt *attempt);

G_END_DECLS

#endif
