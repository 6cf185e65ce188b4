/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-descriptor: what a plugin says of itself and of its options, in words that help and manuals can take. */
#include <string.h>

#include "conformance.h"

enum { SUMMARY_MAX = 120, OPTION_SUMMARY_MAX = 400, OPTION_NAME_MAX = 40 };

/* ------------------------------------------------------------------- texts */

static gboolean
matches (const char *pattern, const char *text)
{
  return g_regex_match_simple (pattern, text, G_REGEX_DOLLAR_ENDONLY, 0);
}

/* (transfer full) (nullable) */
static char *
judge_kebab (const char *what, const char *name, gsize most)
{
  if (matches ("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name) && strlen (name) <= most)
    return NULL;
  return g_strdup_printf ("%s '%s', expected words of a-z and 0-9 joined by single '-', at most %" G_GSIZE_FORMAT
                          " bytes", what, name, most);
}

static const char *
sentence_fault (const char *text, gsize most)
{
  if (!g_utf8_validate (text, -1, NULL))
    return "is not UTF-8";
  if (matches ("[[:cntrl:]]", text))
    return "is more than a line, or has control characters";
  if (g_ascii_isspace (text[0]) || g_str_has_suffix (text, " "))
    return "begins or ends with a space";
  if (matches ("[.!?] +[A-Z]", text))
    return "is more than a sentence";
  if (strlen (text) > most)
    return "is too long for a line of help";
  return NULL;
}

/* (transfer full) (nullable) */
static char *
judge_sentence (const char *what, const char *text, gsize most)
{
  const char *fault = sentence_fault (text, most);

  return fault ? g_strdup_printf ("%s %s: '%.80s', expected one sentence of at most %" G_GSIZE_FORMAT " bytes", what,
                                  fault, text, most)
               : NULL;
}

static char *
check_name (const Conformance *run)
{
  return judge_kebab ("name", run->plugin->name, CENOTE_PLUGIN_NAME_MAX - 1);
}

static char *
check_version (const Conformance *run)
{
  const char *version = run->plugin->version;

  if (matches ("^[0-9]+(\\.[0-9]+)*([-+.~][0-9A-Za-z.+~-]+)?$", version))
    return NULL;
  return g_strdup_printf ("version '%s', expected numbers joined by '.', as 1.0 or 2.1.3-rc1", version);
}

static char *
check_summary (const Conformance *run)
{
  return judge_sentence ("its summary", run->plugin->summary, SUMMARY_MAX);
}

#define LICENSE_ID "\\(*[A-Za-z0-9][A-Za-z0-9.:-]*\\+?\\)*"

static char *
check_license (const Conformance *run)
{
  const char *license = run->plugin->license;

  if (matches ("^" LICENSE_ID "( (AND|OR|WITH) " LICENSE_ID ")*$", license))
    return NULL;
  return g_strdup_printf ("license '%s', expected an SPDX expression, as Apache-2.0 or MIT OR LGPL-2.1-or-later",
                          license);
}

/* ----------------------------------------------------------------- options */

typedef char *(*RowFunc) (const CenoteOption *row);

/* (transfer full) (nullable): what FUNC says of the first row that it says something of. */
static char *
each_row (const Conformance *run, RowFunc func)
{
  char *problem = NULL;

  for (guint i = 0; i < run->plugin->options.n_rows && !problem; i++) {
    CenoteOption row;

    option_table_row (&run->plugin->options, i, &row);
    problem = func (&row);
  }
  return problem;
}

static char *
judge_row_name (const CenoteOption *row)
{
  return judge_kebab ("option", row->name, OPTION_NAME_MAX);
}

static char *
judge_row_summary (const CenoteOption *row)
{
  g_autofree char *what = g_strdup_printf ("the summary of option %s", row->name);

  return judge_sentence (what, row->summary, OPTION_SUMMARY_MAX);
}

static gboolean
has_range (const CenoteOption *row)
{
  switch (row->type) {
  case CENOTE_OPTION_INT:
  case CENOTE_OPTION_DOUBLE:
  case CENOTE_OPTION_DURATION:
  case CENOTE_OPTION_SIZE:
  case CENOTE_OPTION_FRACTION:
  case CENOTE_OPTION_LIST:
    return TRUE;
  default:
    return row->type > CENOTE_OPTION_LIST; /* of a newer minor */
  }
}

/* (transfer full) (nullable) */
static char *
judge_choices (const CenoteOption *row)
{
  g_auto (GStrv) choices = g_strsplit (row->choices, "|", -1);

  for (guint i = 0; choices[i]; i++) {
    if (!*choices[i])
      return g_strdup_printf ("option %s: '%s' has an empty choice", row->name, row->choices);
    if (g_strv_contains ((const char *const *) choices + i + 1, choices[i]))
      return g_strdup_printf ("option %s: '%s' has the choice %s twice", row->name, row->choices, choices[i]);
  }
  return NULL;
}

static char *
judge_row_range (const CenoteOption *row)
{
  if ((row->min || row->max) && !has_range (row))
    return g_strdup_printf ("option %s has a minimum or maximum, which a %s cannot have", row->name,
                            option_type_name (row->type));
  if ((row->flags & CENOTE_OPTION_MAY_BE_OFF) && row->type != CENOTE_OPTION_DURATION)
    return g_strdup_printf ("option %s may be off, which only a duration can be", row->name);
  if (row->choices && row->type != CENOTE_OPTION_ENUM)
    return g_strdup_printf ("option %s has choices, which only an enum can have", row->name);
  return row->type == CENOTE_OPTION_ENUM ? judge_choices (row) : NULL;
}

static char *
check_option_names (const Conformance *run)
{
  return each_row (run, judge_row_name);
}

static char *
check_option_docs (const Conformance *run)
{
  return each_row (run, judge_row_summary);
}

static char *
check_option_ranges (const Conformance *run)
{
  return each_row (run, judge_row_range);
}

static const ConformanceCheck checks[] = {
  { .name = "name", .promise = "the name is in kebab-case", .run = check_name },
  { .name = "version", .promise = "the version is one of numbers", .run = check_version },
  { .name = "summary", .promise = "the summary is one sentence", .run = check_summary },
  { .name = "license", .promise = "the license is an SPDX expression", .run = check_license },
  { .name = "option-names", .promise = "options are named in kebab-case", .run = check_option_names },
  { .name = "option-docs", .promise = "each option is said in one sentence", .run = check_option_docs },
  { .name = "option-ranges", .promise = "ranges and choices are those of the option's type",
    .run = check_option_ranges },
};

const ConformancePart conformance_descriptor = { .checks = checks, .n_checks = G_N_ELEMENTS (checks) };
