/* SPDX-License-Identifier: Apache-2.0 */
/* decimal: a number as digits and nothing else. */
#ifndef CENOTE_TELEMETRY_DECIMAL_H
#define CENOTE_TELEMETRY_DECIMAL_H

#include <glib.h>

/* FALSE, and OUT as it was, where TEXT is not a number from MIN to MAX.  GLib's own function lets a vertical tab, which
 * strtoull() takes for white space, stand before the digits. */
static inline gboolean
decimal_read (const char *text, guint64 min, guint64 max, guint64 *out)
{
  return g_ascii_isdigit (text[0]) && g_ascii_string_to_unsigned (text, 10, min, max, out, NULL);
}

#endif
