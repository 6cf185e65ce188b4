/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/call.h>: calls over a pool's channels: unary ones that block or call
 * back, and streams.
 *
 * A call takes its channel as cenote_pool_acquire() does, and gives it back with
 * its outcome when it ends.  Every call has a deadline, kept on the monotonic
 * clock.  One that got no channel fails in CENOTE_ERROR, one that got a channel
 * in CENOTE_STATUS, whose code is the grpc_status_code (CENOTE_ERROR_CALL: gRPC
 * did not take it).
 *
 * Messages are bytes, as they travel, or are packed and unpacked in place, as <cenote/protobuf-c.h>
 * does it.  One that is larger than the pool's max-message-size, and metadata above max-metadata-size, end the call
 * with RESOURCE_EXHAUSTED, and the text names the key; a compressed reply is INTERNAL.
 * Methods are full paths: "/package.Service/Method".
 */
#ifndef CENOTE_CALL_H
#define CENOTE_CALL_H

#include <cenote/error.h>
#include <cenote/pool.h>
#include <glib.h>

G_BEGIN_DECLS

/* ----------------------------------------------------------------- options */

/**
 * CenoteRetry:
 * @CENOTE_RETRY_NEVER: one attempt
 * @CENOTE_RETRY_UNSENT: again, on another channel where there is one, where the server
 *   did not take the call: it ended UNAVAILABLE without initial metadata, with one of
 *   gRPC's own texts for a stream that was not taken (a connection that could not be made,
 *   a GOAWAY that names a lower stream, REFUSED_STREAM, a transport already closed).
 *   That is evidence and not proof: a server that sends such a GOAWAY, or REFUSED_STREAM,
 *   for a call which it has run makes it run twice (gRPC's own C++ server does where
 *   max_connection_age has no grace); and headers in which there is nothing of the server's
 *   own are not seen.  Bounded by the deadline alone.
 * @CENOTE_RETRY_IDEMPOTENT: also, on another channel where there is one, after any other UNAVAILABLE: the call may run more than
 *   once.  With gRFC A6's backoff and budget, and at most 5 such attempts.
 *
 * For unary calls: a stream (cenote_call_new()) is one attempt.  Attempts after the first are counted
 * as `cenote.call.retries`, with `kind` `unsent` or `idempotent`.
 */
typedef enum {
  CENOTE_RETRY_NEVER = 0,
  CENOTE_RETRY_UNSENT,
  CENOTE_RETRY_IDEMPOTENT
} CenoteRetry;

/**
 * CenoteMetadatum:
 * @key: lower case letters, digits, `-`, `_` and `.`; not `grpc-…` or `:…`
 * @value: printable ASCII, or any bytes where @key ends in `-bin`
 * @length: of @value in bytes; -1: up to its NUL
 *
 * These three for the whole ABI major: it comes in arrays.
 */
typedef struct CenoteMetadatum {
  const char *key;
  const char *value;
  gssize length;
} CenoteMetadatum;

/**
 * CenoteCallOptions:
 * @timeout_ms: until the call must be over, all attempts and waits included: 1 … one year; default 30 s
 * @metadata: (nullable): what the request carries; borrowed for the call that is given the options
 * @wait_for_ready: FALSE: fails at once while no channel is ready and every address of the
 *   pool is down; TRUE: waits until the deadline
 * @retry: default %CENOTE_RETRY_UNSENT
 * @affinity_key: (nullable): for pickers that keep a key on one channel
 */
typedef struct CenoteCallOptions {
  gsize struct_size;
  gint64 timeout_ms;
  const CenoteMetadatum *metadata;
  gsize n_metadata;
  gboolean wait_for_ready;
  CenoteRetry retry;
  const char *affinity_key;
} CenoteCallOptions;

#define CENOTE_CALL_TIMEOUT_MS 30000
#define CENOTE_CALL_OPTIONS_INIT \
  { sizeof (CenoteCallOptions), CENOTE_CALL_TIMEOUT_MS, NULL, 0, FALSE, CENOTE_RETRY_UNSENT, NULL }

/* ------------------------------------------------------------------- unary */

/**
 * cenote_call_unary:
 * @request: (nullable): the message; NULL: an empty one
 * @options: (nullable): NULL: the defaults
 * @out_response: (out) (nullable): the reply, to be freed with g_bytes_unref(); untouched on failure
 *
 * One request, one reply.
 * Returns: FALSE: the call did not end with OK.
 * Errors: CENOTE_STATUS; as cenote_pool_acquire(); CENOTE_ERROR_INVALID (method, metadata, options).
 *   An OK without a message, and more than one message, are INTERNAL.
 * Threads: any; any number at once, and each drives its own call.
 * Blocks: until the reply, at most timeout_ms and a little.  Since: 0.1
 */
CENOTE_API gboolean cenote_call_unary (CenotePool *pool, const char *method, GBytes *request, const CenoteCallOptions *options,
                                       GBytes **out_response, GError **error);

/**
 * CenoteUnaryCallback:
 * @response: (nullable) (transfer none): the reply; NULL on failure
 * @error: (nullable) (transfer none): why it failed
 */
typedef void (*CenoteUnaryCallback) (CenotePool *pool, GBytes *response, const GError *error, gpointer user_data);

/**
 * cenote_call_unary_async:
 * @context: (nullable): whose loop calls @callback, and drives calls while it runs; NULL: the
 *   caller's thread-default context.  Calls end also while nobody runs it.
 * @notify: (nullable): called once with @user_data, on @context, after @callback or its cancel
 *
 * One request, one reply, without blocking.
 * Returns: an id for cenote_pool_cancel(), never 0.  @callback is called exactly once,
 *   never inside this call, unless cancelled.  It may run a loop on @context.
 * Errors: through @callback.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API guint cenote_call_unary_async (CenotePool *pool, const char *method, GBytes *request,
                                          const CenoteCallOptions *options, GMainContext *context,
                                          CenoteUnaryCallback callback, gpointer user_data, GDestroyNotify notify);

/* ----------------------------------------------------------------- streams */

typedef struct CenoteCall CenoteCall;

/**
 * cenote_call_new:
 *
 * Takes a channel and starts a call of any kind on it: any number of writes,
 * cenote_call_close_writes(), any number of reads, cenote_call_finish().
 * One thread may write while another reads; of two that write, or read, one waits for the other.
 * Errors: as cenote_call_unary().  Threads: any but Cenote's own.  Blocks: until there is a channel, at most timeout_ms.
 * Returns: (transfer full): NULL on failure.  Since: 0.1
 */
CENOTE_API CenoteCall *cenote_call_new (CenotePool *pool, const char *method, const CenoteCallOptions *options, GError **error);

/**
 * cenote_call_write:
 * @last: whether to close the writing side with this message
 *
 * Sends a message; returns when gRPC has taken it and there is room for the next (flow control).
 * Returns: FALSE where the call is over.
 * Errors: why it is over, as cenote_call_finish() tells it too; CENOTE_ERROR_INVALID (the writing side is closed).
 * Threads: any but Cenote's own.  Blocks: at most to the call's deadline.  Since: 0.1
 */
CENOTE_API gboolean cenote_call_write (CenoteCall *call, GBytes *message, gboolean last, GError **error);

/**
 * cenote_call_close_writes:
 *
 * Closes the writing side: no message comes any more.  Idempotent.
 * Returns: FALSE where the call is over.
 * Errors: as cenote_call_write().  Threads: any but Cenote's own.  Blocks: at most to the call's deadline.  Since: 0.1
 */
CENOTE_API gboolean cenote_call_close_writes (CenoteCall *call, GError **error);

/**
 * cenote_call_read:
 * @timeout_ms: how long to wait: -1: to the call's deadline, 0: not, or milliseconds
 * @out_message: (out) (transfer full): the next message; NULL with TRUE: there are no more, see cenote_call_finish()
 *
 * Takes the next message that the server sent.
 * Returns: FALSE: there was none in time; @out_message is untouched.
 * Errors: CENOTE_ERROR_TIMEOUT: nothing within @timeout_ms, and the call goes on: read again; _INVALID (timeout).
 * Threads: any but Cenote's own.  Blocks: up to @timeout_ms.  Since: 0.1
 */
CENOTE_API gboolean cenote_call_read (CenoteCall *call, gint64 timeout_ms, GBytes **out_message, GError **error);

/**
 * cenote_call_finish:
 *
 * Closes the writing side, waits for the status, and gives the channel back.  Messages that
 * were not read are dropped.  May be called again, with the same answer.
 * Returns: TRUE where the status is OK.
 * Errors: CENOTE_STATUS.  Threads: any but Cenote's own.  Blocks: at most to the call's deadline.  Since: 0.1
 */
CENOTE_API gboolean cenote_call_finish (CenoteCall *call, GError **error);

/**
 * cenote_call_cancel:
 *
 * Ends the call soon, with CANCELLED.
 * Errors: none.  Threads: any, also while another one blocks in the call.  Blocks: no.  Since: 0.1
 */
CENOTE_API void cenote_call_cancel (CenoteCall *call);

/**
 * cenote_call_get_initial:
 * @key: lower case
 * @out_length: (out) (optional): in bytes
 *
 * What the server sent before its first message.
 * Returns: (nullable) (transfer none): the first value of @key, NUL-terminated; NULL: none.  Valid while @call is.
 * Errors: none.  Threads: any but Cenote's own.  Blocks: until it has come, at most to the call's deadline.  Since: 0.1
 */
CENOTE_API const char *cenote_call_get_initial (CenoteCall *call, const char *key, gsize *out_length);

/**
 * cenote_call_get_trailing:
 * @key: lower case
 * @out_length: (out) (optional): in bytes
 *
 * What the server sent with the status.
 * Returns: (nullable) (transfer none): as cenote_call_get_initial(); NULL before cenote_call_finish().
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API const char *cenote_call_get_trailing (CenoteCall *call, const char *key, gsize *out_length);

/** cenote_call_ref: Returns: (transfer full): the call.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API CenoteCall *cenote_call_ref (CenoteCall *call);
/** cenote_call_unref: gives a reference back; the last one cancels a call that is not finished.  NULL is ignored.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API void cenote_call_unref (CenoteCall *call);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CenoteCall, cenote_call_unref)

/* --------------------------------------------------------- packed messages */
/*
 * For libraries that pack and unpack messages (protobuf-c, nanopb …), which need no GBytes between:
 * a request is packed straight into the memory that gRPC sends, and a reply read where gRPC
 * received it, unless it came in pieces.
 */

/**
 * CenotePackFunc:
 * @room: @size bytes, not aligned; what stands there afterwards is sent
 *
 * Packs @message.  Called at most once for a call, also where that is made again.
 */
typedef void (*CenotePackFunc) (gconstpointer message, guint8 *room, gsize size);

/**
 * CenotePackable:
 * @size: of the packed message in bytes: 0 … 4294967295
 * @pack: runs within the function that is given the packable, on its thread, and not where that refuses its arguments
 * @message: for @pack
 *
 * Borrowed for the function that is given it.  These three for the whole ABI major.
 */
typedef struct CenotePackable {
  gsize size;
  CenotePackFunc pack;
  gconstpointer message;
} CenotePackable;

/**
 * CenoteUnpackFunc:
 * @reply: @length bytes, not aligned, which are gone when it returns; not NULL
 *
 * Returns: FALSE with @error: @reply is no such message.
 */
typedef gboolean (*CenoteUnpackFunc) (const guint8 *reply, gsize length, gpointer user_data, GError **error);

/**
 * cenote_call_unary_packed:
 * @options: (nullable): NULL: the defaults
 * @unpack: (nullable): called where the reply has come, before this returns; NULL: the reply is dropped
 *
 * As cenote_call_unary().
 * Returns: FALSE: the call did not end with OK, or @unpack failed.
 * Errors: as cenote_call_unary(); CENOTE_ERROR_INVALID (size); those of @unpack (FALSE without one is CENOTE_ERROR_INVALID).
 * Threads: any; any number at once.  Blocks: until the reply, at most timeout_ms and a little, and @unpack.  Since: 0.1
 */
CENOTE_API gboolean cenote_call_unary_packed (CenotePool *pool, const char *method, const CenotePackable *request,
                                              const CenoteCallOptions *options, CenoteUnpackFunc unpack, gpointer user_data,
                                              GError **error);

/**
 * CenotePackedCallback:
 * @reply: (nullable): @length bytes, not aligned, which are gone when it returns; NULL on failure
 * @error: (nullable) (transfer none): why it failed
 */
typedef void (*CenotePackedCallback) (CenotePool *pool, const guint8 *reply, gsize length, const GError *error,
                                      gpointer user_data);

/**
 * cenote_call_unary_packed_async:
 *
 * As cenote_call_unary_async().
 * Returns: an id for cenote_pool_cancel(), never 0.
 * Errors: through @callback: as cenote_call_unary(); CENOTE_ERROR_INVALID (size).  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API guint cenote_call_unary_packed_async (CenotePool *pool, const char *method, const CenotePackable *request,
                                                 const CenoteCallOptions *options, GMainContext *context,
                                                 CenotePackedCallback callback, gpointer user_data, GDestroyNotify notify);

/**
 * cenote_call_write_packed:
 *
 * As cenote_call_write().
 * Returns: FALSE where the call is over.
 * Errors: as cenote_call_write(); CENOTE_ERROR_INVALID (size).
 * Threads: any but Cenote's own.  Blocks: at most to the call's deadline.  Since: 0.1
 */
CENOTE_API gboolean cenote_call_write_packed (CenoteCall *call, const CenotePackable *message, gboolean last, GError **error);

/* ------------------------------------------------------------------ errors */

/**
 * cenote_status_error_get_trailing:
 * @error: (nullable): an error in CENOTE_STATUS
 *
 * Returns: (nullable) (transfer none): the value of @key in the trailing metadata that came
 *   with the status; NULL: none, or another domain.  Valid while @error is.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API const char *cenote_status_error_get_trailing (const GError *error, const char *key);

G_END_DECLS

#endif
