/* SPDX-License-Identifier: Apache-2.0 */
/* escape: GKeyFile's escapes and lists. */
#include "escape.h"

#include <string.h>

static const struct {
  char letter;
  char meaning;
} escapes[] = { { 's', ' ' }, { 'n', '\n' }, { 't', '\t' }, { 'r', '\r' }, { '\\', '\\' } };

/* What \LETTER means, or NUL. */
static char
meaning_of (char letter, gboolean in_list)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (escapes); i++) {
    if (escapes[i].letter == letter)
      return escapes[i].meaning;
  }
  return in_list && letter == ';' ? ';' : '\0';
}

static char *
bad_escape (const char *at, gboolean in_list)
{
  if (at[1] == '\0')
    return g_strdup ("ends with a single \\ (write \\\\ for a backslash)");
  return g_strdup_printf ("\\%.*s is not an escape (\\s, \\n, \\t, \\r, \\\\%s)",
                          (int) (g_utf8_next_char (at + 1) - at - 1), at + 1,
                          in_list ? " and \\;" : "; \\; only in a list");
}

static char *
undo (const char *raw, gsize length, gboolean in_list, char **out_problem)
{
  g_autoptr (GString) text = g_string_sized_new (length);
  const char *p, *end = raw + length;

  for (p = raw; p < end; p++) {
    char c = *p;

    if (c == '\\') {
      c = p + 1 < end ? meaning_of (p[1], in_list) : '\0';
      if (c == '\0') {
        *out_problem = bad_escape (p, in_list);
        return NULL;
      }
      p++;
    }
    g_string_append_c (text, c);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
escape_undo (const char *raw, char **out_problem)
{
  return undo (raw, strlen (raw), FALSE, out_problem);
}

/* Where the element that begins at P ends: at an unescaped ';' or the end. */
static const char *
element_end (const char *p)
{
  while (*p != '\0' && *p != ';')
    p += *p == '\\' && p[1] != '\0' ? 2 : 1;
  return p;
}

/* An element without the blanks around it; a blank at its end that is escaped ("\ ") stays, to be refused. */
static char *
read_element (const char *begin, const char *end, char **out_problem)
{
  while (begin < end && g_ascii_isspace (*begin))
    begin++;
  while (end > begin && g_ascii_isspace (end[-1]) && !(end - 1 > begin && end[-2] == '\\'))
    end--;
  if (begin == end) {
    *out_problem = g_strdup ("has an empty element (elements are separated by one ;)");
    return NULL;
  }
  return undo (begin, (gsize) (end - begin), TRUE, out_problem);
}

char **
escape_split (const char *raw, char **out_problem)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (g_free);
  const char *begin = raw, *end;
  char *item;

  while (*begin != '\0') {
    end = element_end (begin);
    item = read_element (begin, end, out_problem);
    if (item == NULL)
      return NULL;
    g_ptr_array_add (items, item);
    begin = *end == ';' ? end + 1 : end;
  }
  g_ptr_array_add (items, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&items), FALSE);
}

/* A blank needs its escape only where it would be dropped: at either end. */
static gboolean
must_escape (const char *text, const char *p, gboolean in_list)
{
  if (*p == ' ')
    return p == text || p[1] == '\0';
  return (*p == ';' && in_list) || *p == '\\' || *p == '\n' || *p == '\t' || *p == '\r';
}

static char
letter_for (char c)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (escapes); i++) {
    if (escapes[i].meaning == c)
      return escapes[i].letter;
  }
  return c;
}

char *
escape_write (const char *text, gboolean in_list)
{
  GString *raw = g_string_new (NULL);
  const char *p;

  for (p = text; *p != '\0'; p++) {
    if (p[0] == '$' && p[1] == '{')
      g_string_append (raw, "$$");
    else if (must_escape (text, p, in_list))
      g_string_append_printf (raw, "\\%c", letter_for (*p));
    else
      g_string_append_c (raw, *p);
  }
  return g_string_free (raw, FALSE);
}
