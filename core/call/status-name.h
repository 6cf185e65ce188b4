/* SPDX-License-Identifier: Apache-2.0 */
/* status-name: gRPC's words for its statuses.  Pure. */
#ifndef CENOTE_CORE_CALL_STATUS_NAME_H
#define CENOTE_CORE_CALL_STATUS_NAME_H

#include <glib.h>

G_BEGIN_DECLS

/* "UNAVAILABLE"; NULL: gRPC has no such status. */
const char *status_name (int status);

G_END_DECLS

#endif
