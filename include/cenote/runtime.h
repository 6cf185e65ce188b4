/* SPDX-License-Identifier: Apache-2.0 */
/* <cenote/runtime.h>: the pools of one config, and the threads that keep them. */
#ifndef CENOTE_RUNTIME_H
#define CENOTE_RUNTIME_H

#include <cenote/config.h>
#include <cenote/registry.h>
#include <cenote/telemetry.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct CenotePool CenotePool;

/**
 * CenoteRuntime:
 *
 * Owns one control thread, one poller thread, one telemetry thread and one
 * callback thread, whatever the number of pools and channels.  Counted.  A
 * process may have several, one after another or at once.
 */
typedef struct CenoteRuntime CenoteRuntime;

/**
 * cenote_runtime_new:
 * @config: (transfer none)
 * @error: on failure every fault of the config, one line each
 *
 * Checks every value against the option tables of the core and of the named
 * plugins, loads the plugins, makes the pools and begins to dial as each pool's
 * `initialization` says.
 *
 * Returns: (transfer full) (nullable): a running runtime; nothing is left open on failure.
 * Errors: CENOTE_ERROR_CONFIG, _PLUGIN, _NOT_FOUND; the last connection error
 *   (CENOTE_ERROR_NOT_CONNECTED) of a pool with initialization=fail-fast; STOPPED in a forked child.
 * Threads: any but Cenote's own.  Blocks: loads files; with fail-fast up to connect-timeout.  Since: 0.1
 */
CENOTE_API CenoteRuntime *cenote_runtime_new (CenoteConfig *config, GError **error);

/**
 * cenote_runtime_new_full:
 * @registry: (transfer none) (nullable): where plugins come from; NULL: a new one
 *
 * As cenote_runtime_new(), with the plugins of @registry.
 * Returns: (transfer full) (nullable): a running runtime.
 * Errors: as cenote_runtime_new().  Threads: any but Cenote's own.  Blocks: as cenote_runtime_new().  Since: 0.1
 */
CENOTE_API CenoteRuntime *cenote_runtime_new_full (CenoteConfig *config, CenoteRegistry *registry, GError **error);

/**
 * cenote_runtime_get_pool:
 * @name: (nullable): NULL: the only pool
 *
 * The pool of a name.
 * Returns: (transfer full) (nullable): unref with cenote_pool_unref().
 * Errors: CENOTE_ERROR_NOT_FOUND, listing the pools there are; STOPPED.
 * Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API CenotePool *cenote_runtime_get_pool (CenoteRuntime *runtime, const char *name, GError **error);

/**
 * cenote_runtime_list_pools:
 *
 * Returns: (transfer full): NULL-terminated names of the pools in the keyfile's order; g_strfreev().
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API char **cenote_runtime_list_pools (CenoteRuntime *runtime);

/**
 * cenote_runtime_status_to_json:
 *
 * What all pools of the runtime do at the moment.
 * Returns: (transfer full): `{"pools":[…]}` with the members of CenotePoolStatus; absent values are null.
 * Errors: none.  Threads: any.  Blocks: for the control thread's answer, not for any peer.  Since: 0.1
 */
CENOTE_API char *cenote_runtime_status_to_json (CenoteRuntime *runtime);

/**
 * cenote_runtime_reload:
 * @config: (transfer none): in place of the one that the runtime was made with
 * @error: on failure every fault, one line each
 *
 * Checks @config as cenote_runtime_new() does, and gives the running pools the values that
 * differ: all of them, or none.  These can differ: size, min-channels, max-channels, acquire-timeout,
 * max-waiters, connect-timeout, max-concurrent-dials, max-connect-attempts, drain-timeout, dns-refresh and
 * ping-interval (neither from nor to off), prime-timeout, prime-tries, ejection-time, max-ejected,
 * panic-threshold, keepalive-*, idle-timeout, max-connection-age and its jitter, max-streams-per-channel
 * (without hard-stream-limit), status-interval, telemetry-sample-rate, channel-args.  Where that is something
 * that channels are made with, they are replaced, make before break; no call is lost.  A size is set where the two configs differ in it,
 * so what cenote_pool_resize() did stays else.  Anything else that differs (addresses, plugins
 * and their options, credentials, sinks, a pool more or less) is an error.
 * Each pool that changes tells CENOTE_EVENT_POOL_RELOAD; on failure all tell it, with the error.
 *
 * Returns: FALSE: nothing has changed.
 * Errors: CENOTE_ERROR_CONFIG, _PLUGIN, _NOT_FOUND, _STOPPED; _INVALID on a thread of Cenote's.
 * Threads: any but Cenote's own.  Blocks: loads files; not for any peer.  Since: 0.1
 */
CENOTE_API gboolean cenote_runtime_reload (CenoteRuntime *runtime, CenoteConfig *config, GError **error);

/**
 * cenote_runtime_add_sink:
 * @mask: CENOTE_EVENT_BIT()s of the kinds wanted
 * @func: called on the telemetry thread; the event is valid during the call
 * @user_data: for @func
 * @notify: (nullable): called once when no call of @func runs or will come
 *
 * Adds a function that is told of events.  One that wants CENOTE_EVENT_POOL_INIT is told at once of each pool there is.
 *
 * Returns: an id for cenote_runtime_remove_sink(), never 0.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API guint cenote_runtime_add_sink (CenoteRuntime *runtime, guint64 mask, void (*func) (const CenoteEvent *event, gpointer user_data),
                                          gpointer user_data, GDestroyNotify notify);

/**
 * cenote_runtime_remove_sink:
 *
 * Takes a sink away: after it returns no new call of the sink begins.  An unknown id is ignored.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API void cenote_runtime_remove_sink (CenoteRuntime *runtime, guint id);

/**
 * cenote_runtime_stop:
 *
 * Stops all pools: new leases are refused (CENOTE_ERROR_STOPPED), waiters fail
 * at once, leases in flight may finish; then joins the threads.  A lease still
 * held after that keeps only its channel.  Idempotent.
 * Errors: none.  Threads: any; on a Cenote thread it only begins the stop.
 * Blocks: up to the longest drain-timeout of the pools.  Since: 0.1
 */
CENOTE_API void cenote_runtime_stop (CenoteRuntime *runtime);

/** cenote_runtime_ref: Returns: (transfer full): the runtime.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API CenoteRuntime *cenote_runtime_ref (CenoteRuntime *runtime);
/**
 * cenote_runtime_unref:
 *
 * Gives a reference back; the last one stops the runtime as cenote_runtime_stop() does.  NULL is ignored.
 * Errors: none.  Threads: any.  Blocks: the last one as cenote_runtime_stop().  Since: 0.1
 */
CENOTE_API void cenote_runtime_unref (CenoteRuntime *runtime);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CenoteRuntime, cenote_runtime_unref)

G_END_DECLS

#endif
