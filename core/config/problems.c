/* SPDX-License-Identifier: Apache-2.0 */
/* problems: everything that is wrong with a keyfile, one line each, sorted by line. */
#include "problems.h"

#include <cenote/error.h>
#include <string.h>

typedef struct Problem {
  guint line;
  char *text;
} Problem;

struct Problems {
  char *file;
  GArray *list;              /* of Problem, in the order of adding */
  guint left_out;            /* above PROBLEMS_MAX */
};

static void
problem_clear (gpointer data)
{
  g_free (((Problem *) data)->text);
}

Problems *
problems_new (const char *file)
{
  Problems *problems = g_new0 (Problems, 1);

  problems->file = g_strdup (file);
  problems->list = g_array_new (FALSE, FALSE, sizeof (Problem));
  g_array_set_clear_func (problems->list, problem_clear);
  return problems;
}

void
problems_free (Problems *problems)
{
  if (problems == NULL)
    return;
  g_array_unref (problems->list);
  g_free (problems->file);
  g_free (problems);
}

static void
append_place (GString *text, const char *file, guint line)
{
  if (line == PROBLEMS_PROGRAM)
    g_string_append (text, "(program): ");
  else if (line == 0)
    g_string_append_printf (text, "%s: ", file);
  else
    g_string_append_printf (text, "%s:%u: ", file, line);
}

static void
append_subject (GString *text, const char *group, const char *key)
{
  if (group != NULL)
    g_string_append_printf (text, "[%s]%s", group, key != NULL ? " " : ": ");
  if (key != NULL)
    g_string_append_printf (text, "%s: ", key);
}

/* TEXT as one short line of UTF-8, whatever a keyfile or a plugin has put into it. */
static char *
one_line (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *line = g_string_new (NULL);
  const char *p;

  for (p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (g_unichar_iscntrl (c))
      g_string_append_printf (line, "\\x%02x", c);
    else
      g_string_append_unichar (line, c);
    if (line->len > PROBLEM_LENGTH_MAX) {
      g_string_append (line, "…");
      break;
    }
  }
  return g_string_free (line, FALSE);
}

void
problems_add (Problems *problems, guint line, const char *group, const char *key, const char *format, ...)
{
  g_autoptr (GString) text = NULL;
  Problem problem = { .line = line };
  va_list arguments;

  if (problems->list->len == PROBLEMS_MAX) {
    problems->left_out++;
    return;
  }
  text = g_string_new (NULL);
  append_place (text, problems->file, line);
  append_subject (text, group, key);
  va_start (arguments, format);
  g_string_append_vprintf (text, format, arguments);
  va_end (arguments);
  problem.text = one_line (text->str);
  g_array_append_val (problems->list, problem);
}

void
problems_add_all (Problems *problems, const Problems *others)
{
  guint i;

  for (i = 0; i < others->list->len && problems->list->len < PROBLEMS_MAX; i++) {
    Problem problem = g_array_index (others->list, Problem, i);

    problem.text = g_strdup (problem.text);
    g_array_append_val (problems->list, problem);
  }
  problems->left_out += others->left_out + (others->list->len - i);
}

guint
problems_count (const Problems *problems)
{
  return problems->list->len + problems->left_out;
}

/* g_array_sort() keeps equal elements in no stated order, so the index decides between them. */
static gint
compare_by_line (gconstpointer a, gconstpointer b, gpointer data)
{
  const GArray *list = data;
  guint i = *(const guint *) a, j = *(const guint *) b;
  guint line_i = g_array_index (list, Problem, i).line, line_j = g_array_index (list, Problem, j).line;

  if (line_i != line_j)
    return line_i < line_j ? -1 : 1;
  return i < j ? -1 : i > j;
}

static guint *
sorted_order (const Problems *problems)
{
  guint *order = g_new (guint, problems->list->len + 1);
  guint i;

  for (i = 0; i < problems->list->len; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint) problems->list->len, sizeof order[0], compare_by_line, problems->list);
  return order;
}

char **
problems_to_strv (const Problems *problems)
{
  g_autofree guint *order = sorted_order (problems);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *lines = g_ptr_array_new ();
  guint i;

  for (i = 0; i < problems->list->len; i++) {
    char *text = g_array_index (problems->list, Problem, order[i]).text;

    if (g_hash_table_add (seen, text))
      g_ptr_array_add (lines, g_strdup (text));
  }
  if (problems->left_out > 0)
    g_ptr_array_add (lines, g_strdup_printf ("%s: and %u more", problems->file, problems->left_out));
  g_ptr_array_add (lines, NULL);
  return (char **) g_ptr_array_free (lines, FALSE);
}

char *
problems_to_string (const Problems *problems)
{
  g_auto (GStrv) lines = problems_to_strv (problems);

  return g_strjoinv ("\n", lines);
}

gboolean
problems_check (const Problems *problems, GError **error)
{
  g_autofree char *text = NULL;

  if (problems_count (problems) == 0)
    return TRUE;
  text = problems_to_string (problems);
  g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG, text);
  return FALSE;
}
