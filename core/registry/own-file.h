/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own-file: the file that this code was loaded from: the shared library, or the
 * program where Cenote is linked into one.  No state, any thread.
 */
#ifndef CENOTE_CORE_OWN_FILE_H
#define CENOTE_CORE_OWN_FILE_H

#include <glib.h>

/* (transfer full) (nullable): its real path; NULL where it cannot be told. */
char *own_file_path (void);

#endif
