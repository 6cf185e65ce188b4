/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disconnect-error: a lost connection's reason, in one of a few words.  Pure.
 *
 * The words are gRFC A94's for `grpc.disconnect_error`.  C-core 1.51 tells no reason of
 * most losses (FACTS 3): those are "unknown".
 */
#ifndef CENOTE_CORE_DISCONNECT_ERROR_H
#define CENOTE_CORE_DISCONNECT_ERROR_H

#include <glib.h>

G_BEGIN_DECLS

/* (transfer none): all of them, NULL-terminated. */
const char *const *disconnect_errors (void);
/* (transfer none): that of REASON, a text of C-core's, of a transport's or of ours. */
const char *disconnect_error_of (const char *reason);

G_END_DECLS

#endif
