/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots: what callers' threads may see of a pool, and how they hold it.
 *
 * A slot holds one grpc_channel that callers may lease.  The control thread
 * opens, shows, closes and frees slots and publishes views (which slots are in
 * rotation); callers take and release leases with plain stores to counters of
 * their own thread.  What makes that safe is one asymmetric barrier on the
 * control side:
 *
 *   get      row.epoch becomes odd; load view; pick; taken += 1; state == READY?
 *            lease : taken -= 1 and the next; row.epoch becomes even
 *   release  released += 1; state == ORPHAN? the last one destroys
 *   close    state = CLOSING; barrier; from here no get succeeds, so
 *            sum (taken) == sum (released) is final and the channel may go
 *   publish  swap the view; barrier; the old one is freed once every row that
 *            was inside has left
 *   orphan   the control thread is about to end: state = ORPHAN; barrier; the
 *            orphan gets a number; a step (release, or a get's step back) that
 *            sees ORPHAN passes a fence and sums; who finds zero and wins the
 *            exchange of the number destroys
 *
 * Counters only grow (a failed get takes its step back), and releases are summed
 * before takes, so a sum is never negative and, once closed, falls to the leases held.
 * Without an asymmetric barrier the same steps are sequentially consistent.
 *
 * Memory: tables, slots, rows and lease entries are type-stable: a table whose
 * last reference is gone is kept for the next pool, so a thread that is late by
 * one load reads a live object.  The view of a forked child is a static STOPPED.
 *
 * Threads: "control" functions belong to the thread that owns the pool's control
 * state; slot_hide(), lease_* to any.  Locks: one per table for rows coming and
 * going, one for the list of tables; never taken by get or release after a
 * thread's first of them on a pool, but by an orphan's last release.
 */
#ifndef CENOTE_CORE_SLOTS_H
#define CENOTE_CORE_SLOTS_H

#include <cenote/plugin.h>
#include <cenote/pool.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct SlotTable SlotTable;
typedef struct Slot Slot;

/* ------------------------------------------------------------ environment */

/* What slots need of the world.  heavy: orders every thread of the process, or,
 * where asymmetric is FALSE, only the caller.  random: 64 bits, any thread. */
typedef struct SlotWorld {
  gboolean asymmetric;
  void (*heavy) (gpointer data);
  guint64 (*random) (gpointer data);
  gint64 (*now_us) (gpointer data);  /* monotonic; asked only where a picker wants latencies or loads */
  gpointer data;
} SlotWorld;

/* ------------------------------------------------------------- table, view */

enum {
  VIEW_PARKED = 1u << 0,     /* nobody drives C-core often: the first get wakes the control thread and clears this */
  VIEW_PAUSED = 1u << 1,
  VIEW_MOCKED = 1u << 2,
  VIEW_STOPPED = 1u << 3,
  VIEW_DIALLED = 1u << 5,    /* leases are had by their address alone */
  VIEW_TRACKED = 1u << 6,    /* slot_table_track(): no get and no release is quick */
  VIEW_SAMPLED = 1u << 4     /* of a thread's gets one in sample_rate is to be timed; cheapest as a power of two */
};

/* How a pool wants its leases chosen; copied into each view. */
typedef struct SlotPicker {
  guint32 (*pick) (void *state, const CenotePickView *view);
  void (*done) (void *state, guint32 number, int status, gint64 latency_us);
  void *state;
  guint32 flags;             /* CENOTE_PICKER_NEEDS_* */
} SlotPicker;

/* One channel in rotation. */
typedef struct SlotPlace {
  Slot *slot;
  guint64 channel_id;
  guint32 number;
  guint32 weight;
  const char *address;       /* (nullable): what lease_dial() finds it by; copied */
  gint64 ready_since_us;
} SlotPlace;

/* A new table whose view is empty, with one reference.
 * WAKE (any thread, must not block) is called when a get finds the view parked. */
SlotTable *slot_table_new (const SlotWorld *world, void (*wake) (gpointer data), gpointer wake_data);
SlotTable *slot_table_ref (SlotTable *table);
/* The last reference: pool gone and every slot free. */
void slot_table_unref (SlotTable *table);

/* Control.  Swaps in a view of PLACES; the old one is reclaimed when no thread is inside it.
 * PICKER's state must live until slot_table_reclaim() has said FALSE after a view without it. */
void slot_table_publish (SlotTable *table, const SlotPlace *places, guint n_places, const SlotPicker *picker,
                         guint32 flags, guint32 sample_rate);
/* Control.  Reclaims views that nobody is inside any more; TRUE while some remain (call again at the next tick). */
gboolean slot_table_reclaim (SlotTable *table);
/* Control.  Parks the present view: TRUE where no get slipped in since slot_table_uses() said
 * USES_SEEN; the next one calls WAKE, once.  A view that is published later is not parked. */
gboolean slot_table_park (SlotTable *table, guint64 uses_seen);
void slot_table_unpark (SlotTable *table);
/* Control, once a tick while gets are made.  For a picker that needs load: tells each thread what
 * the others hold of the view's places, and sets the places' penalties.  Of a large view a part,
 * the next part at the next call. */
void slot_table_publish_loads (SlotTable *table);

/* When callers suspect a slot, by the outcomes that they are told of; zeroed: never. */
typedef struct SlotSuspicion {
  guint blamed;              /* so many in a row that speak against it; 0: never for that */
  guint late;                /* so many LEASE_LATE in a row, */
  gint64 late_us;            /* the first of them at least so long ago; late 0: never for that */
  void (*suspect) (gpointer data); /* any thread, must not block; with the wake_data of slot_table_new() */
} SlotSuspicion;

/* Control, before the first lease. */
void slot_table_set_suspicion (SlotTable *table, const SlotSuspicion *suspicion);
/* Control.  Suspected slots are hidden at once by those who suspect them, as long as there is room. */
void slot_table_set_room (SlotTable *table, guint room);
/* Control.  (nullable): one that was suspected since; it is not shown before slot_clear_suspicion(). */
Slot *slot_table_next_suspect (SlotTable *table);

/* Any thread.  Gets made on this table (grows; one that was told LEASE_SAMPLE is not counted,
 * one that found nothing is). */
guint64 slot_table_uses (const SlotTable *table);
/* Any thread.  Leases held now: never negative, exact when nothing moves. */
gint64 slot_table_in_flight (const SlotTable *table);
/* Any thread.  Gets that found no ready channel. */
guint64 slot_table_misses (const SlotTable *table);
/* Any thread.  Whether a get would find a channel. */
gboolean slot_table_has_ready (const SlotTable *table);

/* ---------------------------------------------------------------- tracking */

/* What costs: a table that has any of it pays with each get and release (no other one does). */
typedef struct SlotTracking {
  guint32 stream_limit;      /* the most leases on a channel at once; 0: any number */
  gboolean watches;          /* it is kept when and where each lease was taken */
  /* Any thread, with the wake_data of slot_table_new(); must not block: a lease was released while
   * somebody waits (slot_table_set_waiting()). */
  void (*has_room) (gpointer data);
} SlotTracking;
/* Control, before the first slot. */
void slot_table_track (SlotTable *table, const SlotTracking *tracking);
/* Control.  N callers wait for any channel: with a stream_limit other gets find each of them full meanwhile. */
void slot_table_set_waiting (SlotTable *table, guint n);

/* Where a lease was taken. */
#define LEASE_ORIGIN_FRAMES 24
typedef struct LeaseOrigin {
  char thread[16];
  guint n_frames;
  gpointer frames[LEASE_ORIGIN_FRAMES]; /* return addresses, the innermost first */
} LeaseOrigin;
/* Any thread: its own place.  Ten microseconds or so: each frame is unwound. */
void lease_origin_here (LeaseOrigin *out_origin);
/* (transfer full): "main+0x1f in ./server < … on thread worker", as far as the dynamic linker knows names;
 * without the frames of this library. */
char *lease_origin_describe (const LeaseOrigin *origin);

typedef struct LeaseLeak {
  guint64 channel_id;
  gint64 held_us;
  LeaseOrigin origin;
} LeaseLeak;
/* Control.  Tells of each lease that is held since BEFORE_US or longer, once.  Returns when the oldest was
 * taken of those that were not told of; G_MAXINT64: there are none. */
gint64 slot_table_find_leaks (SlotTable *table, gint64 before_us, void (*told) (const LeaseLeak *leak, gpointer data),
                              gpointer data);
/* Any thread.  Those that were told of and are held still. */
guint slot_table_leaks (SlotTable *table);

/* ------------------------------------------------------------------- slots */

typedef void (*SlotDestroy) (grpc_channel *channel, gpointer data);

/* Control.  A slot that holds CHANNEL, not shown yet.  DESTROY is called exactly
 * once with CHANNEL when its last lease is gone: on the control thread by
 * slot_try_free(), or on a releasing thread for an orphan. */
Slot *slot_open (SlotTable *table, grpc_channel *channel, SlotDestroy destroy, gpointer destroy_data);
/* Control.  From now on gets that pick it succeed.  (A slot_hide() before this has no effect on
 * it: look again whether the channel is still connected.) */
void slot_show (Slot *slot);
/* Any thread.  From now on no get succeeds on it; leases stay good.  TRUE where it was shown. */
gboolean slot_hide (Slot *slot);
/* Control.  No get succeeds on it any more; slot_try_free() may then free it. */
void slot_close (Slot *slot);
/* Control.  A closing slot is shown again. */
void slot_reopen (Slot *slot);
/* Control.  Frees a closing slot whose leases are all released (its channel is
 * destroyed); FALSE while some are held. */
gboolean slot_try_free (Slot *slot);
/* Control.  Leaves a closing slot to its last releasing thread. */
void slot_orphan (Slot *slot);

/* Control, before it is first shown.  A caller may take the channel over (lease_attach()): GIVE_UP is
 * then called in DESTROY's place, after the new owner's notify, with a channel that may
 * be gone.  Without it nobody may. */
void slot_allow_owner (Slot *slot, SlotDestroy give_up);

/* Any thread. */
gboolean slot_is_shown (const Slot *slot);
gint64 slot_in_flight (const Slot *slot);
/* Leases taken, and released with a status other than OK, since slot_open(). */
gint64 slot_calls (const Slot *slot);
gint64 slot_failures (const Slot *slot);
/* Calls and leases held, for the price of the latter. */
void slot_count (const Slot *slot, gint64 *out_calls, gint64 *out_in_flight);
grpc_channel *slot_channel (const Slot *slot);
/* The channel of the last view that it was in. */
guint64 slot_channel_id (const Slot *slot);
/* Outcomes that spoke against it: since slot_open(), and without one since that did not; the status of the last. */
gint64 slot_blamed (const Slot *slot);
guint slot_blamed_in_a_row (const Slot *slot);
int slot_blamed_status (const Slot *slot);
gboolean slot_is_suspect (const Slot *slot);
/* Control.  Nothing is held against it any more. */
void slot_clear_suspicion (Slot *slot);
/* Control.  Its channel has a new connection: from now on slot_is_proved() speaks of that. */
void slot_begin_connection (Slot *slot);
/* Whether a lease that was taken since slot_begin_connection() was released with status OK. */
gboolean slot_is_proved (const Slot *slot);

/* ------------------------------------------------------------------ leases */

typedef enum {
  LEASE_GOT = 0,
  LEASE_NONE,                /* no channel is ready */
  LEASE_PAUSED,
  LEASE_STOPPED,
  LEASE_MOCKED,              /* ask the pool's mock */
  LEASE_DIALLED,             /* a get, and only lease_dial() gives leases here */
  LEASE_FULL,                /* each ready channel has its stream_limit of leases, or others were first */
  LEASE_SAMPLE               /* this get is to be timed: call again with timed = TRUE */
} LeaseResult;

/* Which channel a get would rather have; zeroed: any. */
typedef struct LeaseWish {
  guint64 key_hash;          /* of the affinity key; 0: none */
  guint64 avoid;             /* id of the channel that is taken only where no other can be; 0: none */
  const LeaseOrigin *origin; /* of whom the lease is for, where that is another thread; NULL: where it is taken */
  gboolean in_turn;          /* the first of those who wait */
} LeaseWish;

/* A key's hash; never 0 for a key. */
guint64 lease_hash_key (const char *affinity_key);

/* Any thread.  OUT_LEASE is written only on LEASE_GOT.
 * LEASE_NONE: at one instant of the call no slot in rotation was shown. */
LeaseResult lease_get_plain (SlotTable *table, CenoteLease *out_lease);
LeaseResult lease_get_special (SlotTable *table, const LeaseWish *wish, gboolean timed, CenoteLease *out_lease);

/* Any thread.  TRUE with a lease; else what the table's OTHERWISE makes of RESULT, called last of
 * all, with the wake_data of slot_table_new().  (So the pool's own get is but a jump to here.) */
typedef gboolean (*LeaseOtherwise) (gpointer data, LeaseResult result, CenoteLease *out_lease, GError **error);
gboolean lease_get_or (SlotTable *table, CenoteLease *out_lease, GError **error);
/* Control, before the first lease_get_or(). */
void slot_table_set_otherwise (SlotTable *table, LeaseOtherwise otherwise);

/* The thread that took LEASE, which is held and was not copied yet: at its release the table's USED is told that it began
 * at SINCE_NS, unless the pool stops before.  A mock's is left alone. */
void lease_sample (CenoteLease *lease, gint64 since_ns);
/* Control, before the first lease_sample().  USED (any thread, must not block) has the wake_data of slot_table_new(). */
void slot_table_set_used (SlotTable *table, void (*used) (gpointer data, gint64 since_ns));

static inline LeaseResult
lease_get (SlotTable *table, const LeaseWish *wish, gboolean timed, CenoteLease *out_lease)
{
  gboolean is_plain = (wish->key_hash | wish->avoid) == 0 && wish->origin == NULL && !timed;

  return is_plain ? lease_get_plain (table, out_lease) : lease_get_special (table, wish, timed, out_lease);
}

/* The id of the channel that LEASE, which is held, is on; 0: a mock's. */
guint64 lease_channel_id (const CenoteLease *lease);

/* Any thread.  A lease on the place that has ADDRESS.  LEASE_NONE: none has, or the channel
 * there is not shown; it may be by now. */
LeaseResult lease_dial (SlotTable *table, const char *address, gboolean timed, CenoteLease *out_lease);

/* Any thread.  LEASE becomes CENOTE_LEASE_INIT.  Nothing more is done for one that
 * is, and for a mock's, whose channel alone is set.  (priv[3] to priv[6] are left
 * to others: NULL after a get.) */
void lease_release_plain (CenoteLease *lease);
void lease_release_special (CenoteLease *lease, int status);

/* What an outcome says of the channel, whatever its status. */
typedef enum {
  LEASE_ANSWERED,            /* the server said something */
  LEASE_WITHDRAWN,           /* nothing: its caller ended the call; pickers alone are told */
  LEASE_BLAMED,              /* it speaks against the channel */
  LEASE_LATE                 /* the same: nothing came before the deadline */
} LeaseVerdict;
/* STATUS: a grpc_status_code. */
void lease_release_judged (CenoteLease *lease, int status, LeaseVerdict verdict);
/* The same of OK, which the server said: as quick as without a word where it is no news. */
void lease_release_good (CenoteLease *lease);

/* STATUS: a grpc_status_code, or -1: not told. */
static inline void
lease_release (CenoteLease *lease, int status)
{
  if (status < 0)
    lease_release_plain (lease);
  else if (status == 0)
    lease_release_good (lease);
  else
    lease_release_special (lease, status);
}

/* Any thread.  What cenote_lease_attach() says. */
gpointer lease_attach (const CenoteLease *lease, gconstpointer key, gpointer data, GDestroyNotify notify,
                       gboolean owns_channel);

/* Refused releases in this process: second ones, and leases that no pool made. */
typedef struct LeaseFaults {
  guint64 double_releases;
  guint64 foreign_leases;
  guint64 picks_out_of_range; /* a picker answered an index that there is not */
} LeaseFaults;
LeaseFaults lease_get_faults (void);

/* In a forked child: every table answers STOPPED, releases do nothing.  Called by fork.c only. */
void slots_before_fork (void);
void slots_after_fork_in_parent (void);
void slots_after_fork_in_child (void);

G_END_DECLS

#endif
