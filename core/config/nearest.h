/* SPDX-License-Identifier: Apache-2.0 */
/* nearest: how far two words are apart, for hints.  Pure. */
#ifndef CENOTE_CORE_NEAREST_H
#define CENOTE_CORE_NEAREST_H

#include <glib.h>

G_BEGIN_DECLS

/* The least number of bytes to insert, delete, replace, or swap with their
 * neighbour that turns A into B; any number above LIMIT where it is more than LIMIT. */
guint nearest_distance (const char *a, const char *b, guint limit);

G_END_DECLS

#endif
