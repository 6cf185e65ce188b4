/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf-c/message: messages and method names, between protobuf-c and Cenote. */
#ifndef CENOTE_ADAPTERS_MESSAGE_H
#define CENOTE_ADAPTERS_MESSAGE_H

#include <glib.h>
#include <protobuf-c/protobuf-c.h>

/* (transfer full): packed once, into the bytes that are sent. */
GBytes *message_pack (const ProtobufCMessage *message);
/* (transfer full), in memory of ALLOCATOR's (nullable: malloc()).  NULL with CENOTE_STATUS INTERNAL: BYTES are no such message. */
ProtobufCMessage *message_unpack (const ProtobufCMessageDescriptor *descriptor, ProtobufCAllocator *allocator, GBytes *bytes,
                                  GError **error);
/* (transfer full) "/package.Service/Method" */
char *message_method_path (const ProtobufCServiceDescriptor *service, const char *method);

#endif
