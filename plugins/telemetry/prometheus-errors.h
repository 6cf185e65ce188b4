/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-errors: the last things that went wrong, for the page.  Any thread. */
#ifndef CENOTE_PROMETHEUS_ERRORS_H
#define CENOTE_PROMETHEUS_ERRORS_H

#include <cenote/telemetry.h>
#include <glib.h>

/* Kinds that may be bad news; and whether EVENT, of such a kind, is. */
#define ERROR_EVENTS \
  (CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED) | CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_DISCONNECTED) | \
   CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_PING) | CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_HEALTH) | \
   CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_EJECTED) | CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_SCALE_UP) | \
   CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_RELOAD) | CENOTE_EVENT_BIT (CENOTE_EVENT_PLUGIN_FAILED) | \
   CENOTE_EVENT_BIT (CENOTE_EVENT_TELEMETRY_DROPPED) | CENOTE_EVENT_BIT (CENOTE_EVENT_LEASE_LEAK))

typedef struct Errors Errors;

Errors *errors_new (void);
void errors_free (Errors *errors);
/* Keeps EVENT where it is bad news; one like the last of its pool's is counted with that. */
void errors_take (Errors *errors, const CenoteEvent *event);
/* An array, the newest first. */
void errors_append_json (Errors *errors, GString *out);

#endif
