/* SPDX-License-Identifier: Apache-2.0 */
/* sinks: owns the list; its lock and threads are its caller's, see sinks.h. */
#include "sinks.h"

#define LOSS_INTERVAL_US (60 * G_GINT64_CONSTANT (1000000))

struct Sinks {
  GPtrArray *list;           /* of Sink, a reference each */
  Drops *drops;              /* borrowed */
  guint last_id;
  guint64 losses_of_gone;    /* of sinks that were removed */
};

/* -------------------------------------------------------------- one sink */

Sink *
sink_ref (Sink *sink)
{
  (void) __atomic_add_fetch (&sink->refs, 1, __ATOMIC_RELAXED);
  return sink;
}

gboolean
sink_drop (Sink *sink)
{
  return __atomic_sub_fetch (&sink->refs, 1, __ATOMIC_ACQ_REL) == 0;
}

void
sink_finish (Sink *sink)
{
  if (sink->funcs.destroy != NULL)
    sink->funcs.destroy (sink->data);
  g_strfreev (sink->pools);
  g_free (sink->name);
  g_free (sink);
}

void
sink_unref (Sink *sink)
{
  if (sink_drop (sink))
    sink_finish (sink);
}

static const char *const *
sink_pools (const Sink *sink)
{
  return (const char *const *) sink->pools;
}

static gboolean
sink_wants (const Sink *sink, const CenoteEvent *event)
{
  if ((sink->mask & CENOTE_EVENT_BIT (event->kind)) == 0)
    return FALSE;
  return sink->pools == NULL || event->pool == NULL || g_strv_contains (sink_pools (sink), event->pool);
}

gboolean
sink_wants_losses (const Sink *sink)
{
  return (sink->mask & CENOTE_EVENT_BIT (CENOTE_EVENT_TELEMETRY_DROPPED)) != 0;
}

static gboolean
sink_rests (const Sink *sink, gint64 now_us)
{
  return sink->busy || now_us < sink->rest_until_us;
}

static Sink *
claim (Sink *sink)
{
  sink->busy = TRUE;
  return sink_ref (sink);
}

void
sink_release (Sink *sink)
{
  sink->busy = FALSE;
}

/* -------------------------------------------------------------- the list */

Sinks *
sinks_new (Drops *drops)
{
  Sinks *sinks = g_new0 (Sinks, 1);

  sinks->list = g_ptr_array_new_with_free_func ((GDestroyNotify) sink_unref);
  sinks->drops = drops;
  return sinks;
}

void
sinks_free (Sinks *sinks)
{
  g_ptr_array_unref (sinks->list);
  g_free (sinks);
}

static guint
new_id (Sinks *sinks)
{
  if (++sinks->last_id == 0)
    sinks->last_id = 1;
  return sinks->last_id;
}

Sink *
sinks_add (Sinks *sinks, const char *name, guint64 mask, const char *const *pools, const BusSinkFuncs *funcs,
           gpointer data, guint64 position)
{
  Sink *sink = g_new0 (Sink, 1);

  for (guint i = 0; pools != NULL && pools[i] != NULL; i++)
    drops_add_pool (sinks->drops, pools[i]);
  sink->refs = 1;
  sink->id = new_id (sinks);
  sink->name = g_strdup (name);
  sink->mask = mask & CENOTE_EVENT_MASK_ALL;
  sink->pools = g_strdupv ((char **) pools);
  sink->funcs = *funcs;
  sink->data = data;
  sink->position = position;
  sink->told_drops = drops_sum (sinks->drops, sink->mask, pools);
  sink->poll_us = funcs->poll == NULL ? G_MAXINT64 : G_MININT64;
  sink->rest_until_us = sink->next_report_us = sink->next_loss_us = G_MININT64;
  g_ptr_array_add (sinks->list, sink);
  return sink;
}

Sink *
sinks_remove (Sinks *sinks, guint id)
{
  for (guint i = 0; i < sinks->list->len; i++) {
    Sink *sink = g_ptr_array_index (sinks->list, i);

    if (id == 0 || sink->id == id) {
      sinks->losses_of_gone += sinks_losses_of (sinks, sink);
      return g_ptr_array_steal_index (sinks->list, i);
    }
  }
  return NULL;
}

/* Not told yet. */
static guint64
untold_losses (const Sinks *sinks, const Sink *sink)
{
  return drops_sum (sinks->drops, sink->mask, sink_pools (sink)) - sink->told_drops + sink->lost;
}

guint64
sinks_losses_of (const Sinks *sinks, const Sink *sink)
{
  return sink->told + untold_losses (sinks, sink);
}

guint64
sinks_losses (const Sinks *sinks)
{
  guint64 losses = sinks->losses_of_gone;

  for (guint i = 0; i < sinks->list->len; i++)
    losses += sinks_losses_of (sinks, g_ptr_array_index (sinks->list, i));
  return losses;
}

const Sink *
sinks_nth (const Sinks *sinks, guint i)
{
  return i < sinks->list->len ? g_ptr_array_index (sinks->list, i) : NULL;
}

guint64
sinks_wanted (const Sinks *sinks)
{
  guint64 wanted = 0;

  for (guint i = 0; i < sinks->list->len; i++)
    wanted |= ((const Sink *) g_ptr_array_index (sinks->list, i))->mask;
  return wanted;
}

/* ---------------------------------------------------------------- claims */

Sink *
sinks_claim_for_event (Sinks *sinks, const EventCell *cell, guint64 position, gint64 now_us, gboolean give_up)
{
  for (guint i = 0; i < sinks->list->len; i++) {
    Sink *sink = g_ptr_array_index (sinks->list, i);

    if (sink->position > position)
      continue;
    sink->position = position + 1;
    if ((cell->only != 0 && cell->only != sink->id) || !sink_wants (sink, &cell->event))
      continue;
    if (give_up || sink_rests (sink, now_us)) {
      sink->lost++;
      continue;
    }
    sink->dirty = TRUE;
    return claim (sink);
  }
  return NULL;
}

/* Counts SINK's losses as told; 0: none, or it is too early. */
static guint64
settle_losses (const Sinks *sinks, Sink *sink, gint64 now_us)
{
  guint64 dropped = drops_sum (sinks->drops, sink->mask, sink_pools (sink));
  guint64 count = dropped - sink->told_drops + sink->lost;

  if (count == 0 || (!sink_wants_losses (sink) && now_us < sink->next_loss_us))
    return 0;
  sink->next_loss_us = MIN (now_us, G_MAXINT64 - LOSS_INTERVAL_US) + LOSS_INTERVAL_US;
  sink->told_drops = dropped;
  sink->lost = 0;
  sink->told += count;
  return count;
}

Sink *
sinks_claim_for_loss (Sinks *sinks, gint64 now_us, guint64 *out_count)
{
  for (guint i = 0; i < sinks->list->len; i++) {
    Sink *sink = g_ptr_array_index (sinks->list, i);

    if (sink_rests (sink, now_us) || (*out_count = settle_losses (sinks, sink, now_us)) == 0)
      continue;
    sink->dirty = TRUE;
    return claim (sink);
  }
  return NULL;
}

Sink *
sinks_claim_for_flush (Sinks *sinks, gint64 now_us)
{
  for (guint i = 0; i < sinks->list->len; i++) {
    Sink *sink = g_ptr_array_index (sinks->list, i);

    if (!sink->dirty || sink_rests (sink, now_us))
      continue;
    sink->dirty = FALSE;
    return claim (sink);
  }
  return NULL;
}

/* ----------------------------------------------------------------- polls */

/* In a stop nobody rests. */
static gboolean
is_due_last (const Sink *sink)
{
  return sink->last == SINK_LAST_WANTED && !sink->busy;
}

Sink *
sinks_claim_for_poll (Sinks *sinks, gint64 now_us, CenotePollReason *out_why)
{
  for (guint i = 0; i < sinks->list->len; i++) {
    Sink *sink = g_ptr_array_index (sinks->list, i);
    gboolean last = is_due_last (sink);

    if (!last && (sink_rests (sink, now_us) || sink->poll_us > now_us))
      continue;
    *out_why = last ? CENOTE_POLL_LAST : CENOTE_POLL_DUE;
    sink->last = last ? SINK_LAST_ASKED : sink->last;
    sink->poll_us = G_MAXINT64;
    return claim (sink);
  }
  return NULL;
}

void
sink_note_poll (Sink *sink, gint64 began_us, CenotePollReason why, gint64 again_us)
{
  if (why == CENOTE_POLL_DUE && sink->last == SINK_LAST_NOT_YET)
    sink->poll_us = MAX (again_us, began_us + BUS_POLL_LEAST_US);
}

gint64
sinks_next_poll (const Sinks *sinks)
{
  gint64 next_us = G_MAXINT64;

  for (guint i = 0; i < sinks->list->len; i++) {
    const Sink *sink = g_ptr_array_index (sinks->list, i);

    if (is_due_last (sink))
      return G_MININT64;
    if (!sink->busy && sink->poll_us != G_MAXINT64)
      next_us = MIN (next_us, MAX (sink->poll_us, sink->rest_until_us));
  }
  return next_us;
}

void
sinks_want_last (Sinks *sinks)
{
  for (guint i = 0; i < sinks->list->len; i++) {
    Sink *sink = g_ptr_array_index (sinks->list, i);

    if (sink->funcs.poll == NULL || sink->last != SINK_LAST_NOT_YET)
      continue;
    sink->last = SINK_LAST_WANTED;
    sink->poll_us = G_MAXINT64;
  }
}

gboolean
sinks_await_last (const Sinks *sinks, const Sink *calling)
{
  for (guint i = 0; i < sinks->list->len; i++) {
    const Sink *sink = g_ptr_array_index (sinks->list, i);

    if (sink->busy ? sink == calling && sink->last != SINK_LAST_NOT_YET : sink->last == SINK_LAST_WANTED)
      return TRUE;
  }
  return FALSE;
}
