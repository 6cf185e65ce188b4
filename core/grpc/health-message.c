/* SPDX-License-Identifier: Apache-2.0 */
#include "health-message.h"

#include <string.h>

/* A field's key: its number and how it is written. */
#define KEY(number, wire) ((number) << 3 | (wire))

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

/* ---------------------------------------------------------------- writing */

static void
write_varint (GByteArray *bytes, guint64 value)
{
  guint8 byte;

  do {
    byte = (guint8) (value & 0x7f);
    value >>= 7;
    if (value != 0)
      byte |= 0x80;
    g_byte_array_append (bytes, &byte, 1);
  } while (value != 0);
}

GBytes *
health_request_new (const char *service)
{
  GByteArray *bytes = g_byte_array_new ();
  guint length = (guint) strlen (service);

  if (length > 0) {
    write_varint (bytes, KEY (1, WIRE_LENGTH));
    write_varint (bytes, length);
    g_byte_array_append (bytes, (const guint8 *) service, length);
  }
  return g_byte_array_free_to_bytes (bytes);
}

/* ---------------------------------------------------------------- reading */

typedef struct Reader {
  const guint8 *at;
  gsize left;
} Reader;

static gboolean
skip (Reader *reader, guint64 n)
{
  if (n > reader->left)
    return FALSE;
  reader->at += n;
  reader->left -= n;
  return TRUE;
}

static gboolean
read_varint (Reader *reader, guint64 *out_value)
{
  guint64 value = 0;
  guint shift;

  for (shift = 0; shift < 64; shift += 7) {
    const guint8 *byte = reader->at;

    if (!skip (reader, 1))
      return FALSE;
    value |= (guint64) (*byte & 0x7f) << shift;
    if ((*byte & 0x80) == 0) {
      *out_value = value;
      return TRUE;
    }
  }
  return FALSE;
}

/* Over the value of a field that this version does not know. */
static gboolean
skip_value (Reader *reader, guint64 key)
{
  guint64 value;

  switch (key & 7) {
  case WIRE_VARINT:
    return read_varint (reader, &value);
  case WIRE_64:
    return skip (reader, 8);
  case WIRE_LENGTH:
    return read_varint (reader, &value) && skip (reader, value);
  case WIRE_32:
    return skip (reader, 4);
  default:
    return FALSE;
  }
}

/* Of a field that is given twice the last one counts. */
gboolean
health_response_read (GBytes *response, ServingStatus *out_status)
{
  guint64 status = SERVING_STATUS_UNKNOWN;
  guint64 key;
  Reader reader;

  reader.at = g_bytes_get_data (response, &reader.left);
  while (reader.left > 0) {
    if (!read_varint (&reader, &key))
      return FALSE;
    if (key == KEY (1, WIRE_VARINT) ? !read_varint (&reader, &status) : !skip_value (&reader, key))
      return FALSE;
  }
  *out_status = status > SERVING_STATUS_SERVICE_UNKNOWN ? SERVING_STATUS_UNKNOWN : (ServingStatus) status;
  return TRUE;
}

const char *
serving_status_to_string (ServingStatus status)
{
  static const char *const names[] = { "UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN" };

  return names[status];
}
