/* SPDX-License-Identifier: Apache-2.0 */
/* option: reads one option's text by its row, and writes it back. */
#include "option.h"

#include <string.h>

#include "escape.h"
#include "nearest.h"
#include "quantity.h"

/* As much of a wrong value as a problem repeats, in characters. */
#define SHOWN_MAX 60

/* ------------------------------------------------------------------ tables */

void
option_table_row (const OptionTable *table, guint i, CenoteOption *out_row)
{
  const char *row = (const char *) table->rows + (gsize) i * table->row_size;

  memset (out_row, 0, sizeof *out_row);
  memcpy (out_row, row, MIN (table->row_size, sizeof *out_row));
}

gint
option_table_find (const OptionTable *table, const char *name)
{
  CenoteOption row;
  guint i;

  for (i = 0; i < table->n_rows; i++) {
    option_table_row (table, i, &row);
    if (strcmp (row.name, name) == 0)
      return (gint) i;
  }
  return -1;
}

char **
option_table_names (const OptionTable *table)
{
  char **names = g_new0 (char *, table->n_rows + 1);
  CenoteOption row;
  guint i;

  for (i = 0; i < table->n_rows; i++) {
    option_table_row (table, i, &row);
    names[i] = g_strdup (row.name);
  }
  return names;
}

const char *
option_type_name (CenoteOptionType type)
{
  static const char *const names[] = { "unknown", "string", "bool",     "int",  "double", "duration",
                                       "size",    "fraction", "enum", "path", "list" };

  return names[(guint) type < G_N_ELEMENTS (names) ? type : 0];
}

/* ------------------------------------------------------------------ values */

void
option_value_clear (CenoteValue *value)
{
  g_free ((char *) value->text);
  g_strfreev ((char **) value->list);
  memset (value, 0, sizeof *value);
}

void
option_value_copy (const CenoteValue *value, CenoteValue *out_value)
{
  *out_value = *value;
  out_value->text = g_strdup (value->text);
  out_value->list = (const char *const *) g_strdupv ((char **) value->list);
}

/* --------------------------------------------------------------- what is wrong */

/* TEXT as a problem shows it: quoted, short, and never a secret's. */
static char *
shown (const CenoteOption *row, const char *text)
{
  g_autofree char *begin = NULL;

  if (row->flags & CENOTE_OPTION_SECRET)
    return g_strdup ("the value");
  if (g_utf8_strlen (text, -1) <= SHOWN_MAX)
    return g_strdup_printf ("'%s'", text);
  begin = g_utf8_substring (text, 0, SHOWN_MAX);
  return g_strdup_printf ("'%s…'", begin);
}

static const char *
or_off (const CenoteOption *row)
{
  return row->flags & CENOTE_OPTION_MAY_BE_OFF ? ", or off" : "";
}

/* What a text of ROW's type looks like. */
static char *
describe_form (const CenoteOption *row)
{
  g_autofree char *range = option_format_range (row);

  switch ((CenoteOptionType) row->type) {
  case CENOTE_OPTION_BOOL:
    return g_strdup ("is not a boolean (true/false, yes/no, on/off or 1/0)");
  case CENOTE_OPTION_DURATION:
    return g_strdup_printf ("is not a duration (a number and us, ms, s, min or h, e.g. 500ms%s)", or_off (row));
  case CENOTE_OPTION_SIZE:
    return g_strdup ("is not a size (a number and B, KiB, MiB or GiB, e.g. 4MiB)");
  case CENOTE_OPTION_FRACTION:
    return g_strdup ("is not a fraction (e.g. 0.2 or 20%)");
  case CENOTE_OPTION_DOUBLE:
    return g_strdup_printf ("is not a number (%s)", range != NULL ? range : "e.g. 1.6");
  case CENOTE_OPTION_INT:
    return g_strdup_printf ("is not a whole number (%s)", range != NULL ? range : "e.g. 5");
  case CENOTE_OPTION_ENUM:
    return g_strdup_printf ("is none of %s", range);
  case CENOTE_OPTION_STRING:
  case CENOTE_OPTION_PATH:
  case CENOTE_OPTION_LIST:
    break;
  }
  return g_strdup ("is not what this option takes");
}

static char *
describe_failure (const CenoteOption *row, const char *text, QuantityResult result)
{
  g_autofree char *quoted = shown (row, text);
  g_autofree char *range = option_format_range (row);
  g_autofree char *form = NULL;

  switch (result) {
  case QUANTITY_TOO_LARGE:
    return g_strdup_printf ("%s is too large (%s)", quoted, range != NULL ? range : "it must fit in 64 bits");
  case QUANTITY_TOO_FINE:
    return g_strdup_printf ("%s is too fine (a whole number of %s)", quoted,
                            row->type == CENOTE_OPTION_SIZE ? "bytes" : "microseconds");
  case QUANTITY_OK:
  case QUANTITY_MALFORMED:
    break;
  }
  form = describe_form (row);
  return g_strdup_printf ("%s %s", quoted, form);
}

/* ------------------------------------------------------------------ reading */

static QuantityResult
read_bool (const char *text, gint64 *out)
{
  static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (words); i++) {
    if (strcmp (words[i], text) == 0) {
      *out = i % 2;
      return QUANTITY_OK;
    }
  }
  return QUANTITY_MALFORMED;
}

static QuantityResult
read_duration (const CenoteOption *row, const char *text, gint64 *out)
{
  if ((row->flags & CENOTE_OPTION_MAY_BE_OFF) == 0 || strcmp (text, "off") != 0)
    return quantity_read_duration (text, out);
  *out = CENOTE_OFF;
  return QUANTITY_OK;
}

/* Reads what is a number into OUT, whose other members stay as they are. */
static QuantityResult
read_number (const CenoteOption *row, const char *text, CenoteValue *out)
{
  switch ((CenoteOptionType) row->type) {
  case CENOTE_OPTION_BOOL:
    return read_bool (text, &out->number);
  case CENOTE_OPTION_INT:
    return quantity_read_int (text, &out->number);
  case CENOTE_OPTION_DOUBLE:
    return quantity_read_real (text, &out->real);
  case CENOTE_OPTION_DURATION:
    return read_duration (row, text, &out->number);
  case CENOTE_OPTION_SIZE:
    return quantity_read_size (text, &out->number);
  case CENOTE_OPTION_FRACTION:
    return quantity_read_fraction (text, &out->real);
  case CENOTE_OPTION_STRING:
  case CENOTE_OPTION_ENUM:
  case CENOTE_OPTION_PATH:
  case CENOTE_OPTION_LIST:
    break;
  }
  return QUANTITY_MALFORMED;
}

/* -1, 0 or 1 as VALUE is below, at or above the bound BOUND_TEXT; 0 where there is none. */
static int
compare_with_bound (const CenoteOption *row, const CenoteValue *value, const char *bound_text)
{
  CenoteValue bound = { 0 };

  if (bound_text == NULL || read_number (row, bound_text, &bound) != QUANTITY_OK)
    return 0;
  if (row->type == CENOTE_OPTION_DOUBLE || row->type == CENOTE_OPTION_FRACTION)
    return value->real < bound.real ? -1 : value->real > bound.real;
  return value->number < bound.number ? -1 : value->number > bound.number;
}

static gboolean
check_range (const CenoteOption *row, const char *text, const CenoteValue *value, char **out_problem)
{
  gboolean is_off = row->type == CENOTE_OPTION_DURATION && value->number == CENOTE_OFF;
  gboolean below = !is_off && compare_with_bound (row, value, row->min) < 0;
  gboolean above = !is_off && compare_with_bound (row, value, row->max) > 0;
  g_autofree char *range = NULL;
  g_autofree char *quoted = NULL;

  if (!below && !above)
    return TRUE;
  range = option_format_range (row);
  quoted = shown (row, text);
  *out_problem = g_strdup_printf ("%s is %s %s (%s)", quoted, below ? "below the minimum" : "above the maximum",
                                  below ? row->min : row->max, range);
  return FALSE;
}

static gboolean
parse_number (const CenoteOption *row, const char *text, CenoteValue *out, char **out_problem)
{
  QuantityResult result = read_number (row, text, out);

  if (result == QUANTITY_OK)
    return check_range (row, text, out, out_problem);
  *out_problem = describe_failure (row, text, result);
  return FALSE;
}

static char **
choices_of (const CenoteOption *row)
{
  return g_strsplit (row->choices != NULL ? row->choices : "", "|", -1);
}

static gboolean
parse_enum (const CenoteOption *row, const char *text, CenoteValue *out, char **out_problem)
{
  g_auto (GStrv) choices = choices_of (row);
  g_autofree char *wrong = NULL;
  const char *nearest;
  gint i;

  for (i = 0; choices[i] != NULL; i++) {
    if (strcmp (choices[i], text) == 0) {
      out->number = i;
      out->text = g_strdup (text);
      return TRUE;
    }
  }
  wrong = describe_failure (row, text, QUANTITY_MALFORMED);
  nearest = row->flags & CENOTE_OPTION_SECRET ? NULL : option_nearest (text, (const char *const *) choices);
  *out_problem = nearest == NULL ? g_steal_pointer (&wrong) : g_strdup_printf ("%s (nearest: %s)", wrong, nearest);
  return FALSE;
}

static gboolean
parse_list (const CenoteOption *row, const char *text, CenoteValue *out, char **out_problem)
{
  g_auto (GStrv) items = escape_split (text, out_problem);

  return items != NULL && option_parse_list (row, (const char *const *) items, out, out_problem);
}

static gboolean
parse_into (const CenoteOption *row, const char *text, CenoteValue *out, char **out_problem)
{
  switch ((CenoteOptionType) row->type) {
  case CENOTE_OPTION_LIST:
    return parse_list (row, text, out, out_problem);
  case CENOTE_OPTION_ENUM:
    return parse_enum (row, text, out, out_problem);
  case CENOTE_OPTION_PATH:
    if (*text == '\0') {
      *out_problem = g_strdup ("is empty (the path of a file)");
      return FALSE;
    }
    out->text = g_strdup (text);
    return TRUE;
  case CENOTE_OPTION_STRING:
    out->text = g_strdup (text);
    return TRUE;
  case CENOTE_OPTION_BOOL:
  case CENOTE_OPTION_INT:
  case CENOTE_OPTION_DOUBLE:
  case CENOTE_OPTION_DURATION:
  case CENOTE_OPTION_SIZE:
  case CENOTE_OPTION_FRACTION:
    break;
  }
  return parse_number (row, text, out, out_problem);
}

gboolean
option_parse (const CenoteOption *row, const char *text, CenoteValue *out_value, char **out_problem)
{
  CenoteValue value = { 0 };

  if (!parse_into (row, text, &value, out_problem))
    return FALSE;
  value.is_set = true;
  *out_value = value;
  return TRUE;
}

gboolean
option_parse_list (const CenoteOption *row, const char *const *items, CenoteValue *out_value, char **out_problem)
{
  const CenoteOption length_row = { .type = CENOTE_OPTION_INT, .min = row->min, .max = row->max };
  CenoteValue value = { .is_set = true, .number = g_strv_length ((char **) items) };
  g_autofree char *range = NULL;

  if (compare_with_bound (&length_row, &value, row->min) < 0
      || compare_with_bound (&length_row, &value, row->max) > 0) {
    range = option_format_range (row);
    *out_problem = g_strdup_printf ("has %" G_GINT64_FORMAT " elements (%s)", value.number, range);
    return FALSE;
  }
  value.list = (const char *const *) g_strdupv ((char **) items);
  *out_value = value;
  return TRUE;
}

/* ------------------------------------------------------------------ writing */

static char *
format_list (const char *const *list)
{
  GString *text = g_string_new (NULL);
  gsize i;

  for (i = 0; list != NULL && list[i] != NULL; i++) {
    g_autofree char *item = escape_write (list[i], TRUE);

    g_string_append_printf (text, "%s%s", i == 0 ? "" : ";", item);
  }
  return g_string_free (text, FALSE);
}

char *
option_format (const CenoteOption *row, const CenoteValue *value)
{
  if (!value->is_set)
    return g_strdup ("(none)");
  if (row->flags & CENOTE_OPTION_SECRET)
    return g_strdup ("(secret)");
  switch ((CenoteOptionType) row->type) {
  case CENOTE_OPTION_BOOL:
    return g_strdup (value->number ? "yes" : "no");
  case CENOTE_OPTION_INT:
    return g_strdup_printf ("%" G_GINT64_FORMAT, value->number);
  case CENOTE_OPTION_DOUBLE:
  case CENOTE_OPTION_FRACTION:
    return quantity_write_real (value->real);
  case CENOTE_OPTION_DURATION:
    return value->number == CENOTE_OFF ? g_strdup ("off") : quantity_write_duration (value->number);
  case CENOTE_OPTION_SIZE:
    return quantity_write_size (value->number);
  case CENOTE_OPTION_LIST:
    return format_list (value->list);
  case CENOTE_OPTION_STRING:
  case CENOTE_OPTION_ENUM:
  case CENOTE_OPTION_PATH:
    break;
  }
  return row->flags & OPTION_RAW ? g_strdup (value->text) : escape_write (value->text, FALSE);
}

static char *
format_bounds (const CenoteOption *row, const char *unit)
{
  if (row->min != NULL && row->max != NULL)
    return g_strdup_printf ("%s to %s%s%s", row->min, row->max, unit, or_off (row));
  if (row->min != NULL)
    return g_strdup_printf ("at least %s%s%s", row->min, unit, or_off (row));
  if (row->max != NULL)
    return g_strdup_printf ("at most %s%s%s", row->max, unit, or_off (row));
  return row->flags & CENOTE_OPTION_MAY_BE_OFF ? g_strdup ("or off") : NULL;
}

char *
option_format_range (const CenoteOption *row)
{
  g_auto (GStrv) choices = NULL;

  switch ((CenoteOptionType) row->type) {
  case CENOTE_OPTION_ENUM:
    choices = choices_of (row);
    return g_strjoinv (", ", choices);
  case CENOTE_OPTION_LIST:
    return format_bounds (row, " elements");
  case CENOTE_OPTION_INT:
  case CENOTE_OPTION_DOUBLE:
  case CENOTE_OPTION_DURATION:
  case CENOTE_OPTION_SIZE:
  case CENOTE_OPTION_FRACTION:
    return format_bounds (row, "");
  case CENOTE_OPTION_STRING:
  case CENOTE_OPTION_BOOL:
  case CENOTE_OPTION_PATH:
    break;
  }
  return NULL;
}

/* ------------------------------------------------------------------ nearest */

/* How far CANDIDATE is from what NAME may have meant; a prefix of it counts as one step. */
static guint
distance_to (const char *name, const char *candidate, guint limit)
{
  guint distance = nearest_distance (name, candidate, limit);

  if (*name != '\0' && g_str_has_prefix (candidate, name))
    distance = MIN (distance, 1);
  return distance;
}

const char *
option_nearest (const char *name, const char *const *candidates)
{
  guint limit = (guint) MAX (1, MIN (strlen (name), G_MAXINT) / 3);
  const char *nearest = NULL;
  guint best = limit + 1;
  gsize i;

  for (i = 0; candidates[i] != NULL; i++) {
    guint distance = distance_to (name, candidates[i], limit);

    if (distance < best) {
      best = distance;
      nearest = candidates[i];
    }
  }
  return nearest;
}
