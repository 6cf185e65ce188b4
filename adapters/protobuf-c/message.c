/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <cenote/error.h>
#include <grpc/status.h>

static void
pack (gconstpointer message, guint8 *room, gsize size)
{
  (void) size;
  protobuf_c_message_pack (message, room);
}

CenotePackable
message_packable (const ProtobufCMessage *message)
{
  return (CenotePackable) { protobuf_c_message_get_packed_size (message), pack, message };
}

ProtobufCMessage *
message_unpack (const ProtobufCMessageDescriptor *descriptor, ProtobufCAllocator *allocator, const guint8 *packed, gsize size,
                GError **error)
{
  ProtobufCMessage *message = protobuf_c_message_unpack (descriptor, allocator, size, packed);

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
