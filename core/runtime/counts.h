/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts: reads what a runtime has counted, wherever each counter is kept: for the
 * status and for sinks.  Any thread; no lock but the bus's and the callbacks'.
 */
#ifndef CENOTE_CORE_COUNTS_H
#define CENOTE_CORE_COUNTS_H

#include <cenote/runtime.h>
#include <glib.h>

#include "core/telemetry/bus.h"
#include "core/telemetry/callbacks.h"
#include "core/telemetry/counters.h"

G_BEGIN_DECLS

/* Borrowed. */
typedef struct CountSources {
  const GPtrArray *pools;    /* of CenotePool */
  Bus *bus;
  Callbacks *callbacks;
} CountSources;

/* That of a pool: the sum over all pools (pool_count() is for one). */
guint64 counts_read (const CountSources *sources, CounterId id);
guint64 runtime_count (CenoteRuntime *runtime, CounterId id);

G_END_DECLS

#endif
