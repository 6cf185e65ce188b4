/* SPDX-License-Identifier: Apache-2.0 */
/* json-text: text as JSON has it; for every sink that writes some. */
#ifndef CENOTE_TELEMETRY_JSON_TEXT_H
#define CENOTE_TELEMETRY_JSON_TEXT_H

#include <glib.h>

/* TEXT as a JSON string, or null where it is NULL; what is not UTF-8 becomes U+FFFD. */
void json_append_string (GString *out, const char *text);

#endif
