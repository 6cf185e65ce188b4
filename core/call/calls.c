/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <grpc/status.h>
#include <stdatomic.h>

#include "core/base/cache-line.h"
#include "core/base/hot.h"
#include "core/base/monitor.h"

#define N_SHARDS 64

enum { LIST_LOOKS, LIST_CLOSING, LIST_STREAMS, N_LISTS };

typedef struct Shard {
  _Alignas (CACHE_LINE) Monitor monitor; /* the lists */
  RingLink lists[N_LISTS];   /* heads, of CallRecord */
  _Atomic (RpcQueue *) spare;
} Shard;

struct Calls {
  gatomicrefcount refs;
  _Atomic gboolean closed;
  Loops *loops;
  void (*watch) (gpointer data);
  gpointer watch_data;
  _Atomic gboolean watched;  /* somebody will look */
  Shard shards[N_SHARDS];
};

static _Atomic guint n_threads;
static _Thread_local guint thread_number; /* 0: none yet */

static guint
my_shard (void)
{
  if (thread_number == 0)
    thread_number = atomic_fetch_add_explicit (&n_threads, 1, memory_order_relaxed) + 1;
  return thread_number % N_SHARDS;
}

/* -------------------------------------------------------------------- lives */

Calls *
calls_new (void)
{
  Calls *calls = g_aligned_alloc0 (1, sizeof (Calls), CACHE_LINE);
  guint i, list;

  g_atomic_ref_count_init (&calls->refs);
  calls->loops = loops_new ();
  for (i = 0; i < N_SHARDS; i++) {
    monitor_init (&calls->shards[i].monitor);
    for (list = 0; list < N_LISTS; list++)
      ring_init (&calls->shards[i].lists[list]);
  }
  return calls;
}

Calls *
calls_ref (Calls *calls)
{
  g_atomic_ref_count_inc (&calls->refs);
  return calls;
}

void
calls_unref (Calls *calls)
{
  guint i;

  if (calls == NULL || !g_atomic_ref_count_dec (&calls->refs))
    return;
  for (i = 0; i < N_SHARDS; i++)
    monitor_clear (&calls->shards[i].monitor);
  loops_unref (calls->loops);
  g_aligned_free (calls);
}

/* ----------------------------------------------------------------- register */

static CallRecord *
record_of (RingLink *link)
{
  return (CallRecord *) (gpointer) ((char *) link - G_STRUCT_OFFSET (CallRecord, link));
}

/* (nullable) */
static CallRecord *
first_in_locked (Shard *shard, guint list)
{
  RingLink *head = &shard->lists[list];

  return head->next == head ? NULL : record_of (head->next);
}

/* Most are due after all the others: looks from the end. */
static HOT void
put_in_locked (Shard *shard, guint list, CallRecord *record, gint64 look_us)
{
  RingLink *head = &shard->lists[list];
  RingLink *before = head->previous;

  while (before != head && record_of (before)->look_us > look_us)
    before = before->previous;
  record->look_us = look_us;
  record->list = list;
  ring_insert_after (before, &record->link);
}

/* Each record, in a loop: the lists one after the other. */
static CallRecord *
next_in_locked (Shard *shard, const CallRecord *last)
{
  guint list = last == NULL ? 0 : last->list;
  RingLink *link = last == NULL ? shard->lists[0].next : last->link.next;

  while (link == &shard->lists[list] && ++list < N_LISTS)
    link = shard->lists[list].next;
  return list == N_LISTS ? NULL : record_of (link);
}

static gboolean
is_empty_locked (Shard *shard)
{
  return next_in_locked (shard, NULL) == NULL;
}

static void
see_to_watch (Calls *calls)
{
  if (!atomic_load (&calls->watched) && !atomic_exchange (&calls->watched, TRUE))
    calls->watch (calls->watch_data);
}

/* Whoever closes looks at every shard under its lock after having closed, so a record is
 * either seen there or refused here. */
HOT gboolean
calls_enter (Calls *calls, CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard = my_shard ()];
  gboolean open;

  monitor_lock (&shard->monitor);
  open = !atomic_load_explicit (&calls->closed, memory_order_relaxed);
  if (open)
    put_in_locked (shard, record->unary ? LIST_LOOKS : LIST_STREAMS, record, record->begun_us + RPC_LOOK_US);
  monitor_unlock (&shard->monitor);
  if (open && record->unary)
    see_to_watch (calls);
  return open;
}

HOT void
calls_leave (Calls *calls, CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard];

  monitor_lock (&shard->monitor);
  ring_remove (&record->link);
  if (atomic_load_explicit (&calls->closed, memory_order_relaxed))
    monitor_broadcast (&shard->monitor);
  monitor_unlock (&shard->monitor);
}

HOT void
calls_set_attempt (Calls *calls, CallRecord *record, Rpc *rpc, const grpc_channel *channel)
{
  Shard *shard = &calls->shards[record->shard];
  gboolean cancelled;

  monitor_lock (&shard->monitor);
  cancelled = record->cancelled;
  record->attempt = cancelled ? NULL : rpc;
  record->channel = channel;
  monitor_unlock (&shard->monitor);
  if (cancelled)
    rpc_cancel (rpc, GRPC_STATUS_UNAVAILABLE, "the call was cancelled before it began");
}

gboolean
calls_is_cancelled (Calls *calls, const CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard];
  gboolean cancelled;

  monitor_lock (&shard->monitor);
  cancelled = record->cancelled;
  monitor_unlock (&shard->monitor);
  return cancelled;
}

HOT gboolean
calls_clear_attempt (Calls *calls, CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard];
  gboolean good;

  monitor_lock (&shard->monitor);
  good = !record->cancelled;
  record->attempt = NULL;
  monitor_unlock (&shard->monitor);
  return good;
}

/* ------------------------------------------------------------------- queues */

HOT RpcQueue *
calls_take_queue (Calls *calls)
{
  RpcQueue *spare = atomic_exchange_explicit (&calls->shards[my_shard ()].spare, NULL, memory_order_acquire);

  return spare != NULL ? spare : rpc_queue_new ();
}

HOT void
calls_give_queue (Calls *calls, RpcQueue *queue)
{
  RpcQueue *none = NULL;

  if (!atomic_compare_exchange_strong_explicit (&calls->shards[my_shard ()].spare, &none, queue, memory_order_release,
                                                memory_order_relaxed))
    rpc_queue_free (queue);
}

Loops *
calls_loops (Calls *calls)
{
  return calls->loops;
}

/* -------------------------------------------------------------------- looks */

void
calls_set_watch (Calls *calls, void (*watch) (gpointer data), gpointer data)
{
  calls->watch = watch;
  calls->watch_data = data;
}

static CallRecord *
first_due_locked (Shard *shard, gint64 now_us)
{
  guint list;

  for (list = LIST_LOOKS; list <= LIST_CLOSING; list++) {
    CallRecord *record = first_in_locked (shard, list);

    if (record != NULL && record->look_us <= now_us)
      return record;
  }
  return NULL;
}

/* At its next look, or its deadline where that is nearer. */
static void
put_back_locked (Shard *shard, CallRecord *record, gint64 now_us)
{
  gint64 look_us = now_us + RPC_LOOK_US;
  gboolean closes = record->deadline_us > now_us && record->deadline_us < look_us;

  ring_remove (&record->link);
  put_in_locked (shard, closes ? LIST_CLOSING : LIST_LOOKS, record, closes ? record->deadline_us : look_us);
}

/* FALSE: nothing is due. */
static gboolean
look_at_one (Shard *shard, gint64 now_us)
{
  RpcNeed need = RPC_NEED_NOTHING;
  Rpc *rpc = NULL;
  CallRecord *record;

  monitor_lock (&shard->monitor);
  record = first_due_locked (shard, now_us);
  if (record != NULL && record->attempt != NULL)
    need = rpc_look (record->attempt, now_us);
  if (need != RPC_NEED_NOTHING)
    rpc = rpc_ref (record->attempt);
  if (record != NULL)
    put_back_locked (shard, record, now_us);
  monitor_unlock (&shard->monitor);
  if (rpc != NULL)
    rpc_do (rpc, need);
  rpc_unref (rpc);
  return record != NULL;
}

static gint64
next_look_us (Shard *shard)
{
  gint64 look_us = G_MAXINT64;
  guint list;

  monitor_lock (&shard->monitor);
  for (list = LIST_LOOKS; list <= LIST_CLOSING; list++) {
    const CallRecord *first = first_in_locked (shard, list);

    if (first != NULL)
      look_us = MIN (look_us, first->look_us);
  }
  monitor_unlock (&shard->monitor);
  return look_us;
}

static void
look_at_due (Shard *shard, gint64 now_us)
{
  while (look_at_one (shard, now_us))
    continue;
}

/* A call that comes while nobody watches has itself watched: so first that is said, then looked. */
gint64
calls_look (Calls *calls, gint64 now_us)
{
  gint64 look_us = G_MAXINT64;
  guint i;

  atomic_store (&calls->watched, FALSE);
  for (i = 0; i < N_SHARDS; i++) {
    look_at_due (&calls->shards[i], now_us);
    look_us = MIN (look_us, next_look_us (&calls->shards[i]));
  }
  if (look_us != G_MAXINT64)
    atomic_store (&calls->watched, TRUE);
  return look_us;
}

void
calls_look_overdue (Calls *calls, gint64 due_us)
{
  guint i;

  for (i = 0; i < N_SHARDS && atomic_load (&calls->watched); i++)
    look_at_due (&calls->shards[i], due_us);
}

/* --------------------------------------------------------------- cancelling */

/* Which calls, and what they are told. */
typedef struct Cancel {
  gboolean (*concerns) (const CallRecord *record, const struct Cancel *cancel);
  gint64 now_us;
  gconstpointer pool;
  const grpc_channel *channel;
  gboolean for_good;         /* no further attempt */
  int status;
  const char *why;
} Cancel;

static gboolean
is_late (const CallRecord *record, const Cancel *cancel)
{
  return record->deadline_us <= cancel->now_us;
}

static gboolean
is_on_channel (const CallRecord *record, const Cancel *cancel)
{
  return record->channel == cancel->channel;
}

static gboolean
is_of_pool (const CallRecord *record, const Cancel *cancel)
{
  return record->pool == cancel->pool;
}

static gboolean
is_any (const CallRecord *record, const Cancel *cancel)
{
  (void) record;
  (void) cancel;
  return TRUE;
}

/* (transfer full) (nullable): what there is to cancel once the lock is gone; each attempt once. */
static Rpc *
take_attempt_locked (CallRecord *record)
{
  Rpc *rpc = g_steal_pointer (&record->attempt);

  return rpc == NULL ? NULL : rpc_ref (rpc);
}

static void
collect (Shard *shard, const Cancel *cancel, GPtrArray *attempts)
{
  CallRecord *record;
  Rpc *rpc;

  monitor_lock (&shard->monitor);
  for (record = next_in_locked (shard, NULL); record != NULL; record = next_in_locked (shard, record)) {
    if (record->cancelled || !cancel->concerns (record, cancel))
      continue;
    record->cancelled = cancel->for_good;
    if ((rpc = take_attempt_locked (record)) != NULL)
      g_ptr_array_add (attempts, rpc);
  }
  monitor_unlock (&shard->monitor);
}

static void
carry_out (Calls *calls, const Cancel *cancel)
{
  g_autoptr (GPtrArray) attempts = g_ptr_array_new_with_free_func ((GDestroyNotify) rpc_unref);
  guint i;

  for (i = 0; i < N_SHARDS; i++)
    collect (&calls->shards[i], cancel, attempts);
  for (i = 0; i < attempts->len; i++)
    rpc_cancel (attempts->pdata[i], cancel->status, cancel->why);
}

static guint
count_before (Calls *calls, gint64 before_us)
{
  guint i, n = 0;

  for (i = 0; i < N_SHARDS; i++) {
    Shard *shard = &calls->shards[i];
    const CallRecord *record;

    monitor_lock (&shard->monitor);
    for (record = next_in_locked (shard, NULL); record != NULL; record = next_in_locked (shard, record))
      n += record->begun_us < before_us;
    monitor_unlock (&shard->monitor);
  }
  return n;
}

guint
calls_cancel_late (Calls *calls, gint64 now_us, gint64 before_us)
{
  const Cancel cancel = { .concerns = is_late, .now_us = now_us, .for_good = TRUE,
                          .status = GRPC_STATUS_DEADLINE_EXCEEDED, .why = "Deadline Exceeded" };

  carry_out (calls, &cancel);
  return count_before (calls, before_us);
}

static Rpc *
cancel_locked (CallRecord *record)
{
  record->cancelled = TRUE;
  return take_attempt_locked (record);
}

static void
tell_cancelled (Rpc *rpc)
{
  if (rpc == NULL)
    return;
  rpc_cancel (rpc, GRPC_STATUS_CANCELLED, "cancelled by its caller");
  rpc_unref (rpc);
}

void
calls_cancel_one (Calls *calls, CallRecord *record)
{
  Shard *shard = &calls->shards[record->shard];
  Rpc *rpc;

  monitor_lock (&shard->monitor);
  rpc = cancel_locked (record);
  monitor_unlock (&shard->monitor);
  tell_cancelled (rpc);
}

static gboolean
cancel_in_shard (Shard *shard, gconstpointer pool, guint id)
{
  CallRecord *record;
  Rpc *rpc = NULL;

  monitor_lock (&shard->monitor);
  for (record = next_in_locked (shard, NULL); record != NULL; record = next_in_locked (shard, record)) {
    if (record->id == id && record->pool == pool)
      break;
  }
  if (record != NULL) {
    record->silent = TRUE;
    rpc = cancel_locked (record);
  }
  monitor_unlock (&shard->monitor);
  tell_cancelled (rpc);
  return record != NULL;
}

gboolean
calls_cancel_id (Calls *calls, gconstpointer pool, guint id)
{
  guint i;

  for (i = 0; i < N_SHARDS; i++) {
    if (cancel_in_shard (&calls->shards[i], pool, id))
      return TRUE;
  }
  return FALSE;
}

void
calls_cancel_on (Calls *calls, const grpc_channel *channel, const char *why)
{
  const Cancel cancel = { .concerns = is_on_channel, .channel = channel, .status = GRPC_STATUS_UNAVAILABLE, .why = why };

  carry_out (calls, &cancel);
}

void
calls_cancel_of (Calls *calls, gconstpointer pool, const char *why)
{
  const Cancel cancel = { .concerns = is_of_pool, .pool = pool, .for_good = TRUE,
                          .status = GRPC_STATUS_UNAVAILABLE, .why = why };

  carry_out (calls, &cancel);
}

void
calls_cancel_all (Calls *calls, const char *why)
{
  const Cancel cancel = { .concerns = is_any, .for_good = TRUE, .status = GRPC_STATUS_UNAVAILABLE, .why = why };

  carry_out (calls, &cancel);
}

guint
calls_count (Calls *calls)
{
  return count_before (calls, G_MAXINT64);
}

void
calls_close (Calls *calls)
{
  atomic_store_explicit (&calls->closed, TRUE, memory_order_release);
}

gboolean
calls_are_closed (const Calls *calls)
{
  return atomic_load_explicit (&calls->closed, memory_order_relaxed);
}

static void
await_none (Shard *shard)
{
  monitor_lock (&shard->monitor);
  while (!is_empty_locked (shard))
    monitor_wait (&shard->monitor);
  monitor_unlock (&shard->monitor);
}

void
calls_end (Calls *calls)
{
  guint i;

  for (i = 0; i < N_SHARDS; i++) {
    Shard *shard = &calls->shards[i];
    RpcQueue *spare;

    await_none (shard);
    spare = atomic_exchange_explicit (&shard->spare, NULL, memory_order_acq_rel);
    if (spare != NULL)
      rpc_queue_free (spare);
  }
  loops_end (calls->loops);
}
