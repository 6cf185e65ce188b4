/* SPDX-License-Identifier: Apache-2.0 */
/* json-reader: JSON into a GVariant.  See json-reader.h; a recursive descent, one function a production. */
#include "json-reader.h"

#include <cenote/error.h>
#include <math.h>
#include <string.h>

#define MAX_DEPTH 32

typedef struct Reader {
  const char *start;
  const char *at;            /* the next byte */
  guint depth;
} Reader;

static GVariant *read_value (Reader *reader);

static void
skip_blanks (Reader *reader)
{
  reader->at += strspn (reader->at, " \t\r\n");
}

/* Takes WORD if it comes next. */
static gboolean
take (Reader *reader, const char *word)
{
  if (!g_str_has_prefix (reader->at, word))
    return FALSE;
  reader->at += strlen (word);
  return TRUE;
}

/* Four hexadecimal digits, or -1. */
static gint
read_hex4 (Reader *reader)
{
  gint number = 0;

  for (guint i = 0; i < 4; i++) {
    gint digit = g_ascii_xdigit_value (reader->at[0]);

    if (digit < 0)
      return -1;
    number = number * 16 + digit;
    reader->at++;
  }
  return number;
}

/* What follows "\u": a character of its own, or the first half of a surrogate pair. */
static gboolean
read_unicode_escape (Reader *reader, GString *out)
{
  gint first = read_hex4 (reader);
  gint second;

  if (first <= 0 || (first >= 0xdc00 && first <= 0xdfff))
    return FALSE;
  if (first < 0xd800 || first > 0xdbff) {
    g_string_append_unichar (out, (gunichar) first);
    return TRUE;
  }
  if (!take (reader, "\\u"))
    return FALSE;
  second = read_hex4 (reader);
  if (second < 0xdc00 || second > 0xdfff)
    return FALSE;
  g_string_append_unichar (out, 0x10000 + (((gunichar) first - 0xd800) << 10) + ((gunichar) second - 0xdc00));
  return TRUE;
}

static gboolean
read_escape (Reader *reader, GString *out)
{
  static const char names[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  const char *name;

  if (take (reader, "u"))
    return read_unicode_escape (reader, out);
  if (*reader->at == '\0' || (name = strchr (names, *reader->at)) == NULL)
    return FALSE;
  g_string_append_c (out, meanings[name - names]);
  reader->at++;
  return TRUE;
}

/* (transfer full): NULL where it is no string. */
static char *
read_string (Reader *reader)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (!take (reader, "\""))
    return NULL;
  while (*reader->at != '"') {
    if ((guchar) *reader->at < 0x20)
      return NULL;
    if (!take (reader, "\\"))
      g_string_append_c (out, *reader->at++);
    else if (!read_escape (reader, out))
      return NULL;
  }
  reader->at++;
  return g_strdup (out->str);
}

static void
skip_digits (Reader *reader)
{
  while (g_ascii_isdigit (*reader->at))
    reader->at++;
}

static GVariant *
read_number (Reader *reader)
{
  const char *start = reader->at;
  g_autofree char *text = NULL;
  gint64 integer;
  gdouble real;

  take (reader, "-");
  if (!g_ascii_isdigit (*reader->at))
    return NULL;
  if (!take (reader, "0"))
    skip_digits (reader);
  if (take (reader, "."))
    skip_digits (reader);
  if (take (reader, "e") || take (reader, "E")) {
    if (!take (reader, "+"))
      take (reader, "-");
    skip_digits (reader);
  }
  if (!g_ascii_isdigit (reader->at[-1]))
    return NULL;
  text = g_strndup (start, (gsize) (reader->at - start));
  if (g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
    return g_variant_new_int64 (integer);
  real = g_ascii_strtod (text, NULL);
  return isfinite (real) ? g_variant_new_double (real) : NULL;
}

static gboolean
read_member (Reader *reader, GVariantBuilder *members)
{
  g_autofree char *name = NULL;
  GVariant *value;

  skip_blanks (reader);
  name = read_string (reader);
  skip_blanks (reader);
  if (name == NULL || !take (reader, ":") || (value = read_value (reader)) == NULL)
    return FALSE;
  g_variant_builder_add (members, "{sv}", name, value);
  return TRUE;
}

static gboolean
read_item (Reader *reader, GVariantBuilder *items)
{
  GVariant *value = read_value (reader);

  if (value == NULL)
    return FALSE;
  g_variant_builder_add (items, "v", value);
  return TRUE;
}

/* Objects and arrays: READ_ONE between commas, until CLOSE. */
static GVariant *
read_container (Reader *reader, const GVariantType *type, gboolean (*read_one) (Reader *, GVariantBuilder *),
                const char *close)
{
  g_auto (GVariantBuilder) parts = G_VARIANT_BUILDER_INIT (type);

  skip_blanks (reader);
  if (take (reader, close))
    return g_variant_builder_end (&parts);
  do {
    if (!read_one (reader, &parts))
      return NULL;
    skip_blanks (reader);
  } while (take (reader, ","));
  return take (reader, close) ? g_variant_builder_end (&parts) : NULL;
}

static GVariant *
read_scalar (Reader *reader)
{
  if (*reader->at == '"') {
    char *text = read_string (reader);

    return text != NULL ? g_variant_new_take_string (text) : NULL;
  }
  if (take (reader, "true"))
    return g_variant_new_boolean (TRUE);
  if (take (reader, "false"))
    return g_variant_new_boolean (FALSE);
  if (take (reader, "null"))
    return g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
  return read_number (reader);
}

/* (transfer floating): NULL where it is no value; reader->at then stands where it failed. */
static GVariant *
read_value (Reader *reader)
{
  GVariant *value;

  skip_blanks (reader);
  if (reader->depth == MAX_DEPTH)
    return NULL;
  reader->depth++;
  if (take (reader, "{"))
    value = read_container (reader, G_VARIANT_TYPE_VARDICT, read_member, "}");
  else if (take (reader, "["))
    value = read_container (reader, G_VARIANT_TYPE ("av"), read_item, "]");
  else
    value = read_scalar (reader);
  reader->depth--;
  return value;
}

GVariant *
json_read (const char *text, GError **error)
{
  Reader reader = { .start = text, .at = text, .depth = 0 };
  g_autoptr (GVariant) value = NULL;

  if (!g_utf8_validate (text, -1, &reader.at)) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "byte %" G_GSIZE_FORMAT " is not UTF-8",
                 (gsize) (reader.at - text));
    return NULL;
  }
  reader.at = text;
  value = read_value (&reader);
  if (value != NULL)
    g_variant_ref_sink (value);
  skip_blanks (&reader);
  if (value == NULL || *reader.at != '\0') {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "not JSON at byte %" G_GSIZE_FORMAT,
                 (gsize) (reader.at - text));
    return NULL;
  }
  return g_steal_pointer (&value);
}

const char *
json_get_string (GVariant *object, const char *member)
{
  const char *text = NULL;

  if (g_variant_is_of_type (object, G_VARIANT_TYPE_VARDICT))
    g_variant_lookup (object, member, "&s", &text);
  return text;
}

gint64
json_get_int64 (GVariant *object, const char *member, gint64 fallback)
{
  gint64 number = fallback;

  if (g_variant_is_of_type (object, G_VARIANT_TYPE_VARDICT))
    g_variant_lookup (object, member, "x", &number);
  return number;
}

GVariant *
json_get_array (GVariant *object, const char *member)
{
  GVariant *array = NULL;

  if (g_variant_is_of_type (object, G_VARIANT_TYPE_VARDICT))
    array = g_variant_lookup_value (object, member, G_VARIANT_TYPE ("av"));
  return array != NULL ? array : g_variant_ref_sink (g_variant_new ("av", NULL));
}

GVariant *
json_item (GVariant *array, gsize i)
{
  g_autoptr (GVariant) box = g_variant_get_child_value (array, i);

  return g_variant_get_variant (box);
}
