/* SPDX-License-Identifier: Apache-2.0 */
/* status-error: errors in CENOTE_STATUS, which carry the trailing metadata.  Any thread. */
#ifndef CENOTE_CORE_CALL_STATUS_ERROR_H
#define CENOTE_CORE_CALL_STATUS_ERROR_H

#include <cenote/error.h>

#include "headers.h"

G_BEGIN_DECLS

/* STATUS as it came, also above 16.  DETAILS: the peer's text, word for word (what is not
 * UTF-8 is made so); where it is empty the status's name stands in its place.
 * TRAILING: (nullable) (transfer none). */
GError *status_error_new (int status, const char *details, const Headers *trailing);

G_END_DECLS

#endif
