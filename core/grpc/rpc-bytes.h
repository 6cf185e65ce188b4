/* SPDX-License-Identifier: Apache-2.0 */
/* rpc-bytes: messages, between callers and C-core's slices and buffers.  Any thread. */
#ifndef CENOTE_CORE_RPC_BYTES_H
#define CENOTE_CORE_RPC_BYTES_H

#include <cenote/call.h>
#include <grpc/slice.h>

struct grpc_byte_buffer;

/* What a caller sends; borrowed. */
typedef struct RpcPayload {
  const CenotePackable *packable; /* NULL: the bytes */
  GBytes *bytes;             /* NULL: an empty message */
} RpcPayload;

/* FALSE with CENOTE_ERROR_INVALID: no message can be as large. */
gboolean rpc_payload_check (const RpcPayload *payload, GError **error);
/* (transfer full): packs what is to be packed; refers to bytes that are many. */
grpc_slice rpc_payload_slice (const RpcPayload *payload);

/* (transfer full) */
struct grpc_byte_buffer *rpc_buffer_from_payload (const RpcPayload *payload);
/* With another reference to MESSAGE in it, until rpc_buffer_clear(). */
void rpc_buffer_init (struct grpc_byte_buffer *buffer, grpc_slice message);
void rpc_buffer_clear (struct grpc_byte_buffer *buffer);

/* FALSE where there is none, or it is compressed, and nobody asked for that. */
gboolean rpc_buffer_is_readable (const struct grpc_byte_buffer *buffer);
/* (transfer full): NULL where it is not readable. */
GBytes *rpc_buffer_bytes (const struct grpc_byte_buffer *buffer);
/* (transfer none): of one that is readable, in one piece, valid while BUFFER is; never NULL. */
const guint8 *rpc_buffer_view (struct grpc_byte_buffer *buffer, gsize *out_length);

#endif
