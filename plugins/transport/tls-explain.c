/* SPDX-License-Identifier: Apache-2.0 */
#include "tls-explain.h"

#include <string.h>

/* What a part of C-core's text stands for. */
typedef enum {
  CAUSE_UNKNOWN,
  CAUSE_NOT_TLS,
  CAUSE_NO_HTTP2,
  CAUSE_VERSION,
  CAUSE_UNVERIFIED,          /* C-core verified, and does not say what is wrong */
  CAUSE_HOST,
  CAUSE_CLIENT_REFUSED,      /* the server's alert is about our certificate, or the lack of it */
  CAUSE_CLOSED
} Cause;

static const struct {
  const char *part;
  Cause cause;
} parts[] = {
  { "wrong version number", CAUSE_NOT_TLS },
  { "packet length too long", CAUSE_NOT_TLS },
  { "http request", CAUSE_NOT_TLS },
  { "missing selected ALPN", CAUSE_NO_HTTP2 },
  { "no application protocol", CAUSE_NO_HTTP2 },
  { "alert protocol version", CAUSE_VERSION },
  { "unsupported protocol", CAUSE_VERSION },
  { "certificate verify failed", CAUSE_UNVERIFIED },
  { "is not in peer certificate", CAUSE_HOST },
  { "alert bad certificate", CAUSE_CLIENT_REFUSED },
  { "alert certificate", CAUSE_CLIENT_REFUSED },
  { "alert unknown ca", CAUSE_CLIENT_REFUSED },
  { "alert unsupported certificate", CAUSE_CLIENT_REFUSED },
  { "alert access denied", CAUSE_CLIENT_REFUSED },
  { "alert handshake failure", CAUSE_CLIENT_REFUSED },
  { "Socket closed", CAUSE_CLOSED },
  { "Connection reset", CAUSE_CLOSED },
  { "Endpoint read failed", CAUSE_CLOSED },
  { "Unwrap failed", CAUSE_CLOSED },
};

static Cause
find_cause (const char *error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (strstr (error, parts[i].part))
      return parts[i].cause;
  }
  return CAUSE_UNKNOWN;
}

/* "…; last error: UNKNOWN: ipv4:127.0.0.1:443: Ssl handshake failed: …" → from the address on. */
static const char *
find_tail (const char *error)
{
  static const char *const leads[] = { "last error: ", "UNKNOWN: ", "UNAVAILABLE: " };

  for (gsize i = 0; i < G_N_ELEMENTS (leads); i++) {
    const char *lead = strstr (error, leads[i]);

    if (lead)
      error = lead + strlen (leads[i]);
  }
  return error;
}

/* That the certificate's time is over is sure; the rest is what such servers mean. */
static const char *
client_hint (const TlsAttempt *attempt)
{
  if (!attempt->has_identity)
    return "the server requires a client certificate (cert-file and key-file), or refuses clients like this one";
  return "the server refuses the client certificate of cert-file";
}

static char *
explain_client (const TlsAttempt *attempt)
{
  const char *hint = client_hint (attempt);

  if (attempt->identity_fault)
    return g_strdup_printf ("%s, which %s (%s)", hint, attempt->identity_fault, find_tail (attempt->error));
  return g_strdup_printf ("%s (%s)", hint, find_tail (attempt->error));
}

/* A server of TLS 1.3 looks at the client's certificate after our side of the handshake is over, and then closes. */
static char *
explain_closed (const TlsAttempt *attempt)
{
  g_autofree char *client = NULL;

  if (!attempt->was_trusted)
    return g_strdup_printf ("the server closed the connection before the TLS handshake was over (%s)",
                            find_tail (attempt->error));
  client = explain_client (attempt);
  return g_strdup_printf ("the server closed the connection right after the TLS handshake, most likely because %s",
                          client);
}

char *
tls_explain (const TlsAttempt *attempt)
{
  const char *tail = find_tail (attempt->error);

  if (attempt->refusal)
    return g_strdup (attempt->refusal);
  switch (find_cause (attempt->error)) {
  case CAUSE_UNKNOWN:
    return NULL;
  case CAUSE_NOT_TLS:
    return g_strdup_printf ("the server does not speak TLS on this port (%s)", tail);
  case CAUSE_NO_HTTP2:
    return g_strdup_printf ("the server speaks TLS, but does not offer HTTP/2 by ALPN (%s)", tail);
  case CAUSE_VERSION:
    return g_strdup_printf ("the server offers no TLS version of at least min-version=%s (%s)", attempt->min_version,
                            tail);
  case CAUSE_UNVERIFIED:
    return g_strdup_printf ("the server's certificate is not valid now, or not signed by a CA of %s (%s)",
                            attempt->authorities, tail);
  case CAUSE_HOST:
    return g_strdup_printf ("the server's certificate is for another host (server-name=NAME, if that is right; %s)",
                            tail);
  case CAUSE_CLIENT_REFUSED:
    return explain_client (attempt);
  case CAUSE_CLOSED:
    return explain_closed (attempt);
  }
  return NULL;
}
