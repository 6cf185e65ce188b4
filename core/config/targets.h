/* SPDX-License-Identifier: Apache-2.0 */
/*
 * targets: from an address as people write it to the one that a channel is made for.
 *
 * host:port becomes dns:///host:port; a target with a scheme keeps it.  Nothing
 * is looked up.  Pure.
 */
#ifndef CENOTE_CORE_TARGETS_H
#define CENOTE_CORE_TARGETS_H

#include <glib.h>

G_BEGIN_DECLS

/* A host and perhaps a port, as runs of characters within a text. */
typedef struct Endpoint {
  const char *host;
  gsize n_host;
  gboolean is_bracketed;     /* HOST is what stands within [ and ] */
  const char *port;          /* NULL: there is none */
} Endpoint;

typedef enum { ENDPOINT_GOOD, ENDPOINT_BAD_HOST, ENDPOINT_NO_BRACKETS, ENDPOINT_BAD_PORT } EndpointResult;

/* Reads HOST[:PORT] or [IPv6][:PORT].  OUT points into TEXT; it is set as far as it could be read, whatever comes
 * back. */
EndpointResult targets_read_endpoint (const char *text, Endpoint *out);

typedef struct TargetRules {
  guint default_port;        /* for a name without one; 0: that is a problem */
  gboolean any_scheme;       /* the transport resolves targets itself: what is not ours to read is left as it is */
} TargetRules;

/* (transfer full) (nullable): TEXT made whole.  NULL: *OUT_PROBLEM (transfer full) says what
 * is wrong with it and what would be right. */
char *targets_normalise (const char *text, const TargetRules *rules, char **out_problem);

G_END_DECLS

#endif
