/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/protobuf-c.h>: protoc-c's generated stubs over a pool (libcenote-protobuf-c,
 * pkg-config cenote-protobuf-c).
 *
 *   ProtobufCService *kv = cenote_protobuf_c_service_new (pool, &etcdserverpb__kv__descriptor);
 *   etcdserverpb__kv__put (kv, &request, done, data);      blocks; done (reply or NULL, data) runs before it returns
 *   if (cenote_protobuf_c_get_error () != NULL) …
 *   protobuf_c_service_destroy (kv);
 *
 * protobuf-c's closures have no place for a status: a closure that is given NULL finds
 * it in cenote_protobuf_c_get_error().  protoc-c forgets which methods stream: those are
 * called through cenote_protobuf_c_call_new() and the typed reads and writes below.
 */
#ifndef CENOTE_PROTOBUF_C_H
#define CENOTE_PROTOBUF_C_H

#include <cenote/call.h>
#include <protobuf-c/protobuf-c.h>

G_BEGIN_DECLS

/**
 * cenote_protobuf_c_service_new:
 * @descriptor: (transfer none): outlives the service
 *
 * Returns: (transfer full): a service for generated stubs, to be ended with
 *   protobuf_c_service_destroy(); holds a reference to @pool.  Calls block, with the default
 *   options, and any number of threads may call at once.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API ProtobufCService *cenote_protobuf_c_service_new (CenotePool *pool, const ProtobufCServiceDescriptor *descriptor);

/**
 * cenote_protobuf_c_service_set_options:
 * @options: (transfer none): of every later call; its metadata and key are copied
 *
 * Says how the service's calls are made.  To be called before the first of them.
 * Errors: told by the calls.  Threads: the one that made the service.  Blocks: no.  Since: 0.1
 */
CENOTE_API void cenote_protobuf_c_service_set_options (ProtobufCService *service, const CenoteCallOptions *options);

/**
 * cenote_protobuf_c_service_set_context:
 * @context: (nullable): whose loop runs the closures from now on; NULL: calls block again
 *
 * Makes the service's calls asynchronous: a stub returns at once, and its closure runs
 * once, on @context.  To be called before the first of them.
 * Errors: none.  Threads: the one that made the service.  Blocks: no.  Since: 0.1
 */
CENOTE_API void cenote_protobuf_c_service_set_context (ProtobufCService *service, GMainContext *context);

/**
 * cenote_protobuf_c_get_error:
 *
 * Why a call failed.
 * Returns: (nullable) (transfer none): within a closure: why its call failed; after a stub
 *   that blocked: why that call did, valid until this thread's next one.  NULL: it went well.
 *   A reply that cannot be unpacked is CENOTE_STATUS INTERNAL.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API const GError *cenote_protobuf_c_get_error (void);

/* ----------------------------------------------------------------- streams */

/**
 * cenote_protobuf_c_call_new:
 * @method: the method's own name, as in the .proto
 *
 * Starts a call as cenote_call_new(), of the method of @descriptor.
 * Returns: (transfer full): NULL on failure.
 * Errors: as cenote_call_new(), and CENOTE_ERROR_INVALID (it has no such method).
 * Threads: any but Cenote's own.  Blocks: as cenote_call_new().  Since: 0.1
 */
CENOTE_API CenoteCall *cenote_protobuf_c_call_new (CenotePool *pool, const ProtobufCServiceDescriptor *descriptor,
                                                   const char *method, const CenoteCallOptions *options, GError **error);

/**
 * cenote_protobuf_c_write:
 *
 * Packs a message and sends it, as cenote_call_write().
 * Returns: FALSE where the call is over.
 * Errors: as cenote_call_write().  Threads: any but Cenote's own.  Blocks: at most to the call's deadline.  Since: 0.1
 */
CENOTE_API gboolean cenote_protobuf_c_write (CenoteCall *call, const ProtobufCMessage *message, gboolean last,
                                             GError **error);

/**
 * cenote_protobuf_c_read:
 * @descriptor: of the message that is expected
 * @out_message: (out) (transfer full): to be freed with protobuf_c_message_free_unpacked (message, NULL);
 *   NULL with TRUE: there are no more
 *
 * Takes the next message that the server sent and unpacks it, as cenote_call_read().
 * Returns: FALSE: there was none in time, or it cannot be unpacked: CENOTE_STATUS INTERNAL, and the call goes on.
 * Errors: as cenote_call_read(), and CENOTE_STATUS.
 * Threads: any but Cenote's own.  Blocks: up to @timeout_ms.  Since: 0.1
 */
CENOTE_API gboolean cenote_protobuf_c_read (CenoteCall *call, gint64 timeout_ms, const ProtobufCMessageDescriptor *descriptor,
                                            ProtobufCMessage **out_message, GError **error);

G_END_DECLS

#endif
