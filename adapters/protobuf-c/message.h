/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf-c/message: messages and method names, between protobuf-c and Cenote. */
#ifndef CENOTE_ADAPTERS_MESSAGE_H
#define CENOTE_ADAPTERS_MESSAGE_H

#include <cenote/call.h>
#include <protobuf-c/protobuf-c.h>

/* (transfer none): while MESSAGE is and does not change. */
CenotePackable message_packable (const ProtobufCMessage *message);
/* (transfer full), in memory of ALLOCATOR's (nullable: malloc()).  NULL with CENOTE_STATUS INTERNAL: PACKED is no such message. */
ProtobufCMessage *message_unpack (const ProtobufCMessageDescriptor *descriptor, ProtobufCAllocator *allocator,
                                  const guint8 *packed, gsize size, GError **error);
/* (transfer full) "/package.Service/Method" */
char *message_method_path (const ProtobufCServiceDescriptor *service, const char *method);

#endif
