/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-view: what a pool's connector sees of it, kept up to date.
 *
 * Owns the arrays that a CenoteConnectorView shows: one row for each channel and
 * one for each address, in the order of their ids.  Whatever changes a channel or
 * an address touches it; its row is written when somebody looks, once, however
 * often it was touched.  Only what was touched or used since costs anything:
 *
 *   a look   writes the rows of what was touched; where gets were made since the
 *            last one, reads the counts of every slot (a few ns each: callers write
 *            no line that would tell which they used), and else of those alone
 *            that were leased
 *   a plan   is a look, and then is shown the rows as they stand
 *
 * The pool looks at each tick while callers are about, and before each plan: a
 * channel's `peak` is the largest number of leases that any of these looks saw.
 *
 * Control thread only.
 */
#ifndef CENOTE_CORE_POOL_VIEW_H
#define CENOTE_CORE_POOL_VIEW_H

#include "channel.h"

typedef struct PoolView {
  GArray *channels;          /* of CenoteChannelView: Channel.at is the index */
  GArray *counts;            /* beside them: what the slots' counts were */
  GArray *addresses;         /* of CenoteAddressView: Address.at is the index */
  GPtrArray *touched;        /* of Channel */
  GPtrArray *touched_addresses;
  GPtrArray *changed;        /* of Channel: since the last plan */
  GPtrArray *held;           /* of Channel: with leases at the last look */
  GArray *changed_at;        /* of guint32: what a plan is shown of `changed` */
  guint64 uses;              /* of the table, at the last look */
  gint64 in_flight;          /* of all channels, at the last look */
  gint64 acquired;           /* leases taken since the last plan */
  gint64 misses;             /* of the table, at the last plan */
  guint64 asks;              /* since the last plan, without a get */
  gboolean was_idle;         /* the last plan was shown a pool that nobody used */
  gint64 planned_us;         /* the time that the last plan was shown */
  guint64 n_reads;           /* counts of slots that were read so far, and rows written: what it all costs */
  guint64 n_writes;
} PoolView;

void pool_view_init (PoolView *view);
void pool_view_clear (PoolView *view);

/* CHANNEL, the newest of its pool, has come; and those in SHUTDOWN go, also out of pool->channels. */
void pool_view_add (CenotePool *pool, Channel *channel);
void pool_view_sweep (CenotePool *pool);
void pool_view_add_address (CenotePool *pool, Address *address);
/* Also out of pool->addresses, which frees it. */
void pool_view_remove_address (CenotePool *pool, Address *address);

/* Something that its row shows may have changed. */
void pool_view_touch (CenotePool *pool, Channel *channel);
void pool_view_touch_all (CenotePool *pool);
void pool_view_touch_address (CenotePool *pool, Address *address);
/* Somebody asks for ADDRESS: that is a use. */
void pool_view_use_address (CenotePool *pool, Address *address);

/* Somebody wants channels, whether or not he gets one now. */
void pool_view_ask (CenotePool *pool);

/* Brings every row up to date. */
void pool_view_look (CenotePool *pool);
/* A look; then in OUT what concerns addresses and channels, which is valid until
 * something is added, touched or swept, the counts of leases since the last plan,
 * and the time: later than the last plan's, and not before any use that is shown. */
void pool_view_show (CenotePool *pool, CenoteConnectorView *out);
/* After a look: whether somebody uses a pool that the last plan was shown as one that nobody used. */
gboolean pool_view_woke (CenotePool *pool);
/* The plan is made: from now on is what counts as changed since. */
void pool_view_planned (CenotePool *pool);

#endif
