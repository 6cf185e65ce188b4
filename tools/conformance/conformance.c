/* SPDX-License-Identifier: Apache-2.0 */
/* conformance: what every plugin promises, then its kind's own.  See conformance.h. */
#include "conformance.h"

static const ConformanceCheck load_check = { .name = "load", .promise = "the file is taken for a plugin",
                                             .is_vital = TRUE };

const ConformancePart *
conformance_part (CenotePluginKind kind)
{
  static const ConformancePart *const parts[] = {
    [CENOTE_PLUGIN_BACKOFF] = &conformance_backoff,     [CENOTE_PLUGIN_CONNECTOR] = &conformance_connector,
    [CENOTE_PLUGIN_PICKER] = &conformance_picker,       [CENOTE_PLUGIN_TRANSPORT] = &conformance_transport,
    [CENOTE_PLUGIN_TELEMETRY] = &conformance_telemetry,
  };

  return parts[kind];
}

static void
add_part (GPtrArray *checks, const ConformancePart *part)
{
  for (guint i = 0; i < part->n_checks; i++)
    g_ptr_array_add (checks, (gpointer) &part->checks[i]);
}

GPtrArray *
conformance_list (CenotePluginKind kind)
{
  GPtrArray *checks = g_ptr_array_new ();

  g_ptr_array_add (checks, (gpointer) &load_check);
  add_part (checks, &conformance_descriptor);
  add_part (checks, &conformance_states);
  add_part (checks, conformance_part (kind));
  return checks;
}

/* ---------------------------------------------------------------- fixtures */

Fixture *
conformance_create_with (const Conformance *run, const char *setting, GError **error)
{
  g_autoptr (GPtrArray) settings = g_ptr_array_new ();
  g_autoptr (Fixture) fixture = NULL;

  if (setting)
    g_ptr_array_add (settings, (gpointer) setting);
  for (const char *const *other = run->settings; other && *other; other++)
    g_ptr_array_add (settings, (gpointer) *other);
  g_ptr_array_add (settings, NULL);
  fixture = fixture_new (run->plugin, (const char *const *) settings->pdata, error);
  return fixture && fixture_create (fixture, error) ? g_steal_pointer (&fixture) : NULL;
}

Fixture *
conformance_create (const Conformance *run)
{
  return conformance_create_with (run, NULL, NULL);
}

/* ----------------------------------------------------------------- running */

static gboolean
run_check (const ConformanceCheck *check, const Conformance *run, ConformanceReport report, gpointer data)
{
  g_autofree char *problem = NULL;

  report (data, check, CONFORMANCE_BEGUN, NULL);
  problem = check->run (run);
  report (data, check, problem ? CONFORMANCE_BROKEN : CONFORMANCE_KEPT, problem);
  return problem == NULL;
}

guint
conformance_run (Plugin *plugin, const char *const *settings, ConformanceReport report, gpointer data)
{
  g_autoptr (GPtrArray) checks = conformance_list (plugin->kind);
  const Conformance run = { plugin, settings };
  guint broken = 0;

  for (guint i = 0; i < checks->len; i++) {
    const ConformanceCheck *check = checks->pdata[i];

    if (!check->run || (check->applies && !check->applies (plugin)))
      continue;
    if (run_check (check, &run, report, data))
      continue;
    broken++;
    if (check->is_vital)
      break;
  }
  return broken;
}

guint
conformance_run_loading (ConformanceLoad load, gpointer load_data, const char *const *settings,
                         ConformanceReport report, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Plugin) plugin = NULL;

  report (data, &load_check, CONFORMANCE_BEGUN, NULL);
  plugin = load (load_data, &error);
  report (data, &load_check, plugin ? CONFORMANCE_KEPT : CONFORMANCE_BROKEN, plugin ? NULL : error->message);
  return plugin ? conformance_run (plugin, settings, report, data) : 1;
}
