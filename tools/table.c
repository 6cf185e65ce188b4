/* SPDX-License-Identifier: Apache-2.0 */
/* table: rows of cells in columns as wide as their widest cell.  See table.h. */
#include "table.h"

#define GAP 2

typedef struct Cell {
  char *text;
  glong width;               /* in characters */
  Colour colour;
} Cell;

struct Table {
  guint n_columns;
  gboolean *right;           /* for each column */
  GArray *cells;             /* of Cell; the first row is the headings */
};

static void
cell_clear (gpointer cell)
{
  g_free (((Cell *) cell)->text);
}

Table *
table_new (const char *const *headings)
{
  Table *table = g_new0 (Table, 1);

  table->n_columns = g_strv_length ((char **) headings);
  table->right = g_new0 (gboolean, table->n_columns);
  table->cells = g_array_new (FALSE, FALSE, sizeof (Cell));
  g_array_set_clear_func (table->cells, cell_clear);
  for (guint i = 0; i < table->n_columns; i++) {
    table->right[i] = headings[i][0] == '>';
    table_add (table, COLOUR_DIM, headings[i] + (table->right[i] ? 1 : 0));
  }
  return table;
}

void
table_free (Table *table)
{
  if (table == NULL)
    return;
  g_array_unref (table->cells);
  g_free (table->right);
  g_free (table);
}

void
table_add (Table *table, Colour colour, const char *text)
{
  Cell cell = { .text = terminal_safe (text != NULL ? text : "-"), .colour = colour };

  cell.width = g_utf8_strlen (cell.text, -1);
  g_array_append_val (table->cells, cell);
}

void
table_add_number (Table *table, gint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);

  table_add (table, COLOUR_PLAIN, text);
}

void
table_add_ms (Table *table, gint64 ms)
{
  g_autofree char *text = format_ms (ms);

  table_add (table, COLOUR_PLAIN, text);
}

static glong
column_width (const Table *table, guint column)
{
  glong width = 0;

  for (guint i = column; i < table->cells->len; i += table->n_columns)
    width = MAX (width, g_array_index (table->cells, Cell, i).width);
  return width;
}

static void
append_blanks (GString *out, glong n)
{
  for (glong i = 0; i < n; i++)
    g_string_append_c (out, ' ');
}

static void
write_row (const Table *table, guint row, const glong *widths, const Terminal *terminal, GString *out)
{
  for (guint i = 0; i < table->n_columns; i++) {
    const Cell *cell = &g_array_index (table->cells, Cell, row * table->n_columns + i);
    gboolean last = i + 1 == table->n_columns;

    append_blanks (out, i > 0 ? GAP : 0);
    if (table->right[i])
      append_blanks (out, widths[i] - cell->width);
    terminal_paint (terminal, out, cell->colour, cell->text);
    if (!table->right[i] && !last)
      append_blanks (out, widths[i] - cell->width);
  }
  g_string_append_c (out, '\n');
}

void
table_write (const Table *table, const Terminal *terminal, const char *indent, GString *out)
{
  g_autofree glong *widths = g_new (glong, table->n_columns);

  for (guint i = 0; i < table->n_columns; i++)
    widths[i] = column_width (table, i);
  for (guint row = 0; row < table->cells->len / table->n_columns; row++) {
    g_string_append (out, indent);
    write_row (table, row, widths, terminal, out);
  }
}
