/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roster: what connectors share that keep a number of channels, each with a number
 * of its own: persistent, lazy, elastic.  Who is there, who goes, who comes, who is
 * replaced; how many there should be is theirs.
 *
 * A channel lives while it is neither draining nor shut down.  It counts unless
 * it is the successor of one that lives: the two are one until the older one is
 * gone.  A plan first gives up what cannot serve and should not be there, then
 * brings the count to what is wanted, then has channels that should not stay
 * (of a removed address, ejected, stale, or too many to one address) replaced,
 * make before break.
 *
 *   - The first to go are those that are not connected; then ejected ones, of removed
 *     addresses, of the fullest address, with the fewest leases, the newest.
 *   - What drains, is still connected and has nothing against it is revived before
 *     anything is opened.  New channels go where there are the fewest.
 *   - Stale and unevenly spread ones are replaced one at a time; to an address with few, one
 *     first, and more when it has been READY for a second.
 *   - An address that is down holds up no other: what waits there goes where it may connect
 *     sooner.  Where that leaves the others crowded, one of theirs gets a successor at the
 *     address that is down, a scout: it takes over when the address heals.
 *   - With nothing wanted, everything drains.
 *
 * A roster is scratch memory alone: a plan follows from its view.
 */
#ifndef CENOTE_PLUGINS_ROSTER_H
#define CENOTE_PLUGINS_ROSTER_H

#include <cenote/plugin.h>

typedef struct Roster Roster;

/* NULL: out of memory. */
Roster *roster_new (const CenoteHost *host);
void roster_free (Roster *roster);

/* Looks through VIEW, for a plan that goes to PLAN.  FALSE: out of memory, which it has told. */
bool roster_begin (Roster *roster, const CenoteConnectorView *view, CenotePlan *plan);
/* Channels that count. */
uint32_t roster_count (const Roster *roster);
/* Those that count, one after another from *AT (0) on; NULL: no more. */
const CenoteChannelView *roster_next (const Roster *roster, uint32_t *at);
/* Fills the plan: WANTED channels that count, each as it should be.  WHY: what surplus ones go for. */
void roster_keep (Roster *roster, uint32_t wanted, const char *why);

#endif
