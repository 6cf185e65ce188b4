/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <cenote/error.h>
#include <grpc/status.h>

GBytes *
message_pack (const ProtobufCMessage *message)
{
  gsize size = protobuf_c_message_get_packed_size (message);
  guint8 *packed = g_malloc (size);

  protobuf_c_message_pack (message, packed);
  return g_bytes_new_take (packed, size);
}

ProtobufCMessage *
message_unpack (const ProtobufCMessageDescriptor *descriptor, ProtobufCAllocator *allocator, GBytes *bytes, GError **error)
{
  gsize size = 0;
  const guint8 *packed = g_bytes_get_data (bytes, &size);
  ProtobufCMessage *message =
    protobuf_c_message_unpack (descriptor, allocator, size, packed == NULL ? (const guint8 *) "" : packed);

  if (message == NULL)
    g_set_error (error, CENOTE_STATUS, GRPC_STATUS_INTERNAL, "the server's message of %" G_GSIZE_FORMAT " bytes is no %s", size,
                 descriptor->name);
  return message;
}

char *
message_method_path (const ProtobufCServiceDescriptor *service, const char *method)
{
  return g_strdup_printf ("/%s/%s", service->name, method);
}
