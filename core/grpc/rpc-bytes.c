/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc-bytes.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice_buffer.h>
#include <string.h>

#include "core/base/hot.h"

/* Fewer bytes are copied: of a request that costs less than to keep track of who refers to it, and
 * a reply would keep the whole read buffer that it came in. */
#define REFER_FROM 4096

/* ------------------------------------------------------------------ to send */

/* A message's length takes four bytes. */
#define LARGEST G_MAXUINT32

static gsize
size_of (const RpcPayload *payload)
{
  if (payload->packable != NULL)
    return payload->packable->size;
  return payload->bytes == NULL ? 0 : g_bytes_get_size (payload->bytes);
}

gboolean
rpc_payload_check (const RpcPayload *payload, GError **error)
{
  if (size_of (payload) <= LARGEST)
    return TRUE;
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "message is of %" G_GSIZE_FORMAT " bytes: one has at most %u",
               size_of (payload), LARGEST);
  return FALSE;
}

static void
unref_bytes (void *bytes)
{
  g_bytes_unref (bytes);
}

static grpc_slice
slice_from_bytes (GBytes *message)
{
  gsize length = 0;
  gconstpointer start = message == NULL ? NULL : g_bytes_get_data (message, &length);

  if (length < REFER_FROM)
    return grpc_slice_from_copied_buffer (length == 0 ? "" : start, length);
  return grpc_slice_new_with_user_data ((void *) start, length, unref_bytes, g_bytes_ref (message));
}

HOT grpc_slice
rpc_payload_slice (const RpcPayload *payload)
{
  const CenotePackable *packable = payload->packable;
  grpc_slice slice;

  if (packable == NULL)
    return slice_from_bytes (payload->bytes);
  slice = grpc_slice_malloc (packable->size);
  packable->pack (packable->message, GRPC_SLICE_START_PTR (slice), packable->size);
  return slice;
}

grpc_byte_buffer *
rpc_buffer_from_payload (const RpcPayload *payload)
{
  grpc_slice slice = rpc_payload_slice (payload);
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create (&slice, 1);

  grpc_slice_unref (slice);
  return buffer;
}

/* As grpc_raw_byte_buffer_create() makes it, in the caller's memory. */
HOT void
rpc_buffer_init (grpc_byte_buffer *buffer, grpc_slice message)
{
  buffer->reserved = NULL;
  buffer->type = GRPC_BB_RAW;
  buffer->data.raw.compression = GRPC_COMPRESS_NONE;
  grpc_slice_buffer_init (&buffer->data.raw.slice_buffer);
  grpc_slice_buffer_add (&buffer->data.raw.slice_buffer, message.refcount == NULL ? message : grpc_slice_ref (message));
}

/* Mostly gRPC has taken what was in it, and a way into gRPC would be for nothing. */
HOT void
rpc_buffer_clear (grpc_byte_buffer *buffer)
{
  grpc_slice_buffer *slices = &buffer->data.raw.slice_buffer;

  if (slices->count > 0 || slices->base_slices != slices->inlined)
    grpc_slice_buffer_destroy (slices);
}

/* ----------------------------------------------------------------- received */

gboolean
rpc_buffer_is_readable (const grpc_byte_buffer *buffer)
{
  return buffer != NULL && buffer->data.raw.compression == GRPC_COMPRESS_NONE;
}

static void
free_slice (gpointer data)
{
  grpc_slice *slice = data;

  grpc_slice_unref (*slice);
  g_free (slice);
}

static GBytes *
bytes_copied (const grpc_slice_buffer *slices)
{
  guint8 *copy = g_malloc (MAX (1, slices->length)), *end = copy;
  gsize i;

  for (i = 0; i < slices->count; i++) {
    memcpy (end, GRPC_SLICE_START_PTR (slices->slices[i]), GRPC_SLICE_LENGTH (slices->slices[i]));
    end += GRPC_SLICE_LENGTH (slices->slices[i]);
  }
  return g_bytes_new_take (copy, slices->length);
}

static GBytes *
bytes_referring (grpc_slice slice)
{
  grpc_slice *kept = g_new (grpc_slice, 1);

  *kept = grpc_slice_ref (slice);
  return g_bytes_new_with_free_func (GRPC_SLICE_START_PTR (*kept), GRPC_SLICE_LENGTH (*kept), free_slice, kept);
}

HOT GBytes *
rpc_buffer_bytes (const grpc_byte_buffer *buffer)
{
  const grpc_slice_buffer *slices = buffer == NULL ? NULL : &buffer->data.raw.slice_buffer;

  if (!rpc_buffer_is_readable (buffer))
    return NULL;
  if (slices->count == 1 && slices->length >= REFER_FROM)
    return bytes_referring (slices->slices[0]);
  return bytes_copied (slices);
}

static COLD void
make_one_piece (grpc_byte_buffer *buffer)
{
  grpc_byte_buffer_reader reader;
  grpc_slice whole;

  grpc_byte_buffer_reader_init (&reader, buffer);
  whole = grpc_byte_buffer_reader_readall (&reader);
  grpc_byte_buffer_reader_destroy (&reader);
  grpc_slice_buffer_reset_and_unref (&buffer->data.raw.slice_buffer);
  grpc_slice_buffer_add (&buffer->data.raw.slice_buffer, whole);
}

HOT const guint8 *
rpc_buffer_view (grpc_byte_buffer *buffer, gsize *out_length)
{
  const grpc_slice_buffer *slices = &buffer->data.raw.slice_buffer;

  if (slices->count != 1)
    make_one_piece (buffer);
  *out_length = slices->length;
  return GRPC_SLICE_START_PTR (slices->slices[0]);
}
