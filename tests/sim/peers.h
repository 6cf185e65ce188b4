/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers: the servers of a simulation, and the transport plugin `peers` that leads to them.
 *
 * A peer is an address.  A test says what becomes of attempts to reach it, one
 * after another or all alike, and may end connections itself; each attempt and
 * connection is counted, with its time.  The transport enters by the door that
 * every plugin enters by, and takes its time from the host's timers.
 *
 * A grpc_channel of this transport is a Connection in disguise: never a real one.
 * Its memory stays until peers_free(), so that a use after its end is noticed.
 * One Peers at a time: the plugin finds it here.  One thread.
 */
#ifndef CENOTE_TESTS_SIM_PEERS_H
#define CENOTE_TESTS_SIM_PEERS_H

#include <cenote/plugin.h>
#include <cenote/pool.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct Peers Peers;
typedef struct Peer Peer;
typedef struct Connection Connection;

typedef enum {
  PEER_ACCEPTS,
  PEER_REFUSES,              /* the attempt fails */
  PEER_HANGS,                /* nothing comes of it */
  PEER_HAS_NO_CHANNEL        /* create_channel fails: there is not even an attempt */
} PeerAnswer;

/* For a time in a step: for ever, and: inside the very call that would start the wait. */
#define PEER_FOREVER (-1)
#define PEER_INSIDE (-2)

/* What becomes of one attempt. */
typedef struct PeerStep {
  PeerAnswer answer;
  gint64 after_us;           /* or PEER_INSIDE */
  gint64 lasts_us;           /* the connection; or PEER_FOREVER, or PEER_INSIDE */
  const char *text;          /* static, nullable: the error of the failure, or of the loss */
} PeerStep;

typedef enum {
  CONNECTION_IDLE,
  CONNECTION_DIALING,
  CONNECTION_UP,
  CONNECTION_FAILED,
  CONNECTION_CLOSED
} ConnectionState;

struct Connection {
  Peer *peer;
  guint64 number;            /* from 1, in the order of their making */
  ConnectionState state;
  guint n_dials;
  gboolean by_itself;        /* this attempt nobody asked for; it is not counted */
  PeerStep step;             /* of the attempt or connection that is going on */
  CenoteTimer *timer;
  CenoteTransportNotify notify;
  void *notify_data;
  const CenoteHost *host;
};

/* What a peer answers to private streams, see peer-streams.h. */
typedef struct PeerVoice {
  gboolean is_silent;
  gint64 after_us;           /* its answers */
  int ping_status;
  int prime_status;
  gboolean has_watch;
  gboolean has_check;
  int serving;               /* ServingStatus */
  guint n_pings;             /* asked so far */
  guint n_primes;            /* by their headers, or with a method of its own */
  guint n_watches;
  guint n_checks;
  guint n_watching;          /* Watches that are open */
} PeerVoice;

struct Peer {
  Peers *peers;
  PeerVoice voice;
  char *name;
  PeerStep always;           /* when the script is at its end */
  GQueue script;             /* of PeerStep */
  GArray *dials;             /* of gint64: when each attempt began */
  guint n_dialing;
  guint most_dialing;        /* at once, so far */
  guint n_up;
  guint n_accepted;
};

struct Peers {
  GPtrArray *peers;
  GPtrArray *connections;    /* all that there were */
  guint n_open;              /* made and not closed */
  guint n_dialing;
  guint most_dialing;
  guint n_states;            /* of the plugin, that live */
  void (*on_close) (Connection *connection); /* nullable: inside close_channel */
  guint n_faults;            /* of whoever uses the transport: closed twice, used when closed, … */
};

extern const CenotePlugin peers_plugin;

Peers *peers_new (void);
void peers_free (Peers *peers);
/* The peer at ADDRESS; at its first mention one that accepts after 1 ms, for ever,
 * lives, and has no health service. */
Peer *peers_get (Peers *peers, const char *address);

void peer_always (Peer *peer, PeerAnswer answer, gint64 after_us, gint64 lasts_us, const char *text);
/* One more step, before `always` comes to it. */
void peer_next (Peer *peer, PeerAnswer answer, gint64 after_us, gint64 lasts_us, const char *text);
guint peer_n_dials (const Peer *peer);
gint64 peer_dial_time (const Peer *peer, guint i);
void peer_forget_dials (Peer *peer);
/* (nullable): the Ith of those that are up, in the order of their making. */
Connection *peer_nth_up (Peer *peer, guint i);
/* Every connection that is up ends now.  TEXT nullable. */
void peer_lose_all (Peer *peer, const char *text);

/* The connection behind a lease's channel. */
Connection *connection_of (grpc_channel *channel);
/* It ends now: the transport tells IDLE. */
void connection_lose (Connection *connection, const char *text);
/* It ends now, for good: the transport tells TRANSIENT_FAILURE. */
void connection_fail (Connection *connection, const char *text);
/* The transport dials by itself, as C-core does for a caller with a lease. */
void connection_dial_by_itself (Connection *connection);

G_END_DECLS

#endif
