/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan: one pass over a keyfile's lines before GKeyFile reads them.
 *
 * It gives what GKeyFile does not: the line of every group and key, every syntax
 * fault (not only the first), groups and keys given twice, key[locale], NUL and
 * text that is not UTF-8.  The lines are GKeyFile's: they end with \n or \r\n, and
 * blanks before a header, a key or a comment's # do not count.
 *
 * What is left for GKeyFile is the same lines with each faulty one blank, so that
 * one bad line hides nothing of the rest.  A BOM is skipped.  Pure.
 */
#ifndef CENOTE_CORE_SCAN_H
#define CENOTE_CORE_SCAN_H

#include "problems.h"

G_BEGIN_DECLS

typedef struct Scan Scan;

/* DATA need not end with a NUL and may hold any bytes.  HINTS: what is legal but looks wrong. */
Scan *scan_new (const char *data, gsize length, Problems *problems, Problems *hints);
void scan_free (Scan *scan);

/* The line, from 1, of a group's header or a key; 0: there is none. */
guint scan_group_line (const Scan *scan, const char *group);
guint scan_key_line (const Scan *scan, const char *group, const char *key);
/* (transfer none) (nullable): of char *: with which words the lines of GROUP begin that could not be read. */
const GPtrArray *scan_lost_keys (const Scan *scan, const char *group);
/* The sound lines: what g_key_file_load_from_data() takes. */
const char *scan_text (const Scan *scan, gsize *out_length);
/* Whether some group's header could not be read, so that what it held is unknown. */
gboolean scan_lost_a_group (const Scan *scan);

/* The hint for a VALUE that seems to have a comment behind it. */
void scan_hint_comment (Problems *hints, guint line, const char *group, const char *key, const char *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scan, scan_free)

G_END_DECLS

#endif
