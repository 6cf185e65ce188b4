/* SPDX-License-Identifier: Apache-2.0 */
/* A good plugin that needs libgrpc. */
#include <grpc/grpc.h>

#include "least-backoff.h"
#include "mark.h"

CENOTE_PLUGIN_EXPORT const char *its_grpc (void);

CENOTE_PLUGIN_EXPORT const char *
its_grpc (void)
{
  return grpc_version_string ();
}

LEAST_BACKOFF ("uses-grpc")
