/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-bounds: the same grammar of durations as the keyfile's, in nanoseconds. */
#include "prometheus-bounds.h"

#include <string.h>

#define MAX_NS (G_GINT64_CONSTANT (366) * 24 * 3600 * 1000000000)

static gint64
unit_ns (const char *unit)
{
  static const struct { const char *name; gint64 ns; } units[] = {
    { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
    { "min", G_GINT64_CONSTANT (60000000000) }, { "h", G_GINT64_CONSTANT (3600000000000) }
  };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (g_str_equal (unit, units[i].name))
      return units[i].ns;
  return 0;
}

/* Nanoseconds; 0 where TEXT is no duration, or is out of range. */
static gint64
read_duration (const char *text)
{
  gsize digits = strspn (text, "0123456789.");
  g_autofree char *number = g_strndup (text, digits);
  gint64 unit = unit_ns (text + digits);
  char *end;
  double ns = g_ascii_strtod (number, &end) * (double) unit;

  return digits == 0 || *end != '\0' || ns < 1 || ns > (double) MAX_NS ? 0 : (gint64) (ns + 0.5);
}

char *
bounds_read (const char *const *list, Bounds *out)
{
  out->n = 0;
  for (; list != NULL && *list != NULL; list++) {
    gint64 ns = read_duration (*list);

    if (out->n == MAX_BOUNDS)
      return g_strdup_printf ("buckets: there are more than %u (at most %u durations, ascending)", MAX_BOUNDS, MAX_BOUNDS);
    if (ns == 0)
      return g_strdup_printf ("buckets: '%s' is no duration (a number and ns, us, ms, s, min or h: 2.5ms)", *list);
    if (out->n > 0 && ns <= out->ns[out->n - 1])
      return g_strdup_printf ("buckets: '%s' is not above the one before it (durations ascend: 1ms;5ms;25ms)", *list);
    out->ns[out->n++] = ns;
  }
  return NULL;
}
