/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease: the hot path: get and release, on callers' threads.
 *
 * Neither takes a lock, blocks, or writes a line that another thread writes,
 * except where it says so.  The protocol is in slots.h, the orderings are in
 * slot-table.h.  What is rare is out of line, so that what is usual is short:
 * some 120 instructions for both, a simple picker included.
 */
#include "core/base/hot.h"
#include "slot-table.h"

/* CenoteLease.priv: the seal is the entry under the mark, so that nothing is
 * followed that a get did not write.  The mark turns a pointer into what is none,
 * fits into an instruction, and leaves the lowest bits of the seal to leases whose
 * release is told to the picker with their latency, to those that are tracked, and to
 * those whose time of use is asked for. */
enum { LEASE_ENTRY, LEASE_GENERATION, LEASE_SEAL };
#define LEASE_MARK ((gsize) (gssize) -0x43656e70)
#define LEASE_TIMED ((gsize) 1)
#define LEASE_TRACKED ((gsize) 2)
#define LEASE_SAMPLED ((gsize) 4)
#define LEASE_BITS (LEASE_TIMED | LEASE_TRACKED | LEASE_SAMPLED)
G_STATIC_ASSERT (G_ALIGNOF (LeaseEntry) > LEASE_BITS);

/* So seldom that the code for it may lie far off, and the usual way needs no jump. */
#define RARELY(condition) __builtin_expect_with_probability (!!(condition), 0, 1.0)

static const LeaseWish any_channel;

static _Atomic guint64 double_releases;
static _Atomic guint64 foreign_leases;
static _Atomic guint64 picks_out_of_range;

/* ----------------------------------------------------------------- entries */

/* Kept so that a row's entries can be found from it. */
struct LeaseBlock {
  LeaseBlock *next;
  LeaseEntry entries[];
};

/* As many again as there are, in lines of their own. */
static void
entries_add_block (Row *row)
{
  guint n = MAX (8u, row->n_entries);
  gsize size = sizeof (LeaseBlock) + n * sizeof (LeaseEntry);
  LeaseBlock *block = g_aligned_alloc0 ((size + CACHE_LINE - 1) / CACHE_LINE, CACHE_LINE, CACHE_LINE);
  guint i;

  block->next = row->lease_blocks;
  row->lease_blocks = block;
  row->n_entries += n;
  for (i = 0; i < n; i++) {
    LeaseEntry *entry = &block->entries[i];

    atomic_init (&entry->generation, 1);
    entry->home = row;
    entry->since_us = -1;
    entry->next = row->free_entries;
    row->free_entries = entry;
  }
}

/* First what other threads gave back, then, where the leases held at once double, new ones. */
static G_GNUC_NO_INLINE void
entries_refill (Row *row)
{
  row->free_entries = atomic_exchange_explicit (&row->returned, NULL, memory_order_acquire);
  if (row->free_entries == NULL)
    entries_add_block (row);
}

static inline LeaseEntry *
entry_pop (Row *row)
{
  LeaseEntry *entry;

  if (G_UNLIKELY (row->free_entries == NULL))
    entries_refill (row);
  entry = row->free_entries;
  row->free_entries = entry->next;
  return entry;
}

static inline void
entry_push (LeaseEntry *entry, Row *home)
{
  entry->next = home->free_entries;
  home->free_entries = entry;
}

/* To another thread's row, the one it came from, so that a thread that only
 * releases hoards nothing.  Only that row's thread takes them out, all at once. */
static void
entry_send_home (LeaseEntry *entry)
{
  Row *home = entry->home;

  entry->next = atomic_load_explicit (&home->returned, memory_order_relaxed);
  while (!atomic_compare_exchange_weak_explicit (&home->returned, &entry->next, entry, memory_order_release,
                                                 memory_order_relaxed))
    ;
}

/* ------------------------------------------------------------------ taking */

/* The step is stored before the state is loaded: either we see that the slot is
 * closing, or whoever closes it sees our step. */
static G_ALWAYS_INLINE inline gboolean
take (Slot *slot, Tally *tally, gboolean asymmetric)
{
  hot_store (&tally->taken, atomic_load_explicit (&tally->taken, memory_order_relaxed) + 1, asymmetric);
  return atomic_load_explicit (&slot->state, memory_order_seq_cst) == SLOT_READY;
}

/* The step back is stored before the state is looked at again, as a release's is:
 * an orphan whose last release summed before this step is left to us. */
static void
untake (Slot *slot, Tally *tally, gboolean asymmetric)
{
  hot_store (&tally->taken, atomic_load_explicit (&tally->taken, memory_order_relaxed) - 1, asymmetric);
  if (atomic_load_explicit (&slot->state, memory_order_seq_cst) == SLOT_ORPHAN)
    slot_release_orphan (slot);
}

static G_ALWAYS_INLINE inline void
lease_fill (CenoteLease *lease, LeaseEntry *entry, Slot *slot, Tally *tally, gsize mark)
{
  entry->slot = slot;
  entry->tally = tally;
  *lease = (CenoteLease) {
    .channel = slot->channel,
    .priv = {
      [LEASE_ENTRY] = entry,
      [LEASE_GENERATION] = GSIZE_TO_POINTER (atomic_load_explicit (&entry->generation, memory_order_relaxed)),
      [LEASE_SEAL] = GSIZE_TO_POINTER ((gsize) entry ^ mark),
    },
  };
}

/* ----------------------------------------------------------------- picking */

/* The picker's answer, in range or not.  VIEW has places. */
static G_ALWAYS_INLINE inline guint32
pick (Row *row, const SlotView *view)
{
  if (RARELY (row->seen != view->serial)) {
    row->seen = view->serial;
    row->pick.n_places = view->n_places;
    row->pick.places = view->places;
  }
  return view->picker.pick (view->picker.state, &row->pick);
}

/* ------------------------------------------------------- getting, with care */

/* Half of an odd epoch is the number of gets that the row has made. */
static gboolean
due_for_sample (guint64 epoch, const SlotView *view)
{
  return view->sample_rate != 0 && (epoch / 2) % view->sample_rate == 0;
}

/* Who comes later does not overtake those who wait for room. */
static gboolean
must_queue (const Row *row)
{
  SlotTable *table = row->table;

  return table->tracking.stream_limit > 0 && !row->in_turn &&
         atomic_load_explicit (&table->n_waiting, memory_order_seq_cst) > 0;
}

/* What a view's flags ask for; LEASE_GOT: nothing that stops this get. */
static LeaseResult
heed_flags (Row *row, SlotView *view, guint32 flags, gboolean timed)
{
  SlotTable *table = row->table;

  if (flags & VIEW_STOPPED)
    return LEASE_STOPPED;
  if ((flags & VIEW_PARKED) != 0 &&
      (atomic_fetch_and_explicit (&view->flags, ~VIEW_PARKED, memory_order_relaxed) & VIEW_PARKED) != 0)
    table->wake (table->wake_data);
  if (flags & VIEW_MOCKED)
    return LEASE_MOCKED;
  if (flags & VIEW_DIALLED)
    return LEASE_DIALLED;
  if (flags & VIEW_PAUSED)
    return LEASE_PAUSED;
  if ((flags & VIEW_TRACKED) != 0 && must_queue (row))
    return LEASE_FULL;
  if (!timed && due_for_sample (atomic_load_explicit (&row->epoch, memory_order_relaxed), view))
    return LEASE_SAMPLE;
  return LEASE_GOT;
}

/* TRACKED: within the channel's limit, and with a record of where it was taken. */
static G_ALWAYS_INLINE inline gboolean
take_at (Row *row, const SlotView *view, guint32 i, gboolean tracked, CenoteLease *out_lease)
{
  Slot *slot = view->refs[i].slot;
  Tally *tally = ref_tally (row, &view->refs[i]);
  gsize mark = tracked ? LEASE_MARK | LEASE_TRACKED : LEASE_MARK;
  LeaseEntry *entry;

  if (tracked && !slot_admit (row, slot))
    return FALSE;
  if (!take (slot, tally, row->asymmetric)) {
    if (tracked)
      slot_leave (slot);
    untake (slot, tally, row->asymmetric);
    return FALSE;
  }
  entry = entry_pop (row);
  if (view->picker.flags & CENOTE_PICKER_NEEDS_LATENCY) {
    entry->since_us = row->pick.now_us;
    mark |= LEASE_TIMED;
  }
  lease_fill (out_lease, entry, slot, tally, mark);
  if (tracked)
    entry->watched = lease_watch (row, slot);
  return TRUE;
}

static gboolean
take_place (Row *row, const SlotView *view, guint32 i, CenoteLease *out_lease)
{
  gboolean tracked = (atomic_load_explicit (&view->flags, memory_order_relaxed) & VIEW_TRACKED) != 0;

  return G_UNLIKELY (tracked) ? take_at (row, view, i, TRUE, out_lease) : take_at (row, view, i, FALSE, out_lease);
}

static guint32
pick_in_range (Row *row, const SlotView *view, guint32 answer)
{
  guint32 i = answer == CENOTE_PICK_NONE ? pick (row, view) : answer;

  if (G_LIKELY (i < view->n_places))
    return i;
  atomic_fetch_add_explicit (&picks_out_of_range, 1, memory_order_relaxed);
  return i % view->n_places;
}

/* The one clock read of a timed get: for the picker, and for when its lease began. */
static void
tell_time (Row *row)
{
  const SlotWorld *world = &row->table->world;

  row->pick.now_us = world->now_us (world->data);
}

/* The picker's choice where it knows which one would be of no use. */
static guint32
pick_another (Row *row, const SlotView *view, guint32 avoid)
{
  guint32 i;

  row->pick.avoid = avoid;
  row->pick.attempt = 1;
  i = pick_in_range (row, view, CENOTE_PICK_NONE);
  row->pick.avoid = CENOTE_PICK_NONE;
  row->pick.attempt = 0;
  return i;
}

/* Where the channel is that this get would rather not have; CENOTE_PICK_NONE: nowhere.  A retry's cost. */
static guint32
unwanted_place (const Row *row, const SlotView *view)
{
  guint32 i;

  for (i = 0; row->avoid != 0 && i < view->n_places; i++) {
    if (view->places[i].channel_id == row->avoid)
      return i;
  }
  return CENOTE_PICK_NONE;
}

static gboolean
take_in_turn (Row *row, const SlotView *view, guint32 first, guint32 last_of_all, CenoteLease *out_lease)
{
  guint32 k;

  for (k = 0; k < view->n_places; k++) {
    guint32 i = (first + k) % view->n_places;

    if (i != last_of_all && take_place (row, view, i, out_lease))
      return TRUE;
  }
  return last_of_all != CENOTE_PICK_NONE && take_place (row, view, last_of_all, out_lease);
}

/* The picker's choice (ANSWER, where it was asked already); its second one; then each in turn.  The
 * unwanted one comes last, whatever the picker says. */
static gboolean
take_any (Row *row, const SlotView *view, guint32 flags, guint32 answer, CenoteLease *out_lease)
{
  guint32 i, unwanted;

  if (flags & VIEW_EMPTY)
    return FALSE;
  if (flags & VIEW_TIMES)
    tell_time (row);
  unwanted = unwanted_place (row, view);
  i = unwanted == CENOTE_PICK_NONE ? pick_in_range (row, view, answer) : pick_another (row, view, unwanted);
  if (G_LIKELY (i != unwanted && take_place (row, view, i, out_lease)))
    return TRUE;
  return take_in_turn (row, view, pick_another (row, view, i), unwanted, out_lease);
}

/* LEASE_NONE only where, at one instant of this call, no slot of the present view was shown. */
static LeaseResult
search (Row *row, SlotView *view, guint32 answer, gboolean timed, CenoteLease *out_lease)
{
  SlotTable *table = row->table;

  for (;;) {
    guint64 shows = atomic_load_explicit (&table->shows, memory_order_seq_cst);
    guint32 flags = atomic_load_explicit (&view->flags, memory_order_seq_cst);
    LeaseResult result = heed_flags (row, view, flags, timed);
    SlotView *newer;

    row->full = FALSE;
    if (result != LEASE_GOT || take_any (row, view, flags, answer, out_lease))
      return result;
    newer = atomic_load_explicit (&table->view, memory_order_seq_cst);
    if (newer == view && atomic_load_explicit (&table->shows, memory_order_seq_cst) == shows)
      return row->full ? LEASE_FULL : LEASE_NONE;
    view = newer;
    answer = CENOTE_PICK_NONE;
  }
}

static void
count_miss (Row *row)
{
  guint64 misses = atomic_load_explicit (&row->misses, memory_order_relaxed);

  atomic_store_explicit (&row->misses, misses + 1, memory_order_relaxed);
}

/* A get from an odd epoch on.  One that is told to come again is not counted: its epoch goes back. */
static G_GNUC_NO_INLINE LeaseResult
get_with_care (Row *row, SlotView *view, guint32 answer, gboolean timed, CenoteLease *out_lease)
{
  guint64 epoch = atomic_load_explicit (&row->epoch, memory_order_relaxed);
  LeaseResult result = search (row, view, answer, timed, out_lease);

  if (result == LEASE_NONE)
    count_miss (row);
  atomic_store_explicit (&row->epoch, result == LEASE_SAMPLE ? epoch - 1 : epoch + 1, memory_order_release);
  return result;
}

/* With a wish, timed, a thread's first on a table, or without the asymmetric barrier. */
G_GNUC_NO_INLINE LeaseResult
lease_get_special (SlotTable *table, const LeaseWish *wish, gboolean timed, CenoteLease *out_lease)
{
  LeaseResult result;
  SlotView *view;
  Row *row;

  if (slots_forked)
    return LEASE_STOPPED;
  row = rows_mine (table);
  row->pick.key_hash = wish->key_hash;
  row->pick.has_key = wish->key_hash != 0;
  row->avoid = wish->avoid;
  row->origin = wish->origin;
  row->in_turn = wish->in_turn;
  hot_store_epoch (&row->epoch, atomic_load_explicit (&row->epoch, memory_order_relaxed) + 1, row->asymmetric);
  view = atomic_load_explicit (&table->view, memory_order_seq_cst);
  result = get_with_care (row, view, CENOTE_PICK_NONE, timed, out_lease);
  row->pick.key_hash = 0;
  row->pick.has_key = 0;
  row->avoid = 0;
  row->origin = NULL;
  row->in_turn = FALSE;
  return result;
}

/* ---------------------------------------------------------- getting, quickly */

static G_GNUC_NO_INLINE LeaseResult
get_another (Row *row, SlotView *view, guint32 gone, CenoteLease *out_lease)
{
  untake (view->refs[gone].slot, ref_tally (row, &view->refs[gone]), TRUE);
  return get_with_care (row, view, gone, FALSE, out_lease);
}

/* While the epoch is odd, no view that is loaded here is freed. */
static G_ALWAYS_INLINE inline LeaseResult
get_quickly (SlotTable *table, CenoteLease *out_lease)
{
  const RowCache *recent = rows_recent (table);
  Row *row = recent->row;
  LeaseEntry *entry;
  guint64 epoch;
  SlotView *view;
  Slot *slot;
  Tally *tally;
  guint32 i;

  if (RARELY (recent->serial != table->serial))
    return lease_get_special (table, &any_channel, FALSE, out_lease);
  epoch = atomic_load_explicit (&row->epoch, memory_order_relaxed) + 1;
  hot_store_epoch (&row->epoch, epoch, TRUE);
  view = atomic_load_explicit (&table->view, memory_order_seq_cst);
  if (RARELY (atomic_load_explicit (&view->flags, memory_order_seq_cst) != 0 || (epoch & view->sample_mask) == 0))
    return get_with_care (row, view, CENOTE_PICK_NONE, FALSE, out_lease);
  i = pick (row, view);
  entry = row->free_entries;
  if (RARELY (i >= view->n_places || entry == NULL))
    return get_with_care (row, view, i, FALSE, out_lease);
  slot = view->refs[i].slot;
  tally = ref_tally (row, &view->refs[i]);
  if (RARELY (!take (slot, tally, TRUE)))
    return get_another (row, view, i, out_lease);
  row->free_entries = entry->next;
  lease_fill (out_lease, entry, slot, tally, LEASE_MARK);
  epoch = atomic_load_explicit (&row->epoch, memory_order_relaxed);
  atomic_store_explicit (&row->epoch, epoch + 1, memory_order_release);
  return LEASE_GOT;
}

HOT LeaseResult
lease_get_plain (SlotTable *table, CenoteLease *out_lease)
{
  return get_quickly (table, out_lease);
}

HOT gboolean
lease_get_or (SlotTable *table, CenoteLease *out_lease, GError **error)
{
  LeaseResult result = get_quickly (table, out_lease);

  return RARELY (result != LEASE_GOT) ? table->otherwise (table->wake_data, result, out_lease, error) : TRUE;
}

/* ------------------------------------------------------- getting, by address */

static LeaseResult
dial (Row *row, SlotView *view, const char *address, gboolean timed, CenoteLease *out_lease)
{
  guint32 flags = atomic_load_explicit (&view->flags, memory_order_seq_cst);
  guint64 epoch = atomic_load_explicit (&row->epoch, memory_order_relaxed);
  LeaseResult result = LEASE_GOT;
  guint32 i;

  if (RARELY (flags != VIEW_DIALLED || (epoch & view->sample_mask) == 0))
    result = heed_flags (row, view, flags & ~(guint32) VIEW_DIALLED, timed);
  if (result != LEASE_GOT)
    return result;
  i = slot_addresses_find (view->addresses, address);
  if (i != SLOT_NO_PLACE && take_place (row, view, i, out_lease))
    return LEASE_GOT;
  if (row->full) {
    row->full = FALSE;
    return LEASE_FULL;
  }
  count_miss (row);
  return LEASE_NONE;
}

LeaseResult
lease_dial (SlotTable *table, const char *address, gboolean timed, CenoteLease *out_lease)
{
  const RowCache *recent = rows_recent (table);
  LeaseResult result;
  guint64 epoch;
  Row *row;

  if (RARELY (slots_forked))
    return LEASE_STOPPED;
  row = recent->serial == table->serial ? recent->row : rows_mine (table);
  epoch = atomic_load_explicit (&row->epoch, memory_order_relaxed) + 1;
  hot_store_epoch (&row->epoch, epoch, row->asymmetric);
  result = dial (row, atomic_load_explicit (&table->view, memory_order_seq_cst), address, timed, out_lease);
  atomic_store_explicit (&row->epoch, result == LEASE_SAMPLE ? epoch - 1 : epoch + 1, memory_order_release);
  return result;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
guint64
lease_hash_key (const char *affinity_key)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  for (; *affinity_key != '\0'; affinity_key++)
    hash = (hash ^ (guchar) *affinity_key) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash == 0 ? 1 : hash;
}

/* ------------------------------------------------------------------ outcomes */

/* -1: not timed. */
static gint64
latency_since (const Row *row, gint64 since_us)
{
  const SlotWorld *world = &row->table->world;
  gint64 latency_us;

  if (since_us < 0)
    return -1;
  latency_us = world->now_us (world->data) - since_us;
  return MAX (0, latency_us);
}

/* done() runs with an odd word of the row's own, so that the view and the picker stay. */
static void
tell_picker (Row *row, const Slot *slot, int status, gint64 since_us)
{
  guint64 telling = atomic_load_explicit (&row->telling, memory_order_relaxed) + 1;
  const SlotView *view;

  hot_store_epoch (&row->telling, telling, row->asymmetric);
  view = atomic_load_explicit (&row->table->view, memory_order_seq_cst);
  if (view->picker.flags & (CENOTE_PICKER_NEEDS_OUTCOME | CENOTE_PICKER_NEEDS_LATENCY))
    view->picker.done (view->picker.state, atomic_load_explicit (&slot->number, memory_order_relaxed), status,
                       latency_since (row, since_us));
  atomic_store_explicit (&row->telling, telling + 1, memory_order_release);
}

/* Writes a shared line for a failure, and for the first good call on a connection. */
static void
count_outcome (Slot *slot, int status)
{
  if (status > 0)
    atomic_fetch_add_explicit (&slot->failures, 1, memory_order_relaxed);
  else if (status == 0 && atomic_load_explicit (&slot->unproved, memory_order_relaxed) > 0)
    atomic_fetch_sub_explicit (&slot->unproved, 1, memory_order_relaxed);
}

/* Whether the slot is to be suspected.  Of a good outcome a load, of a line that only failures write. */
static gboolean
judge_outcome (Slot *slot, int status, LeaseVerdict verdict)
{
  if (verdict != LEASE_ANSWERED)
    return slot_note_blame (slot, status, verdict);
  if (status >= 0 && RARELY (atomic_load_explicit (&slot->streak, memory_order_relaxed) != 0))
    slot_forget_streak (slot);
  return FALSE;
}

/* As tell_picker(): while a view that is not STOPPED is held, the pool is there to be told. */
static void
suspect (Row *row, Slot *slot)
{
  guint64 telling = atomic_load_explicit (&row->telling, memory_order_relaxed) + 1;
  const SlotView *view;

  hot_store_epoch (&row->telling, telling, row->asymmetric);
  view = atomic_load_explicit (&row->table->view, memory_order_seq_cst);
  if ((atomic_load_explicit (&view->flags, memory_order_seq_cst) & VIEW_STOPPED) == 0)
    slot_suspect (slot);
  atomic_store_explicit (&row->telling, telling + 1, memory_order_release);
}

void
lease_sample (CenoteLease *lease, gint64 since_ns)
{
  LeaseEntry *entry = lease->priv[LEASE_ENTRY];

  if (entry == NULL)
    return;
  entry->sampled_ns = since_ns;
  lease->priv[LEASE_SEAL] = GSIZE_TO_POINTER (GPOINTER_TO_SIZE (lease->priv[LEASE_SEAL]) | LEASE_SAMPLED);
}

/* As suspect(). */
static void
tell_use (const LeaseEntry *entry)
{
  const SlotTable *table = entry->slot->table;
  Row *row = rows_for_release (entry->slot->table);
  const SlotView *view;
  guint64 telling;

  if (row == NULL)
    return;
  telling = atomic_load_explicit (&row->telling, memory_order_relaxed) + 1;
  hot_store_epoch (&row->telling, telling, row->asymmetric);
  view = atomic_load_explicit (&table->view, memory_order_seq_cst);
  if ((atomic_load_explicit (&view->flags, memory_order_seq_cst) & VIEW_STOPPED) == 0)
    table->used (table->wake_data, entry->sampled_ns);
  atomic_store_explicit (&row->telling, telling + 1, memory_order_release);
}

static void
note_outcome (Row *row, LeaseEntry *entry, int status, LeaseVerdict verdict)
{
  gint64 since_us = entry->since_us;
  gboolean is_suspicious = FALSE;

  if (status < 0 && since_us < 0)
    return;
  entry->since_us = -1;
  if (verdict != LEASE_WITHDRAWN) {
    count_outcome (entry->slot, status);
    is_suspicious = judge_outcome (entry->slot, status, verdict);
  }
  if (row == NULL)
    return;
  tell_picker (row, entry->slot, status, since_us);
  if (RARELY (is_suspicious))
    suspect (row, entry->slot);
}

/* ----------------------------------------------------------------- refusing */

static void
refuse_foreign (void)
{
  atomic_fetch_add_explicit (&foreign_leases, 1, memory_order_relaxed);
  g_log_structured ("Cenote", G_LOG_LEVEL_CRITICAL, "MESSAGE", "%s",
                    "A lease that no pool made was released, and refused: a lease is copied whole or not at all, and "
                    "written by get, acquire and dial alone");
}

static void
refuse_double (void)
{
  atomic_fetch_add_explicit (&double_releases, 1, memory_order_relaxed);
  g_log_structured ("Cenote", G_LOG_LEVEL_CRITICAL, "MESSAGE", "%s",
                    "A lease was released a second time, and refused: release each lease once, through one of its "
                    "copies");
}

typedef enum {
  STANDING_HELD,
  STANDING_NONE,             /* CENOTE_LEASE_INIT, or a mock's: its channel alone */
  STANDING_FOREIGN,          /* no get wrote it */
  STANDING_RELEASED
} LeaseStanding;

static HOT LeaseStanding
standing_of (const CenoteLease *lease)
{
  LeaseEntry *entry = lease->priv[LEASE_ENTRY];
  gsize seal = GPOINTER_TO_SIZE (lease->priv[LEASE_SEAL]);
  gsize generation = GPOINTER_TO_SIZE (lease->priv[LEASE_GENERATION]);

  if (lease->channel == NULL || (entry == NULL && seal == 0))
    return STANDING_NONE;
  if (((gsize) entry ^ (seal & ~LEASE_BITS)) != LEASE_MARK)
    return STANDING_FOREIGN;
  return atomic_load_explicit (&entry->generation, memory_order_relaxed) == generation ? STANDING_HELD
                                                                                       : STANDING_RELEASED;
}

/* The entry of a lease that is to be released; NULL where there is nothing to do. */
static LeaseEntry *
entry_of (const CenoteLease *lease)
{
  switch (standing_of (lease)) {
  case STANDING_HELD:
    return lease->priv[LEASE_ENTRY];
  case STANDING_FOREIGN:
    refuse_foreign ();
    return NULL;
  case STANDING_RELEASED:
    refuse_double ();
    return NULL;
  case STANDING_NONE:
    break;
  }
  return NULL;
}

gpointer
lease_attach (const CenoteLease *lease, gconstpointer key, gpointer data, GDestroyNotify notify, gboolean owns_channel)
{
  LeaseStanding standing = slots_forked ? STANDING_NONE : standing_of (lease);
  LeaseEntry *entry = lease->priv[LEASE_ENTRY];

  if (standing == STANDING_HELD)
    return slot_attach (entry->slot, key, data, notify, owns_channel);
  if (standing != STANDING_NONE)
    g_log_structured ("Cenote", G_LOG_LEVEL_CRITICAL, "MESSAGE",
                      "cenote_lease_attach() was given a lease that %s, and refused it: attach while the lease is held",
                      standing == STANDING_FOREIGN ? "no pool made" : "was released before");
  return NULL;
}

/* --------------------------------------------------------------- releasing */

/* The step is stored before the state is loaded: either whoever orphans the slot
 * sees our step, or we see that it is an orphan.  With the step the slot, and with
 * it the table, may begin another life: what follows touches the slot alone. */
static G_ALWAYS_INLINE inline void
untally (Slot *slot, Tally *tally, gboolean asymmetric)
{
  hot_store (&tally->released, atomic_load_explicit (&tally->released, memory_order_relaxed) + 1, asymmetric);
  if (RARELY (atomic_load_explicit (&slot->state, memory_order_seq_cst) == SLOT_ORPHAN))
    slot_release_orphan (slot);
}

/* A thread that is past its rows' end. */
static void
untally_remotely (Slot *slot)
{
  atomic_fetch_add_explicit (&slot->remote_released, 1, memory_order_seq_cst);
  if (atomic_load_explicit (&slot->state, memory_order_seq_cst) == SLOT_ORPHAN)
    slot_release_orphan (slot);
}

static void
release_entry (LeaseEntry *entry, int status, LeaseVerdict verdict)
{
  Slot *slot = entry->slot;
  Row *row = rows_for_release (slot->table);
  gsize generation = atomic_load_explicit (&entry->generation, memory_order_relaxed);

  atomic_store_explicit (&entry->generation, generation + 1, memory_order_relaxed);
  note_outcome (row, entry, status, verdict);
  if (row == entry->home)
    entry_push (entry, row);
  else
    entry_send_home (entry);
  if (row != NULL)
    untally (slot, row_tally (row, slot), row->asymmetric);
  else
    untally_remotely (slot);
}

/* Before the lease's step, with which its slot may begin another life. */
static void
untrack (LeaseEntry *entry)
{
  Slot *slot = entry->slot;
  Row *row = rows_for_release (slot->table);

  lease_unwatch (slot->table, g_steal_pointer (&entry->watched));
  slot_leave (slot);
  if (row != NULL)
    row_tell_room (row);
}

/* On another thread than took it, with something to tell, sampled, of a tracked table, without the asymmetric
 * barrier, or to be refused. */
G_GNUC_NO_INLINE HOT void
lease_release_judged (CenoteLease *lease, int status, LeaseVerdict verdict)
{
  gsize seal = GPOINTER_TO_SIZE (lease->priv[LEASE_SEAL]);
  LeaseEntry *entry = slots_forked ? NULL : entry_of (lease);

  *lease = (CenoteLease) CENOTE_LEASE_INIT;
  if (entry == NULL)
    return;
  if (RARELY ((seal & LEASE_SAMPLED) != 0))
    tell_use (entry);
  if ((seal & LEASE_TRACKED) != 0)
    untrack (entry);
  release_entry (entry, status, verdict);
}

G_GNUC_NO_INLINE void
lease_release_special (CenoteLease *lease, int status)
{
  lease_release_judged (lease, status, LEASE_ANSWERED);
}

/* Whether LEASE is held, on this thread's own row, with nothing to tell.  Only a row's own thread writes its
 * mark there, so whoever finds its own may use the row. */
static G_ALWAYS_INLINE inline gboolean
is_quick (const CenoteLease *lease)
{
  const LeaseEntry *entry = lease->priv[LEASE_ENTRY];
  gsize generation = GPOINTER_TO_SIZE (lease->priv[LEASE_GENERATION]);

  if (RARELY (((gsize) entry ^ GPOINTER_TO_SIZE (lease->priv[LEASE_SEAL])) != LEASE_MARK ||
              atomic_load_explicit (&entry->generation, memory_order_relaxed) != generation))
    return FALSE;
  return !RARELY (atomic_load_explicit (&entry->home->quick_owner, memory_order_relaxed) != rows_mark ());
}

static G_ALWAYS_INLINE inline void
release_quickly (CenoteLease *lease)
{
  LeaseEntry *entry = lease->priv[LEASE_ENTRY];
  gsize generation = GPOINTER_TO_SIZE (lease->priv[LEASE_GENERATION]);
  Slot *slot = entry->slot;
  Tally *tally = entry->tally;

  lease->channel = NULL; /* and the three that a get writes: the rest is NULL */
  lease->priv[LEASE_ENTRY] = lease->priv[LEASE_GENERATION] = lease->priv[LEASE_SEAL] = NULL;
  atomic_store_explicit (&entry->generation, generation + 1, memory_order_relaxed);
  entry_push (entry, entry->home);
  untally (slot, tally, TRUE);
}

void
lease_release_plain (CenoteLease *lease)
{
  if (is_quick (lease))
    release_quickly (lease);
  else
    lease_release_special (lease, -1);
}

/* Whether OK changes anything of what is known of the lease's channel, or is told on. */
static G_ALWAYS_INLINE inline gboolean
is_news (const LeaseEntry *entry)
{
  const Slot *slot = entry->slot;

  return atomic_load_explicit (&slot->unproved, memory_order_relaxed) != 0 ||
         atomic_load_explicit (&slot->streak, memory_order_relaxed) != 0 ||
         atomic_load_explicit (&slot->table->tells, memory_order_relaxed);
}

HOT void
lease_release_good (CenoteLease *lease)
{
  if (is_quick (lease) && !RARELY (is_news (lease->priv[LEASE_ENTRY])))
    release_quickly (lease);
  else
    lease_release_judged (lease, 0, LEASE_ANSWERED);
}

HOT guint64
lease_channel_id (const CenoteLease *lease)
{
  const LeaseEntry *entry = lease->priv[LEASE_ENTRY];

  return entry == NULL ? 0 : atomic_load_explicit (&entry->slot->channel_id, memory_order_relaxed);
}

LeaseFaults
lease_get_faults (void)
{
  return (LeaseFaults) {
    .double_releases = atomic_load_explicit (&double_releases, memory_order_relaxed),
    .foreign_leases = atomic_load_explicit (&foreign_leases, memory_order_relaxed),
    .picks_out_of_range = atomic_load_explicit (&picks_out_of_range, memory_order_relaxed),
  };
}
