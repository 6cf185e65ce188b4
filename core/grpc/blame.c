/* SPDX-License-Identifier: Apache-2.0 */
#include "blame.h"

#include <grpc/status.h>

/* How C-core 1.51 tells of a response whose :status is not 200. */
#define NOT_GRPC "Received http2 header with status: "

static gboolean
is_not_grpc (const char *details)
{
  return details != NULL && g_str_has_prefix (details, NOT_GRPC);
}

gboolean
blame_falls_on_channel (int status, const char *details)
{
  switch (status) {
  case GRPC_STATUS_UNAVAILABLE:
  case GRPC_STATUS_DEADLINE_EXCEEDED:
    return TRUE;
  case GRPC_STATUS_INTERNAL:
  case GRPC_STATUS_UNKNOWN:
    return is_not_grpc (details);
  default:
    return FALSE;
  }
}

char *
blame_to_string (int status, const char *details)
{
  gboolean has_details = details != NULL && details[0] != '\0';

  return g_strdup_printf ("status %d%s%s", status, has_details ? ": " : "", has_details ? details : "");
}
