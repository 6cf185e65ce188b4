/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool: one pool: asks its connector for a plan, carries it out, and publishes
 * to callers what came of it.
 *
 *   pool-new.c      makes one: table, plugins' states, addresses
 *   pool-events.c   what channels and addresses tell it
 *   pool-probes.c   who is asked for a sign of life and for health, and what follows
 *   pool-ejection.c whose calls fail
 *   pool-rotation.c who is to be replaced, and what was
 *   pool-reload.c   the settings that others keep a copy of, and new ones while it runs
 *   pool-keepalive.c what addresses have taught about keepalive pings
 *   pool.c          its phases, the settling, ticks, errors
 *   pool-view.c     what its connector sees of it
 *   pool-plan.c     asking the connector, and carrying out its plan
 *   pool-cache.c    addresses that come from dials
 *   pool-names.c    addresses that names stand for
 *   pool-waiters.c  who waits for a channel
 *   pool-status.c   what people are shown
 *   pool-meters.c   what is measured
 *   pool-get.c, pool-acquire.c, pool-dial.c, pool-verbs.c, pool-api.c
 *                   the public functions of <cenote/pool.h>, on callers' threads;
 *                   whatever changes the pool crosses to the control thread
 *                   (control_call), where the functions below do the work
 *
 * Whatever happens only marks what has changed; pool_settle(), once at the end
 * of an iteration of the control thread, plans, publishes and serves waiters.
 *
 * All but what is marked "any thread" belongs to the control thread.  A pool's
 * memory lives as long as a reference; its life ends with POOL_OVER.
 */
#ifndef CENOTE_CORE_POOL_H
#define CENOTE_CORE_POOL_H

#include <cenote/pool.h>

#include "core/base/cache-line.h"
#include "core/call/calls.h"
#include "core/call/retry.h"
#include "core/config/reload.h"
#include "core/names/resolver.h"
#include "core/telemetry/bus.h"
#include "core/telemetry/callbacks.h"
#include "ejection.h"
#include "health.h"
#include "ping.h"
#include "prime.h"
#include "core/base/monitor.h"
#include "core/telemetry/observers.h"
#include "call-credentials.h"
#include "pool-meters.h"
#include "pool-names.h"
#include "pool-view.h"
#include "core/config/settings.h"

/* The most channels that a pool may want. */
#define POOL_MAX_SIZE 10000

typedef enum {
  POOL_RUNNING,
  POOL_RESTING,              /* manual before connect, or disconnected: wants no channel */
  POOL_STOPPING,             /* draining for good */
  POOL_OVER                  /* no channel, no view in use, no plugin state left */
} PoolPhase;

/* What a runtime gives all its pools. */
typedef struct PoolSite {
  Control *control;
  Ccore *ccore;              /* NULL: no transport needs it */
  StreamMaker streams;       /* how private streams are made */
  Resolver *resolver;        /* NULL: names are the transports' affair */
  Bus *bus;
  Callbacks *callbacks;
  Calls *calls;              /* NULL: none are made (simulation) */
  DialBudget *budget;
  /* Callers are about again: a pool wants ticks. */
  void (*wanted) (gpointer runtime);
  /* Something about a pool changed: quick ticks for a while (a drain, a view to reclaim). */
  void (*stirred) (gpointer runtime);
  /* POOL is over. */
  void (*over) (gpointer runtime, CenotePool *pool);
  gpointer runtime;
} PoolSite;

/* Who waits, and for what. */
typedef struct Waiter Waiter;
struct Waiter {
  gboolean for_lease;        /* else only for a ready channel */
  gboolean fails_when_down;  /* does not wait while every address is down */
  LeaseWish wish;
  const char *dial;          /* the address that it dials (borrowed while it waits); NULL: any channel will do */
  const char *target;        /* DIAL, made whole */
  Address *address;          /* DIAL's, while queued */
  gint64 since_us;
  /* Exactly once, on the control thread: LEASE is set where for_lease and ERROR is NULL.
   * Both are NULL where the pool has a mock now: it is for the caller's thread to ask it. */
  void (*done) (Waiter *waiter, CenoteLease *lease, GError *error);
  /* In its place where it was cancelled by its id. */
  void (*cancelled) (Waiter *waiter);
  guint id;                  /* for cancel; 0: none */
  CenotePool *pool;          /* (reference) while queued */
  ControlTimer deadline;
  GList *at;                 /* in pool->waiters; NULL: not queued */
};

typedef struct MockBox MockBox;

struct CenotePool {
  SlotTable *table;          /* any thread; first: the hot path starts here */
  Calls *calls;              /* any thread (reference); with the next four, what a call reads */
  Control *control;          /* any thread (reference) */
  CcoreCredentials *plain_credentials; /* any thread, immutable (reference): what calls carry as channels do not; nullable */
  RetryBudget retry_budget;  /* any thread */
  PoolMeters meters;         /* any thread */
  PoolSettings *settings;    /* any thread, but for what a reload may change: control thread */
  _Atomic gint64 acquire_timeout_us; /* any thread */
  gboolean dials;            /* any thread, immutable: its addresses come from cenote_pool_dial() */
  _Atomic gboolean tells_dials; /* any thread: an observer wants to know of each */
  const PoolSite *site;      /* valid until POOL_OVER */
  Bus *bus;                  /* any thread (reference) */
  Callbacks *callbacks;      /* any thread (reference) */
  _Atomic gboolean is_read;  /* any thread: somebody reads its durations */
  Observers *observers;      /* any thread */

  _Alignas (CACHE_LINE) _Atomic gint refs; /* any thread, and often; not GLib's, which ThreadSanitizer does not see */

  _Alignas (CACHE_LINE) Monitor lock; /* the next seven: for callers' errors, and the mock */
  char *last_error;
  gint64 last_error_us;      /* -1: none */
  guint shown_current;
  guint shown_expected;
  guint shown_connecting;
  MockBox *mock;             /* stays until no view asks for it any more */
  gboolean mocked;

  PoolPhase phase;
  guint wanted;              /* the expected size, unless its connector says another */
  gboolean expects;          /* it has said, in this phase */
  guint expected;
  guint planned_wanted;      /* what was wanted at the last plan */
  gboolean paused;
  CcoreArgs *args;
  CallCredentials *credentials; /* NULL: calls prove nothing */
  Instance *transport;
  Instance *connector;
  Instance *picker;
  LinkSite links;
  ChannelSite channel_site;
  AddressSite address_site;
  PingSite ping_site;
  PrimeSite prime_site;
  HealthSite health_site;
  HostServices services;
  StreamMaker streams;       /* the site's, with the pool's plain_credentials */
  guint n_streams;           /* private ones that are not over */
  guint n_links;
  GQueue lingering;          /* links that are over, but for their attempt or for what they have heard */
  GQueue xds_links;          /* to xds: addresses */
  GPtrArray *channels;       /* of Channel, in the order of their ids */
  GPtrArray *addresses;      /* of Address, in the order of theirs */
  GPtrArray *names;          /* of Name, see pool-names.c */
  PoolView view;             /* of channels and addresses, for the connector */
  GHashTable *address_names; /* of a pool that dials: name → Address */
  guint n_connections;       /* of a pool that dials: those that stand */
  GQueue closed;             /* of char *: addresses whose connection was closed, for cenote_pool_expire() */
  GHashTable *closed_names;  /* the same, as a set */
  guint n_live;              /* channels, but for those that drain */
  guint n_over;              /* channels in SHUTDOWN, to be swept */
  guint64 next_channel_id;
  guint32 next_address_id;
  guint32 next_place;
  GArray *free_places;       /* of guint32 */
  GQueue timers;             /* of the transport's that run */
  gboolean timers_ended;     /* it gets no more of them */
  guint n_ready;             /* READY and in rotation */
  guint n_out;               /* would be, but are ejected */
  guint n_draining;
  EjectionRules ejection_rules;
  ControlTimer window_timer;
  ControlNote suspects;      /* any thread, where suspects_noted was FALSE */
  _Atomic gboolean suspects_noted;
  guint n_connecting;

  ControlDeferred settle;
  gboolean rotation_changed; /* the view must be published anew */
  gboolean has_replaced;     /* a channel waits until its replacement is shown */
  gboolean has_untold;       /* a channel is connected, and nobody was told */
  gboolean plan_wanted;
  CenoteVerb verb;           /* for the next plan */
  guint32 verb_address;
  guint64 n_plans;           /* so far */
  gint64 planned_us;
  ControlTimer plan_timer;
  ControlTimer status_timer;
  ControlTimer drain_timer;
  gint64 stop_us;            /* when it began to stop */

  GQueue waiters;            /* of Waiter, first come first */
  _Atomic guint n_waiters;   /* any thread */
  guint n_lease_waiters;     /* those that any channel will do for */
  ControlNote room;          /* any thread, where room_noted was FALSE: a lease was released that somebody waits for */
  _Atomic gboolean room_noted;
  ControlTimer leak_timer;
  gint64 oldest_deadline_us; /* of theirs, where it is known */
  gboolean oldest_is_known;
  GHashTable *waiter_ids;    /* id → Waiter */

  gint64 used_us;            /* when a get was last seen */
  gboolean parked;
  ControlNote unpark;        /* any thread, where unpark_noted was FALSE */
  _Atomic gboolean unpark_noted;
};

/* ------------------------------------------------------------- pool-new.c */

/* FAILURE pools (settings->failure) are made too, and only answer with it. */
CenotePool *pool_new (const PoolSettings *settings, const PoolSite *site, GError **error);
/* One more address; TARGET is what its channels are made for. */
Address *pool_add_address (CenotePool *pool, const char *name, const char *target, GError **error);
/* What channels are made with, where keepalive pings come every KEEPALIVE_US (or CENOTE_OFF);
 * AUTHORITY (nullable): the name that their target is an address of. */
CcoreArgs *pool_args_new (const PoolSettings *settings, gint64 keepalive_us, const char *authority);
/* The transport's timers run no more; it may still stop them, on any thread. */
void pool_end_timers (CenotePool *pool);

/* -------------------------------------------------------- pool-reload.c */

/* Copies out of the settings what others keep a copy of: at the start and after a reload. */
void pool_heed_settings (CenotePool *pool);
/* CHANGE is what reload_compare() made of the pool's settings and NOW: nothing that is refused. */
void pool_reload (CenotePool *pool, const PoolSettings *now, const ReloadChange *change);
/* ERROR (nullable): why it was not reloaded. */
void pool_tell_reload (CenotePool *pool, const char *error);

/* ---------------------------------------------------------- pool-events.c */

/* Sets channel_site and address_site. */
void pool_wire_events (CenotePool *pool);
/* Who is told that a channel is connected can get it: so it is told when the view is published. */
void pool_tell_connected (CenotePool *pool);
/* The expected size was OLD and is SIZE, by WHY, which began at BEGUN_US. */
void pool_tell_scaling (CenotePool *pool, guint old, guint size, const char *why, gint64 begun_us);
/* An event about CHANNEL; its strings are borrowed. */
CenoteEvent pool_channel_event (const Channel *channel, CenoteEventKind kind);
/* What people are shown as the last error of the pool, and of ADDRESS (nullable). */
void pool_note_error (CenotePool *pool, Address *address, const char *error);

/* ---------------------------------------------------------- pool-probes.c */

/* Sets ping_site, health_site, prime_site, and what the channels' site has of priming. */
void pool_wire_probes (CenotePool *pool);
gboolean pool_asks_health (const CenotePool *pool);
/* CHANNEL was in state OLD: READY ones are asked, others no more. */
void pool_probe_channel (Channel *channel, CenoteChannelState old);
/* Before CHANNEL is freed. */
void pool_forget_probes (Channel *channel);

/* Asks CHANNEL, which is READY, as to prime it; pool_ejection_answered() follows.  FALSE: it cannot be asked. */
gboolean pool_ask_for_life (Channel *channel);

/* -------------------------------------------------------- pool-ejection.c */

/* After the table and channel_site are there. */
void pool_wire_ejection (CenotePool *pool);
void pool_start_ejection (CenotePool *pool);
/* Lets callers hide as many as may be hidden now. */
void pool_note_room (CenotePool *pool);
/* Lets back who is out, where too few are left. */
void pool_heed_panic (CenotePool *pool);
/* How many of its place's ejections still count. */
guint pool_remembered_ejections (const Channel *channel);
/* OLD nullable. */
void pool_inherit_ejections (Channel *channel, const Channel *old);
/* ERROR nullable: it answered. */
void pool_ejection_answered (Channel *channel, const char *error);
void pool_ejection_is_over (gpointer channel);

/* -------------------------------------------------------- pool-rotation.c */

/* Channels that were made before now are stale by STALE: the connector replaces them.  WHY is for people. */
void pool_renew (CenotePool *pool, Staleness stale, const char *why);
/* OLD has been replaced: counts it.  Why it drains. */
void pool_count_replaced (CenotePool *pool, const Channel *old);
const char *pool_why_replaced (const Channel *old);

/* ------------------------------------------------------- pool-keepalive.c */

/* For LinkSite: OWNER is a Channel. */
const void *pool_channel_args_for (gpointer owner);
/* ADDRESS's next channel is made with what the settings say then. */
void pool_forget_args (Address *address);
void pool_link_event (gpointer owner, LinkEvent event, const char *error);

/* ----------------------------------------------------------------- pool.c */

void pool_init_timers (CenotePool *pool);
/* Any thread: the first get on a parked view. */
void pool_wanted_by_caller (gpointer pool);
/* (transfer full): any thread: "3 of 5 ready, 1 connecting, 20 in flight, 2 waiting; last error: …". */
char *pool_describe_counts (CenotePool *pool);
/* Begins as `initialization` says. */
void pool_start (CenotePool *pool);
/* Tells the status now, and each status-interval. */
void pool_begin_status (CenotePool *pool);
/* Any thread: pool.init, to the sink of that id or (0) to all. */
void pool_tell_init (CenotePool *pool, guint sink);
/* Begins to drain for good; idempotent. */
void pool_begin_stop (CenotePool *pool);
/* Leaves what is still leased to its last lease. */
void pool_orphan_all (CenotePool *pool);
/* A tick: drains, reclaims, sees whether callers are about.  TRUE: wants another. */
gboolean pool_tick (CenotePool *pool);
void pool_clock_stepped (CenotePool *pool);

/* Something changed: settle at the end of this iteration. */
void pool_touch (CenotePool *pool);
void pool_want_plan (CenotePool *pool);
void pool_set_wanted (CenotePool *pool, guint wanted);
void pool_set_phase (CenotePool *pool, PoolPhase phase);
void pool_set_paused (CenotePool *pool, gboolean paused);
/* Publishes what is out of date, view and sizes: whoever is told how many are ready can get them, and every event has
 * as many. */
void pool_show (CenotePool *pool);
/* Any thread, does not wait.  From now on somebody reads its durations: gets are sampled, so that there are some. */
void pool_want_samples (CenotePool *pool);
/* Publishes the view at once. */
void pool_republish (CenotePool *pool);
void pool_drain_all (CenotePool *pool, const char *why);

guint pool_expected (const CenotePool *pool);
/* Whether callers are to ask the mock. */
gboolean pool_is_mocked (CenotePool *pool);
/* Why nobody can get a channel now and waiting is no use; NULL: waiting may help. */
GError *pool_hopeless (CenotePool *pool);
/* Whether no channel is ready and every address is down: NOT_CONNECTED; NULL: no. */
GError *pool_down_error (CenotePool *pool);
/* Any thread: the error of a get that found nothing. */
GError *pool_miss_error (CenotePool *pool, LeaseResult result);
/* Any thread: of a dial of ADDRESS that did not wait. */
GError *pool_dial_error (CenotePool *pool, const char *address, LeaseResult result);
void pool_emit (CenotePool *pool, CenoteEvent *event);
Channel *pool_find_channel (CenotePool *pool, guint64 id);
Address *pool_find_address (CenotePool *pool, guint32 id);

/* ------------------------------------------------------------ pool-plan.c */

Channel *pool_open_channel (CenotePool *pool, Address *address, guint64 replaces);
void pool_drain_channel (Channel *channel, const char *why);
/* How many channels the plan drained or closed. */
guint pool_plan (CenotePool *pool);
/* A plan for VERB at once. */
guint pool_plan_verb (CenotePool *pool, CenoteVerb verb, guint32 address);

/* ----------------------------------------------------------- pool-cache.c */

/* (nullable) */
Address *pool_cache_find (CenotePool *pool, const char *name);
/* The same, made where there is none yet. */
Address *pool_cache_get (CenotePool *pool, const char *name, const char *target, GError **error);
/* It has neither channels nor waiters. */
void pool_cache_forget (CenotePool *pool, Address *address);
/* CHANNEL may have got or lost its connection. */
void pool_cache_note (CenotePool *pool, Channel *channel);
/* A caller is the first to wait for ADDRESS. */
void pool_cache_tell_miss (CenotePool *pool, const Address *address);
/* (transfer full): the addresses closed since the last time. */
char **pool_cache_expire (CenotePool *pool);
gboolean pool_cache_close_on_release (CenotePool *pool, const char *name);

/* ------------------------------------------------------- pool-tracking.c */

/* Where leases are limited or watched: sets the table's tracking. */
void pool_track_leases (CenotePool *pool);
/* (transfer full) (nullable), any thread: where the caller is, for a lease that another thread takes for it. */
LeaseOrigin *pool_origin_here (const CenotePool *pool);
/* Begins to look for leaks. */
void pool_watch_leases (CenotePool *pool);
void pool_unwatch_leases (CenotePool *pool);
gboolean pool_watches_leases (const CenotePool *pool);
gboolean pool_limits_streams (const CenotePool *pool);

/* --------------------------------------------------------- pool-waiters.c */

/* Queues WAITER (TIMEOUT_US from now, or G_MAXINT64), or ends it at once. */
void pool_wait (CenotePool *pool, Waiter *waiter, gint64 timeout_us);
/* Takes it out without calling done; FALSE: it was not queued. */
gboolean pool_unwait (CenotePool *pool, Waiter *waiter);
void pool_serve_waiters (CenotePool *pool);
/* When the one that will time out first does; G_MAXINT64: none. */
gint64 pool_oldest_deadline (CenotePool *pool);
/* ERROR is copied for each. */
void pool_fail_waiters (CenotePool *pool, const GError *error);
void pool_fail_waiters_of (CenotePool *pool, const Address *address, const GError *error);

/* --------------------------------------------------------- pool-acquire.c */

/* FALSE: not a timeout.  -1 is the pool's own. */
gboolean pool_timeout_to_us (CenotePool *pool, gint64 timeout_ms, gint64 *out_us, GError **error);
/* When a timeout that begins now ends, and how much of it is left. */
gint64 pool_until (CenotePool *pool, gint64 timeout_us);
gint64 pool_left_us (CenotePool *pool, gint64 until_us);

typedef enum { WAIT_GOT, WAIT_FAILED, WAIT_MOCKED } WaitOutcome;
/* A caller's thread: waits for what WISH says. */
WaitOutcome pool_block (CenotePool *pool, const Waiter *wish, gint64 timeout_us, CenoteLease *out_lease, GError **error);

/* ------------------------------------------------------------- pool-get.c */

/* Any thread.  DETAILS (nullable): the status's text, where it is known. */
LeaseVerdict pool_verdict (int status, const char *details);

/* Any thread.  One get; the sampled ones are timed and told. */
LeaseResult pool_get (CenotePool *pool, const LeaseWish *wish, CenoteLease *out_lease);
/* Any thread.  A get that is sampled began at BEGUN_NS and ends now, with LEASE (nullable: with none).  How long it took. */
gint64 pool_note_sample (CenotePool *pool, gint64 begun_ns, CenoteLease *lease);
/* Any thread.  For slot_table_set_used(). */
void pool_lease_was_used (gpointer pool, gint64 since_ns);
typedef enum { MOCK_GAVE, MOCK_REFUSED, MOCK_GONE } MockAnswer;
/* Any thread, after LEASE_MOCKED.  MOCK_GONE: it was taken away since the view that named it; get again. */
MockAnswer pool_ask_mock (CenotePool *pool, CenoteLease *out_lease, GError **error);
/* Any thread.  What a get that did not end with LEASE_GOT gives: the mock's answer, or an error. */
gboolean pool_get_otherwise (CenotePool *pool, LeaseResult result, CenoteLease *out_lease, GError **error);
/* The same, for lease_get_or(): a sampled one is made first. */
gboolean pool_get_after (gpointer pool, LeaseResult result, CenoteLease *out_lease, GError **error);

/* --------------------------------------------------------- pool-acquire.c */

/* Any thread.  A number for cancelling by, of any pool's, never 0. */
guint pool_next_id (void);
/* Any thread.  Acquires for a call whose pool_get() answered RESULT, which is not LEASE_GOT: until TIMEOUT_US from now;
 * WAIT_FOR_READY FALSE: fails while every address is down. */
gboolean pool_acquire_after (CenotePool *pool, LeaseResult result, const LeaseWish *wish, gint64 timeout_us,
                             gboolean wait_for_ready, CenoteLease *out_lease, GError **error);

/* ---------------------------------------------------------- pool-status.c */

CenotePoolStatus *pool_status_new (CenotePool *pool);
/* Any thread. */
void pool_status_add_durations (CenotePoolStatus *status, CenotePool *pool);
/* (transfer full), any thread: `{"pools":[…]}` of POOLS (of CenotePool). */
char *pools_status_to_json (const GPtrArray *pools);

#endif
