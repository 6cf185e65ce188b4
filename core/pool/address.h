/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address: the gate before one target: who may dial it, and when.
 *
 *   unknown, down  one channel of the pool dials (the prober), the others wait;
 *                  in `down` at the backoff plugin's time
 *   open           the others dial too, within the limits of dials at once
 *
 * Whatever changes the gate's mind begins a new epoch.  An attempt that began in
 * an earlier one says nothing new when it ends, nor does a connection that was not
 * healthy; and a loss is heeded while the gate is open, or has just been closed by
 * another one: so one outage of a server with five connections is one probe.
 *
 * Control thread only.
 */
#ifndef CENOTE_CORE_ADDRESS_H
#define CENOTE_CORE_ADDRESS_H

#include "core/runtime/control.h"
#include "core/registry/instance.h"
#include "keepalive.h"

typedef struct Channel Channel;
typedef struct Address Address;

/* Dials at once in the whole process: addresses that wait for room, in order. */
typedef struct DialBudget {
  guint in_use;
  guint max;
  GQueue waiting;            /* of Address */
} DialBudget;

/* What all addresses of a pool share. */
typedef struct AddressSite {
  Control *control;
  DialBudget *budget;
  guint max_dials;           /* per address */
  guint max_attempts;        /* failures in a row; 0: for ever */
  /* (nullable): whether anybody wants CHANNEL, which is next in line, to dial; one that
   * nobody wants stays in line until address_poke(). */
  gboolean (*wants) (const Channel *channel);
  /* CHANNEL may dial now; it answers with one of address_succeeded/_failed/_gave_up. */
  void (*dial) (Channel *channel);
  /* An attempt failed or a connection was lost, and the next one is due in DELAY_US. */
  void (*scheduled) (gpointer pool, Address *address, gint64 delay_us, const char *reason);
  /* The attempts are used up: nothing dials until address_wake(). */
  void (*rested) (gpointer pool, Address *address);
  /* The gate has another state. */
  void (*changed) (gpointer pool, Address *address);
  gpointer pool;
} AddressSite;

struct Address {
  const AddressSite *site;
  guint32 id;
  char *name;
  char *target;              /* what channels are made for: the name, or the name made whole */
  gpointer origin;           /* its pool's: the name that it was resolved from; NULL: the target says all */
  const char *authority;     /* of that name, host:port; NULL: none */
  struct CcoreArgs *args;    /* its pool's: what its channels are made with, where that is not as for all */
  gint64 args_keepalive_us;  /* the interval in them */
  Instance *backoff;
  CenoteGate gate;
  guint64 epoch;
  gboolean resting;
  gboolean closed_by_loss;   /* the gate, and nobody has dialled since */
  gboolean removed;
  guint failures;            /* in a row */
  Channel *prober;           /* dials while the gate is not open */
  guint dialing;
  GQueue waiting;            /* of Channel: to dial */
  gint64 next_attempt_us;
  gint64 last_use_us;        /* -1: never */
  char *last_error;          /* of a failed attempt or a lost connection; NULL: none */
  Keepalive keepalive;       /* its pool's to look at */
  guint n_channels;          /* of the pool's, in any state */
  guint n_ready;             /* of them */
  guint n_waiters;           /* callers that wait for this one */
  guint at;                  /* this and the next are the pool's view's: where its row is */
  gboolean touched;
  ControlTimer retry;
  ControlDeferred pump;
};

/* BACKOFF: transfer full. */
Address *address_new (const AddressSite *site, guint32 id, const char *name, const char *target, Instance *backoff);
void address_free (Address *address);

/* CHANNEL wants to dial, after those that asked before; FIRST: before them. */
void address_ask (Address *address, Channel *channel, gboolean first);
/* CHANNEL wants no more; no effect where it did not wait. */
void address_unask (Address *address, Channel *channel);

/* How CHANNEL's attempt, begun in EPOCH, ended. */
void address_succeeded (Address *address, Channel *channel, guint64 epoch);
void address_failed (Address *address, Channel *channel, guint64 epoch, const char *reason);
void address_gave_up (Address *address, Channel *channel);
/* A connection came up that nobody here dialled (C-core does so for a leased channel). */
void address_found_open (Address *address);
/* A connection made in EPOCH is gone; HEALTHY: it had proved itself. */
void address_lost (Address *address, guint64 epoch, gboolean healthy, const char *reason);
/* A connection has proved itself: the backoff begins from the start, and a rest is over. */
void address_proved (Address *address);
/* What AddressSite.wants says may have changed. */
void address_poke (Address *address);
/* connect, reconnect, reload, dial: tries again at once, also after rest. */
void address_wake (Address *address);
/* For CenoteAddressView. */
gint64 address_next_attempt_us (const Address *address);
/* Microseconds until CHANNEL may dial; -1: it waits for the prober or not at all. */
gint64 address_until_attempt (const Address *address, const Channel *channel);

#endif
