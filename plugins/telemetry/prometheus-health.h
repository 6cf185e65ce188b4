/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-health: whether the pools can serve, from their metrics, so that the answer waits for nobody.
 *
 * A pool is down where it wants channels and has none in rotation; one that has some of them is degraded, which is
 * good enough: its callers are served.
 */
#ifndef CENOTE_PROMETHEUS_HEALTH_H
#define CENOTE_PROMETHEUS_HEALTH_H

#include <cenote/plugin.h>
#include <glib.h>

/* (transfer full): "users, orders": the pools that are down; NULL: none is. */
char *health_pools_down (const CenoteHost *host);

#endif
