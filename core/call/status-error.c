/* SPDX-License-Identifier: Apache-2.0 */
#include "status-error.h"

#include <cenote/call.h>

/* What a GError in CENOTE_STATUS carries beside its own members. */
typedef struct {
  Headers *trailing;
} CenoteStatusPrivate;

static void
cenote_status_private_init (CenoteStatusPrivate *private)
{
  private->trailing = NULL;
}

static void
cenote_status_private_copy (const CenoteStatusPrivate *from, CenoteStatusPrivate *to)
{
  to->trailing = headers_copy (from->trailing);
}

static void
cenote_status_private_clear (CenoteStatusPrivate *private)
{
  headers_free (private->trailing);
}

G_DEFINE_EXTENDED_ERROR (CenoteStatus, cenote_status)

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

GError *
status_error_new (int status, const char *details, const Headers *trailing)
{
  g_autofree char *text = details == NULL ? g_strdup ("") : g_utf8_make_valid (details, -1);
  const char *name = status_name (status);
  GError *error;

  if (text[0] != '\0')
    error = g_error_new_literal (CENOTE_STATUS, status, text);
  else if (name != NULL)
    error = g_error_new_literal (CENOTE_STATUS, status, name);
  else
    error = g_error_new (CENOTE_STATUS, status, "status %d, which gRPC does not define", status);
  cenote_status_get_private (error)->trailing = headers_copy (trailing);
  return error;
}

const char *
cenote_status_error_get_trailing (const GError *error, const char *key)
{
  if (error == NULL || error->domain != CENOTE_STATUS)
    return NULL;
  return headers_get (cenote_status_get_private (error)->trailing, key, NULL);
}
