/* SPDX-License-Identifier: Apache-2.0 */
/* cenote check FILE: everything that is wrong with a keyfile, or what it would open. */
#include <stdio.h>

#include "command.h"
#include "json-reader.h"
#include "keyfile.h"
#include "terminal.h"

static void
print_notes (char **notes)
{
  for (guint i = 0; notes[i] != NULL; i++) {
    g_autofree char *safe = terminal_safe (notes[i]);

    printf ("note: %s\n", safe);
  }
}

/* Adds the plugins of USES, an array as `explain` has it, to the set PLUGINS. */
static void
collect_plugins (GVariant *uses, GHashTable *plugins)
{
  for (gsize i = 0; i < g_variant_n_children (uses); i++) {
    g_autoptr (GVariant) use = json_item (uses, i);
    const char *kind = json_get_string (use, "kind");
    const char *plugin = json_get_string (use, "plugin");

    if (kind != NULL && plugin != NULL)
      g_hash_table_add (plugins, g_strdup_printf ("%s/%s", kind, plugin));
  }
}

static guint
count_plugins (GVariant *explained, GVariant *pools)
{
  g_autoptr (GHashTable) plugins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GVariant) sinks = json_get_array (explained, "sinks");

  collect_plugins (sinks, plugins);
  for (gsize i = 0; i < g_variant_n_children (pools); i++) {
    g_autoptr (GVariant) pool = json_item (pools, i);
    g_autoptr (GVariant) uses = json_get_array (pool, "plugins");

    collect_plugins (uses, plugins);
  }
  return g_hash_table_size (plugins);
}

/* (transfer full): "2 pools (users, orders), 6 plugins" */
static char *
describe (GVariant *explained)
{
  g_autoptr (GVariant) pools = json_get_array (explained, "pools");
  gsize n = g_variant_n_children (pools);
  GString *out = g_string_new (NULL);
  guint n_plugins = count_plugins (explained, pools);

  g_string_append_printf (out, "%" G_GSIZE_FORMAT " pool%s (", n, n == 1 ? "" : "s");
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) pool = json_item (pools, i);
    const char *name = json_get_string (pool, "name");

    g_string_append_printf (out, "%s%s", i == 0 ? "" : ", ", name != NULL ? name : "?");
  }
  g_string_append_printf (out, "), %u plugin%s", n_plugins, n_plugins == 1 ? "" : "s");
  return g_string_free (out, FALSE);
}

static gboolean
check (Keyfile *keyfile, const char *path, char ***out_notes, char **out_summary, GError **error)
{
  g_autofree char *json = NULL;
  g_autoptr (GVariant) explained = NULL;

  if (!keyfile_open_registry (keyfile, error))
    return FALSE;
  if (!cenote_config_check_file (path, (const char *const *) keyfile->settings, keyfile->registry, out_notes, error))
    return FALSE;
  if (!keyfile_open_config (keyfile, path, NULL, error))
    return FALSE;
  json = cenote_config_explain (keyfile->config, keyfile->registry, TRUE, error);
  explained = json != NULL ? json_read (json, error) : NULL;
  if (explained == NULL)
    return FALSE;
  *out_summary = describe (explained);
  return TRUE;
}

static int
run (const Command *command, int argc, char **argv)
{
  g_auto (Keyfile) keyfile = { .config = NULL };
  g_autofree GOptionEntry *keyfile_entries = keyfile_options (&keyfile);
  g_auto (GStrv) words = NULL;
  g_auto (GStrv) notes = NULL;
  g_autofree char *summary = NULL;
  g_autoptr (GError) error = NULL;

  if (!command_parse (command, argc, argv, &words, keyfile_entries, NULL))
    return EXIT_USAGE;
  if (!check (&keyfile, words[0], &notes, &summary, &error))
    return command_failed (command, words[0], error);
  printf ("OK: %s\n", summary);
  print_notes (notes);
  return EXIT_GOOD;
}

const Command check_command = {
  .name = "check",
  .arguments = "FILE",
  .summary = "everything that is wrong with a keyfile",
  .description = "Checks FILE as a runtime would before it opens anything: its form, every value against the\n"
                 "option tables of cenote and of the plugins that it names.  Every problem is a line on stderr.\n"
                 "Opens no connection.",
  .min_words = 1,
  .max_words = 1,
  .run = run,
};
