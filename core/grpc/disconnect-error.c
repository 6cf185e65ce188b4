/* SPDX-License-Identifier: Apache-2.0 */
#include "disconnect-error.h"

#include <string.h>

/* HTTP/2's error codes (RFC 9113, 7), by number. */
#define GOAWAY_CODES(row) \
  row ("NO_ERROR") row ("PROTOCOL_ERROR") row ("INTERNAL_ERROR") row ("FLOW_CONTROL_ERROR") row ("SETTINGS_TIMEOUT") \
  row ("STREAM_CLOSED") row ("FRAME_SIZE_ERROR") row ("REFUSED_STREAM") row ("CANCEL") row ("COMPRESSION_ERROR") \
  row ("CONNECT_ERROR") row ("ENHANCE_YOUR_CALM") row ("INADEQUATE_SECURITY") row ("HTTP_1_1_REQUIRED")
#define GOAWAY(code) "GOAWAY " code,

static const char *const errors[] = {
  GOAWAY_CODES (GOAWAY)
  "subchannel shutdown", "connection reset", "connection timed out", "connection aborted", "socket error", "unknown", NULL,
};
#define N_GOAWAY_CODES 14

const char *const *
disconnect_errors (void)
{
  return errors;
}

/* What a text must contain, in any case; the first row that fits decides. */
static const struct { const char *text; const char *error; } rows[] = {
  { "too_many_pings", "GOAWAY ENHANCE_YOUR_CALM" },
  { "too many pings", "GOAWAY ENHANCE_YOUR_CALM" },
  { "connection reset", "connection reset" },
  { "econnreset", "connection reset" },
  { "broken pipe", "connection reset" },
  { "timed out", "connection timed out" },
  { "etimedout", "connection timed out" },
  { "keepalive watchdog", "connection timed out" },
  { "ping failed: no answer", "connection timed out" },
  { "connection aborted", "connection aborted" },
  { "connection abort", "connection aborted" },
  { "econnaborted", "connection aborted" },
  { "goaway", "GOAWAY NO_ERROR" },
  { "shutdown", "subchannel shutdown" },
  { "shut down", "subchannel shutdown" },
  { "socket", "socket error" },
  { "unreachable", "socket error" },
  { "end of file", "socket error" },
  { "eof", "socket error" },
};

/* A code's name stands for itself wherever it is written out; "GOAWAY 11" has its number. */
static const char *
goaway_code_of (const char *folded)
{
  const char *at = strstr (folded, "goaway");
  char *end;
  guint64 code;

  for (guint i = 0; i < N_GOAWAY_CODES; i++) {
    g_autofree char *name = g_ascii_strdown (errors[i] + strlen ("GOAWAY "), -1);

    if ((at != NULL || strcmp (name, "enhance_your_calm") == 0) && strstr (folded, name) != NULL)
      return errors[i];
  }
  at = at == NULL ? NULL : at + strcspn (at, "0123456789");
  if (at == NULL || *at == '\0')
    return NULL;
  code = g_ascii_strtoull (at, &end, 10);
  return code < N_GOAWAY_CODES ? errors[code] : NULL;
}

const char *
disconnect_error_of (const char *reason)
{
  g_autofree char *folded = reason == NULL ? NULL : g_ascii_strdown (reason, -1);
  const char *goaway = folded == NULL ? NULL : goaway_code_of (folded);

  if (goaway != NULL)
    return goaway;
  for (guint i = 0; folded != NULL && i < G_N_ELEMENTS (rows); i++) {
    if (strstr (folded, rows[i].text) != NULL)
      return rows[i].error;
  }
  return "unknown";
}
