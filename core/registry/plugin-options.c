/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-options: every row once, each with what the parser itself thinks of its texts. */
#include "plugin-options.h"

#include <string.h>

#include "plugin-refuse.h"

#define KNOWN_FLAGS \
  (CENOTE_OPTION_REQUIRED | CENOTE_OPTION_RELOADABLE | CENOTE_OPTION_SECRET | CENOTE_OPTION_DEPRECATED | \
   CENOTE_OPTION_MAY_BE_OFF)

/* A row must reach to the end of the last member that the first header had. */
#define ROW_SIZE_MIN (G_STRUCT_OFFSET (CenoteOption, summary) + sizeof (const char *))

static gboolean refuse_row (GError **error, const CenoteOption *row, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
refuse_row (GError **error, const CenoteOption *row, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return plugin_refuse (error, "option '%s': %s", row->name, what);
}

static gboolean
is_option_name (const char *name)
{
  if (!g_ascii_islower (name[0]))
    return FALSE;
  for (const char *at = name; *at; at++) {
    if (!g_ascii_islower (*at) && !g_ascii_isdigit (*at) && *at != '-')
      return FALSE;
  }
  return TRUE;
}

static gboolean
type_is_known (const CenoteOption *row)
{
  return row->type >= CENOTE_OPTION_STRING && row->type <= CENOTE_OPTION_LIST;
}

static gboolean
check_name (const CenoteOption *row, guint i, GError **error)
{
  if (!row->name)
    return plugin_refuse (error, "row %u of the option table has no name", i);
  if (!is_option_name (row->name))
    return refuse_row (error, row, "a name is lower-case letters, digits and '-', beginning with a letter");
  if (g_str_equal (row->name, "plugin"))
    return refuse_row (error, row, "this name is reserved: it says which plugin a group is for");
  return TRUE;
}

static gboolean
check_unique (const CenoteOption *rows, guint i, GError **error)
{
  for (guint earlier = 0; earlier < i; earlier++) {
    if (g_str_equal (rows[earlier].name, rows[i].name))
      return refuse_row (error, &rows[i], "is in the table twice, as rows %u and %u", earlier, i);
  }
  return TRUE;
}

static gboolean
check_members (const CenoteOption *row, gboolean newer, GError **error)
{
  if (!row->summary || !row->summary[0])
    return refuse_row (error, row, "has no summary");
  if (!newer && (row->flags & ~KNOWN_FLAGS) != 0)
    return refuse_row (error, row, "flags 0x%x, expected none but 0x%x", row->flags, KNOWN_FLAGS);
  if ((row->flags & CENOTE_OPTION_REQUIRED) && row->default_text)
    return refuse_row (error, row, "is required and has the default '%s'; it can have only one of the two",
                       row->default_text);
  if (row->type == CENOTE_OPTION_ENUM && (!row->choices || !row->choices[0]))
    return refuse_row (error, row, "is an enum without choices");
  return TRUE;
}

/* What is not known cannot be parsed: such a row is for a newer core. */
static gboolean
check_type (CenoteOption *row, gboolean newer, GError **error)
{
  if (type_is_known (row))
    return TRUE;
  if (!newer || (row->flags & CENOTE_OPTION_REQUIRED))
    return refuse_row (error, row, "type %u, expected %d to %d", row->type, CENOTE_OPTION_STRING, CENOTE_OPTION_LIST);
  row->default_text = NULL;
  return TRUE;
}

static gboolean
check_text (const CenoteOption *row, const char *what, const char *text, GError **error)
{
  CenoteValue value = { 0 };
  g_autofree char *problem = NULL;

  if (!text)
    return TRUE;
  if (!option_parse (row, text, &value, &problem))
    return refuse_row (error, row, "its %s: %s", what, problem);
  option_value_clear (&value);
  return TRUE;
}

/* The maximum bounds the minimum, and both bound the default. */
static gboolean
check_texts (const CenoteOption *row, GError **error)
{
  CenoteOption below = *row;
  CenoteOption unbounded = *row;

  if (!type_is_known (row))
    return TRUE;
  below.min = NULL;
  unbounded.min = unbounded.max = NULL;
  return check_text (&unbounded, "maximum", row->max, error) && check_text (&below, "minimum", row->min, error) &&
         check_text (row, "default", row->default_text, error);
}

static gboolean
check_table (const CenotePlugin *descriptor, GError **error)
{
  if (descriptor->n_options > PLUGIN_OPTIONS_MAX)
    return plugin_refuse (error, "%u options, expected at most %d", descriptor->n_options, PLUGIN_OPTIONS_MAX);
  if (!descriptor->options)
    return plugin_refuse (error, "%u options, but no table of them", descriptor->n_options);
  if (descriptor->option_size < ROW_SIZE_MIN || descriptor->option_size % G_ALIGNOF (CenoteOption) != 0)
    return plugin_refuse (error, "option rows of %u bytes, expected at least %u and a multiple of %u",
                          descriptor->option_size, (guint) ROW_SIZE_MIN, (guint) G_ALIGNOF (CenoteOption));
  return TRUE;
}

gboolean
plugin_options_take (const CenotePlugin *descriptor, OptionTable *out_table, GError **error)
{
  gboolean newer = descriptor->abi_minor > CENOTE_ABI_MINOR;
  gsize known_size = MIN (descriptor->option_size, sizeof (CenoteOption));
  g_autofree CenoteOption *rows = NULL;

  if (descriptor->n_options > 0) {
    if (!check_table (descriptor, error))
      return FALSE;
    rows = g_new0 (CenoteOption, descriptor->n_options);
  }
  for (guint i = 0; i < descriptor->n_options; i++) {
    memcpy (&rows[i], (const char *) descriptor->options + (gsize) i * descriptor->option_size, known_size);
    if (!check_name (&rows[i], i, error) || !check_unique (rows, i, error) || !check_type (&rows[i], newer, error) ||
        !check_members (&rows[i], newer, error) || !check_texts (&rows[i], error))
      return FALSE;
  }
  *out_table = (OptionTable) { g_steal_pointer (&rows), descriptor->n_options, sizeof (CenoteOption) };
  return TRUE;
}
