/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call-input: what `cenote call` is given to send: a method's path, a message, metadata.
 *
 * Errors are CENOTE_ERROR_INVALID and name what is wrong with the words as they were
 * given; values of metadata are not shown, they may be secrets.
 */
#ifndef CENOTE_TOOLS_CALL_INPUT_H
#define CENOTE_TOOLS_CALL_INPUT_H

#include <cenote/call.h>

G_BEGIN_DECLS

/* The largest message that is read. */
#define CALL_INPUT_MAX_BYTES (G_GINT64_CONSTANT (1) << 30)

/* (transfer full) (nullable): "/package.Service/Method", also of TEXT without its first slash. */
char *call_input_method (const char *text, GError **error);

/* (transfer full) (nullable): the bytes of "0a 05 68"; blanks may stand anywhere. */
GBytes *call_input_hex (const char *text, GError **error);
/* (transfer full): the same the other way, without blanks. */
char *call_input_to_hex (GBytes *bytes);
/* (transfer full) (nullable): all that is in the file PATH, or on stdin where it is "-". */
GBytes *call_input_file (const char *path, GError **error);

typedef struct CallMetadata {
  GArray *rows;              /* of CenoteMetadatum, whose strings are owned */
} CallMetadata;

/* Adds "key: value"; of a key that ends in -bin VALUE is base64.  Keys become lower case, as HTTP means them. */
gboolean call_metadata_add (CallMetadata *metadata, const char *text, GError **error);
void call_metadata_clear (CallMetadata *metadata);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CallMetadata, call_metadata_clear)

G_END_DECLS

#endif
