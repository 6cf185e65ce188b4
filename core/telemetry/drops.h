/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drops: how many events found the queue full, by kind and pool, so that each
 * sink can be told its own losses to the unit.
 *
 * Pools that some sink filters by are counted apart from the moment that they are
 * added; the events of all others share one row, those of no pool another.
 * Counting takes no lock; adding pools is its caller's to serialise.
 */
#ifndef CENOTE_CORE_DROPS_H
#define CENOTE_CORE_DROPS_H

#include <cenote/telemetry.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct Drops Drops;

Drops *drops_new (void);
void drops_free (Drops *drops);

/* One caller at a time.  Counts POOL apart from now on; twice is once. */
void drops_add_pool (Drops *drops, const char *pool);

/* Any thread.  POOL is nullable. */
void drops_count (Drops *drops, const char *pool, CenoteEventKind kind);
guint64 drops_total (const Drops *drops);
/* The drops of MASK's kinds: of all pools where POOLS is NULL, else of the pools
 * named there (each added before) and of none. */
guint64 drops_sum (const Drops *drops, guint64 mask, const char *const *pools);

G_END_DECLS

#endif
