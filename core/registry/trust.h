/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust: whether a file may run in this process, by who could have written it.
 *
 * A file and the directory that holds it must be owned by root, by our effective
 * user or by the owner of libcenote's own file, and nobody else may write them;
 * only a directory with the sticky bit may be open to all.  No state, any thread.
 */
#ifndef CENOTE_CORE_TRUST_H
#define CENOTE_CORE_TRUST_H

#include <glib.h>
#include <sys/stat.h>

/* PATH: a regular file (its directory is looked at too) or a directory.
 * FALSE: CENOTE_ERROR_PLUGIN naming the path, what was found and what was expected;
 * CENOTE_ERROR_NOT_FOUND where it cannot be looked at. */
gboolean plugin_trust_check (const char *path, GError **error);

typedef struct TrustOwners {
  uid_t us;
  uid_t library;             /* that of libcenote's own file */
} TrustOwners;

/* The judgement alone, of one file or directory. */
gboolean trust_judge (const char *path, const struct stat *status, const TrustOwners *owners, GError **error);

#endif
