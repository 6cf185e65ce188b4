/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-identity: who we are to a server: a certificate, those of its issuers, and its key.
 *
 * Made only where they fit together and are valid now, so that C-core, which aborts
 * on some of what can be wrong, never sees anything else.  Immutable; one thread.
 */
#ifndef CENOTE_TLS_IDENTITY_H
#define CENOTE_TLS_IDENTITY_H

#include "tls-x509.h"

G_BEGIN_DECLS

typedef struct TlsIdentity {
  char *chain_pem;
  char *key_pem;
  X509 *certificate;
} TlsIdentity;

typedef enum { TLS_FAULT_OF_CERTIFICATE, TLS_FAULT_OF_KEY } TlsFaultOf;

/* NULL: OUT_FAULT (transfer full) says what is wrong, and OUT_OF with which of the two. */
TlsIdentity *tls_identity_new (const char *chain_pem, const char *key_pem, TlsFaultOf *out_of, char **out_fault);
/* Overwrites the key. */
void tls_identity_free (TlsIdentity *identity);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlsIdentity, tls_identity_free)

G_END_DECLS

#endif
