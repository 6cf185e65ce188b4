/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-tracking: what costs, and is opt-in: a limit of leases on a channel that holds
 * exactly, and a record of when and where each lease was taken.
 *
 * held     a counter of the slot's that all threads share.  A lease is admitted before the
 *          thread's own step forward and leaves before its step back, so a slot that
 *          begins another life has none.
 * waiting  a release lowers `held`, then looks whether somebody waits; who waits is
 *          counted first, then looks for room: one of the two sees the other.
 * watched  a list of all leases, the oldest first; a release takes its own out.
 *
 * Lock: table->watch_lock for the list.  Any thread, except where slots.h says control.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <string.h>
#include <sys/auxv.h>

#include "slot-table.h"

struct WatchedLease {
  GList link;                /* in table->watched, while it was not told of */
  const Slot *slot;
  gint64 taken_us;
  gboolean is_leak;          /* was told of */
  LeaseOrigin origin;
};

void
slot_table_track (SlotTable *table, const SlotTracking *tracking)
{
  LeaseOrigin first;

  table->tracking = *tracking;
  table->tracked = TRUE;
  /* The unwinder loads what it needs now, and not within somebody's get. */
  lease_origin_here (&first);
}

/* ------------------------------------------------------------------- limits */

gboolean
slot_admit (Row *row, Slot *slot)
{
  gint64 limit = row->table->tracking.stream_limit;
  gint64 held = atomic_load_explicit (&slot->held, memory_order_seq_cst);

  do {
    if (limit != 0 && held >= limit) {
      row->full |= slot_is_shown (slot);
      return FALSE;
    }
  } while (!atomic_compare_exchange_weak_explicit (&slot->held, &held, held + 1, memory_order_seq_cst, memory_order_seq_cst));
  return TRUE;
}

void
slot_leave (Slot *slot)
{
  atomic_fetch_sub_explicit (&slot->held, 1, memory_order_seq_cst);
}

void
slot_table_set_waiting (SlotTable *table, guint n)
{
  atomic_store_explicit (&table->n_waiting, n, memory_order_seq_cst);
}

/* With an odd word of the row's own, as in telling a picker: a pool whose view was not yet a stopped one stays. */
void
row_tell_room (Row *row)
{
  SlotTable *table = row->table;
  guint64 telling = atomic_load_explicit (&row->telling, memory_order_relaxed) + 1;
  const SlotView *view;

  if (atomic_load_explicit (&table->n_waiting, memory_order_seq_cst) == 0)
    return;
  hot_store_epoch (&row->telling, telling, row->asymmetric);
  view = atomic_load_explicit (&table->view, memory_order_seq_cst);
  if ((atomic_load_explicit (&view->flags, memory_order_relaxed) & (VIEW_TRACKED | VIEW_STOPPED)) == VIEW_TRACKED)
    table->tracking.has_room (table->wake_data);
  atomic_store_explicit (&row->telling, telling + 1, memory_order_release);
}

/* ------------------------------------------------------------------ origins */

void
lease_origin_here (LeaseOrigin *out_origin)
{
  int n = backtrace (out_origin->frames, LEASE_ORIGIN_FRAMES);

  out_origin->n_frames = (guint) MAX (n, 0);
  if (pthread_getname_np (pthread_self (), out_origin->thread, sizeof out_origin->thread) != 0)
    out_origin->thread[0] = '\0';
}

/* A call's place is before the address that it returns to. */
static gboolean
find_frame (gpointer frame, Dl_info *out_info)
{
  memset (out_info, 0, sizeof *out_info);
  return dladdr ((char *) frame - 1, out_info) != 0;
}

/* Whether this library is a part of the program itself: nothing tells their frames apart then. */
static gboolean
is_static (const Dl_info *own)
{
  Dl_info program;

  return dladdr ((gpointer) getauxval (AT_ENTRY), &program) != 0 && program.dli_fbase == own->dli_fbase;
}

/* How many of the innermost frames are this library's. */
static guint
count_own (const LeaseOrigin *origin)
{
  Dl_info own, info;
  guint n = 0;

  if (dladdr ((gpointer) (gsize) lease_origin_here, &own) == 0 || is_static (&own))
    return 0;
  while (n < origin->n_frames && find_frame (origin->frames[n], &info) && info.dli_fbase == own.dli_fbase)
    n++;
  return n;
}

/* "main+0x1f in server", or "server+0x1a2f" for addr2line. */
static void
append_frame (GString *out, gpointer frame)
{
  Dl_info info;
  g_autofree char *file = NULL;
  gboolean known = find_frame (frame, &info) && info.dli_fname != NULL;

  file = known ? g_path_get_basename (info.dli_fname) : g_strdup ("?");
  if (known && info.dli_sname != NULL)
    g_string_append_printf (out, "%s+0x%zx in %s", info.dli_sname, (gsize) frame - (gsize) info.dli_saddr, file);
  else
    g_string_append_printf (out, "%s+0x%zx", file, (gsize) frame - (known ? (gsize) info.dli_fbase : 0));
}

#define SHOWN_FRAMES 4
/* Of which the library's own come first. */
#define SHOWN_FRAMES_STATIC 12

char *
lease_origin_describe (const LeaseOrigin *origin)
{
  guint first = count_own (origin), i;
  guint last = MIN (origin->n_frames, first + (first == 0 ? SHOWN_FRAMES_STATIC : SHOWN_FRAMES));
  GString *out = g_string_new (NULL);

  for (i = first; i < last; i++) {
    if (i > first)
      g_string_append (out, " < ");
    append_frame (out, origin->frames[i]);
  }
  if (origin->thread[0] != '\0')
    g_string_append_printf (out, " on thread %s", origin->thread);
  return g_string_free (out, FALSE);
}

/* ----------------------------------------------------------------- watching */

static WatchedLease *
watched_new (Row *row, Slot *slot)
{
  const SlotWorld *world = &row->table->world;
  WatchedLease *watched = g_new0 (WatchedLease, 1);

  watched->link.data = watched;
  watched->slot = slot;
  watched->taken_us = world->now_us (world->data);
  if (row->origin != NULL)
    watched->origin = *row->origin;
  else
    lease_origin_here (&watched->origin);
  return watched;
}

WatchedLease *
lease_watch (Row *row, Slot *slot)
{
  SlotTable *table = row->table;
  WatchedLease *watched;

  if (!table->tracking.watches)
    return NULL;
  watched = watched_new (row, slot);
  pthread_mutex_lock (&table->watch_lock);
  g_queue_push_tail_link (&table->watched, &watched->link);
  pthread_mutex_unlock (&table->watch_lock);
  return watched;
}

void
lease_unwatch (SlotTable *table, WatchedLease *watched)
{
  if (watched == NULL)
    return;
  pthread_mutex_lock (&table->watch_lock);
  if (watched->is_leak)
    table->n_leaks--;
  else
    g_queue_unlink (&table->watched, &watched->link);
  pthread_mutex_unlock (&table->watch_lock);
  g_free (watched);
}

/* Takes the oldest out, where it was taken before BEFORE_US; its holder may release it while it is told of. */
static gboolean
take_leak (SlotTable *table, gint64 before_us, LeaseLeak *out_leak, gint64 *out_oldest_us)
{
  const SlotWorld *world = &table->world;
  gint64 now_us = world->now_us (world->data);
  WatchedLease *oldest;
  gboolean leaks;

  pthread_mutex_lock (&table->watch_lock);
  oldest = g_queue_peek_head (&table->watched);
  leaks = oldest != NULL && oldest->taken_us <= before_us;
  *out_oldest_us = oldest == NULL ? G_MAXINT64 : oldest->taken_us;
  if (leaks) {
    g_queue_unlink (&table->watched, &oldest->link);
    oldest->is_leak = TRUE;
    table->n_leaks++;
    *out_leak = (LeaseLeak) {
      .channel_id = atomic_load_explicit (&oldest->slot->channel_id, memory_order_relaxed),
      .held_us = now_us - oldest->taken_us,
      .origin = oldest->origin,
    };
  }
  pthread_mutex_unlock (&table->watch_lock);
  return leaks;
}

gint64
slot_table_find_leaks (SlotTable *table, gint64 before_us, void (*told) (const LeaseLeak *leak, gpointer data), gpointer data)
{
  gint64 oldest_us;
  LeaseLeak leak;

  while (take_leak (table, before_us, &leak, &oldest_us))
    told (&leak, data);
  return oldest_us;
}

guint
slot_table_leaks (SlotTable *table)
{
  guint n;

  pthread_mutex_lock (&table->watch_lock);
  n = table->n_leaks;
  pthread_mutex_unlock (&table->watch_lock);
  return n;
}
