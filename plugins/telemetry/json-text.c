/* SPDX-License-Identifier: Apache-2.0 */
/* json-text: appends, and keeps nothing. */
#include "json-text.h"

static void
append_escaped (GString *out, char byte)
{
  if (byte == '"' || byte == '\\')
    g_string_append_c (out, '\\');
  if (byte == '\n')
    g_string_append (out, "\\n");
  else if ((guchar) byte < 0x20 || byte == 0x7f)
    g_string_append_printf (out, "\\u%04x", (guint) byte);
  else
    g_string_append_c (out, byte);
}

void
json_append_string (GString *out, const char *text)
{
  g_autofree char *valid = text == NULL || g_utf8_validate (text, -1, NULL) ? NULL : g_utf8_make_valid (text, -1);

  if (text == NULL) {
    g_string_append (out, "null");
    return;
  }
  g_string_append_c (out, '"');
  for (const char *byte = valid != NULL ? valid : text; *byte != '\0'; byte++)
    append_escaped (out, *byte);
  g_string_append_c (out, '"');
}
