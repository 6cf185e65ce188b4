/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-names: targets that are names, and the addresses that they stand for now.
 *
 * A name is asked for when the pool begins, every dns-refresh after the last
 * answer, and when one of its addresses goes down.  Each address of an answer is an
 * address of the pool, dialled as ipv4: or ipv6: with the name as authority and TLS
 * name; one that is no longer in the answer is removed, and the connector moves its
 * channels, make before break.  An answer without an address, and no answer, change
 * nothing: what works is kept.  While a name has no address at all it is asked for
 * at the backoff plugin's times.
 *
 * Left to C-core are names that it has to see: with a balancing service-config or a
 * proxy, of transports that do not take addresses, with dns-refresh=off, and
 * localhost, which is this machine whatever the family.
 *
 * Control thread only.
 */
#ifndef CENOTE_CORE_POOL_NAMES_H
#define CENOTE_CORE_POOL_NAMES_H

#include <cenote/pool.h>

#include "address.h"

/* Whether TARGET is a name whose addresses POOL is to follow. */
gboolean pool_names_follows (const CenotePool *pool, const char *target);
/* Adds such a one. */
gboolean pool_names_add (CenotePool *pool, const char *target, GError **error);
/* Asks for all that are not being asked for. */
void pool_names_ask (CenotePool *pool);
/* ADDRESS went down: perhaps its name stands for another one by now. */
void pool_names_doubt (CenotePool *pool, const Address *address);
/* No more, until pool_names_ask(). */
void pool_names_rest (CenotePool *pool);
/* Whether a name without an address may still get one: it has not been answered yet. */
gboolean pool_names_are_awaited (const CenotePool *pool);
/* For pool->names. */
void pool_name_free (gpointer name);

#endif
