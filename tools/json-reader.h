/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json-reader: JSON into a GVariant, so that GVariant's functions do the rest.
 *
 *   object → a{sv}   array → av   string → s   number → x, or d where it has a
 *   fraction, an exponent or too many digits   true, false → b   null → mv (nothing)
 *
 * Strict (RFC 8259), at most 32 deep, because what it reads may come from another process.
 */
#ifndef CENOTE_TOOLS_JSON_READER_H
#define CENOTE_TOOLS_JSON_READER_H

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full): NULL with CENOTE_ERROR_INVALID naming the byte where it is no JSON. */
GVariant *json_read (const char *text, GError **error);

/* Members of an object: NULL (transfer none) or FALLBACK where absent, null or of another type. */
const char *json_get_string (GVariant *object, const char *member);
gint64 json_get_int64 (GVariant *object, const char *member, gint64 fallback);
/* (transfer full): an array, empty where absent. */
GVariant *json_get_array (GVariant *object, const char *member);
/* (transfer full): item I of an array, unwrapped. */
GVariant *json_item (GVariant *array, gsize i);

G_END_DECLS

#endif
