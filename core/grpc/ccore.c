/* SPDX-License-Identifier: Apache-2.0 */
#include "ccore.h"

#include <grpc/grpc.h>
#include <grpc/support/time.h>

struct Ccore {
  grpc_completion_queue_functor shut_down; /* first: what the callback queue calls at its end */
  grpc_completion_queue *callbacks;
  grpc_completion_queue *poll;
  grpc_channel *lame;        /* for nudges */
  gboolean left;             /* a watch was */
  _Atomic gint ends;         /* of ccore_free() and of the shutdown: the second one frees */
  _Atomic gboolean is_shut_down;
};

static void
ccore_end (Ccore *ccore)
{
  if (atomic_fetch_add (&ccore->ends, 1) == 1)
    g_free (ccore);
}

static void
callbacks_shut_down (grpc_completion_queue_functor *functor, int ok)
{
  Ccore *ccore = (Ccore *) functor;

  (void) ok;
  /* Sees what ccore_free() did before, also for sanitizers that do not see into C-core. */
  (void) atomic_load (&ccore->is_shut_down);
  grpc_completion_queue_destroy (ccore->callbacks);
  grpc_shutdown ();
  atomic_store (&ccore->is_shut_down, TRUE);
  ccore_end (ccore);
}

Ccore *
ccore_new (void)
{
  Ccore *ccore = g_new0 (Ccore, 1);

  grpc_init ();
  ccore->shut_down.functor_run = callbacks_shut_down;
  ccore->callbacks = grpc_completion_queue_create_for_callback (&ccore->shut_down, NULL);
  ccore->poll = grpc_completion_queue_create_for_next (NULL);
  ccore->lame = grpc_lame_client_channel_create (NULL, GRPC_STATUS_UNAVAILABLE, "only there to be watched");
  return ccore;
}

static void
queue_drain (grpc_completion_queue *queue)
{
  grpc_completion_queue_shutdown (queue);
  while (grpc_completion_queue_next (queue, gpr_inf_future (GPR_CLOCK_REALTIME), NULL).type != GRPC_QUEUE_SHUTDOWN)
    ;
  grpc_completion_queue_destroy (queue);
}

/* The lame channel goes first: its watches then complete, whatever the clock does. */
void
ccore_free (Ccore *ccore, gboolean wait)
{
  gint64 until = g_get_monotonic_time () + G_USEC_PER_SEC;

  grpc_channel_destroy (ccore->lame);
  atomic_store (&ccore->is_shut_down, FALSE);
  grpc_completion_queue_shutdown (ccore->callbacks);
  while (wait && !ccore->left && !atomic_load (&ccore->is_shut_down) && g_get_monotonic_time () < until)
    ccore_poll_wait (ccore, 1);
  queue_drain (ccore->poll);
  ccore_end (ccore);
}

grpc_completion_queue *
ccore_callback_queue (Ccore *ccore)
{
  return ccore->callbacks;
}

/* -------------------------------------------------------------------- poll */

void
ccore_poll_now (Ccore *ccore)
{
  grpc_completion_queue_next (ccore->poll, gpr_inf_past (GPR_CLOCK_MONOTONIC), NULL);
}

void
ccore_poll_wait (Ccore *ccore, guint timeout_ms)
{
  gpr_timespec span = gpr_time_from_millis (timeout_ms, GPR_TIMESPAN);

  grpc_completion_queue_next (ccore->poll, gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), span), NULL);
}

/* A watch on a lame channel whose deadline is over wakes whoever is blocked on its
 * queue within some 15 µs (FACTS 12), and makes C-core look at its timers (FACTS 14).
 * A lame channel is SHUTDOWN for good, so only the deadline ends the watch; its
 * event is what the next poll finds, and nobody looks at. */
void
ccore_nudge (Ccore *ccore)
{
  grpc_channel_watch_connectivity_state (ccore->lame, GRPC_CHANNEL_SHUTDOWN, gpr_inf_past (GPR_CLOCK_REALTIME), ccore->poll,
                                         NULL);
}

/* ---------------------------------------------------------------- channels */

void
ccore_hold (void)
{
  grpc_init ();
}

void
ccore_unhold (void)
{
  grpc_shutdown ();
}

void
ccore_channel_destroy (grpc_channel *channel)
{
  grpc_channel_destroy (channel);
}

static CenoteChannelState
state_from_grpc (grpc_connectivity_state state)
{
  switch (state) {
  case GRPC_CHANNEL_IDLE:
    return CENOTE_CHANNEL_IDLE;
  case GRPC_CHANNEL_CONNECTING:
    return CENOTE_CHANNEL_CONNECTING;
  case GRPC_CHANNEL_READY:
    return CENOTE_CHANNEL_READY;
  case GRPC_CHANNEL_TRANSIENT_FAILURE:
    return CENOTE_CHANNEL_TRANSIENT_FAILURE;
  case GRPC_CHANNEL_SHUTDOWN:
    break;
  }
  return CENOTE_CHANNEL_SHUTDOWN;
}

static grpc_connectivity_state
state_to_grpc (CenoteChannelState state)
{
  switch (state) {
  case CENOTE_CHANNEL_IDLE:
    return GRPC_CHANNEL_IDLE;
  case CENOTE_CHANNEL_CONNECTING:
    return GRPC_CHANNEL_CONNECTING;
  case CENOTE_CHANNEL_READY:
    return GRPC_CHANNEL_READY;
  case CENOTE_CHANNEL_TRANSIENT_FAILURE:
    return GRPC_CHANNEL_TRANSIENT_FAILURE;
  case CENOTE_CHANNEL_SHUTDOWN:
  case CENOTE_CHANNEL_DRAINING:
    break;
  }
  return GRPC_CHANNEL_SHUTDOWN;
}

CenoteChannelState
ccore_channel_state (grpc_channel *channel, gboolean connect)
{
  return state_from_grpc (grpc_channel_check_connectivity_state (channel, connect));
}

void
ccore_channel_reset_backoff (grpc_channel *channel)
{
  grpc_channel_reset_connect_backoff (channel);
}

/* ----------------------------------------------------------------- watches */

typedef enum { WATCH_FREE, WATCH_ARMED, WATCH_ABANDONED, WATCH_LEFT } WatchState;

struct CcoreWatch {
  grpc_completion_queue_functor functor; /* first */
  _Atomic gint state;        /* WatchState */
  Ccore *ccore;
  grpc_channel *channel;
  void (*fired) (gpointer data);
  gpointer data;
  void (*left_func) (gpointer data);
  gpointer left_data;
};

/* On a thread of C-core's.  After FIRED the watch may be gone. */
static void
watch_run (grpc_completion_queue_functor *functor, int ok)
{
  CcoreWatch *watch = (CcoreWatch *) functor;

  (void) ok;
  switch ((WatchState) atomic_exchange (&watch->state, WATCH_FREE)) {
  case WATCH_LEFT:
    watch->left_func (watch->left_data);
    g_free (watch);
    break;
  case WATCH_ABANDONED:
    g_free (watch);
    break;
  case WATCH_ARMED:
  case WATCH_FREE:
    watch->fired (watch->data);
    break;
  }
}

CcoreWatch *
ccore_watch_new (Ccore *ccore, grpc_channel *channel, void (*fired) (gpointer data), gpointer data)
{
  CcoreWatch *watch = g_new0 (CcoreWatch, 1);

  watch->functor.functor_run = watch_run;
  watch->ccore = ccore;
  watch->channel = channel;
  watch->fired = fired;
  watch->data = data;
  return watch;
}

void
ccore_watch_arm (CcoreWatch *watch, CenoteChannelState last)
{
  atomic_store (&watch->state, WATCH_ARMED);
  grpc_channel_watch_connectivity_state (watch->channel, state_to_grpc (last), gpr_inf_future (GPR_CLOCK_REALTIME),
                                         watch->ccore->callbacks, &watch->functor);
}

void
ccore_watch_free (CcoreWatch *watch)
{
  g_free (watch);
}

gboolean
ccore_watch_abandon (CcoreWatch *watch)
{
  gint armed = WATCH_ARMED;

  return atomic_compare_exchange_strong (&watch->state, &armed, WATCH_ABANDONED);
}

gboolean
ccore_watch_leave (CcoreWatch *watch, void (*func) (gpointer data), gpointer data)
{
  Ccore *ccore = watch->ccore;
  gint armed = WATCH_ARMED;
  gboolean left;

  watch->left_func = func;
  watch->left_data = data;
  left = atomic_compare_exchange_strong (&watch->state, &armed, WATCH_LEFT);
  ccore->left |= left;
  return left;
}
