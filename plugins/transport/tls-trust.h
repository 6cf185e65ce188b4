/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-trust: the CAs that a server's certificate is verified by, and the verdict.
 *
 * One store for all connections (C-core would make a copy of every CA for each).
 * Counted; immutable once made; any thread.
 */
#ifndef CENOTE_TLS_TRUST_H
#define CENOTE_TLS_TRUST_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct TlsTrust TlsTrust;

/* PEM: the CAs; NAME: what people are told that they are, e.g. "ca-file '/etc/ca.pem'".
 * NULL: OUT_FAULT (transfer full) says what is wrong with them, without their name. */
TlsTrust *tls_trust_new (const char *pem, const char *name, char **out_fault);
TlsTrust *tls_trust_ref (TlsTrust *trust);
void tls_trust_unref (TlsTrust *trust);

/* Whether the server HOST (a name or an IP) may have the certificate LEAF, whose issuers are in CHAIN (both PEM; CHAIN
 * nullable, with or without the leaf).  NULL: it may; else (transfer full) why not, for people. */
char *tls_trust_refuse (const TlsTrust *trust, const char *host, const char *leaf, const char *chain);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlsTrust, tls_trust_unref)

G_END_DECLS

#endif
