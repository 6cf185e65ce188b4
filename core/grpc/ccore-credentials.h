/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ccore-credentials: what a pool's calls carry, as C-core takes it: metadata in the order
 * that it was given in, and the header that they prove themselves with.
 *
 * Its value may be replaced at any time: calls that start afterwards carry the new
 * one, and channels stay.  C-core adds it on secure channels alone (its level is
 * privacy and integrity).  Nothing here tells the value to a log.
 *
 * Lock: its own, around the value.  Threads: as said at each function.
 */
#ifndef CENOTE_CORE_CCORE_CREDENTIALS_H
#define CENOTE_CORE_CCORE_CREDENTIALS_H

#include <glib.h>
#include <grpc/grpc.h>

typedef struct CcoreCredentials CcoreCredentials;

/* HEADER: a lower-case name, nullable; VALUE: printable ASCII; METADATA: nullable, of checked metadatum.h's.
 * Any thread; does not need grpc_init(). */
CcoreCredentials *ccore_credentials_new (const char *header, const char *value, const char *const *metadata);
/* Control thread.  Channels that have them keep them, and so does who has a reference.  NULL is ignored. */
void ccore_credentials_free (CcoreCredentials *credentials);
/* Any thread.  NULL is ignored. */
CcoreCredentials *ccore_credentials_ref (CcoreCredentials *credentials);
void ccore_credentials_unref (CcoreCredentials *credentials);

/* Any thread. */
void ccore_credentials_set (CcoreCredentials *credentials, const char *value);

/* Control thread; borrowed.  For a transport that composes them into a channel's credentials. */
struct grpc_call_credentials *ccore_credentials_get (CcoreCredentials *credentials);
/* Any thread: all rows, for a call of Cenote's own on a channel that does not carry them.
 * OUT_METADATA has room for so many, and has a reference to their slices. */
gsize ccore_credentials_count (const CcoreCredentials *credentials);
void ccore_credentials_add_to (CcoreCredentials *credentials, grpc_metadata *out_metadata);
void ccore_metadata_clear (grpc_metadata *metadata, gsize n);
/* Any thread, borrowed: the metadata's names and values in turn. */
const char *const *ccore_credentials_pairs (const CcoreCredentials *credentials);
/* Any thread: the header's name, borrowed and nullable, and its value as it is now. (transfer full) */
const char *ccore_credentials_header (const CcoreCredentials *credentials);
char *ccore_credentials_dup_value (CcoreCredentials *credentials);

#endif
