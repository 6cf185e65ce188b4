/* SPDX-License-Identifier: Apache-2.0 */
#include "status-name.h"

/* The names of grpc/status.h, by number. */
const char *
status_name (int status)
{
  static const char *const names[] = {
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
  };

  return status >= 0 && status < (int) G_N_ELEMENTS (names) ? names[status] : NULL;
}
