/* SPDX-License-Identifier: Apache-2.0 */
/*
 * escape: GKeyFile's escapes and lists: \s \n \t \r \\, and \; in lists.
 *
 * Done here rather than by GKeyFile because blanks around a list's elements are
 * dropped before an escaped blank becomes one, and because each fault is told in
 * our words.  Pure.
 */
#ifndef CENOTE_CORE_ESCAPE_H
#define CENOTE_CORE_ESCAPE_H

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full) (nullable): RAW as a scalar.  NULL: *OUT_PROBLEM (transfer full) says why. */
char *escape_undo (const char *raw, char **out_problem);
/* (transfer full) (nullable): RAW as a list split at ';', blanks around elements
 * dropped; one ';' may end the list, and an empty RAW is an empty list.
 * NULL: *OUT_PROBLEM (transfer full) says why (an empty element, a bad escape). */
char **escape_split (const char *raw, char **out_problem);
/* (transfer full): TEXT as a keyfile would write it, so that it reads back as it
 * is; IN_LIST: as an element. */
char *escape_write (const char *text, gboolean in_list);

G_END_DECLS

#endif
