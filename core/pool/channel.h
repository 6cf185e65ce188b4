/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel: one channel of a pool: a state machine over the attempts to connect it.
 *
 *   IDLE ───DIAL──▶ CONNECTING ──READY──▶ READY ──DRAIN──▶ DRAINING ──▶ SHUTDOWN
 *    ▲  ▲              │  │                │                 (last lease gone)
 *    │  └── (no link) ─┘  │ failed, late   │ lost
 *    │                    ▼                │
 *    │      TRANSIENT_FAILURE ──DIAL──▶ …  │
 *    └─────────────────────────────────────┘
 *
 * An attempt ends with the connection, or, where that is to be primed, with the
 * answer: so CONNECTING with a link that is ready is one that is being primed.
 *
 * READY is in rotation (channel_is_shown()) while its health, where that is asked
 * for, says so; the connection stays meanwhile.
 *
 * IDLE and TRANSIENT_FAILURE wait for their address to let them dial.  A link is
 * one grpc_channel and one attempt; one that was READY and went IDLE is dialled
 * again in place.  A failed link that is still leased keeps this channel, which
 * drains, and a successor with a new id takes its place.
 *
 * There is one handler for each state, and one writer of the state,
 * channel_become(), which tells `became`.  Control thread only.
 */
#ifndef CENOTE_CORE_CHANNEL_H
#define CENOTE_CORE_CHANNEL_H

#include "address.h"
#include "core/grpc/link.h"

typedef enum {
  CHANNEL_DIAL,              /* its address lets it */
  CHANNEL_LINK_CONNECTING,
  CHANNEL_LINK_READY,
  CHANNEL_LINK_LOST,
  CHANNEL_LINK_FAILED,
  CHANNEL_LATE,              /* the attempt took connect-timeout */
  CHANNEL_PROVED,            /* READY for a second */
  CHANNEL_DRAIN,
  CHANNEL_REVIVE,
  CHANNEL_TICK,              /* look whether the last lease is gone */
  CHANNEL_PING_FAILED,       /* the peer gives no sign of life: as if the link had failed */
  CHANNEL_SERVES,            /* its server says so, or has no opinion */
  CHANNEL_SERVES_NOT,
  CHANNEL_AGED,              /* its connection has reached max-connection-age */
  CHANNEL_PRIMED,            /* it answered what it was asked before callers get it */
  CHANNEL_PRIME_FAILED,
  CHANNEL_EJECTED,           /* its calls fail: out of rotation, and to be replaced */
  CHANNEL_RESTED,            /* the same, and not to be replaced */
  CHANNEL_SPARED,            /* the same, but it stays in rotation until it is replaced */
  CHANNEL_UNEJECTED,         /* nothing is held against it any more */
  N_CHANNEL_EVENTS
} ChannelEvent;

typedef enum {
  HEALTH_NOT_ASKED,
  HEALTH_AWAITED,            /* no answer yet on this connection */
  HEALTH_SERVES,
  HEALTH_SERVES_NOT
} ChannelHealth;

/* What is held against a connection whose calls fail. */
typedef enum {
  EJECTION_NONE,
  EJECTION_SPARED,
  EJECTION_OUT,              /* this and the next: out of rotation */
  EJECTION_RESTING
} ChannelEjection;

/* Why a channel should not stay, whatever its connection is like: its connector is shown
 * that it is stale, and has it replaced. */
typedef enum {
  STALE_NOT,
  STALE_AGE,                 /* of its connection: over with that */
  STALE_CERTIFICATE,         /* its transport makes other channels by now */
  STALE_RECONNECT,           /* the program asked for new ones */
  STALE_RELOAD               /* the config says by now what channels are made with */
} Staleness;

/* What all channels of a pool share.  Each function is told after the fact. */
typedef struct ChannelSite {
  Control *control;
  const LinkSite *links;
  gint64 connect_timeout_us;
  gint64 max_age_us;         /* of a connection; CENOTE_OFF: any */
  double age_jitter;         /* the share of it by which one may be due earlier */
  /* (nullable): whether CHANNEL is to be primed over each new connection; and begins that:
   * PRIMED or PRIME_FAILED follows, unless the channel leaves CONNECTING. */
  gboolean (*wants_prime) (const Channel *channel);
  void (*prime) (Channel *channel);
  void (*ejection_is_over) (gpointer channel); /* for ejection_timer */
  gboolean asks_health;      /* somebody tells SERVES and SERVES_NOT of each connection */
  /* The state changed; the only place to log it. */
  void (*became) (Channel *channel, CenoteChannelState old, ChannelEvent event);
  void (*connected) (Channel *channel, gint64 duration_us);
  void (*failed) (Channel *channel, const char *error, gint64 duration_us);
  void (*lost) (Channel *channel, const char *reason, gint64 connected_us);
  /* Something else than its state that a connector is shown changed. */
  void (*changed) (Channel *channel);
  /* CHANNEL is about to drain with a failed link that is leased: a new one is to wait in its place. */
  void (*succeed) (Channel *channel);
  gpointer pool;
} ChannelSite;

#define CHANNEL_NO_PLACE G_MAXUINT32

struct Channel {
  const ChannelSite *site;
  guint64 id;
  guint64 replaces;          /* takes over from this id once READY; 0: from none */
  guint64 replacement;       /* the newest one that is to take over from it; 0: none */
  guint64 claimed_by;        /* the number of the plan that last asked for one */
  guint64 ended_by;          /* and of the one that last ended this */
  guint32 place;             /* number, or CHANNEL_NO_PLACE */
  Staleness stale;
  gboolean replaced;         /* another one has its place: drains once that one is shown */
  gboolean connected;        /* counted among the connections of a pool that dials */
  gboolean told_late;        /* people know that it drains for too long */
  gint64 untold_us;          /* nobody was told yet that it is connected, which took so long; -1: told */
  gboolean counted;          /* by its pool, as one in rotation */
  gboolean counted_out;      /* and as one that would be, but for its ejection */
  Address *address;
  CenoteChannelState state;
  ChannelHealth health;      /* of this connection; means something in READY only */
  char *why;                 /* one sentence: why it is in this state */
  char *drain_why;           /* why it drains; NULL: it does not */
  Link *link;                /* NULL: none now */
  guint64 epoch;             /* of the address, when the attempt began */
  gboolean healthy;          /* READY for a second */
  gint64 attempts;
  char *last_error;
  gint64 attempt_us;         /* when the attempt began */
  gint64 ready_us;           /* when it became READY; -1: never, or no more */
  gint64 drain_us;           /* when it began to drain */
  gint64 last_use_us;        /* -1: never used */
  gint64 calls_seen;         /* leases taken when last_use_us was set */
  gint64 calls_before;       /* over links that are gone */
  gint64 failures_before;
  ControlTimer attempt_timer;
  ControlTimer proof_timer;
  ChannelEjection ejection;  /* of this connection */
  guint n_ejections;         /* this to back_us are its pool's (pool-ejection.c): in its place, one after another */
  gint64 out_us;             /* when the last one began */
  gint64 out_until_us;
  gint64 back_us;            /* when it came back from that; -1: it has not */
  gint64 window_blamed;      /* of its slot, when eject-window began */
  gint64 window_calls;
  ControlTimer ejection_timer;
  gint64 age_due_us;         /* when its connection is too old; G_MAXINT64: never */
  ControlTimer age_timer;
  gint64 keepalive_us;       /* between the keepalive pings of its link, as far as is known; CENOTE_OFF: none */
  struct Probes *probes;     /* its pool's, see pool-probes.c; NULL: never READY */
  guint at;                  /* the rest is the pool's view's: where its row is */
  gboolean touched;
  gboolean changed;
  gboolean held;
};

Channel *channel_new (const ChannelSite *site, guint64 id, Address *address);
/* SHUTDOWN only. */
void channel_free (Channel *channel);
/* Puts it in line for its address; once, after channel_new(). */
void channel_begin (Channel *channel);

/* The one way in; REASON (nullable) is the error of LINK_FAILED, LINK_LOST, PING_FAILED and PRIME_FAILED,
 * what its server says (SERVES, SERVES_NOT), why it is ejected or no more, or why it drains. */
void channel_handle (Channel *channel, ChannelEvent event, const char *reason);
/* For LinkSite.event. */
void channel_link_event (gpointer owner, LinkEvent event, const char *error);
/* At the very end: what is still leased is left to its last lease; then SHUTDOWN. */
void channel_orphan (Channel *channel);

/* It should not stay, which its pool shows its connector. */
void channel_mark_stale (Channel *channel, Staleness why);
/* The site says another greatest age: a connection that stands is due by that. */
void channel_renew_age (Channel *channel);

gint64 channel_in_flight (const Channel *channel);
gint64 channel_calls (const Channel *channel);
gint64 channel_failures (const Channel *channel);
/* Whether it may have a place: READY, and serves as far as is known and asked. */
gboolean channel_is_fit (const Channel *channel);
/* Whether it would be in rotation, if it were not ejected. */
gboolean channel_is_out (const Channel *channel);
/* Whether it is in rotation: fit, not ejected, and has a place. */
gboolean channel_is_shown (const Channel *channel);
const char *channel_event_to_string (ChannelEvent event);

#endif
