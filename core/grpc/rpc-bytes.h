/* SPDX-License-Identifier: Apache-2.0 */
/* rpc-bytes: messages, between GLib's bytes and C-core's buffers.  Any thread. */
#ifndef CENOTE_CORE_RPC_BYTES_H
#define CENOTE_CORE_RPC_BYTES_H

#include <glib.h>

struct grpc_byte_buffer;

/* (transfer full): NULL where BUFFER is, or where it cannot be read (it is compressed, and nobody asked for that). */
GBytes *rpc_bytes_from_buffer (struct grpc_byte_buffer *buffer);
/* (transfer full): refers to MESSAGE where that is large.  MESSAGE nullable: empty. */
struct grpc_byte_buffer *rpc_buffer_from_bytes (GBytes *message);
/* The same in BUFFER, until rpc_buffer_clear(). */
void rpc_buffer_init (struct grpc_byte_buffer *buffer, GBytes *message);
void rpc_buffer_clear (struct grpc_byte_buffer *buffer);

#endif
