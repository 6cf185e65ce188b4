/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-credentials: C-core's credentials out of what we have read and checked: all that this
 * transport asks of C-core's security.
 *
 * C-core itself would read files again (and abort on a broken one), copy every CA
 * for each connection, and tell of a certificate only that it failed.  So it gets
 * static data, and a verifier of ours.
 */
#ifndef CENOTE_TLS_CREDENTIALS_H
#define CENOTE_TLS_CREDENTIALS_H

#include <grpc/grpc_security.h>

#include "tls-material.h"
#include "tls-peer.h"

/* Whether this C-core can be told not to speak TLS 1.2. */
gboolean tls_credentials_can_require_13 (void);

/* (transfer full): for one channel, whose server is PEER.  CALLS (nullable) go with every call.
 * REQUIRE_13: nothing below TLS 1.3; C-core then verifies by itself, and PEER learns nothing. */
grpc_channel_credentials *tls_credentials_new (const TlsMaterial *material, TlsPeer *peer, gboolean require_13,
                                               grpc_call_credentials *calls);

#endif
