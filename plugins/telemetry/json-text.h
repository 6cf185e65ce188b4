/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-json: the few values that the page's data is made of. */
#ifndef CENOTE_PROMETHEUS_JSON_H
#define CENOTE_PROMETHEUS_JSON_H

#include <glib.h>

/* TEXT (nullable) as a JSON string; what is not UTF-8 becomes U+FFFD. */
void json_append_string (GString *out, const char *text);
/* NUMBER, or null where it is negative; with a comma before it unless it is the first of an array. */
void json_append_element (GString *out, gint64 number);

#endif
