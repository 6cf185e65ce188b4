/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/plugin.h>: all that a Cenote plugin needs, and all that it may include.
 *
 * A plugin is one shared object named <kind>-<name>.so with one exported symbol,
 * cenote_plugin_query(), which CENOTE_PLUGIN_DEFINE() writes.  It links nothing
 * of libcenote: what it needs of its host comes in the CenoteHost table.
 *
 * The smallest plugin, whole (plugins/backoff/constant.c is a real one):
 *
 *   static void *create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault) {...}
 *   static int64_t next (void *state) {...}
 *   static const CenoteBackoffOps ops = { .struct_size = sizeof ops, .create = create, .next = next };
 *   static const CenotePlugin plugin = {
 *     CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF), .name = "mine", .version = "1.0",
 *     .summary = "What it does", .license = "Apache-2.0", .ops = &ops };
 *   CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "mine")
 *
 * ABI PROMISE.  A plugin that was built with this header at ABI M.m works in every
 * release of Cenote whose major is M, older minors too where it asks before it
 * uses what is newer.  The promise began with 1.0.
 *
 * Never changes within a major: the place, type and meaning of each member and slot
 * in this header and in <cenote/telemetry.h>, the numbers of enums and flags, which
 * slots are required, the note, and the symbol.  The head of CenotePlugin and the
 * note stay in any major.  A plugin of another major is refused by its note, before
 * any of its code runs.
 *
 * A newer minor may add: members and optional slots, at the end of their struct; flags;
 * plugin kinds, option types, verbs, poll reasons, kinds of events and of metrics;
 * and a meaning to what is reserved, of which 0 is the old one.
 *
 * How that is kept: every table begins with its own struct_size, and arrays come with
 * the size of an element.  The host reads no more of a plugin's tables than their
 * sizes say, and fills absent optional slots with defaults; a plugin reads no more of the
 * host's.  What is reserved, and flags without a meaning, are 0 in what a plugin gives.
 *
 * A plugin's part: it fills struct_size, steps through arrays with the functions below
 * (cenote_options_at(), cenote_view_channel(), …) and not by its own sizeof, and asks (CENOTE_HOST_HAS,
 * _VIEW_HAS, _PLAN_HAS, _PICK_HAS, _EVENT_HAS, _METRIC_HAS) before it uses what came with a
 * later minor than the first it is to run in.  It looks at those bits of flags alone that it
 * knows, and takes a verb, reason or kind that it does not know for none of its business.
 *
 * Strings are UTF-8 and NUL-terminated.  Times are microseconds (_us) on the
 * host's monotonic clock unless a name says otherwise.  No operation may block,
 * except a telemetry sink's; none may call exit(), and none may throw.  One that
 * keeps the control thread or a sink for over 100 ms (create and destroy: 1 s) is named
 * in the log and counted (cenote.plugin.slow_calls, cenote.telemetry.slow_calls).  A picker's
 * pick() and done() are not timed: whoever gets a channel would pay for the clock.
 */
#ifndef CENOTE_PLUGIN_H
#define CENOTE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct grpc_channel;
struct grpc_call_credentials;

#define CENOTE_PLUGIN_MAGIC 0x43454e4fu /* "CENO" */
#define CENOTE_ABI_MAJOR 1u
#define CENOTE_ABI_MINOR 0u

/* A conversion that is no old-style cast to C++. */
#ifdef __cplusplus
#define CENOTE_AS(type, value) static_cast<type> (value)
#else
#define CENOTE_AS(type, value) ((type) (value))
#endif

/* Element I of an array whose elements are of SIZE bytes, whatever their type has here. */
static inline const void *
cenote_element (const void *first, uint32_t i, uint32_t size)
{
  return CENOTE_AS (const char *, first) + CENOTE_AS (size_t, i) * size;
}

/* Room for a plugin's name, its NUL included: 47 bytes at most. */
#define CENOTE_PLUGIN_NAME_MAX 48

/* ------------------------------------------------------------------ kinds */

typedef enum {
  CENOTE_PLUGIN_BACKOFF = 1,
  CENOTE_PLUGIN_CONNECTOR = 2,
  CENOTE_PLUGIN_PICKER = 3,
  CENOTE_PLUGIN_TRANSPORT = 4,
  CENOTE_PLUGIN_TELEMETRY = 5
} CenotePluginKind;

/* ---------------------------------------------------------------- options */

typedef enum {
  CENOTE_OPTION_STRING = 1, /* value.text */
  CENOTE_OPTION_BOOL,       /* value.number: 0 or 1 */
  CENOTE_OPTION_INT,        /* value.number */
  CENOTE_OPTION_DOUBLE,     /* value.real */
  CENOTE_OPTION_DURATION,   /* value.number: microseconds, or CENOTE_OFF */
  CENOTE_OPTION_SIZE,       /* value.number: bytes */
  CENOTE_OPTION_FRACTION,   /* value.real: 0.2 for both "0.2" and "20%" */
  CENOTE_OPTION_ENUM,       /* value.number: index into choices; value.text: the word */
  CENOTE_OPTION_PATH,       /* value.text */
  CENOTE_OPTION_LIST        /* value.list, NULL-terminated; value.number: its length */
} CenoteOptionType;

enum {
  CENOTE_OPTION_REQUIRED = 1u << 0,   /* no default: leaving it out is an error */
  CENOTE_OPTION_RELOADABLE = 1u << 1, /* a reload may change it in place */
  CENOTE_OPTION_SECRET = 1u << 2,     /* never shown in a log, a status or an error */
  CENOTE_OPTION_DEPRECATED = 1u << 3, /* still works; naming it is a note */
  CENOTE_OPTION_MAY_BE_OFF = 1u << 4  /* a duration that takes "off" */
};

#define CENOTE_OFF INT64_C (-1)

/* One row of an option table.  default_text, min and max are written as a user
 * would write them ("100ms", "64KiB", "20%") and are read by the same parser;
 * min and max are inclusive and may be NULL.  The name "plugin" is reserved.  A
 * host that is older than a row's type leaves its value unset. */
typedef struct CenoteOption {
  const char *name;          /* kebab-case */
  uint32_t type;             /* CenoteOptionType */
  uint32_t flags;            /* CENOTE_OPTION_* */
  const char *default_text;  /* NULL: absent unless given (value.is_set is false) */
  const char *min;
  const char *max;
  const char *choices;       /* ENUM: the words, separated by '|' */
  const char *summary;       /* one sentence for help and the manual */
} CenoteOption;

typedef struct CenoteValue {
  bool is_set;               /* false: not given and without a default */
  int64_t number;
  double real;
  const char *text;
  const char *const *list;
} CenoteValue;

/* A plugin's values, one for each row of its table, in the table's order;
 * valid during create() only, so copy what you keep. */
typedef struct CenoteOptions {
  uint32_t struct_size;
  uint32_t n_values;
  uint32_t value_size;       /* sizeof (CenoteValue) as the host knows it */
  uint32_t reserved;
  const CenoteValue *values;
  const char *instance;      /* NAME of the [kind:NAME] group */
} CenoteOptions;

static inline const CenoteValue *
cenote_options_at (const CenoteOptions *options, uint32_t row)
{
  return CENOTE_AS (const CenoteValue *, cenote_element (options->values, row, options->value_size));
}

/* ------------------------------------------------------------------- host */

/* Where an operation leaves the reason for its failure; opaque. */
typedef struct CenoteFault CenoteFault;
typedef struct CenoteTimer CenoteTimer;
typedef struct CenoteEvent CenoteEvent; /* <cenote/telemetry.h>, as the next one */
typedef struct CenoteMetric CenoteMetric;
typedef struct CenoteHost CenoteHost;

typedef enum {
  CENOTE_LOG_ERROR = 3,      /* syslog's numbers */
  CENOTE_LOG_WARNING = 4,
  CENOTE_LOG_INFO = 6,
  CENOTE_LOG_DEBUG = 7
} CenoteLogLevel;

/* METRIC and all that it points to are valid during the call. */
typedef void (*CenoteMetricFunc) (const CenoteMetric *metric, void *data);

/* How a call of call_async() ended: STATUS is a grpc_status_code; MESSAGE (nullable) why, where it is
 * not 0; RESPONSE its SIZE bytes where it is.  On a thread of Cenote's, which it must not block. */
typedef void (*CenoteCallDone) (void *data, int32_t status, const char *message, const void *response, size_t size);

/* What the host does for a plugin.  The table outlives every state that was
 * created with it.  All slots may be called on any thread that the host calls
 * the plugin on; timers as said there.  A plugin reads no clock and no random
 * source of its own, so that a test can give it time and luck. */
struct CenoteHost {
  uint32_t struct_size;
  uint32_t abi_minor;        /* of the host */

  /* Says TEXT in the program's log, at LEVEL (CenoteLogLevel), with the plugin's kind and name. */
  void (*log) (const CenoteHost *host, uint32_t level, const char *text);
  /* Monotonic microseconds. */
  int64_t (*now_us) (const CenoteHost *host);
  /* 64 uniformly random bits. */
  uint64_t (*random) (const CenoteHost *host);
  /* Leaves TEXT (copied) as the reason in FAULT; the operation then returns its failure. */
  void (*fail) (const CenoteHost *host, CenoteFault *fault, const char *text);
  /* Calls FUNC once on the control thread after DELAY_US.  Transports only;
   * returns NULL for other kinds, and where the pool has come to its end.  To be
   * called on the control thread. */
  CenoteTimer *(*timer_start) (const CenoteHost *host, int64_t delay_us, void (*func) (void *data), void *data);
  /* Stops a timer that has not run; NULL is ignored.  A timer that has run is gone. */
  void (*timer_stop) (const CenoteHost *host, CenoteTimer *timer);
  /* Emits an event to the sinks of the pool that the plugin serves; never blocks. */
  void (*emit) (const CenoteHost *host, const CenoteEvent *event);
  /* Channels made before now are stale (certificates have changed, for one): the
   * pool's connector replaces them, make before break.  WHY (copied) is for people.
   * Transports only (nothing for other kinds); control thread, not inside an operation on a channel. */
  void (*renew) (const CenoteHost *host, const char *why);
  /* What the pool's calls prove themselves with (nullable: with nothing).  Borrowed:
   * valid during the operation that asks.  A transport with CENOTE_TRANSPORT_SECURE composes
   * them into each channel's credentials, so that all calls carry them; another one
   * leaves them alone.  Transports only (NULL for other kinds); control thread. */
  struct grpc_call_credentials *(*call_credentials) (const CenoteHost *host);

  /* The rest is for telemetry sinks (other kinds get nothing), from create() to the end of destroy(), on
   * any thread, one of the sink's own too, except where said. */

  /* Calls FUNC for each metric of the process and of the pools that the sink serves: those of one name
   * one after another, in an order that stays.  Blocks for nothing.  From the first time on, gets of those pools are
   * sampled (telemetry-sample-rate), so that there are times of gets and of use. */
  void (*read_metrics) (const CenoteHost *host, CenoteMetricFunc func, void *data);
  /* (transfer full: free_memory()) (nullable): cenote_runtime_status_to_json()'s text, of the pools that the sink
   * serves.  Waits for the control thread's answer, so only on a thread of the sink's own: NULL on Cenote's. */
  char *(*status_json) (const CenoteHost *host);
  /* Frees what the host gave.  NULL is ignored. */
  void (*free_memory) (const CenoteHost *host, void *memory);
  /* Begins a unary call of METHOD ("/package.Service/Method") over POOL, another pool of the keyfile, with
   * the SIZE bytes of REQUEST (copied): it takes its channel as any call does, and ends after TIMEOUT_US at
   * the latest.  TRUE: DONE is called once, before the sink's destroy.  FALSE: it is not, because there is no
   * such pool, or the runtime stops.  Never blocks. */
  bool (*call_async) (const CenoteHost *host, const char *pool, const char *method, const void *request, size_t size,
                      int64_t timeout_us, CenoteCallDone done, void *data);
};

#define CENOTE_HOST_HAS(host, slot) \
  ((host)->struct_size >= offsetof (CenoteHost, slot) + sizeof ((host)->slot))

/* ---------------------------------------------------------------- backoff */

/* The delay before the next connection attempt: one state for each address
 * that a pool is trying to reach.  Control thread only. */
typedef struct CenoteBackoffOps {
  uint32_t struct_size;
  uint32_t flags;            /* 0 */
  /* Required.  A state that stands as after reset(), or NULL with a fault. */
  void *(*create) (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault);
  /* Required.  An attempt has failed: the microseconds until the next one may
   * start, 0 or more.  (The host takes a negative one as 0 and tells.) */
  int64_t (*next) (void *state);
  /* Optional (nothing).  The connection proved healthy: begin from the start. */
  void (*reset) (void *state);
  /* Optional (nothing). */
  void (*destroy) (void *state);
} CenoteBackoffOps;

/* -------------------------------------------------------------- connector */

/* A planner: looks at a view of its pool and says which channels should exist.
 * It is pure (the same view and state give the same plan) and calls nothing but
 * the plan's own functions.  Control thread only. */

enum {
  /* Addresses come from callers' dial(), not from the config: each is there from its first
   * caller until it is forgotten, and dials only while somebody waits for it, or to replace
   * a channel.  `wanted`, `min` and `max` say nothing then; the connector has a bound of its own. */
  CENOTE_CONNECTOR_DIALS = 1u << 0,
  /* The connector chooses the pool's size: resize and scale verbs are refused. */
  CENOTE_CONNECTOR_SIZES_ITSELF = 1u << 1,
  /* A plan that was shown a pool that nobody used (no lease taken or held, nothing refused, no
   * waiter) is followed by one as soon as somebody does: the connector may sleep till then. */
  CENOTE_CONNECTOR_MINDS_USE = 1u << 2
};

typedef enum {
  CENOTE_VERB_NONE = 0,
  CENOTE_VERB_EXPIRE,
  CENOTE_VERB_CLOSE_ON_RELEASE, /* of verb_address */
  CENOTE_VERB_DISCONNECT,
  CENOTE_VERB_ROTATE
} CenoteVerb;

typedef enum {
  CENOTE_GATE_UNKNOWN = 0,   /* not tried yet, or its connections were lost: one channel tries */
  CENOTE_GATE_OPEN,          /* the last attempt got through */
  CENOTE_GATE_DOWN           /* the last attempt failed: one channel tries, at the backoff's times */
} CenoteGate;

/* A channel's state as telemetry, status and connectors see it: gRPC's five and DRAINING. */
typedef enum {
  CENOTE_CHANNEL_IDLE = 0,
  CENOTE_CHANNEL_CONNECTING,
  CENOTE_CHANNEL_READY,
  CENOTE_CHANNEL_TRANSIENT_FAILURE,
  CENOTE_CHANNEL_SHUTDOWN,
  CENOTE_CHANNEL_DRAINING
} CenoteChannelState;

#define CENOTE_NO_ADDRESS UINT32_MAX

typedef struct CenoteAddressView {
  const char *address;
  uint32_t id;               /* what plan functions take; never reused in a pool */
  uint32_t gate;             /* CenoteGate */
  uint32_t waiters;          /* callers that wait for this address: those that dial it */
  uint32_t removed;          /* 1: no longer wanted (config or DNS) */
  int64_t last_use_us;       /* of any channel to it, or somebody waited for it; -1: never */
  /* Where it is DOWN, when the backoff lets the next attempt begin; INT64_MAX: not by itself
   * (max-connect-attempts are used up).  Else 0. */
  int64_t next_attempt_us;
} CenoteAddressView;

enum {
  CENOTE_CHANNEL_EJECTED = 1u << 0,
  CENOTE_CHANNEL_STALE = 1u << 1     /* to be replaced: made before the last reload, rotation or certificate
                                    * change, or of more than max-connection-age */
};

typedef struct CenoteChannelView {
  uint64_t id;
  uint64_t replaces;         /* the id it is to take over from, or 0 */
  uint32_t address;          /* CenoteAddressView.id */
  uint32_t state;            /* CenoteChannelState */
  uint32_t flags;            /* CENOTE_CHANNEL_EJECTED, _STALE */
  uint32_t reserved;
  int64_t in_flight;         /* leases held now */
  /* Most leases at once since the last plan, as far as somebody looked: the host counts at
   * each tick while callers are about (10 ms, for a while after something happened 1 ms),
   * and before each plan.  What came and went between two looks is in `acquired` alone. */
  int64_t peak;
  int64_t ready_since_us;    /* -1: not READY */
  /* When a look last found that leases had been taken or released since the one before it: later
   * than the now_us of each plan that this followed.  -1: never used. */
  int64_t last_use_us;
} CenoteChannelView;

typedef struct CenoteConnectorView {
  uint32_t struct_size;
  uint32_t verb;             /* CenoteVerb */
  uint32_t verb_address;     /* CenoteAddressView.id or CENOTE_NO_ADDRESS */
  uint32_t wanted;           /* the expected size, as set by the config or resize */
  uint32_t min;
  uint32_t max;
  int64_t now_us;            /* later than in the plan before */
  int64_t oldest_deadline_us;/* when the waiter that will time out first does; INT64_MAX: no waiter */
  uint64_t acquired;         /* leases given since the last plan */
  uint64_t refused;          /* gets that found nothing, and cenote_pool_connect(), since the last plan */
  uint32_t n_waiters;
  uint32_t n_addresses;
  uint32_t address_size;     /* sizeof (CenoteAddressView) as the host knows it */
  uint32_t n_channels;
  uint32_t channel_size;     /* sizeof (CenoteChannelView) as the host knows it */
  uint32_t n_changed;
  const CenoteAddressView *addresses; /* in the order of their ids, as are the channels */
  const CenoteChannelView *channels;
  /* Indices, in no order, of the channels that are new, were used, or have another state, flags or
   * times than at the last plan.  All others stand as they stood (but for a peak that came
   * down to in_flight); one that is gone is not listed. */
  const uint32_t *changed;
  int64_t idle_timeout_us;   /* how long the pool may go unused, or CENOTE_OFF; a host without it: CENOTE_OFF */
  uint32_t max_streams_per_channel; /* how many calls at once a server takes on one connection; a host without it: 100 */
  uint32_t reserved;
} CenoteConnectorView;

#define CENOTE_VIEW_HAS(view, slot) \
  ((view)->struct_size >= offsetof (CenoteConnectorView, slot) + sizeof ((view)->slot))

static inline const CenoteAddressView *
cenote_view_address (const CenoteConnectorView *view, uint32_t i)
{
  return CENOTE_AS (const CenoteAddressView *, cenote_element (view->addresses, i, view->address_size));
}

static inline const CenoteChannelView *
cenote_view_channel (const CenoteConnectorView *view, uint32_t i)
{
  return CENOTE_AS (const CenoteChannelView *, cenote_element (view->channels, i, view->channel_size));
}

/* What plan() fills, through these functions.  The host carries a plan out
 * after plan() returned, in this order: revive, open, drain, close, refuse, forget.
 * A plan that leaves its pool's limits is refused whole, by name.  What a plan for a
 * verb drains and closes is the verb's result. */
typedef struct CenotePlan CenotePlan;
struct CenotePlan {
  uint32_t struct_size;
  uint32_t reserved;
  /* N new channels to ADDRESS; where REPLACES is not 0 (then N is 1), the new
   * one takes that channel's place once it is READY, and only then the old one drains. */
  void (*open) (CenotePlan *plan, uint32_t address, uint32_t n, uint64_t replaces);
  /* No new leases; closed with the last one.  WHY is copied. */
  void (*drain) (CenotePlan *plan, uint64_t channel, const char *why);
  /* A draining channel that is still READY takes leases again. */
  void (*revive) (CenotePlan *plan, uint64_t channel);
  /* Drain, and where it is not READY give up its attempt at once. */
  void (*close) (CenotePlan *plan, uint64_t channel, const char *why);
  /* The address leaves the table.  No effect while it has a channel in any state, callers
   * that wait for it, or, where addresses come from the config, while it is not removed. */
  void (*forget) (CenotePlan *plan, uint32_t address);
  /* Plan again at this time even if nothing changes. */
  void (*wake_at) (CenotePlan *plan, int64_t time_us);
  /* The callers that wait for ADDRESS fail with CENOTE_ERROR_LIMIT and WHY (copied). */
  void (*refuse) (CenotePlan *plan, uint32_t address, const char *why);
  /* The pool wants N channels from now on, which is its expected size: at most what it may have.  A
   * change that no resize made is told as scaling, by WHY (copied; one of a few words, for it is a
   * metric's label too).  Not said: as in the plan before; never yet: the wanted number, or, where
   * the connector chooses the size, min. */
  void (*expect) (CenotePlan *plan, uint32_t n, const char *why);
};

#define CENOTE_PLAN_HAS(plan, slot) \
  ((plan)->struct_size >= offsetof (CenotePlan, slot) + sizeof ((plan)->slot))

typedef struct CenoteConnectorOps {
  uint32_t struct_size;
  uint32_t flags;            /* CENOTE_CONNECTOR_* */
  /* Optional (a state that is not looked at). */
  void *(*create) (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault);
  /* Required.  Called at most once for each changed pool and tick. */
  void (*plan) (void *state, const CenoteConnectorView *view, CenotePlan *plan);
  /* Optional (nothing). */
  void (*destroy) (void *state);
} CenoteConnectorOps;

/* ----------------------------------------------------------------- picker */

/* Chooses one of the ready channels.  pick() and done() run on callers'
 * threads, many at once: no lock, no allocation, no system call.  State that
 * pick() writes lives in view->scratch or in atomics. */

enum {
  CENOTE_PICKER_NEEDS_LOAD = 1u << 0,    /* loads, burdens and penalties are kept; else they mean nothing */
  /* done() is called for each lease with its latency: how long it was held.  Costs two clock reads a
   * lease, and pick() is told the first (now_us). */
  CENOTE_PICKER_NEEDS_LATENCY = 1u << 1,
  CENOTE_PICKER_NEEDS_OUTCOME = 1u << 2  /* done() is called for each lease whose caller told a status */
};

/* One thread's side of one place.  The thread alone writes the first two; a lease
 * may be released on another thread than took it, so only sums over all threads
 * are loads.  The host alone writes the third: once a tick (some 10 ms) while
 * leases are taken, and with each new view. */
typedef struct CenoteTally {
  int64_t taken;             /* leases of the place that this thread took */
  int64_t released;          /* that it released */
  int64_t others;            /* the burden (below) less this thread's part of it, as of the last tick */
} CenoteTally;

/* One channel that is READY and in rotation.  In a view nothing of it changes but its penalty, which
 * the host may write at any time (cenote_pick_read()). */
typedef struct CenotePlace {
  uint64_t channel_id;
  uint32_t number;           /* the place's own number: a replacement inherits it */
  uint32_t weight;           /* 1 unless an address says otherwise */
  /* Leases that count as held while the connection warms up, which it does until it has been READY
   * for CENOTE_WARM_UP_US: at first the mean load of the view's places and 1, then with each tick
   * less, in proportion to the time that is left, rounded up; 0 once it is warm.  So a new channel
   * is not flooded, and of two with equal leases the warmer one is less loaded. */
  int64_t penalty;
  uint32_t tally_block;      /* for cenote_pick_burden() */
  uint32_t tally_offset;
  int64_t ready_since_us;    /* when the connection became READY, on the host's clock */
} CenotePlace;

/* How long a connection that has become READY warms up. */
#define CENOTE_WARM_UP_US 1000000

#define CENOTE_PICK_NONE UINT32_MAX

typedef struct CenotePickView {
  uint32_t struct_size;
  uint32_t n_places;         /* at least 1 */
  uint32_t place_size;       /* sizeof (CenotePlace) as the host knows it */
  uint32_t attempt;          /* 0, then 1, 2… where the channel picked before turned out to be gone, or failed the call
                              * that is now made again */
  uint32_t avoid;            /* index that the caller would rather not have, or CENOTE_PICK_NONE.  The host takes
                              * it last, whatever is picked */
  uint32_t has_key;          /* 1: key_hash is the hash of the caller's affinity key */
  uint64_t key_hash;
  uint64_t *luck;            /* for cenote_pick_luck() */
  const CenotePlace *places;
  uint64_t *scratch;         /* one word for this thread and pool; starts random */
  const CenoteTally *const *tallies;
  int64_t now_us;            /* on the host's clock, where the picker needs latencies; else it says nothing */
} CenotePickView;

#define CENOTE_PICK_HAS(view, slot) \
  ((view)->struct_size >= offsetof (CenotePickView, slot) + sizeof ((view)->slot))

static inline const CenotePlace *
cenote_pick_place (const CenotePickView *view, uint32_t i)
{
  return CENOTE_AS (const CenotePlace *, cenote_element (view->places, i, view->place_size));
}

/* 64 random bits, others at each call: from a word of this thread's that the host has made random
 * (and not 0), by xorshift64 (Marsaglia 2003).  For choices, not for secrets. */
static inline uint64_t
cenote_pick_luck (const CenotePickView *view)
{
  uint64_t luck = *view->luck;

  luck ^= luck << 13;
  luck ^= luck >> 7;
  luck ^= luck << 17;
  return *view->luck = luck;
}

/* A word of a view that the host may be writing. */
static inline int64_t
cenote_pick_read (const int64_t *word)
{
#if defined __GNUC__
  return __atomic_load_n (word, __ATOMIC_RELAXED);
#else
  return *(const volatile int64_t *) word;
#endif
}

/* What those who pick by load compare: twice the leases that count as held, the penalty among them,
 * and one more while the connection warms up; so the less burdened of two is the less loaded, and of
 * two that are alike the warmer.  What this thread did is in it at once, what others did since the
 * last tick is not; so it may be below 0 for a moment. */
static inline int64_t
cenote_pick_burden (const CenotePickView *view, uint32_t i)
{
  const CenotePlace *place = cenote_pick_place (view, i);
  const CenoteTally *tally = CENOTE_AS (const CenoteTally *,
                                        cenote_element (view->tallies[place->tally_block], 1, place->tally_offset));

  return cenote_pick_read (&tally->others) + 2 * (tally->taken - tally->released);
}

/* The leases of place I that are held, as far as this thread knows. */
static inline int64_t
cenote_pick_load (const CenotePickView *view, uint32_t i)
{
  int64_t penalty = cenote_pick_read (&cenote_pick_place (view, i)->penalty);

  return (cenote_pick_burden (view, i) - (penalty > 0)) / 2 - penalty;
}

typedef struct CenotePickerOps {
  uint32_t struct_size;
  uint32_t flags;            /* CENOTE_PICKER_NEEDS_* */
  /* Optional (a state that is not looked at). */
  void *(*create) (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault);
  /* Required.  An index below view->n_places.  (The host takes a larger one
   * modulo n_places and counts it.) */
  uint32_t (*pick) (void *state, const CenotePickView *view);
  /* Optional (nothing).  A lease of the place NUMBER ended.  STATUS is a
   * grpc_status_code or -1 where the caller told none; LATENCY_US -1 if not measured. */
  void (*done) (void *state, uint32_t number, int32_t status, int64_t latency_us);
  /* Optional (nothing).  No pick() or done() runs or comes after. */
  void (*destroy) (void *state);
} CenotePickerOps;

/* -------------------------------------------------------------- transport */

/* Makes channels for addresses.  Control thread only, except where said; one operation at a time, whatever the thread. */

/* Tells a new connectivity STATE (CenoteChannelState, not DRAINING) of a
 * channel.  ERROR (copied): why, for TRANSIENT_FAILURE and IDLE, or NULL.  The
 * host only takes note: it may be told on any thread, inside an operation too. */
typedef void (*CenoteTransportNotify) (void *notify_data, uint32_t state, const char *error);

enum {
  /* Channels are encrypted and the peer is verified, and call credentials travel.
   * Without it a pool refuses credentials, unless allow-plaintext-credentials says otherwise. */
  CENOTE_TRANSPORT_SECURE = 1u << 0,
  /* Takes a target of one ipv4: or ipv6: address, together with the name that it is for in the
   * argument grpc.default_authority: then the host resolves names, and follows them (dns-refresh).
   * Without it names go to create_channel() as they are. */
  CENOTE_TRANSPORT_TAKES_ADDRESSES = 1u << 1
};

typedef struct CenoteTransportOps {
  uint32_t struct_size;
  uint32_t flags;            /* CENOTE_TRANSPORT_* */
  /* Optional (a state that is not looked at). */
  void *(*create) (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault);
  /* Required.  A channel to ADDRESS that has not begun to connect, or NULL with
   * a fault.  ARGS (borrowed, a const grpc_channel_args *: C-core gives that type no tag
   * to declare it by) is what every connection of Cenote's carries. */
  struct grpc_channel *(*create_channel) (void *state, const char *address, const void *args,
                                          CenoteFault *fault);
  /* Optional, for transports that C-core does not drive (simulations, mocks):
   * watch and connect together, and then close_channel is required.
   * watch: from now until close_channel returns, NOTIFY is told of each change. */
  void (*watch) (void *state, struct grpc_channel *channel, CenoteTransportNotify notify, void *notify_data);
  /* connect: begin one attempt; CONNECTING, then READY or TRANSIENT_FAILURE follows.
   * Called again on the same channel after READY was followed by IDLE.  A channel that
   * has told TRANSIENT_FAILURE may be asked too, where the host has not handled that
   * yet: it is closed next, whether it begins an attempt or does nothing. */
  void (*connect) (void *state, struct grpc_channel *channel);
  /* Optional alone (grpc_channel_destroy()).  The channel is given back; no NOTIFY comes
   * after.  One that is still leased at the end of its pool is closed on the thread that
   * releases its last lease, whichever that is, and one that still connects on a thread of
   * C-core's; destroy follows the last. */
  void (*close_channel) (void *state, struct grpc_channel *channel);
  /* Optional (nothing).  Every channel has been closed. */
  void (*destroy) (void *state);
  /* Optional (nothing).  C-core says that CHANNEL's attempt failed by ERROR: leaves
   * in FAULT what is better for people to read, or nothing where ERROR is the best. */
  void (*explain) (void *state, struct grpc_channel *channel, const char *error, CenoteFault *fault);
  /* Optional.  In close_channel's place where a caller of the pool's owns the channel by now
   * and destroys it: forgets CHANNEL, which may be gone, and does not touch it.  A transport that fills
   * close_channel and not this one keeps its channels to itself. */
  void (*give_up_channel) (void *state, struct grpc_channel *channel);
} CenoteTransportOps;

/* -------------------------------------------------------------- telemetry */

typedef enum {
  CENOTE_POLL_DUE = 0,
  CENOTE_POLL_LAST
} CenotePollReason;

/* A sink: is told what happens.  All operations on the telemetry thread, except
 * create and destroy (control thread).  A sink may block; it then loses events
 * (counted and told), and nobody else is delayed. */
typedef struct CenoteTelemetryOps {
  uint32_t struct_size;
  uint32_t flags;            /* 0 */
  /* Required.  Bits 1 << CenoteEventKind of the kinds that handle() wants. */
  uint64_t mask;
  /* Optional (a state that is not looked at). */
  void *(*create) (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault);
  /* Required.  EVENT and its strings are valid during the call. */
  void (*handle) (void *state, const CenoteEvent *event);
  /* Optional (nothing).  Nothing more is waiting, or the runtime stops. */
  void (*flush) (void *state);
  /* Optional (nothing). */
  void (*destroy) (void *state);
  /* Optional (all of mask).  Which of mask's kinds this state wants, by its options: asked
   * once, after create, on the control thread.  What no sink wants is not even made. */
  uint64_t (*interest) (void *state);
  /* Optional (not called).  For what is to be done at a time rather than at an event: called once
   * the runtime runs, then at the time (on the host's clock) that it answered, or later where the
   * telemetry thread has more to do; INT64_MAX: not again.  WHY (CenotePollReason) is LAST when the runtime begins to stop and
   * its pools still take calls: what it answers then is not looked at. */
  int64_t (*poll) (void *state, int64_t now_us, uint32_t why);
} CenoteTelemetryOps;

/* -------------------------------------------------------------- descriptor */

/* The head (to kind) never moves in any major. */
typedef struct CenotePlugin {
  uint32_t magic;            /* CENOTE_PLUGIN_MAGIC */
  uint16_t abi_major;
  uint16_t abi_minor;        /* of the header it was built with */
  uint32_t struct_size;
  uint32_t kind;             /* CenotePluginKind */

  const char *name;          /* [a-z][a-z0-9-]*, as in the file's name */
  const char *version;
  const char *summary;       /* one sentence */
  const char *license;       /* SPDX */
  const CenoteOption *options;
  uint32_t n_options;
  uint32_t option_size;      /* sizeof (CenoteOption) */
  const void *ops;           /* Cenote<Kind>Ops, by kind */
} CenotePlugin;

#define CENOTE_PLUGIN_HEAD(kind_) \
  .magic = CENOTE_PLUGIN_MAGIC, .abi_major = CENOTE_ABI_MAJOR, .abi_minor = CENOTE_ABI_MINOR, \
  .struct_size = sizeof (CenotePlugin), .kind = (kind_)

/* The option table ROWS (an array) of a descriptor. */
#define CENOTE_PLUGIN_OPTIONS(rows) \
  .options = (rows), .n_options = sizeof (rows) / sizeof (rows)[0], .option_size = sizeof (CenoteOption)

#ifdef __cplusplus
extern "C++" {

/* The two above for C++17, which has no designated initialisers; the kind is that of the operations:
 * static constexpr CenotePlugin plugin = cenote_plugin (&ops, "mine", "1.0", "What it does", "Apache-2.0", rows); */
constexpr CenotePluginKind cenote_plugin_kind_of (const CenoteBackoffOps *) { return CENOTE_PLUGIN_BACKOFF; }
constexpr CenotePluginKind cenote_plugin_kind_of (const CenoteConnectorOps *) { return CENOTE_PLUGIN_CONNECTOR; }
constexpr CenotePluginKind cenote_plugin_kind_of (const CenotePickerOps *) { return CENOTE_PLUGIN_PICKER; }
constexpr CenotePluginKind cenote_plugin_kind_of (const CenoteTransportOps *) { return CENOTE_PLUGIN_TRANSPORT; }
constexpr CenotePluginKind cenote_plugin_kind_of (const CenoteTelemetryOps *) { return CENOTE_PLUGIN_TELEMETRY; }

template <typename Ops>
constexpr CenotePlugin
cenote_plugin (const Ops *ops, const char *name, const char *version, const char *summary, const char *license)
{
  return { CENOTE_PLUGIN_MAGIC, CENOTE_ABI_MAJOR, CENOTE_ABI_MINOR, sizeof (CenotePlugin), cenote_plugin_kind_of (ops),
           name, version, summary, license, nullptr, 0, sizeof (CenoteOption), ops };
}

template <typename Ops, uint32_t n_rows>
constexpr CenotePlugin
cenote_plugin (const Ops *ops, const char *name, const char *version, const char *summary, const char *license,
               const CenoteOption (&rows)[n_rows])
{
  CenotePlugin plugin = cenote_plugin (ops, name, version, summary, license);

  plugin.options = rows;
  plugin.n_options = n_rows;
  return plugin;
}

}
#endif

/* The symbol that every plugin exports.  HOST_ABI is (major << 16 | minor) of
 * the host.  Returns a descriptor that lives as long as the process. */
typedef const CenotePlugin *(*CenotePluginQuery) (uint32_t host_abi);
#define CENOTE_PLUGIN_QUERY_SYMBOL "cenote_plugin_query"

/* The ELF note that is read before any code of the plugin runs:
 * section .note.cenote, owner "Cenote", type CENOTE_NOTE_TYPE. */
#define CENOTE_NOTE_OWNER "Cenote"
#define CENOTE_NOTE_TYPE 1u
#define CENOTE_NOTE_SECTION ".note.cenote"

typedef struct CenoteNote {
  uint32_t owner_size;       /* 7: "Cenote" and its NUL */
  uint32_t payload_size;
  uint32_t type;             /* CENOTE_NOTE_TYPE */
  char owner[8];
  uint16_t abi_major;
  uint16_t abi_minor;
  uint32_t kind;
  char name[CENOTE_PLUGIN_NAME_MAX];
} CenoteNote;

#define CENOTE_NOTE_PAYLOAD_SIZE (2u + 2u + 4u + CENOTE_PLUGIN_NAME_MAX)

#if defined __GNUC__
#define CENOTE_PLUGIN_EXPORT __attribute__ ((visibility ("default")))
#else
#define CENOTE_PLUGIN_EXPORT
#endif

#ifdef __cplusplus
#define CENOTE_PLUGIN_LINKAGE extern "C"
#else
#define CENOTE_PLUGIN_LINKAGE
#endif

#define CENOTE_PLUGIN_QUERY_DEFINE(function, descriptor) \
  CENOTE_PLUGIN_LINKAGE CENOTE_PLUGIN_EXPORT const CenotePlugin *function (uint32_t host_abi); \
  CENOTE_PLUGIN_LINKAGE CENOTE_PLUGIN_EXPORT const CenotePlugin *function (uint32_t host_abi) \
  { \
    (void) host_abi; \
    return &(descriptor); \
  }

/* DESCRIPTOR: a static const CenotePlugin.  KIND_ and NAME_ repeat what it says,
 * because the note must be a constant.  To link a plugin into a program instead
 * of loading it, define CENOTE_PLUGIN_STATIC as a function's name: that function
 * then takes the place of cenote_plugin_query() and of the note, and what it
 * returns is for cenote_registry_add_static(). */
#ifndef CENOTE_PLUGIN_STATIC
/* clang's AddressSanitizer puts room around what is global, and a note has none. */
#ifdef __clang__
#define CENOTE_NOTE_CLOSE __attribute__ ((no_sanitize ("address")))
#else
#define CENOTE_NOTE_CLOSE
#endif
#define CENOTE_PLUGIN_DEFINE(descriptor, kind_, name_) \
  CENOTE_NOTE_CLOSE __attribute__ ((used, aligned (4), section (CENOTE_NOTE_SECTION))) static const CenoteNote cenote_plugin_note = { \
    7u, CENOTE_NOTE_PAYLOAD_SIZE, CENOTE_NOTE_TYPE, CENOTE_NOTE_OWNER, CENOTE_ABI_MAJOR, CENOTE_ABI_MINOR, \
    (kind_), name_ }; \
  CENOTE_PLUGIN_QUERY_DEFINE (cenote_plugin_query, descriptor)
#else
#define CENOTE_PLUGIN_DEFINE(descriptor, kind_, name_) CENOTE_PLUGIN_QUERY_DEFINE (CENOTE_PLUGIN_STATIC, descriptor)
#endif

#ifdef __cplusplus
}
#endif

#endif
