/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/pool.h>: take a live channel, use it, give it back.
 *
 * A pool's channels are opened and supervised by its runtime; a caller takes a
 * lease on one.  Leases are counted, never exclusive: any number share a channel.
 *
 * timeout_ms everywhere: -1 = the pool's acquire-timeout, 0 = do not wait,
 * G_MAXINT64 = for ever, another negative value is CENOTE_ERROR_INVALID.
 *
 * All functions may be called on any thread.  In a forked child every one
 * returns at once with CENOTE_ERROR_STOPPED.
 */
#ifndef CENOTE_POOL_H
#define CENOTE_POOL_H

#include <cenote/runtime.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct grpc_channel grpc_channel;

/* ------------------------------------------------------------------ leases */

/**
 * CenoteLease:
 * @channel: the channel, alive until the lease is released; NULL: no lease
 *
 * A caller's hold on a channel.  Hold it until grpc_call_start_batch() has
 * returned, or longer: pickers that weigh load are right only where it is held
 * to the call's end.  It may be released on another thread and may outlive the
 * pool's stop.  Eight pointers wide for the whole ABI major.
 */
typedef struct CenoteLease {
  grpc_channel *channel;
  /*< private >*/
  gpointer priv[7];
} CenoteLease;

#define CENOTE_LEASE_INIT { NULL, { NULL, NULL, NULL, NULL, NULL, NULL, NULL } }

/**
 * cenote_lease_release:
 * @lease: (nullable): a lease, or CENOTE_LEASE_INIT; becomes CENOTE_LEASE_INIT
 *
 * Gives the channel back.  A second release, also of a copy, and a lease that no
 * pool made are refused, counted and logged.  (Two threads that release copies
 * of one lease at the same instant: undefined.)
 * Errors: none.  Threads: any.  Blocks: never; no lock, no allocation.  Since: 0.1
 */
CENOTE_API void cenote_lease_release (CenoteLease *lease);

/**
 * cenote_lease_release_with_status:
 * @status: a grpc_status_code: how the call over the lease ended
 *
 * Gives the channel back and tells pickers and ejection how the call ended.  (CANCELLED: a failure to neither, nor an answer.)
 * Errors: none.  Threads: any.  Blocks: never; no lock, no allocation.  Since: 0.1
 */
CENOTE_API void cenote_lease_release_with_status (CenoteLease *lease, int status);

/**
 * cenote_lease_attach:
 * @lease: a lease that is held
 * @key: any address of the caller's own, say of a static variable
 * @data: (nullable): what to attach; NULL: only asks what stands
 * @notify: (nullable): called once with @data when the channel goes
 * @owns_channel: TRUE: @data owns the channel from now on, as a C++ object does that wraps it:
 *   @notify takes the place of grpc_channel_destroy(), which is then @data's to call, once,
 *   in @notify or later, and never before
 *
 * Attaches @data under @key to the channel that @lease is on, for as long as the pool has that
 * grpc_channel: so that what is made once for a channel is found again by each call over it.
 * Of two that attach under one key at once the first wins, and both are told its data: who
 * gets back what is not its own frees its own (@notify is not called for that).
 * So an owner is attached empty and made afterwards: two wrappers that own one channel must not exist.
 *
 * @notify is called after the last lease on the channel was released: on the control thread, or
 * after the pool's stop on the thread that releases that lease.  It must not block, nor wait for
 * a call that does; the owner's is the last one.
 *
 * Returns: (transfer none): what stands under @key, valid while @lease is held.  NULL: nothing, where
 *   @data is NULL; else it was refused: the lease is a mock's or CENOTE_LEASE_INIT; it was released
 *   or made by no pool (logged); this is a forked child; @owns_channel and the channel has an
 *   owner already, or its transport keeps its channels to itself (`mock`).
 * Errors: none.  Threads: any.  Blocks: never; no lock.  Allocates where it attaches.  Since: 0.1
 */
CENOTE_API gpointer cenote_lease_attach (CenoteLease *lease, gconstpointer key, gpointer data, GDestroyNotify notify,
                                         gboolean owns_channel);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CenoteLease, cenote_lease_release)

/* ----------------------------------------------------------------- getting */

/**
 * cenote_pool_get_channel:
 * @out_lease: (out): written, never read; CENOTE_LEASE_INIT on failure
 *
 * A lease on a ready channel, chosen by the pool's picker.  Succeeds whenever
 * any channel of the pool is ready, and, with hard-stream-limit, has room.
 * Returns: FALSE: there was none.
 * Errors: CENOTE_ERROR_NOT_CONNECTED (with counts and the last connection
 *   error), _LIMIT (hard-stream-limit: each ready channel has max-streams-per-channel
 *   leases, or others wait), _STOPPED, _INVALID (a connector whose addresses come from dial).
 * Threads: any.  Blocks: never; no lock; allocates nothing after a thread's first get on a
 *   pool, except when the leases that it holds at once double.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_get_channel (CenotePool *pool, CenoteLease *out_lease, GError **error);

/**
 * cenote_pool_get_channel_for:
 * @affinity_key: (nullable): for pickers that keep a key on one channel
 *
 * A lease as from cenote_pool_get_channel(), on the channel of @affinity_key.
 * Returns: FALSE: there was none.
 * Errors: as cenote_pool_get_channel().  Threads: any.  Blocks: never.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_get_channel_for (CenotePool *pool, const char *affinity_key, CenoteLease *out_lease, GError **error);

/**
 * cenote_pool_acquire:
 *
 * A lease as from cenote_pool_get_channel(); waits, first come first served, where no channel is ready or has room.
 * Returns: FALSE: there was none in time.
 * Errors: as cenote_pool_get_channel(), and CENOTE_ERROR_TIMEOUT, _LIMIT (max-waiters), _INVALID (timeout, or on a
 *   Cenote thread).  Threads: any but Cenote's own.  Blocks: up to @timeout_ms.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_acquire (CenotePool *pool, gint64 timeout_ms, CenoteLease *out_lease, GError **error);
/**
 * cenote_pool_acquire_for:
 * @affinity_key: (nullable): for pickers that keep a key on one channel
 *
 * A lease as from cenote_pool_acquire(), on the channel of @affinity_key.
 * Returns: FALSE: there was none in time.
 * Errors: as cenote_pool_acquire().  Threads: any but Cenote's own.  Blocks: up to @timeout_ms.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_acquire_for (CenotePool *pool, const char *affinity_key, gint64 timeout_ms, CenoteLease *out_lease,
                                             GError **error);

/**
 * CenoteAcquireCallback:
 * @lease: (nullable): the lease: copy the struct to keep it, else it is released after the call; NULL on failure
 * @error: (nullable): why not; valid during the call
 *
 * Copying: `CenoteLease mine = *lease; *lease = (CenoteLease) CENOTE_LEASE_INIT;`
 */
typedef void (*CenoteAcquireCallback) (CenotePool *pool, CenoteLease *lease, const GError *error, gpointer user_data);

/**
 * cenote_pool_acquire_async:
 * @affinity_key: (nullable)
 * @context: (nullable): whose loop calls @callback; NULL: the caller's thread-default context
 * @notify: (nullable): called once, on @context, after the callback or its cancel
 *
 * Acquires without blocking.
 * Returns: an id for cenote_pool_cancel(), never 0.  @callback is called exactly
 *   once, never inside this call, unless cancelled.
 * Errors: through @callback, as cenote_pool_acquire().  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API guint cenote_pool_acquire_async (CenotePool *pool, const char *affinity_key, gint64 timeout_ms, GMainContext *context,
                                            CenoteAcquireCallback callback, gpointer user_data, GDestroyNotify notify);

/**
 * cenote_pool_acquire_async_full:
 * @wait_for_ready: TRUE: as cenote_pool_acquire_async(); FALSE: as a call without wait_for_ready,
 *   fails with CENOTE_ERROR_NOT_CONNECTED while no channel is ready and every address of the pool is down
 *
 * Acquires without blocking, and without waiting for a pool that is down.
 * Returns: as cenote_pool_acquire_async().
 * Errors: through @callback.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API guint cenote_pool_acquire_async_full (CenotePool *pool, const char *affinity_key, gint64 timeout_ms,
                                                 gboolean wait_for_ready, GMainContext *context,
                                                 CenoteAcquireCallback callback, gpointer user_data, GDestroyNotify notify);

/**
 * cenote_pool_cancel:
 * @id: of cenote_pool_acquire_async() or cenote_call_unary_async()
 *
 * Takes back what was begun without blocking.
 * Returns: TRUE where it was under way and its callback will not be called.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_cancel (CenotePool *pool, guint id);

/**
 * cenote_pool_await_ready:
 *
 * Waits until at least one channel is ready.
 * Returns: FALSE: none was in time.
 * Errors: CENOTE_ERROR_TIMEOUT (with the last connection error), _STOPPED,
 *   _NOT_CONNECTED (disconnected, or the attempts are used up), _INVALID (timeout, or on a Cenote thread).
 * Threads: any but Cenote's own.  Blocks: up to @timeout_ms.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_await_ready (CenotePool *pool, gint64 timeout_ms, GError **error);

/**
 * CenoteOperation:
 *
 * Returns: TRUE where the call went well; FALSE with an error set (one in CENOTE_STATUS feeds the outcome).
 */
typedef gboolean (*CenoteOperation) (grpc_channel *channel, gpointer user_data, GError **error);

/**
 * cenote_pool_execute:
 *
 * Acquires, runs @operation on the caller's thread, releases.  @timeout_ms bounds the wait, not the operation.
 * Returns: what @operation did; FALSE where there was no channel.
 * Errors: as cenote_pool_acquire(); else whatever @operation set; FALSE without an error is CENOTE_ERROR_INVALID.
 * Threads: any but Cenote's own.  Blocks: up to @timeout_ms, and as long as @operation takes.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_execute (CenotePool *pool, CenoteOperation operation, gpointer user_data, gint64 timeout_ms, GError **error);

/**
 * cenote_pool_get_plaintext_credentials:
 * @out_header: (out) (transfer none): the name of a header, lower case; valid while @pool is
 * @out_value: (out) (transfer full): its value now, a secret; g_free()
 *
 * What a call that the program makes itself, over a lease's channel, has to carry because
 * the channel does not: the pool's api-key, token or user and password, where its transport is
 * not secure and allow-plaintext-credentials=yes.  Over a secure transport channels carry
 * them.  Cenote's own calls and the C++ stubs need none of this.  A token may change: ask for each call.
 * Returns: FALSE where there is nothing to carry (outputs are untouched).
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_get_plaintext_credentials (CenotePool *pool, const char **out_header, char **out_value);

/**
 * cenote_pool_get_plaintext_metadata:
 *
 * The pool's key metadata, as far as a call that the program makes itself has to carry it, because the
 * transport is not secure and so the channel does not.  Cenote's own calls and the C++ stubs need none of this.
 * Returns: (transfer none): names and values in turn, NULL at the end; valid while @pool is.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API const char *const *cenote_pool_get_plaintext_metadata (CenotePool *pool);

/* ---------------------------------------------------------------- by address */

/**
 * cenote_pool_dial:
 * @address: host:port or a gRPC target, as in the key `target`, at most 1024 bytes; two spellings are two addresses
 * @timeout_ms: from now on; 0: only what is connected already
 * @out_lease: (out): written, never read; CENOTE_LEASE_INIT on failure
 *
 * A lease on the pool's one channel to @address, which is connected first where
 * it is not: for pools whose connector takes its addresses from here (`caching`).
 * Any number of callers share one connection attempt, and each keeps its own
 * deadline.  While some wait, failed attempts are followed by others at the times
 * of the backoff, up to max-connect-attempts; a failure is not cached, but the next
 * attempt waits for the backoff's time.  A channel that has lost its connection is
 * never handed out: the next dial connects anew.  Release with cenote_lease_release().
 * Returns: FALSE: there was none in time.
 * Errors: CENOTE_ERROR_TIMEOUT (with the last connection error), _NOT_CONNECTED
 *   (@timeout_ms is 0, attempts used up, or disconnected), _LIMIT (the connector's bound on
 *   addresses, all in use; max-waiters), _INVALID (the address or timeout; a connector whose
 *   addresses come from the configuration; on a Cenote thread), _STOPPED.
 * Threads: any.  Blocks: up to @timeout_ms; where the channel is ready never, without a
 *   lock or an allocation, unless an observer has `connect_requested`.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_dial (CenotePool *pool, const char *address, gint64 timeout_ms, CenoteLease *out_lease,
                                      GError **error);

/**
 * cenote_pool_expire:
 *
 * One sweep of the cache: closes the connections that two sweeps in a row have
 * found unused: no lease was held or released and nobody waited since the sweep
 * before.  (The connector's own timer, expire-interval, sweeps too.)
 * Returns: (transfer full): the addresses whose connection was closed since the last call, by this
 *   sweep, an earlier one, cenote_pool_close_on_release() or for room: each once, the first closed first, and
 *   at most the last 10000; NULL-terminated, empty and never NULL; g_strfreev().  Empty where there is no cache.
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API char **cenote_pool_expire (CenotePool *pool);

/**
 * cenote_pool_close_on_release:
 * @address: as given to cenote_pool_dial()
 *
 * The channel to @address leaves the cache at once, so that the next dial makes a new connection;
 * it is closed when its last lease is released.
 * Returns: TRUE where there was one.
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_close_on_release (CenotePool *pool, const char *address);

/* ------------------------------------------------------------------ sizing */

/**
 * cenote_pool_resize:
 * @n: the new expected size, 1 … 10000
 *
 * Sets how many channels the pool has.  Does not wait for connections; surplus channels drain.  Concurrent calls serialise.
 * Returns: the new expected size, or -1.
 * Errors: CENOTE_ERROR_INVALID (n ≤ 0, the connector sizes itself, or on a Cenote thread),
 *   _LIMIT (above the maximum), _STOPPED.
 * Threads: any but Cenote's own.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API int cenote_pool_resize (CenotePool *pool, int n, GError **error);

/**
 * cenote_pool_scale_up:
 * @k: how many more, 1 or more
 *
 * Adds channels, as cenote_pool_resize().
 * Returns: the new expected size, or -1.
 * Errors: as cenote_pool_resize().
 * Threads: any but Cenote's own.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API int cenote_pool_scale_up (CenotePool *pool, int k, GError **error);

/**
 * cenote_pool_scale_down:
 * @k: how many fewer, 1 or more
 *
 * Takes channels away, as cenote_pool_resize().
 * Returns: the new expected size, or -1.
 * Errors: as cenote_pool_resize(), and CENOTE_ERROR_LIMIT where it would empty the pool.
 * Threads: any but Cenote's own.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API int cenote_pool_scale_down (CenotePool *pool, int k, GError **error);

/* -------------------------------------------------------------- connection */

/**
 * cenote_pool_connect:
 *
 * Begins to dial (initialization=manual, after a disconnect, or where the
 * attempts were used up) and waits for one channel as cenote_pool_await_ready();
 * where addresses come from cenote_pool_dial() there is none to wait for.
 * Returns: FALSE: none was ready in time.
 * Errors: as cenote_pool_await_ready().  Threads: any but Cenote's own.  Blocks: up to @timeout_ms.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_connect (CenotePool *pool, gint64 timeout_ms, GError **error);

/**
 * cenote_pool_disconnect:
 *
 * Drains every channel, fails waiters at once, dials no more until cenote_pool_connect().
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API void cenote_pool_disconnect (CenotePool *pool);

/**
 * cenote_pool_is_connected:
 *
 * Returns: TRUE while a channel is ready.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API gboolean cenote_pool_is_connected (CenotePool *pool);

/**
 * cenote_pool_reconnect:
 *
 * Replaces every channel by a new one, make-before-break, and lets resting addresses be tried again.
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer, not for connections.  Since: 0.1
 */
CENOTE_API void cenote_pool_reconnect (CenotePool *pool);

/**
 * cenote_pool_pause:
 *
 * Gives no channel for now: gets miss and acquires wait until cenote_pool_resume(); supervision goes on.
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API void cenote_pool_pause (CenotePool *pool);

/**
 * cenote_pool_resume:
 *
 * Ends what cenote_pool_pause() began.
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API void cenote_pool_resume (CenotePool *pool);

/**
 * cenote_pool_stop:
 *
 * Begins draining and does not wait for its end; idempotent.  The pool then answers CENOTE_ERROR_STOPPED.
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API void cenote_pool_stop (CenotePool *pool);

/* ------------------------------------------------------------------ status */

typedef enum {
  CENOTE_POOL_STOPPED = 0,
  CENOTE_POOL_HEALTHY,       /* current_size >= expected_size */
  CENOTE_POOL_DOWN,          /* current_size == 0 */
  CENOTE_POOL_DEGRADED
} CenotePoolState;

typedef struct CenoteChannelStatus {
  gsize struct_size;
  guint64 id;                /* 1 or more; never used again in the pool */
  char *address;
  CenoteChannelState state;
  char *why;                 /* one sentence: why it is in this state */
  gint64 in_flight;
  gint64 age_ms;             /* since READY; -1: never was */
  gint64 attempts;           /* made so far */
  gint64 next_attempt_ms;    /* until it dials; -1: none is due */
  char *last_error;          /* of its last failed attempt or lost connection; NULL: none */
  gint64 calls;              /* leases taken */
  gint64 failures;           /* leases released with a status other than OK */
} CenoteChannelStatus;

/**
 * CenoteDurations:
 *
 * How long something took since the pool began: @count of them, @sum_ns nanoseconds in all (both exact), and the
 * durations that a half, 90 % and 99 % were not above, within 1 %; -1: there was none.
 * These five for the whole ABI major: others hold it by value.
 */
typedef struct CenoteDurations {
  gint64 count;
  gint64 sum_ns;
  gint64 p50_ns;
  gint64 p90_ns;
  gint64 p99_ns;
} CenoteDurations;

typedef struct CenotePoolStatus {
  gsize struct_size;
  char *name;
  char *target;              /* several are joined by ';'; NULL: addresses come from dial */
  CenotePoolState state;
  gint64 expected_size;      /* channels wanted */
  gint64 current_size;       /* channels READY and in rotation */
  gint64 connecting;
  gint64 draining;
  gint64 in_flight;
  gint64 waiters;
  char *last_error;          /* the last connection error; NULL: none */
  gint64 last_error_age_ms;  /* -1: none */
  CenoteChannelStatus **channels;
  gsize n_channels;
  gint64 leaks;              /* leases that are held, and were reported for leak-threshold */
  CenoteDurations wait;      /* acquires that found no channel at once, however they ended */
  CenoteDurations call;      /* Cenote's own calls, from begin to end */
  CenoteDurations create;    /* attempts that led to READY */
  CenoteDurations use;       /* leases, from get to release: one in telemetry-sample-rate, while a sink asks */
} CenotePoolStatus;

/**
 * cenote_pool_get_status:
 *
 * What the pool does at the moment.
 * Returns: (transfer full): a snapshot; never NULL; free with cenote_pool_status_free().
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API CenotePoolStatus *cenote_pool_get_status (CenotePool *pool);
/** cenote_pool_status_free: frees a status.  NULL is ignored.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API void cenote_pool_status_free (CenotePoolStatus *status);
/** cenote_pool_status_to_json: Returns: (transfer full): the status as one JSON object; g_free().  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API char *cenote_pool_status_to_json (const CenotePoolStatus *status);
/** cenote_pool_get_name: Returns: (transfer none): the pool's name, valid while @pool is.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API const char *cenote_pool_get_name (CenotePool *pool);
/** cenote_pool_state_to_string: Returns: (transfer none): "healthy", …  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API const char *cenote_pool_state_to_string (CenotePoolState state);
/** cenote_channel_state_to_string: Returns: (transfer none): "transient_failure", …  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API const char *cenote_channel_state_to_string (CenoteChannelState state);

/* --------------------------------------------------------------- observers */

/**
 * CenoteObserver:
 *
 * Told, in order and never dropped, on the runtime's callback thread.  Each
 * member may be NULL.  Any call may be made there.  Strings are valid during the call.
 * A channel that is told connected can be got already (with health-check: it serves), one that is told
 * disconnected no more.
 * @connect_requested: an attempt begins; where addresses come from dial: each cenote_pool_dial()
 * @cache_missed: for callers that dial a connection is to be made: once, however many they are
 * @connection_count: connections that stand, where addresses come from dial: on rise and fall
 */
typedef struct CenoteObserver {
  gsize struct_size;
  void (*connected) (CenotePool *pool, guint64 id, const char *address, gpointer user_data);
  void (*disconnected) (CenotePool *pool, guint64 id, const char *address, gpointer user_data);
  void (*connection_failed) (CenotePool *pool, guint64 id, const char *address, const GError *error, gpointer user_data);
  void (*connect_requested) (CenotePool *pool, const char *address, gpointer user_data);
  void (*cache_missed) (CenotePool *pool, const char *address, gpointer user_data);
  void (*connection_count) (CenotePool *pool, guint count, gpointer user_data);
} CenoteObserver;

#define CENOTE_OBSERVER_INIT { sizeof (CenoteObserver), NULL, NULL, NULL, NULL, NULL, NULL }

/**
 * cenote_pool_add_observer:
 * @observer: (transfer none): copied
 * @user_data: for its functions
 * @notify: (nullable): called once with @user_data, after the last callback, on the
 *   callback thread; where that has ended with its runtime (or is another process's, in
 *   a forked child) on the thread that adds, removes or stops, before the call returns
 *
 * Adds functions that are told of connections.  A pool that was stopped takes no observer any more: only @notify is called.
 * Returns: an id for cenote_pool_remove_observer(), never 0.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API guint cenote_pool_add_observer (CenotePool *pool, const CenoteObserver *observer, gpointer user_data, GDestroyNotify notify);

/**
 * cenote_pool_remove_observer:
 *
 * Takes an observer away: after it returns no new callback begins.  An unknown id is ignored.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API void cenote_pool_remove_observer (CenotePool *pool, guint id);

/**
 * CenoteMockFunc:
 * @out_lease: (out): set only `channel`, which the mock keeps alive; its release is then a no-op
 *
 * Returns: FALSE with an error to make the get fail.  Called on many threads.
 */
typedef gboolean (*CenoteMockFunc) (CenotePool *pool, CenoteLease *out_lease, gpointer user_data, GError **error);

/**
 * cenote_pool_set_mock:
 * @mock: (nullable): NULL: no mock any more
 * @notify: (nullable): called once when @mock is replaced and no call of it runs
 *
 * @mock answers get, acquire and execute in the pool's place, on the caller's thread (for
 * cenote_pool_acquire_async() on its context); those who wait already are answered by it
 * too.  Real supervision goes on beneath: status, observers, await_ready and connect mean
 * the real channels.
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer.  Since: 0.1
 */
CENOTE_API void cenote_pool_set_mock (CenotePool *pool, CenoteMockFunc mock, gpointer user_data, GDestroyNotify notify);

/** cenote_pool_ref: Returns: (transfer full): the pool.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API CenotePool *cenote_pool_ref (CenotePool *pool);
/** cenote_pool_unref: gives a reference back, which keeps memory, not life.  NULL is ignored.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API void cenote_pool_unref (CenotePool *pool);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CenotePool, cenote_pool_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CenotePoolStatus, cenote_pool_status_free)

G_END_DECLS

#endif
