/* SPDX-License-Identifier: Apache-2.0 */
/* json: appends JSON to a GString.  See json.h; no lock, any thread, one writer a string. */
#include "json.h"

#include <string.h>

/* A value is the first of its place after nothing, '{', '[' or a name's ':'.
 * No value ends in one of these, because strings end in '"'. */
static void
separate (GString *out)
{
  if (out->len > 0 && strchr ("{[:", out->str[out->len - 1]) == NULL)
    g_string_append_c (out, ',');
}

void
json_begin_object (GString *out)
{
  separate (out);
  g_string_append_c (out, '{');
}

void
json_end_object (GString *out)
{
  g_string_append_c (out, '}');
}

void
json_begin_array (GString *out)
{
  separate (out);
  g_string_append_c (out, '[');
}

void
json_end_array (GString *out)
{
  g_string_append_c (out, ']');
}

static void
append_escaped (GString *out, char byte)
{
  switch (byte) {
  case '"':
    g_string_append (out, "\\\"");
    break;
  case '\\':
    g_string_append (out, "\\\\");
    break;
  case '\n':
    g_string_append (out, "\\n");
    break;
  case '\t':
    g_string_append (out, "\\t");
    break;
  default:
    if ((guchar) byte < 0x20)
      g_string_append_printf (out, "\\u%04x", (guint) byte);
    else
      g_string_append_c (out, byte);
    break;
  }
}

static void
append_quoted (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_validate (text, -1, NULL) ? NULL : g_utf8_make_valid (text, -1);

  g_string_append_c (out, '"');
  for (const char *byte = valid != NULL ? valid : text; *byte != '\0'; byte++)
    append_escaped (out, *byte);
  g_string_append_c (out, '"');
}

void
json_string (GString *out, const char *text)
{
  separate (out);
  if (text == NULL)
    g_string_append (out, "null");
  else
    append_quoted (out, text);
}

void
json_int64 (GString *out, gint64 number)
{
  separate (out);
  g_string_append_printf (out, "%" G_GINT64_FORMAT, number);
}

void
json_bool (GString *out, gboolean truth)
{
  separate (out);
  g_string_append (out, truth ? "true" : "false");
}

void
json_null (GString *out)
{
  separate (out);
  g_string_append (out, "null");
}

void
json_strv (GString *out, const char *const *strings)
{
  if (strings == NULL) {
    json_null (out);
    return;
  }
  json_begin_array (out);
  for (; *strings != NULL; strings++)
    json_string (out, *strings);
  json_end_array (out);
}

void
json_name (GString *out, const char *name)
{
  separate (out);
  append_quoted (out, name);
  g_string_append_c (out, ':');
}

void
json_member_string (GString *out, const char *name, const char *text)
{
  json_name (out, name);
  json_string (out, text);
}

void
json_member_int64 (GString *out, const char *name, gint64 number)
{
  json_name (out, name);
  json_int64 (out, number);
}

void
json_member_bool (GString *out, const char *name, gboolean truth)
{
  json_name (out, name);
  json_bool (out, truth);
}

void
json_member_strv (GString *out, const char *name, const char *const *strings)
{
  json_name (out, name);
  json_strv (out, strings);
}

void
json_member_optional (GString *out, const char *name, gint64 number)
{
  json_name (out, name);
  if (number < 0)
    json_null (out);
  else
    json_int64 (out, number);
}
