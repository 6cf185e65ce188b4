/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table: rows of cells in columns as wide as their widest cell.
 *
 * Cells are made safe for a terminal.
 */
#ifndef CENOTE_TOOLS_TABLE_H
#define CENOTE_TOOLS_TABLE_H

#include "terminal.h"

G_BEGIN_DECLS

typedef struct Table Table;

/* HEADINGS: NULL-terminated; one that begins with '>' makes a column of numbers, aligned to the right. */
Table *table_new (const char *const *headings);
void table_free (Table *table);

/* The next cell, row after row; NULL is "-". */
void table_add (Table *table, Colour colour, const char *text);
void table_add_number (Table *table, gint64 number);
void table_add_ms (Table *table, gint64 ms);

/* Appends the headings and the rows, each line after INDENT. */
void table_write (const Table *table, const Terminal *terminal, const char *indent, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Table, table_free)

G_END_DECLS

#endif
