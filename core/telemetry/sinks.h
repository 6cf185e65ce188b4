/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sinks: who is to be told, what each has been told, and whose turn is next.
 *
 * Knows no thread and calls no sink, except for the destroy in sink_finish().
 * A sink is claimed before it is called and released after it; a claimed one is
 * busy, and events that pass it meanwhile are its losses.  Each sink has the
 * position of the next event that it has not been offered, so that whoever goes
 * on where another stopped offers nothing twice.
 *
 * Lock: the bus's; sink_ref(), sink_drop() and sink_finish() need none.
 */
#ifndef CENOTE_CORE_SINKS_H
#define CENOTE_CORE_SINKS_H

#include "bus.h"
#include "drops.h"
#include "event.h"

G_BEGIN_DECLS

/* Whether it was polled for the last time. */
typedef enum { SINK_LAST_NOT_YET, SINK_LAST_WANTED, SINK_LAST_ASKED } SinkLast;

typedef struct Sink {
  guint refs;                /* atomic */
  guint id;
  char *name;
  guint64 mask;
  char **pools;              /* NULL: all */
  BusSinkFuncs funcs;
  gpointer data;

  guint64 position;          /* of the next event that it was not offered */
  guint64 told_drops;        /* of those that drops counts for it */
  guint64 lost;              /* passed while it was busy or rested, not told yet */
  guint64 told;              /* losses that it, or the log, was told */
  guint64 slow_calls;
  gboolean busy;             /* claimed */
  gboolean dirty;            /* was handed something since its last flush */
  gint64 rest_until_us;      /* is handed nothing before, because it blocked */
  gint64 next_report_us;     /* is not called slow in the log before */
  gint64 next_loss_us;       /* its losses go to the log, and not before */
  gint64 poll_us;            /* when its poll is due; G_MAXINT64: never, or it is being called */
  SinkLast last;
} Sink;

typedef struct Sinks Sinks;

Sinks *sinks_new (Drops *drops);
/* Gives up each sink. */
void sinks_free (Sinks *sinks);

/* A sink that is offered events from POSITION on. */
Sink *sinks_add (Sinks *sinks, const char *name, guint64 mask, const char *const *pools, const BusSinkFuncs *funcs,
                 gpointer data, guint64 position);
/* (transfer full) (nullable): the sink of ID, or the first where ID is 0, which is offered nothing more. */
Sink *sinks_remove (Sinks *sinks, guint id);
/* All that SINK did not get so far. */
guint64 sinks_losses_of (const Sinks *sinks, const Sink *sink);
/* The same of all sinks, those that were removed too. */
guint64 sinks_losses (const Sinks *sinks);
/* (transfer none): the Ith; NULL: there are no more. */
const Sink *sinks_nth (const Sinks *sinks, guint i);
/* The kinds that any of them wants. */
guint64 sinks_wanted (const Sinks *sinks);

/* Claims (transfer full) (nullable), each to be released and unref'd:
 * the next sink that is to be handed CELL's event, which stands at POSITION.  The event counts
 * as lost for each one that is busy or rests, and with GIVE_UP for all. */
Sink *sinks_claim_for_event (Sinks *sinks, const EventCell *cell, guint64 position, gint64 now_us, gboolean give_up);
/* the next sink with losses that it was not told, which now count as told (losses
 * that only the log is told: at most once a minute); */
Sink *sinks_claim_for_loss (Sinks *sinks, gint64 now_us, guint64 *out_count);
/* the next sink to be flushed; */
Sink *sinks_claim_for_flush (Sinks *sinks, gint64 now_us);
/* the next sink whose poll is due, and why. */
Sink *sinks_claim_for_poll (Sinks *sinks, gint64 now_us, CenotePollReason *out_why);
/* SINK's poll, called at BEGAN_US because of WHY, answered AGAIN_US. */
void sink_note_poll (Sink *sink, gint64 began_us, CenotePollReason why, gint64 again_us);
/* When the next one is due; G_MAXINT64: none is, of those that are not busy. */
gint64 sinks_next_poll (const Sinks *sinks);
/* From now on each is polled once more, for the last time. */
void sinks_want_last (Sinks *sinks);
/* Whether that is still to come, or to end, for one that is not busy with another call than CALLING's (nullable). */
gboolean sinks_await_last (const Sinks *sinks, const Sink *calling);
void sink_release (Sink *sink);
/* Whether it wants to be told its losses; if not, the log is. */
gboolean sink_wants_losses (const Sink *sink);

Sink *sink_ref (Sink *sink);
/* TRUE: it was the last, and sink_finish() is due. */
gboolean sink_drop (Sink *sink);
/* Calls destroy and frees: not under a lock. */
void sink_finish (Sink *sink);
/* Both in one. */
void sink_unref (Sink *sink);

G_END_DECLS

#endif
