/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential: from a pool's api-key, token-file or user and password to the header that its calls carry.
 *
 * Pure, apart from the token's file.  No error shows any of the secret.
 */
#ifndef CENOTE_CORE_CREDENTIAL_H
#define CENOTE_CORE_CREDENTIAL_H

#include "settings.h"

G_BEGIN_DECLS

/* The most that servers take in one header. */
#define CREDENTIAL_MAX_BYTES 8192

/* The header's name, lower case; NULL for NONE. */
const char *credential_header (CredentialsKind kind);

/* (transfer full) (nullable): the header's value, as it is now.  Not for NONE.
 * CENOTE_ERROR_CONFIG, _NOT_FOUND: the token's file cannot be read, or what is there
 * cannot be a header (empty, too long, bytes that no header has). */
char *credential_read (const PoolCredentials *credentials, GError **error);

G_END_DECLS

#endif
