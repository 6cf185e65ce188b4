/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus: carries events from whoever saw them to the sinks.
 *
 * Producers (control thread, callers' threads for sampled gets) copy an event
 * into a bounded queue and never wait: a full queue counts a drop.  One
 * telemetry thread takes them out and calls each sink whose mask has the kind.
 * Sinks do not delay producers; a sink learns of its losses by one
 * CENOTE_EVENT_TELEMETRY_DROPPED, or where its mask does not have that, the log
 * does, once a minute.  Without threads (simulation) bus_dispatch() does the
 * telemetry thread's work.
 *
 * Sinks do not delay each other either, beyond BUS_CALL_BUDGET_US: bus_check()
 * sets a sink that holds the telemetry thread longer aside, with that thread, and
 * a new telemetry thread goes on where it stopped.  When the call returns its
 * thread ends, and the sink is handed nothing for ten times as long as it took
 * (at most a minute); what passes it meanwhile are its losses.  So there is one
 * telemetry thread, and one more for each sink that is blocked at the moment.
 *
 * A sink may have a time of its own: its poll is called there when it is due, by the
 * same rules as its other calls.
 */
#ifndef CENOTE_CORE_BUS_H
#define CENOTE_CORE_BUS_H

#include <cenote/telemetry.h>
#include <glib.h>

G_BEGIN_DECLS

/* How long a sink's call may take before it is called slow, and set aside. */
#define BUS_CALL_BUDGET_US (100 * G_GINT64_CONSTANT (1000))
#define BUS_POLL_LEAST_US G_GINT64_CONSTANT (1000)

typedef struct Bus Bus;

/* CAPACITY events at most wait (rounded up to a power of two; 1 KiB each, touched
 * as far as used).  NOW/WALL stamp events whose times are -1; any thread calls them. */
typedef gint64 (*BusClock) (gpointer data);
Bus *bus_new (guint capacity, BusClock now_us, BusClock wall_us, gpointer clock_data);
/* How long bus_remove_sink() waits for a call, and bus_stop() twice for all of
 * them: a second unless told otherwise here, before anything else. */
void bus_set_patience (Bus *bus, gint64 patience_us);
/* Starts the telemetry thread; without it, call bus_dispatch().  FALSE: the
 * system gives no thread; the bus is as before. */
gboolean bus_start (Bus *bus);
/* Sets a blocked sink aside.  Any thread but the telemetry one; the control thread
 * calls it whenever it wakes.  Returns the time (NOW) by which to call again,
 * G_MAXINT64 while there is nothing to watch. */
gint64 bus_check (Bus *bus);
/* Delivers what waits, tells losses, flushes the sinks, ends the thread, gives up
 * the sinks (their destroy runs).  Waits at most twice the patience: then a sink that
 * is still in a call is left behind with its thread, and named in the log; its destroy
 * runs if the call ever returns.  On a telemetry thread it only begins the stop.  Idempotent. */
void bus_stop (Bus *bus);
/* Not on a telemetry thread.  Its memory stays for those who have a reference, and takes nothing any more. */
void bus_free (Bus *bus);
Bus *bus_ref (Bus *bus);
void bus_unref (Bus *bus);

/* Whether any sink wants KIND: one relaxed load; test it before making an event. */
gboolean bus_wants (const Bus *bus, CenoteEventKind kind);
/* Any thread; never blocks, takes no lock.  Strings are copied, each cut as event.h
 * says.  What is no valid event is ignored. */
void bus_emit (Bus *bus, const CenoteEvent *event);
/* The same, for the sink ID alone, if it is still there. */
void bus_emit_to (Bus *bus, guint id, const CenoteEvent *event);
/* Delivers what waits, and polls who is due, on this thread; returns the number of events taken out. */
guint bus_dispatch (Bus *bus);
/* When the next poll is due (NOW); G_MAXINT64: none. */
gint64 bus_next_poll (Bus *bus);
/* Polls each sink a last time, whether it is due or not, and none after that.  Waits for them at most the
 * patience, and not for sinks that are blocked already.  Not on a telemetry thread. */
void bus_poll_last (Bus *bus);

typedef struct BusSinkFuncs {
  void (*handle) (gpointer data, const CenoteEvent *event);
  void (*flush) (gpointer data);             /* nullable */
  GDestroyNotify destroy;                    /* nullable: once, after the last call */
  /* Nullable.  Called at once, then at the time (NOW) that it answered, but no sooner than BUS_POLL_LEAST_US
   * after it was called; G_MAXINT64: not again. */
  gint64 (*poll) (gpointer data, gint64 now_us, CenotePollReason why);
} BusSinkFuncs;

/* NAME for logs ("log", "program").  POOLS (nullable, NULL-terminated): only events
 * of these pools and of none.  It is handed what is emitted from now on, at any time
 * before bus_stop().  Returns an id, never 0. */
guint bus_add_sink (Bus *bus, const char *name, guint64 mask, const char *const *pools, const BusSinkFuncs *funcs,
                    gpointer data);
/* After it returns no new call begins.  Waits for a running one up to the patience,
 * except on a telemetry thread; where that was not enough, destroy comes when the call
 * returns.  An unknown id is ignored. */
void bus_remove_sink (Bus *bus, guint id);

typedef struct BusStatistics {
  guint64 emitted;           /* that some sink wanted */
  guint64 delivered;         /* events handed to sinks, each counted once for each sink */
  guint64 dropped;           /* of the emitted: the queue was full */
  guint64 lost;              /* events that sinks did not get, each counted once for each sink */
  guint64 slow_calls;        /* calls of sinks over the budget */
  guint64 set_aside;         /* how often bus_check() or bus_stop() put a new thread in a blocked one's place */
} BusStatistics;
void bus_get_statistics (Bus *bus, BusStatistics *out_statistics);

typedef struct SinkStatistics {
  guint id;
  char *name;
  guint64 lost;              /* events that it did not get: the queue was full, or it blocked */
  guint64 slow_calls;
} SinkStatistics;
/* (transfer full): of SinkStatistics, in the order of adding. */
GPtrArray *bus_get_sink_statistics (Bus *bus);

/* TRUE inside a sink's call of any bus: blocking calls are refused there. */
gboolean bus_on_telemetry_thread (void);

G_END_DECLS

#endif
