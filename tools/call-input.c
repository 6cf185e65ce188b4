/* SPDX-License-Identifier: Apache-2.0 */
/* call-input: what `cenote call` is given to send.  See call-input.h. */
#include "call-input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------- method */

/* The library has the last word; here a slip is found before anything is opened. */
char *
call_input_method (const char *text, GError **error)
{
  const char *path = text[0] == '/' ? text + 1 : text;
  const char *slash = strchr (path, '/');

  if (slash != NULL && slash > path && slash[1] != '\0' && strchr (slash + 1, '/') == NULL)
    return g_strconcat ("/", path, NULL);
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
               "'%s' is no method: it is called PACKAGE.SERVICE/METHOD, e.g. grpc.health.v1.Health/Check", text);
  return NULL;
}

/* ------------------------------------------------------------------ message */

GBytes *
call_input_hex (const char *text, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 byte = 0;
  guint digits = 0;

  for (const char *at = text; *at != '\0'; at++) {
    if (g_ascii_isspace (*at))
      continue;
    if (!g_ascii_isxdigit (*at)) {
      g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
                   "the hex data has at place %" G_GSIZE_FORMAT " what is no hex digit (0-9, a-f)", (gsize) (at - text) + 1);
      return NULL;
    }
    byte = (guint8) (byte << 4 | g_ascii_xdigit_value (*at));
    if (++digits % 2 == 0)
      g_byte_array_append (bytes, &byte, 1);
  }
  if (digits % 2 == 0)
    return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "the hex data has %u digits: a byte is two of them", digits);
  return NULL;
}

char *
call_input_to_hex (GBytes *bytes)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  GString *out = g_string_sized_new (2 * length + 1);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (out, "%02x", data[i]);
  return g_string_free (out, FALSE);
}

static GBytes *
read_all (int fd, const char *name, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 part[65536];
  gssize got;

  while ((got = read (fd, part, sizeof part)) != 0) {
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "%s cannot be read: %s", name, g_strerror (errno));
      return NULL;
    }
    if ((gint64) bytes->len + got > CALL_INPUT_MAX_BYTES) {
      g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "%s has more than 1 GiB", name);
      return NULL;
    }
    g_byte_array_append (bytes, part, (guint) got);
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

GBytes *
call_input_file (const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);
  GBytes *bytes;
  int fd;

  if (g_str_equal (path, "-"))
    return read_all (STDIN_FILENO, "the standard input", error);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "%s cannot be read: %s", name, g_strerror (errno));
    return NULL;
  }
  bytes = read_all (fd, name, error);
  close (fd);
  return bytes;
}

/* ----------------------------------------------------------------- metadata */

/* (transfer full): TEXT with all the padding that base64 wants, which may be left out. */
static char *
pad (const char *text)
{
  GString *out = g_string_new (text);

  while (out->len > 0 && out->str[out->len - 1] == '=')
    g_string_truncate (out, out->len - 1);
  while (out->len % 4 != 0)
    g_string_append_c (out, '=');
  return g_string_free (out, FALSE);
}

/* (transfer full) (nullable): GLib decodes also what is no base64, so it is written again and compared. */
static char *
decode (const char *text, gsize *out_length)
{
  g_autofree char *padded = pad (text);
  g_autofree guchar *bytes = g_base64_decode (padded, out_length);
  g_autofree char *again = g_base64_encode (bytes, *out_length);

  return g_str_equal (padded, again) ? (char *) g_steal_pointer (&bytes) : NULL;
}

static gboolean
read_value (CenoteMetadatum *row, const char *text, GError **error)
{
  gsize length;

  if (!g_str_has_suffix (row->key, "-bin")) {
    row->value = g_strdup (text);
    row->length = -1;
    return TRUE;
  }
  row->value = decode (text, &length);
  row->length = (gssize) length;
  if (row->value != NULL)
    return TRUE;
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "metadata %s: its value is not base64, as a key that ends in -bin wants",
               row->key);
  return FALSE;
}

static void
clear_row (gpointer data)
{
  CenoteMetadatum *row = data;

  g_free ((char *) row->key);
  g_free ((char *) row->value);
}

gboolean
call_metadata_add (CallMetadata *metadata, const char *text, GError **error)
{
  const char *colon = strchr (text, ':');
  g_autofree char *key = colon == NULL ? NULL : g_strstrip (g_ascii_strdown (text, colon - text));
  g_autofree char *value = colon == NULL ? NULL : g_strstrip (g_strdup (colon + 1));
  CenoteMetadatum row = { .key = key };

  if (key == NULL || *key == '\0') {
    g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "metadata is written as 'key: value'");
    return FALSE;
  }
  if (!read_value (&row, value, error))
    return FALSE;
  if (metadata->rows == NULL) {
    metadata->rows = g_array_new (FALSE, FALSE, sizeof (CenoteMetadatum));
    g_array_set_clear_func (metadata->rows, clear_row);
  }
  key = NULL; /* the row's */
  g_array_append_val (metadata->rows, row);
  return TRUE;
}

void
call_metadata_clear (CallMetadata *metadata)
{
  g_clear_pointer (&metadata->rows, g_array_unref);
}
