/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blame: whether a call's status speaks against the channel that it was made on.
 *
 * Pure, and decides what ejects a channel and what a priming call takes for no answer:
 *
 *   UNAVAILABLE, DEADLINE_EXCEEDED  the way to the server, or the server as a whole:
 *        what Envoy counts as gateway failures (503, 504)
 *   INTERNAL, UNKNOWN               only by C-core's text for an answer that is none of
 *        gRPC's (HTTP 400, 500 …); otherwise a handler of the server's said it
 *   all else                        an answer: about the call, its caller or its rate
 *        (gRFC A50 blames every status but OK, and so ejects servers for wrong requests)
 */
#ifndef CENOTE_CORE_BLAME_H
#define CENOTE_CORE_BLAME_H

#include <glib.h>

/* STATUS: a grpc_status_code, or a number that the peer made up.  DETAILS (nullable): its text, where it is known. */
gboolean blame_falls_on_channel (int status, const char *details);
/* (transfer full): for people. */
char *blame_to_string (int status, const char *details);

#endif
