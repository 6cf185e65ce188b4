/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-peer: the server of one channel: verifies it, and remembers how far the last handshake came.
 *
 * Counted: the transport's, and the credentials' while C-core may still verify.
 * Lock: its own; handshakes run on threads of C-core's.
 */
#ifndef CENOTE_TLS_PEER_H
#define CENOTE_TLS_PEER_H

#include "tls-trust.h"

typedef struct TlsPeer TlsPeer;

/* Takes a reference to TRUST. */
TlsPeer *tls_peer_new (TlsTrust *trust);
TlsPeer *tls_peer_ref (TlsPeer *peer);
void tls_peer_unref (TlsPeer *peer);

/* As tls_trust_refuse(). */
char *tls_peer_refuse (TlsPeer *peer, const char *host, const char *leaf, const char *chain);

/* Whether a handshake ended with a server that was trusted. */
gboolean tls_peer_was_trusted (TlsPeer *peer);
/* (transfer full) (nullable): why the server was not trusted. */
char *tls_peer_get_refusal (TlsPeer *peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlsPeer, tls_peer_unref)

#endif
