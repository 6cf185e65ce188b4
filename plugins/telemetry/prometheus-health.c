/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-health: two gauges of each pool, which come in any order. */
#include "prometheus-health.h"

#include <cenote/telemetry.h>

typedef struct Sizes {
  char *pool;
  gint64 expected, current;
} Sizes;

static void
sizes_clear (gpointer data)
{
  g_free (((Sizes *) data)->pool);
}

static Sizes *
sizes_of (GArray *all, const char *pool)
{
  Sizes sizes = { g_strdup (pool), 0, 0 };

  for (guint i = 0; i < all->len; i++)
    if (g_str_equal (g_array_index (all, Sizes, i).pool, pool)) {
      g_free (sizes.pool);
      return &g_array_index (all, Sizes, i);
    }
  g_array_append_val (all, sizes);
  return &g_array_index (all, Sizes, all->len - 1);
}

static const char *
pool_of (const CenoteMetric *metric)
{
  if (metric->n_labels == 0 || !g_str_equal (cenote_metric_label (metric, 0)->name, "pool.name"))
    return NULL;
  return cenote_metric_label (metric, 0)->value;
}

static void
note_size (const CenoteMetric *metric, void *all)
{
  const char *pool = pool_of (metric);

  if (pool != NULL && g_str_equal (metric->name, "cenote.pool.expected_size"))
    sizes_of (all, pool)->expected = metric->value;
  if (pool != NULL && g_str_equal (metric->name, "cenote.pool.current_size"))
    sizes_of (all, pool)->current = metric->value;
}

char *
health_pools_down (const CenoteHost *host)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Sizes));
  g_autoptr (GString) names = g_string_new (NULL);

  g_array_set_clear_func (all, sizes_clear);
  host->read_metrics (host, note_size, all);
  for (guint i = 0; i < all->len; i++) {
    const Sizes *sizes = &g_array_index (all, Sizes, i);

    if (sizes->current == 0 && sizes->expected > 0)
      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", sizes->pool);
  }
  return names->len > 0 ? g_string_free (g_steal_pointer (&names), FALSE) : NULL;
}
