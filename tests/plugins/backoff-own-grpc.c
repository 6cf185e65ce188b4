/* SPDX-License-Identifier: Apache-2.0 */
/* Refused: it defines grpc_init, as a plugin does that gRPC is linked into. */
#include "least-backoff.h"
#include "mark.h"

CENOTE_PLUGIN_EXPORT void grpc_init (void);

CENOTE_PLUGIN_EXPORT void
grpc_init (void)
{
}

LEAST_BACKOFF ("own-grpc")
