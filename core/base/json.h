/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: appends JSON to a GString.
 *
 * Owns nothing and keeps no state: whether a comma is due is read from the last
 * byte of the text, so the GString must hold nothing but the document being
 * written.  Compact output, no newline.  The caller pairs begin and end, and
 * writes one value after each json_name().
 *
 *   json_begin_object (out);
 *   json_member_string (out, "name", name);      -> {"name":"users","channels":[1,2]}
 *   json_name (out, "channels");
 *   json_begin_array (out);
 *   json_int64 (out, 1);
 *   json_int64 (out, 2);
 *   json_end_array (out);
 *   json_end_object (out);
 */
#ifndef CENOTE_CORE_JSON_H
#define CENOTE_CORE_JSON_H

#include <glib.h>

G_BEGIN_DECLS

/* Values: in an array, after json_name(), or alone. */
void json_begin_object (GString *out);
void json_end_object (GString *out);
void json_begin_array (GString *out);
void json_end_array (GString *out);
/* NULL is null; what is not UTF-8 becomes U+FFFD. */
void json_string (GString *out, const char *text);
void json_int64 (GString *out, gint64 number);
void json_bool (GString *out, gboolean truth);
void json_null (GString *out);
/* An array of strings; NULL is null. */
void json_strv (GString *out, const char *const *strings);

/* A member's name; its value comes next. */
void json_name (GString *out, const char *name);

/* A name and its value. */
void json_member_string (GString *out, const char *name, const char *text);
void json_member_int64 (GString *out, const char *name, gint64 number);
void json_member_bool (GString *out, const char *name, gboolean truth);
void json_member_strv (GString *out, const char *name, const char *const *strings);
/* A number that is absent where it is negative: null then. */
void json_member_optional (GString *out, const char *name, gint64 number);

G_END_DECLS

#endif
