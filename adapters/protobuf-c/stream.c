/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf-c/stream: typed reads and writes over a CenoteCall. */
#include <cenote/protobuf-c.h>

#include "message.h"

CenoteCall *
cenote_protobuf_c_call_new (CenotePool *pool, const ProtobufCServiceDescriptor *descriptor, const char *method,
                            const CenoteCallOptions *options, GError **error)
{
  g_autofree char *path = NULL;

  g_return_val_if_fail (pool != NULL && descriptor != NULL && method != NULL, NULL);
  if (protobuf_c_service_descriptor_get_method_by_name (descriptor, method) == NULL) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "Service %s has no method %s (names are those of the .proto)",
                 descriptor->name, method);
    return NULL;
  }
  path = message_method_path (descriptor, method);
  return cenote_call_new (pool, path, options, error);
}

gboolean
cenote_protobuf_c_write (CenoteCall *call, const ProtobufCMessage *message, gboolean last, GError **error)
{
  CenotePackable packable;

  g_return_val_if_fail (call != NULL && message != NULL, FALSE);
  packable = message_packable (message);
  return cenote_call_write_packed (call, &packable, last, error);
}

static ProtobufCMessage *
unpack_bytes (const ProtobufCMessageDescriptor *descriptor, GBytes *bytes, GError **error)
{
  gsize size = 0;
  const guint8 *packed = g_bytes_get_data (bytes, &size);

  return message_unpack (descriptor, NULL, packed == NULL ? (const guint8 *) "" : packed, size, error);
}

gboolean
cenote_protobuf_c_read (CenoteCall *call, gint64 timeout_ms, const ProtobufCMessageDescriptor *descriptor,
                        ProtobufCMessage **out_message, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  ProtobufCMessage *message = NULL;

  g_return_val_if_fail (descriptor != NULL && out_message != NULL, FALSE);
  if (!cenote_call_read (call, timeout_ms, &bytes, error))
    return FALSE;
  if (bytes != NULL && (message = unpack_bytes (descriptor, bytes, error)) == NULL)
    return FALSE;
  *out_message = message;
  return TRUE;
}
