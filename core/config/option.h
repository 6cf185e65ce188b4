/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option: reads one option's text by its row, and writes it back.
 *
 * One row type (CenoteOption, <cenote/plugin.h>) serves the process, the pools
 * and every plugin; parsing, ranges, defaults, hints, `explain` and the manual
 * come from it.  Pure: no files, no environment, no logging.
 *
 * min and max hold for INT, DOUBLE, DURATION, SIZE and FRACTION; for a LIST they
 * are the least and the largest number of elements.  CENOTE_OFF is in every range.
 */
#ifndef CENOTE_CORE_OPTION_H
#define CENOTE_CORE_OPTION_H

#include <cenote/plugin.h>
#include <glib.h>

G_BEGIN_DECLS

/* A table of rows as the core walks it; row_size may be smaller than sizeof
 * (CenoteOption) for a plugin built with an older header, so use option_table_row(). */
typedef struct OptionTable {
  const CenoteOption *rows;
  guint n_rows;
  guint row_size;
} OptionTable;

/* A flag of the core's own rows: the text is taken as it stands, without escapes and
 * ${VAR}, and shown so.  Plugins' rows may not have it. */
#define OPTION_RAW (1u << 31)

#define OPTION_TABLE(array) { (array), G_N_ELEMENTS (array), sizeof (CenoteOption) }

/* Copies row I into OUT_ROW, absent members zero. */
void option_table_row (const OptionTable *table, guint i, CenoteOption *out_row);
/* The row of NAME, or -1. */
gint option_table_find (const OptionTable *table, const char *name);
/* (transfer full): the names, NULL-terminated. */
char **option_table_names (const OptionTable *table);

/* Reads the scalar TEXT by ROW into OUT_VALUE (which owns its memory; clear with
 * option_value_clear()).  FALSE: *OUT_PROBLEM (transfer full) says what is wrong and
 * what would be right, e.g. "'5x' is not a duration (a number and us, ms, s, min or h, e.g. 500ms)",
 * "0 is below the minimum 1", "'sometimes' is none of full, none".  Never shows a secret's text. */
gboolean option_parse (const CenoteOption *row, const char *text, CenoteValue *out_value, char **out_problem);
/* The same for a LIST that has already been split and unescaped. */
gboolean option_parse_list (const CenoteOption *row, const char *const *items, CenoteValue *out_value,
                            char **out_problem);
void option_value_clear (CenoteValue *value);
void option_value_copy (const CenoteValue *value, CenoteValue *out_value);
/* (transfer full): as a user would write it; "(none)" if not set, "(secret)" for a secret that is set. */
char *option_format (const CenoteOption *row, const CenoteValue *value);
/* "duration", "size", … */
const char *option_type_name (CenoteOptionType type);
/* (transfer full) (nullable): the range as people read it: "1ms to 1h", "at least 1", "full, none". */
char *option_format_range (const CenoteOption *row);

/* (transfer none) (nullable): which of CANDIDATES (NULL-terminated) NAME most likely meant:
 * Damerau-Levenshtein distance at most a third of its length (at least 1), or a prefix. */
const char *option_nearest (const char *name, const char *const *candidates);

G_END_DECLS

#endif
