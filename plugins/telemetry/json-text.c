/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-json: appends, and keeps nothing. */
#include "prometheus-json.h"

void
json_append_string (GString *out, const char *text)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;

  if (valid == NULL) {
    g_string_append (out, "null");
    return;
  }
  g_string_append_c (out, '"');
  for (const char *c = valid; *c != '\0'; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (out, "\\%c", *c);
    else if ((guchar) *c < 0x20)
      g_string_append_printf (out, "\\u%04x", (guint) *c);
    else
      g_string_append_c (out, *c);
  g_string_append_c (out, '"');
}

void
json_append_element (GString *out, gint64 number)
{
  if (out->str[out->len - 1] != '[')
    g_string_append_c (out, ',');
  if (number < 0)
    g_string_append (out, "null");
  else
    g_string_append_printf (out, "%" G_GINT64_FORMAT, number);
}
