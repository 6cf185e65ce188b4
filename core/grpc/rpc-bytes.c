/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc-bytes.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/slice_buffer.h>

/* A shorter message is copied: a reference would keep the whole read buffer that it came in. */
#define REFER_FROM 4096

static void
free_slice (gpointer data)
{
  grpc_slice *slice = data;

  grpc_slice_unref (*slice);
  g_free (slice);
}

static GBytes *
bytes_from_slice (grpc_slice slice)
{
  gsize length = GRPC_SLICE_LENGTH (slice);
  grpc_slice *kept;

  if (length < REFER_FROM) {
    GBytes *bytes = g_bytes_new (GRPC_SLICE_START_PTR (slice), length);

    grpc_slice_unref (slice);
    return bytes;
  }
  kept = g_new (grpc_slice, 1);
  *kept = slice;
  return g_bytes_new_with_free_func (GRPC_SLICE_START_PTR (*kept), length, free_slice, kept);
}

GBytes *
rpc_bytes_from_buffer (grpc_byte_buffer *buffer)
{
  grpc_byte_buffer_reader reader;
  grpc_slice all;

  if (buffer == NULL || buffer->data.raw.compression != GRPC_COMPRESS_NONE ||
      !grpc_byte_buffer_reader_init (&reader, buffer))
    return NULL;
  if (buffer->data.raw.slice_buffer.count == 1)
    all = grpc_slice_ref (buffer->data.raw.slice_buffer.slices[0]);
  else
    all = grpc_byte_buffer_reader_readall (&reader);
  grpc_byte_buffer_reader_destroy (&reader);
  return bytes_from_slice (all);
}

static void
unref_bytes (void *bytes)
{
  g_bytes_unref (bytes);
}

/* A short message is copied: that costs less than to keep track of who refers to it. */
static grpc_slice
slice_from_bytes (GBytes *message)
{
  gsize length = 0;
  gconstpointer start = message == NULL ? NULL : g_bytes_get_data (message, &length);

  if (length < REFER_FROM)
    return grpc_slice_from_copied_buffer (length == 0 ? "" : start, length);
  return grpc_slice_new_with_user_data ((void *) start, length, unref_bytes, g_bytes_ref (message));
}

grpc_byte_buffer *
rpc_buffer_from_bytes (GBytes *message)
{
  grpc_slice slice = slice_from_bytes (message);
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create (&slice, 1);

  grpc_slice_unref (slice);
  return buffer;
}

/* As grpc_raw_byte_buffer_create() makes it, in the caller's memory. */
void
rpc_buffer_init (grpc_byte_buffer *buffer, GBytes *message)
{
  buffer->reserved = NULL;
  buffer->type = GRPC_BB_RAW;
  buffer->data.raw.compression = GRPC_COMPRESS_NONE;
  grpc_slice_buffer_init (&buffer->data.raw.slice_buffer);
  grpc_slice_buffer_add (&buffer->data.raw.slice_buffer, slice_from_bytes (message));
}

void
rpc_buffer_clear (grpc_byte_buffer *buffer)
{
  grpc_slice_buffer_destroy (&buffer->data.raw.slice_buffer);
}
