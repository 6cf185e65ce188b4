/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: one grpc_channel under watch, with the slot that callers hold it by.
 *
 * Turns what a transport or C-core's connectivity watch tells, on any thread,
 * into events on the control thread, in order.  The moment a READY connection is
 * gone the slot is hidden, on the thread that learned it, before anything else.
 * A failed link (LINK_FAILED) is of no more use: one link is one attempt, except
 * that one which was READY and went IDLE may connect again in place.
 *
 * Threads: all functions on the control thread.
 */
#ifndef CENOTE_CORE_LINK_H
#define CENOTE_CORE_LINK_H

#include "ccore.h"
#include "core/registry/instance.h"
#include "core/slots/slots.h"

typedef struct Link Link;

typedef enum {
  LINK_CONNECTING,
  LINK_READY,                /* it may be shown */
  LINK_LOST,                 /* it was READY, or about to be, and is IDLE */
  LINK_FAILED                /* with why */
} LinkEvent;

/* What all links of a pool share; outlives them, but for orphans. */
typedef struct LinkSite {
  Control *control;
  Ccore *ccore;              /* NULL: every transport drives itself */
  SlotTable *table;
  Instance *transport;
  const void *channel_args;
  /* Nullable: in place of channel_args, what OWNER's channel is made with now; borrowed until the next call. */
  const void *(*channel_args_for) (gpointer owner);
  void (*event) (gpointer owner, LinkEvent event, const char *error);
  guint *n_links;            /* that exist: the site may go when it is 0 */
  GQueue *lingering;         /* of Link: over, but for their attempt or for what they have heard */
  GQueue *xds;               /* of Link: all that are to an xds: address */
  gint64 attempt_us;         /* when C-core itself gives an attempt up (ccore_attempt_us): for channels made from now on */
} LinkSite;

/* A channel to ADDRESS that has not begun to connect.  Events go to OWNER. */
Link *link_new (const LinkSite *site, const char *address, gpointer owner, GError **error);
/* Begins to connect. */
void link_connect (Link *link);
Slot *link_slot (const Link *link);
grpc_channel *link_channel (const Link *link);
gboolean link_is_ready (const Link *link);
/* The same, and nothing that was told and is not handled yet says otherwise. */
gboolean link_is_up (Link *link);
/* Lets callers have it, unless its connection is gone already: what was told of
 * that, and is not handled yet, counts. */
void link_show (Link *link);
/* Callers do not get it until link_show(); LINK events go on. */
void link_hide (Link *link);
/* No lease is given any more; LINK events go on. */
void link_close (Link *link);
/* Takes link_close() back: it may be shown again. */
void link_reopen (Link *link);
/* After link_close(): where no lease is left, the link is over: returns TRUE, and no
 * event comes any more.  The channel is destroyed at once, or, while it connects,
 * with the end of its attempt. */
gboolean link_end (Link *link);
/* Of an xds: address the last one that was READY stays, also after its end, until another is; no longer. */
void link_let_go (const LinkSite *site);
/* Where the control thread is about to end: those that wait for the end of their attempt
 * are over, and their channels are destroyed with it, on a thread of C-core's. */
void link_leave_lingering (const LinkSite *site);
/* After link_close(), where the control thread is about to end: the channel is
 * left to whoever releases its last lease.  No event comes any more. */
void link_orphan (Link *link);
/* After the wall clock was set: C-core's own timers may have stopped (FACTS 14). */
void link_clock_stepped (Link *link);

#endif
