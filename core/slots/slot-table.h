/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-table: the structures that slot-table.c (tables' lives), slot-view.c (what
 * is in rotation), slots.c (a slot's life), slot-loads.c (what pickers know of
 * loads), slot-tracking.c (what costs), rows.c (threads' rows), attachments.c (what
 * callers hang on a channel) and lease.c (the hot path) share; nobody else includes this.
 *
 * Who writes what, so that a get and a release write no line that another thread
 * writes: a row and its tallies, its thread alone (but Row.returned, on a line of
 * its own, and once a tick Tally.others); views and slots' first lines, the
 * control side, seldom.
 *
 * Locks and counts are POSIX's and C11's, not GLib's, so that ThreadSanitizer
 * sees what they order.
 */
#ifndef CENOTE_CORE_SLOT_TABLE_H
#define CENOTE_CORE_SLOT_TABLE_H

#include "slot-addresses.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/base/cache-line.h"

/* Tallies and slots come in blocks of 16, 16, 32, 64, … so that neither ever moves. */
#define N_BLOCKS 18
#define FIRST_BLOCK 16u

typedef enum {
  SLOT_FREE,
  SLOT_HIDDEN,               /* has a channel; leases may be held, none is given */
  SLOT_READY,
  SLOT_CLOSING,
  SLOT_ORPHAN
} SlotState;

typedef struct Attachment Attachment;

/* Type-stable: a late reader finds a slot, perhaps in another life. */
struct Slot {
  /* Read by every get and release. */
  _Alignas (CACHE_LINE) _Atomic guint32 state;
  _Atomic guint32 number;    /* of its place, for the picker's done() */
  grpc_channel *channel;
  SlotTable *table;          /* this and the next two: fixed */
  guint32 block;
  guint32 index;
  /* Control. */
  SlotDestroy destroy;
  gpointer destroy_data;
  Slot *next_free;
  _Atomic guint64 channel_id; /* in the views, for those who tell of a get */
  Slot *next_suspect;        /* while it is a suspect: in its table's list */
  gboolean took_room;        /* the one who suspected it has hidden it */
  /* Written by failures, releases of ending threads, and orphans' last releases. */
  _Alignas (CACHE_LINE) _Atomic gint64 remote_released;
  _Atomic gint64 failures;
  _Atomic gint64 unproved;   /* calls that must end OK before the connection is proved; not written once it is */
  _Atomic gboolean suspect;  /* in its table's list, or taken from there and not cleared yet */
  /* Outcomes since the last one that did not speak against it: in the lower half those that
   * did, in the upper one those of them that were late. */
  _Atomic guint64 streak;
  _Atomic gint64 streak_since_us;
  _Atomic gint64 blamed;
  _Atomic gint64 blamed_before;
  _Atomic int blamed_status;
  _Atomic guint64 orphan;    /* this orphan's number, never the same twice; 0: none, or somebody destroys it */
  _Atomic gint64 taken_before; /* sums when this channel moved in */
  _Atomic gint64 failures_before;
  _Atomic gint64 held;       /* leases, where there is a stream_limit */
  _Atomic gint64 load;       /* this and the next: written by the control side; as last published */
  _Atomic gint64 handicap;   /* what its burden has besides, while it warms up */
  /* Read by who attaches; written by the first of each key. */
  _Alignas (CACHE_LINE) _Atomic (Attachment *) attachments;
  SlotDestroy give_up;       /* control; NULL: nobody may own the channel */
};

/* CenoteTally, whose first two its owner writes with plain stores and others read. */
typedef struct Tally {
  _Atomic gint64 taken;
  _Atomic gint64 released;
  _Atomic gint64 others;     /* written by the control side */
} Tally;
G_STATIC_ASSERT (sizeof (Tally) == sizeof (CenoteTally));

typedef struct LeaseEntry LeaseEntry;
typedef struct LeaseBlock LeaseBlock;
typedef struct WatchedLease WatchedLease;
typedef struct Row Row;

/* One lease's record: a generation that only the present holder knows. */
struct LeaseEntry {
  _Alignas (8) _Atomic gsize generation; /* so the lowest three bits of its address are free */
  Row *home;                 /* whose list it lies in: fixed */
  Slot *slot;
  gint64 since_us;           /* when it was taken, where the picker wants latencies; else -1 */
  union {
    Tally *tally;            /* home's for that slot */
    WatchedLease *watched;   /* of a tracked table's, in its place; nullable */
  };
  union {
    LeaseEntry *next;        /* while nobody holds it */
    gint64 sampled_ns;       /* of a sampled lease: when it began */
  };
};

/* A place of a view as a get needs it. */
typedef struct SlotRef {
  Slot *slot;
  guint32 block;
  guint32 offset;            /* of the slot's tally in each row's block, in bytes */
} SlotRef;

/* More of a view's flags: what a get must know besides. */
enum {
  VIEW_EMPTY = 1u << 31,     /* no places */
  VIEW_TIMES = 1u << 30      /* the picker wants latencies */
};

/* Immutable once published, but for VIEW_PARKED and the places' penalties. */
typedef struct SlotView {
  guint64 serial;            /* never the same twice in a process, unlike its address */
  _Atomic guint32 flags;     /* VIEW_* */
  guint32 n_places;
  SlotPicker picker;
  guint64 sample_mask;       /* of an odd epoch: where 0 is left, the get may be one to be timed */
  CenotePlace *places;
  SlotAddresses *addresses;  /* NULL: leases are not had by address */
  guint32 sample_rate;       /* 0: none is timed */
  SlotRef refs[];
} SlotView;

/* One thread's side of one table.  Adopted by another thread when its own ends. */
struct Row {
  _Alignas (CACHE_LINE) _Atomic guint64 epoch; /* odd: inside a get; half of it: gets made */
  LeaseEntry *free_entries;
  _Atomic (gconstpointer) quick_owner; /* owner, where asymmetric; else NULL */
  guint64 seen;              /* serial of the view that pick describes; 0: none */
  guint64 scratch;
  guint64 luck;
  guint64 avoid;             /* LeaseWish's, inside a get */
  CenotePickView pick;
  Tally *tallies[N_BLOCKS];
  _Atomic (gconstpointer) owner; /* rows_mark() of its thread; NULL: nobody's; written under table->lock */
  gboolean asymmetric;       /* the table's */
  _Atomic guint64 telling;   /* odd: inside a picker's done() */
  _Atomic guint64 misses;
  gboolean full;             /* this and the next two: inside a get of a tracked table */
  gboolean in_turn;
  const LeaseOrigin *origin;
  guint n_entries;
  LeaseBlock *lease_blocks;
  SlotTable *table;
  Row *next;                 /* in table->rows; never unlinked */
  /* Written by others. */
  _Alignas (CACHE_LINE) _Atomic (LeaseEntry *) returned;
};

typedef struct RetiredView RetiredView;

/* Type-stable, with all its slots and rows. */
struct SlotTable {
  /* Read by every get. */
  _Alignas (CACHE_LINE) _Atomic (SlotView *) view;
  guint64 serial;            /* of this life, 0 between two; written under the tables' lock */
  gsize seat;                /* in a thread's recent_rows, in bytes */
  guint32 id;                /* index into a thread's cache */
  gboolean asymmetric;
  _Atomic gboolean tells;    /* a picker of this life is told of outcomes, or was */
  SlotWorld world;
  void (*wake) (gpointer data);
  gpointer wake_data;
  LeaseOtherwise otherwise;
  void (*used) (gpointer data, gint64 since_ns);
  guint64 uses_before;       /* sums when this life began */
  guint64 misses_before;
  SlotSuspicion suspicion;
  _Alignas (CACHE_LINE) _Atomic (Row *) rows;
  _Atomic guint64 shows;     /* slots shown so far, in all lives */
  _Atomic guint n_slots;     /* ever made; those below it have their block */
  _Atomic guint refs;        /* the pool's, and one for each slot that is not free */
  pthread_mutex_t lock;      /* rows coming and going, blocks growing, free_slots */
  guint n_blocks;
  Slot *slots[N_BLOCKS];
  Slot *free_slots;
  _Atomic (Slot *) suspects; /* newest first */
  _Atomic int room;          /* suspects that may still be hidden */
  int known_room;            /* control: the same, less those who are hidden and on the list */
  Slot *suspects_taken;      /* control: off the list, not asked for yet */
  RetiredView *retired;      /* control, and the next four */
  gint64 load;               /* of the view's places together, as last published */
  guint next_load;           /* the place whose load is published next */
  guint n_own_loads;         /* room in own_loads, for one of each row */
  gint64 *own_loads;
  gboolean tracked;          /* of this life, and the next one */
  SlotTracking tracking;
  _Atomic guint n_waiting;
  pthread_mutex_t watch_lock; /* the next two */
  GQueue watched;            /* of WatchedLease, the oldest first: those that were not told of */
  guint n_leaks;             /* those that were, and are held */
  SlotTable *next;           /* all tables, or the spare ones */
};

static inline guint
block_size (guint block)
{
  return block == 0 ? FIRST_BLOCK : FIRST_BLOCK << (block - 1);
}

/* ------------------------------------------------------------ the ordering */

/* A store to an owner's own word, before it loads what the control side stores.
 * ASYMMETRIC: compiler order is enough, because the control side's heavy barrier
 * orders this thread too; else store and load are both seq_cst.  Release in
 * either case: who reads the word sees what came before it. */
static inline void
hot_store (_Atomic gint64 *where, gint64 value, gboolean asymmetric)
{
  if (asymmetric) {
    atomic_store_explicit (where, value, memory_order_release);
    atomic_signal_fence (memory_order_seq_cst);
  } else {
    atomic_store_explicit (where, value, memory_order_seq_cst);
  }
}

static inline void
hot_store_epoch (_Atomic guint64 *where, guint64 value, gboolean asymmetric)
{
  if (asymmetric) {
    atomic_store_explicit (where, value, memory_order_release);
    atomic_signal_fence (memory_order_seq_cst);
  } else {
    atomic_store_explicit (where, value, memory_order_seq_cst);
  }
}

/* The control side's half. */
static inline void
heavy_barrier (const SlotTable *table)
{
  table->world.heavy (table->world.data);
}

/* The newest row.  seq_cst, like rows_claim()'s push: without the asymmetric
 * barrier, a sum that follows a seq_cst store must not miss the row of a get
 * that did not see that store. */
static inline Row *
table_rows (const SlotTable *table)
{
  return atomic_load_explicit (&table->rows, memory_order_seq_cst);
}

static inline Tally *
row_tally (Row *row, const Slot *slot)
{
  return &row->tallies[slot->block][slot->index];
}

static inline Tally *
ref_tally (Row *row, const SlotRef *ref)
{
  return (Tally *) (gpointer) ((char *) row->tallies[ref->block] + ref->offset);
}

/* ------------------------------------------------------------------ rows.c */

typedef struct RowCache {
  guint64 serial;
  Row *row;
} RowCache;

typedef struct ThreadRows {
  guint n;
  RowCache cache[];
} ThreadRows;

/* All rows of this thread, by table id, and the few that it used last, for quick gets:
 * of asymmetric tables only. */
#define N_RECENT_ROWS 8
extern _Thread_local ThreadRows *thread_rows;
extern _Thread_local RowCache recent_rows[N_RECENT_ROWS];

/* Tells this thread's rows from all others': never two living threads' at once. */
static inline gconstpointer
rows_mark (void)
{
  return &thread_rows;
}

/* Where this thread's row of TABLE is, if it is an asymmetric one that it used of
 * late: its serial is the table's then. */
static inline RowCache *
rows_recent (const SlotTable *table)
{
  return (RowCache *) (gpointer) ((char *) recent_rows + table->seat);
}

/* This thread's row of TABLE, made or adopted where it has none yet. */
Row *rows_mine (SlotTable *table);
/* For a release: the same; NULL where the thread is ending. */
Row *rows_for_release (SlotTable *table);
/* From NEWEST on. */
guint rows_count (const Row *newest);
/* Every row gets tallies for block number table->n_blocks. */
void rows_grow_locked (SlotTable *table);
/* Nobody's any more: at the end of a table's life, and in a forked child. */
void rows_disown_locked (SlotTable *table);

/* ------------------------------------------------------------ slot-table.c */

/* Guards table->serial and the lists of tables. */
void slot_tables_lock (void);
void slot_tables_unlock (void);
/* TRUE in a forked child. */
extern gboolean slots_forked;
/* The slot number I, below table->n_slots. */
const Slot *slot_table_nth (const SlotTable *table, guint i);

/* ------------------------------------------------------------- slot-view.c */

SlotView *slot_view_new (guint n_places, guint32 flags);
void slot_view_free (SlotView *view);
extern SlotView slot_view_stopped;
/* The views that nobody can be inside any more. */
void slot_view_free_retired (SlotTable *table);

/* ------------------------------------------------------------ slot-loads.c */

/* For a view that is about to be published: all its loads and penalties. */
void slot_view_publish_loads (SlotTable *table, const SlotView *view);
/* For a new row, before others see it: as of the last tick. */
void row_learn_loads (Row *row);
/* For a thread that has a row from now on: as of now, where that is not much to read. */
void row_ask_others (Row *row);

/* ---------------------------------------------------------- slot-suspects.c */

/* Any thread.  An outcome of SLOT; TRUE: it is to be suspected, by slot_suspect(). */
gboolean slot_note_blame (Slot *slot, int status, LeaseVerdict verdict);
/* Any thread, while its table's view is held and not STOPPED. */
void slot_suspect (Slot *slot);
void slot_forget_streak (Slot *slot);
/* --------------------------------------------------------- slot-tracking.c */

/* FALSE: SLOT is full.  What was admitted leaves, before the step that gives the slot back. */
gboolean slot_admit (Row *row, Slot *slot);
void slot_leave (Slot *slot);
/* (nullable) */
WatchedLease *lease_watch (Row *row, Slot *slot);
void lease_unwatch (SlotTable *table, WatchedLease *watched);
/* ROW's table may have room for who waits. */
void row_tell_room (Row *row);

/* ----------------------------------------------------------------- slots.c */

/* A release, or a get that took its step back, found SLOT orphaned. */
void slot_release_orphan (Slot *slot);

/* ----------------------------------------------------------- attachments.c */

/* Any thread that holds a lease on SLOT. */
gpointer slot_attach (Slot *slot, gconstpointer key, gpointer data, GDestroyNotify notify, gboolean owns_channel);
/* The end of SLOT's channel: takes what is attached, for attachments_end() to notify.  TRUE there: one owned the channel. */
Attachment *slot_take_attachments (Slot *slot);
gboolean attachments_end (Attachment *attachments);

#endif
