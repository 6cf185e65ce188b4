/* SPDX-License-Identifier: Apache-2.0 */
/* conformance: what every kind promises, then the kind's own. */
#include "conformance.h"

gboolean
conformance_expect (Conformance *run, const char *check, gboolean kept, const char *format, ...)
{
  g_autofree char *problem = NULL;
  va_list arguments;

  va_start (arguments, format);
  problem = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  run->report (run->data, check, kept ? NULL : problem);
  run->broken += !kept;
  return kept;
}

Fixture *
conformance_create (Conformance *run)
{
  g_autoptr (Fixture) fixture = fixture_new (run->plugin, run->settings, NULL);

  return fixture && fixture_create (fixture, NULL) ? g_steal_pointer (&fixture) : NULL;
}

/* ------------------------------------------------------------------ states */

static gboolean
check_create (Conformance *run)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Fixture) fixture = fixture_new (run->plugin, run->settings, &error);
  gboolean kept = fixture && fixture_create (fixture, &error);

  return conformance_expect (run, "create: works with the defaults", kept, "%s", error ? error->message : "");
}

static void
check_many_states (Conformance *run)
{
  GPtrArray *fixtures = g_ptr_array_new_with_free_func ((GDestroyNotify) fixture_free);
  guint n = 0;

  for (guint i = 0; i < 100; i++) {
    Fixture *fixture = conformance_create (run);

    n += fixture != NULL;
    if (fixture)
      g_ptr_array_add (fixtures, fixture);
  }
  conformance_expect (run, "create: many states live side by side", n == 100, "%u of 100 were created", n);
  g_ptr_array_unref (fixtures);
}

/* ----------------------------------------------------------------- options */

/* (transfer container): SETTING, and then those of the run. */
static const char **
settings_with (const Conformance *run, const char *setting)
{
  GPtrArray *settings = g_ptr_array_new ();

  g_ptr_array_add (settings, (gpointer) setting);
  for (const char *const *other = run->settings; other && *other; other++)
    g_ptr_array_add (settings, (gpointer) *other);
  g_ptr_array_add (settings, NULL);
  return (const char **) g_ptr_array_free (settings, FALSE);
}

/* Each option at TEXT, and none beside it but the run's: create() may refuse it, but then says why and that in words of the option. */
static void
check_option_at (Conformance *run, const CenoteOption *row, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *setting = g_strdup_printf ("%s=%s", row->name, text);
  g_autofree char *check = g_strdup_printf ("options: create works, or says why not, with %s", setting);
  g_autofree const char **settings = settings_with (run, setting);
  g_autoptr (Fixture) fixture = fixture_new (run->plugin, settings, &error);
  gboolean kept = fixture != NULL && fixture_create (fixture, &error);

  if (!kept && fixture && error && !g_str_has_suffix (error->message, "without saying why"))
    kept = TRUE;
  conformance_expect (run, check, kept, "%s", error ? error->message : "no state and no reason");
}

static void
check_options (Conformance *run)
{
  CenoteOption row;

  for (guint i = 0; i < run->plugin->options.n_rows; i++) {
    option_table_row (&run->plugin->options, i, &row);
    if (row.min)
      check_option_at (run, &row, row.min);
    if (row.max)
      check_option_at (run, &row, row.max);
    if (row.flags & CENOTE_OPTION_MAY_BE_OFF)
      check_option_at (run, &row, "off");
    if (row.type == CENOTE_OPTION_ENUM) {
      g_auto (GStrv) choices = g_strsplit (row.choices, "|", -1);

      for (char **choice = choices; *choice; choice++)
        check_option_at (run, &row, *choice);
    }
  }
}

/* -------------------------------------------------------------------- all */

guint
conformance_run (Plugin *plugin, const char *const *settings, ConformanceReport report, gpointer data)
{
  static void (*const kinds[]) (Conformance *run) = {
    [CENOTE_PLUGIN_BACKOFF] = conformance_backoff,     [CENOTE_PLUGIN_CONNECTOR] = conformance_connector,
    [CENOTE_PLUGIN_PICKER] = conformance_picker,       [CENOTE_PLUGIN_TRANSPORT] = conformance_transport,
    [CENOTE_PLUGIN_TELEMETRY] = conformance_telemetry,
  };
  Conformance run = { plugin, settings, report, data, 0 };

  if (!check_create (&run))
    return run.broken;
  check_many_states (&run);
  check_options (&run);
  kinds[plugin->kind] (&run);
  return run.broken;
}
