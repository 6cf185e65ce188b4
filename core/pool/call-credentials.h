/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call-credentials: what a pool's calls carry and prove themselves with, kept up to date.
 *
 * A token's file is looked at every CALL_CREDENTIALS_REFRESH_US; where it has
 * changed, calls carry the new token from then on, and no channel is replaced.  A
 * file that is broken by then keeps the old token, is told once, and is tried again.
 *
 * Control thread.
 */
#ifndef CENOTE_CORE_CALL_CREDENTIALS_H
#define CENOTE_CORE_CALL_CREDENTIALS_H

#include "core/config/settings.h"
#include "core/grpc/ccore-credentials.h"
#include "core/runtime/control.h"

#define CALL_CREDENTIALS_REFRESH_US G_USEC_PER_SEC

typedef struct CallCredentials CallCredentials;

/* FROM and POOL (its name, for people) outlive it; METADATA: as ccore_credentials_new()'s.  NULL with
 * credential_read()'s errors. */
CallCredentials *call_credentials_new (Control *control, const PoolCredentials *from, const char *const *metadata,
                                       const char *pool, GError **error);
/* NULL is ignored. */
void call_credentials_free (CallCredentials *credentials);
/* Begins to look at the token's file. */
void call_credentials_start (CallCredentials *credentials);
CcoreCredentials *call_credentials_get (CallCredentials *credentials);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CallCredentials, call_credentials_free)

#endif
