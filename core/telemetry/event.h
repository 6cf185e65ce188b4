/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event: copies of events that need no memory but their own.
 *
 * A cell holds an event and its strings; a string too long for its share is cut
 * before a whole character and ends with "…".  Names and text of events are in
 * <cenote/event-text.h>, because plugins need them too.
 */
#ifndef CENOTE_CORE_EVENT_H
#define CENOTE_CORE_EVENT_H

#include <cenote/telemetry.h>
#include <glib.h>

G_BEGIN_DECLS

/* The most bytes of each string, without the NUL; the error takes what the
 * others leave, and never less than 350. */
#define EVENT_POOL_BYTES 64
#define EVENT_ADDRESS_BYTES 255
#define EVENT_REASON_BYTES 160
#define EVENT_TEXT_BYTES (1008 - sizeof (CenoteEvent))

typedef struct EventCell {
  CenoteEvent event;         /* its strings point into text */
  guint64 only;              /* the sink that it is for; 0: all */
  char text[EVENT_TEXT_BYTES];
} EventCell;

/* Whether EVENT is one: its size covers the kind, and the kind exists. */
gboolean event_is_valid (const CenoteEvent *event);
/* Copies a valid EVENT, also one of an older header: members that it has not get
 * their absent value (NULL, -1).  Strings are shared. */
void event_copy (CenoteEvent *out_event, const CenoteEvent *event);
/* Copies a valid EVENT, for the sink ONLY or (0) for all, and its strings; CELL stands
 * alone then.  EVENT may be of another cell. */
void event_pack (EventCell *cell, const CenoteEvent *event, guint64 only);

G_END_DECLS

#endif
