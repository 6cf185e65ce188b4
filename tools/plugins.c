/* SPDX-License-Identifier: Apache-2.0 */
/* cenote plugins [KIND]: the plugins that can be found, and those that are refused. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/base/json.h"
#include "core/registry/registry.h"
#include "json-reader.h"
#include "keyfile.h"
#include "plugin-listing.h"
#include "table.h"

static void
add_row (Table *table, Colour colour, const char *kind, const char *name, const char *version, const char *path,
         const char *summary)
{
  table_add (table, colour, kind);
  table_add (table, colour == COLOUR_PLAIN ? COLOUR_BOLD : colour, name);
  table_add (table, colour, version);
  table_add (table, colour, path);
  table_add (table, colour, summary);
}

/* A plugin's row, and one for each file of its name that it hides. */
static void
add_described (Table *table, const char *kind, const PluginListed *listed)
{
  g_autoptr (GVariant) plugin = json_read (listed->json, NULL);
  g_autoptr (GVariant) shadowed = NULL;

  if (plugin == NULL) {
    add_row (table, COLOUR_RED, kind, listed->name, NULL, NULL, "refused: it describes itself in no JSON");
    return;
  }
  add_row (table, COLOUR_PLAIN, kind, listed->name, json_get_string (plugin, "version"),
           json_get_string (plugin, "path"), json_get_string (plugin, "summary"));
  shadowed = json_get_array (plugin, "shadowed");
  for (gsize i = 0; i < g_variant_n_children (shadowed); i++) {
    g_autoptr (GVariant) path = json_item (shadowed, i);

    if (g_variant_is_of_type (path, G_VARIANT_TYPE_STRING))
      add_row (table, COLOUR_DIM, kind, listed->name, NULL, g_variant_get_string (path, NULL),
               "shadowed by the one above");
  }
}

static void
print_table (const GPtrArray *listing)
{
  static const char *const headings[] = { "KIND", "NAME", "VERSION", "PATH", "SUMMARY", NULL };
  g_autoptr (Table) table = table_new (headings);
  g_autoptr (GString) out = g_string_new (NULL);
  Terminal terminal;

  for (guint i = 0; i < listing->len; i++) {
    const PluginListed *listed = listing->pdata[i];
    const char *kind = cenote_plugin_kind_to_string (listed->kind);
    g_autofree char *refusal = NULL;

    if (listed->json != NULL) {
      add_described (table, kind, listed);
      continue;
    }
    refusal = g_strdup_printf ("refused: %s", listed->refusal);
    add_row (table, COLOUR_RED, kind, listed->name, NULL, NULL, refusal);
  }
  terminal_init (&terminal);
  table_write (table, &terminal, "", out);
  printf ("%s", out->str);
}

static void
print_json (const GPtrArray *listing)
{
  g_autoptr (GString) out = g_string_new ("{\"plugins\":[");

  for (guint i = 0; i < listing->len; i++) {
    const PluginListed *listed = listing->pdata[i];

    if (listed->json != NULL) {
      g_string_append_printf (out, "%s%s", i > 0 ? "," : "", listed->json);
      continue;
    }
    json_begin_object (out);
    json_member_string (out, "kind", cenote_plugin_kind_to_string (listed->kind));
    json_member_string (out, "name", listed->name);
    json_member_string (out, "refused", listed->refusal);
    json_end_object (out);
  }
  printf ("%s]}\n", out->str);
}

static int
run (const Command *command, int argc, char **argv)
{
  g_auto (Keyfile) keyfile = { .config = NULL };
  g_autofree GOptionEntry *path_entries = keyfile_plugin_path_options (&keyfile);
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    G_OPTION_ENTRY_NULL
  };
  g_auto (GStrv) words = NULL;
  CenotePluginKind kind = 0; /* all */
  g_autoptr (GPtrArray) listing = NULL;
  g_autoptr (GError) error = NULL;

  if (!command_parse (command, argc, argv, &words, entries, path_entries, NULL))
    return EXIT_USAGE;
  if (words[0] != NULL && !plugin_kind_from_string (words[0], &kind))
    return command_misused (command, "'%s' is no kind: backoff, connector, picker, transport or telemetry", words[0]);
  if (!keyfile_open_registry (&keyfile, &error))
    return command_failed (command, NULL, error);
  listing = plugin_listing_new (keyfile.registry, (const char *const *) keyfile.directories, kind);
  if (json)
    print_json (listing);
  else
    print_table (listing);
  return EXIT_GOOD;
}

const Command plugins_command = {
  .name = "plugins",
  .arguments = "[KIND]",
  .summary = "the plugins that can be found, and those refused",
  .description = "Lists the plugins of --plugin-path, CENOTE_PLUGIN_PATH and the built-in directory; of one KIND\n"
                 "(backoff, connector, picker, transport, telemetry) where it is given.  A plugin that cannot be\n"
                 "used is listed with the reason.",
  .min_words = 0,
  .max_words = 1,
  .run = run,
};
