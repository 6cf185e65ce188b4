/* SPDX-License-Identifier: Apache-2.0 */
/* limit-text: which of a pool's keys a call met with.  Pure. */
#ifndef CENOTE_CORE_CALL_LIMIT_TEXT_H
#define CENOTE_CORE_CALL_LIMIT_TEXT_H

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full) (nullable): DETAILS, the text of a RESOURCE_EXHAUSTED, with the key of the pool's
 * that it speaks of; NULL: of none.  A peer may have limits too, and say the same words of its own
 * messages' size: those have another figure in them. */
char *limit_text (const char *details, gint64 max_message_bytes, gint64 max_metadata_bytes);

G_END_DECLS

#endif
