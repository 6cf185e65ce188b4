/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health-message: the two messages of grpc.health.v1, one string and one enum,
 * read and written by hand.  Pure; what comes from a peer is not trusted.
 */
#ifndef CENOTE_CORE_HEALTH_MESSAGE_H
#define CENOTE_CORE_HEALTH_MESSAGE_H

#include <glib.h>

#define HEALTH_WATCH_METHOD "/grpc.health.v1.Health/Watch"
#define HEALTH_CHECK_METHOD "/grpc.health.v1.Health/Check"

/* HealthCheckResponse.ServingStatus, with its numbers. */
typedef enum {
  SERVING_STATUS_UNKNOWN,
  SERVING_STATUS_SERVING,
  SERVING_STATUS_NOT_SERVING,
  SERVING_STATUS_SERVICE_UNKNOWN
} ServingStatus;

/* (transfer full) */
GBytes *health_request_new (const char *service);
/* FALSE: no HealthCheckResponse.  A number that the enum does not have (yet) is UNKNOWN. */
gboolean health_response_read (GBytes *response, ServingStatus *out_status);
const char *serving_status_to_string (ServingStatus status);

#endif
