/* SPDX-License-Identifier: Apache-2.0 */
/* scan: one pass over a keyfile's lines before GKeyFile reads them. */
#include "scan.h"

#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* More words than this are not kept: only the first faults of a file are told, too. */
#define LOST_KEYS_MAX PROBLEMS_MAX

struct Scan {
  GHashTable *groups;        /* title → line */
  GHashTable *keys;          /* "title\nkey" → line; neither holds a \n */
  GHashTable *lost_keys;     /* title → GPtrArray of words */
  guint n_lost_keys;
  GString *text;
  gboolean lost_a_group;
};

/* The pass itself. */
typedef struct Scanner {
  Scan *scan;
  Problems *problems;
  Problems *hints;
  guint line;
  char *group;               /* that the line belongs to; NULL: none */
  gboolean lost;             /* group is NULL because its header could not be read */
} Scanner;

static char *
key_id (const char *group, const char *key)
{
  return g_strconcat (group, "\n", key, NULL);
}

guint
scan_group_line (const Scan *scan, const char *group)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (scan->groups, group));
}

guint
scan_key_line (const Scan *scan, const char *group, const char *key)
{
  g_autofree char *id = key_id (group, key);

  return GPOINTER_TO_UINT (g_hash_table_lookup (scan->keys, id));
}

const GPtrArray *
scan_lost_keys (const Scan *scan, const char *group)
{
  return g_hash_table_lookup (scan->lost_keys, group);
}

const char *
scan_text (const Scan *scan, gsize *out_length)
{
  *out_length = scan->text->len;
  return scan->text->str;
}

gboolean
scan_lost_a_group (const Scan *scan)
{
  return scan->lost_a_group;
}

void
scan_hint_comment (Problems *hints, guint line, const char *group, const char *key, const char *value)
{
  if (strstr (value, " #") != NULL || strstr (value, "\t#") != NULL)
    problems_add (hints, line, group, key, "the value has a blank and # in it, and what follows is part of the value "
                  "(comments are whole lines that begin with #)");
}

/* ------------------------------------------------------------------ headers */

static void
lose_group (Scanner *scanner)
{
  g_clear_pointer (&scanner->group, g_free);
  scanner->lost = TRUE;
  scanner->scan->lost_a_group = TRUE;
}

static void
enter_group (Scanner *scanner, const char *title)
{
  guint first = scan_group_line (scanner->scan, title);

  g_free (scanner->group);
  scanner->group = g_strdup (title);
  scanner->lost = FALSE;
  if (first != 0)
    problems_add (scanner->problems, scanner->line, title, NULL,
                  "the group is given twice, first on line %u (put its keys there)", first);
  else
    g_hash_table_insert (scanner->scan->groups, g_strdup (title), GUINT_TO_POINTER (scanner->line));
  g_string_append_printf (scanner->scan->text, "[%s]", title);
}

/* As GKeyFile: no control character and no bracket in a group's name. */
static gboolean
is_title (const char *text)
{
  const char *p;

  for (p = text; *p != '\0'; p++) {
    if (g_ascii_iscntrl (*p) || *p == '[' || *p == ']')
      return FALSE;
  }
  return p > text;
}

/* What stands behind a header's ], or NULL for nothing but blanks. */
static const char *
text_behind (const char *close)
{
  const char *rest = close + 1 + strspn (close + 1, " \t");

  return *rest == '\0' ? NULL : rest;
}

/* TEXT begins with '['.  A header whose name can be told is taken in spite of its
 * fault, or all that it holds would look wrong as well. */
static void
scan_header (Scanner *scanner, const char *text)
{
  const char *close = strchr (text, ']');
  g_autofree char *title = close != NULL ? g_strndup (text + 1, (gsize) (close - text - 1)) : g_strdup (text + 1);

  if (close == NULL)
    problems_add (scanner->problems, scanner->line, NULL, NULL, "the group header has no ] ([%s])", g_strchomp (title));
  else if (*title == '\0')
    problems_add (scanner->problems, scanner->line, NULL, NULL, "the group has no name ([pool:NAME])");
  else if (!is_title (title))
    problems_add (scanner->problems, scanner->line, NULL, NULL,
                  "'%s' is not a group's name (letters, digits, '.', '_' and '-')", title);
  else if (text_behind (close) != NULL)
    problems_add (scanner->problems, scanner->line, title, NULL,
                  "there is text behind the group header (comments are whole lines "
                  "that begin with #)");
  if (is_title (title) && (close != NULL || strpbrk (title, " \t") == NULL))
    enter_group (scanner, title);
  else
    lose_group (scanner);
}

/* --------------------------------------------------------------------- keys */

/* Keeps the word that the faulty LINE begins with: most likely a key that is then not missing. */
static void
lose_key (Scanner *scanner, const char *line)
{
  gsize length = strcspn (line, "=:[ \t");
  GPtrArray *words;

  if (scanner->group == NULL || length == 0 || scanner->scan->n_lost_keys == LOST_KEYS_MAX)
    return;
  scanner->scan->n_lost_keys++;
  words = g_hash_table_lookup (scanner->scan->lost_keys, scanner->group);
  if (words == NULL) {
    words = g_ptr_array_new_with_free_func (g_free);
    g_hash_table_insert (scanner->scan->lost_keys, g_strdup (scanner->group), words);
  }
  g_ptr_array_add (words, g_strndup (line, length));
}

static void
fault (Scanner *scanner, const char *key, const char *what)
{
  problems_add (scanner->problems, scanner->line, scanner->group, key, "%s", what);
}

static void
scan_junk (Scanner *scanner, const char *text)
{
  lose_key (scanner, text);
  if (*text == ';' || g_str_has_prefix (text, "//"))
    fault (scanner, NULL, "the line is no group, key or comment (a comment begins with #)");
  else
    fault (scanner, NULL, "the line is no group, key or comment ([KIND:NAME], key=value or # comment)");
}

/* Whether KEY, with the = found behind it, is one that GKeyFile would keep. */
static gboolean
check_key (Scanner *scanner, const char *key)
{
  const char *bracket = strpbrk (key, "[]");

  gboolean has_url = strstr (key, "://") != NULL; /* which may hold a password */

  if (bracket != NULL || has_url)
    lose_key (scanner, key);
  if (has_url)
    fault (scanner, NULL, "the line has no = behind its key (key=value)");
  else if (*key == '\0')
    fault (scanner, NULL, "there is no key before the = (key=value)");
  else if (bracket != NULL && *bracket == '[' && g_str_has_suffix (key, "]"))
    fault (scanner, key, "a key has no locale here (write it without the brackets)");
  else if (bracket != NULL)
    fault (scanner, key, "a key has no brackets (lower-case letters, digits and '-')");
  else if (scanner->group == NULL && !scanner->lost)
    fault (scanner, key, "the key stands before the first group (put it below a [KIND:NAME] line)");
  else
    return scanner->group != NULL;
  return FALSE;
}

static void
enter_key (Scanner *scanner, const char *key, const char *value)
{
  guint first = scan_key_line (scanner->scan, scanner->group, key);

  if (first != 0) {
    problems_add (scanner->problems, scanner->line, scanner->group, key,
                  "the key is given twice, first on line %u (leave one out)", first);
    return;
  }
  g_hash_table_insert (scanner->scan->keys, key_id (scanner->group, key), GUINT_TO_POINTER (scanner->line));
  scan_hint_comment (scanner->hints, scanner->line, scanner->group, key, value);
  g_string_append_printf (scanner->scan->text, "%s=%s", key, value);
}

static void
scan_pair (Scanner *scanner, const char *text)
{
  const char *equals = strchr (text, '=');
  g_autofree char *key = NULL;

  if (equals == NULL) {
    scan_junk (scanner, text);
    return;
  }
  key = g_strchomp (g_strndup (text, (gsize) (equals - text)));
  if (check_key (scanner, key))
    enter_key (scanner, key, equals + 1);
}

/* -------------------------------------------------------------------- lines */

static gboolean
check_bytes (Scanner *scanner, const char *data, gsize length)
{
  const char *invalid;

  if (memchr (data, '\0', length) != NULL)
    problems_add (scanner->problems, scanner->line, scanner->group, NULL,
                  "the line has a NUL in it (a keyfile is text)");
  else if (!g_utf8_validate (data, (gssize) length, &invalid))
    problems_add (scanner->problems, scanner->line, scanner->group, NULL,
                  "the line is not UTF-8 (byte %u of it is 0x%02x)", (guint) (invalid - data) + 1,
                  (guint) (guchar) *invalid);
  else
    return TRUE;
  return FALSE;
}

/* Appends the line to the text where it is sound. */
static void
scan_line (Scanner *scanner, const char *data, gsize length)
{
  g_autofree char *line = g_strndup (data, length); /* up to a NUL */
  const char *text;

  for (text = line; g_ascii_isspace (*text); text++)
    ;
  if (!check_bytes (scanner, data, length))
    *text == '[' ? lose_group (scanner) : lose_key (scanner, text);
  else if (*text == '[')
    scan_header (scanner, text);
  else if (*text != '\0' && *text != '#')
    scan_pair (scanner, text);
}

static void
scan_lines (Scanner *scanner, const char *data, gsize length)
{
  const char *end = data + length;

  while (data < end) {
    const char *newline = memchr (data, '\n', (gsize) (end - data));
    const char *stop = newline != NULL ? newline : end;

    scanner->line++;
    scan_line (scanner, data, (gsize) (stop - data) - (stop > data && stop[-1] == '\r' ? 1 : 0));
    g_string_append_c (scanner->scan->text, '\n');
    data = newline != NULL ? newline + 1 : end;
  }
}

Scan *
scan_new (const char *data, gsize length, Problems *problems, Problems *hints)
{
  Scan *scan = g_new0 (Scan, 1);
  Scanner scanner = { .scan = scan, .problems = problems, .hints = hints };
  gsize mark = length >= 3 && memcmp (data, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;

  scan->groups = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  scan->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  scan->lost_keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  scan->text = g_string_sized_new (length + 1);
  if (length > mark)
    scan_lines (&scanner, data + mark, length - mark);
  g_free (scanner.group);
  return scan;
}

void
scan_free (Scan *scan)
{
  if (scan == NULL)
    return;
  g_hash_table_unref (scan->groups);
  g_hash_table_unref (scan->keys);
  g_hash_table_unref (scan->lost_keys);
  g_string_free (scan->text, TRUE);
  g_free (scan);
}
