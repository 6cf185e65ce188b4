/* SPDX-License-Identifier: Apache-2.0 */
/* nearest: Damerau and Levenshtein's distance (optimal string alignment), three rows at a time. */
#include "nearest.h"

#include <string.h>

static guint
cheapest (guint a, guint b, guint c)
{
  return MIN (MIN (a, b), c);
}

/* Fills ROW (for a[i]) from the two rows before; returns its smallest cell. */
static guint
fill_row (const char *a, const char *b, gsize i, gsize n_b, const guint *before2, const guint *before1, guint *row)
{
  guint smallest = row[0] = (guint) i + 1;
  gsize j;

  for (j = 0; j < n_b; j++) {
    guint replaced = before1[j] + (a[i] == b[j] ? 0 : 1);

    row[j + 1] = cheapest (before1[j + 1] + 1, row[j] + 1, replaced);
    if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
      row[j + 1] = MIN (row[j + 1], before2[j - 1] + 1);
    smallest = MIN (smallest, row[j + 1]);
  }
  return smallest;
}

guint
nearest_distance (const char *a, const char *b, guint limit)
{
  gsize n_a = strlen (a), n_b = strlen (b), i;
  g_autofree guint *cells = NULL;
  guint *before2, *before1, *row, *spare;

  if (MAX (n_a, n_b) - MIN (n_a, n_b) > limit)
    return limit + 1;
  cells = g_new (guint, 3 * (n_b + 1));
  before2 = cells;
  before1 = before2 + n_b + 1;
  row = before1 + n_b + 1;
  for (i = 0; i <= n_b; i++)
    before1[i] = (guint) i;
  for (i = 0; i < n_a; i++) {
    if (fill_row (a, b, i, n_b, before2, before1, row) > limit + 1)
      return limit + 1;
    spare = before2;
    before2 = before1;
    before1 = row;
    row = spare;
  }
  return before1[n_b];
}
