/* SPDX-License-Identifier: Apache-2.0 */
/* cenote inspect KIND/NAME|FILE.so: a plugin whole: what it is, its tables, its slots, its options. */
#include <cenote/error.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/registry/registry.h"
#include "json-reader.h"
#include "keyfile.h"
#include "plugin-apart.h"
#include "table.h"

/* ------------------------------------------------------------------ words */

static gboolean
is_file (const char *word)
{
  return g_str_has_suffix (word, ".so");
}

/* NAME of KIND/NAME, or NULL. */
static const char *
split_name (const char *word, CenotePluginKind *out_kind)
{
  const char *slash = strchr (word, '/');
  g_autofree char *kind = slash != NULL ? g_strndup (word, (gsize) (slash - word)) : NULL;

  return kind != NULL && plugin_kind_from_string (kind, out_kind) ? slash + 1 : NULL;
}

/* ---------------------------------------------------------------- sections */

static GVariant *
member (GVariant *object, const char *name)
{
  GVariant *value = g_variant_lookup_value (object, name, G_VARIANT_TYPE_VARDICT);

  return value != NULL ? value : g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
}

static void
add_line (GString *out, const char *what, const char *value)
{
  g_autofree char *safe = terminal_safe (value != NULL ? value : "-");

  g_string_append_printf (out, "  %-9s %s\n", what, safe);
}

static void
write_head (GVariant *plugin, const Terminal *terminal, GString *out)
{
  g_autofree char *title = g_strdup_printf ("%s/%s %s", json_get_string (plugin, "kind"), json_get_string (plugin, "name"),
                                            json_get_string (plugin, "version"));
  g_autofree char *safe = terminal_safe (title);
  g_autofree char *abi = g_strdup_printf ("%s (this Cenote: %u.%u)", json_get_string (plugin, "abi"), CENOTE_ABI_MAJOR,
                                          CENOTE_ABI_MINOR);
  g_autoptr (GVariant) shadowed = json_get_array (plugin, "shadowed");

  terminal_paint (terminal, out, COLOUR_BOLD, safe);
  g_string_append_c (out, '\n');
  add_line (out, "summary", json_get_string (plugin, "summary"));
  add_line (out, "licence", json_get_string (plugin, "license"));
  add_line (out, "ABI", abi);
  add_line (out, "path", json_get_string (plugin, "path"));
  for (gsize i = 0; i < g_variant_n_children (shadowed); i++) {
    g_autoptr (GVariant) path = json_item (shadowed, i);

    add_line (out, "shadows", g_variant_get_string (path, NULL));
  }
}

/* What the plugin states, and what this Cenote knows: the smaller part of the two is what there is between them. */
static void
write_sizes (GVariant *plugin, const Terminal *terminal, GString *out)
{
  static const char *const headings[] = { "TABLE", ">ITS BYTES", ">OURS", NULL };
  static const char *const names[] = { "descriptor", "operations", "option" };
  g_autoptr (Table) table = table_new (headings);
  g_autoptr (GVariant) sizes = member (plugin, "sizes");

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GVariant) size = member (sizes, names[i]);

    table_add (table, COLOUR_PLAIN, names[i]);
    table_add_number (table, json_get_int64 (size, "stated", 0));
    table_add_number (table, json_get_int64 (size, "known", 0));
  }
  g_string_append_c (out, '\n');
  table_write (table, terminal, "  ", out);
}

static void
write_slots (GVariant *plugin, const Terminal *terminal, GString *out)
{
  static const char *const headings[] = { "OPERATION", "FILLED BY", NULL };
  g_autoptr (Table) table = table_new (headings);
  g_autoptr (GVariant) slots = member (plugin, "slots");
  GVariantIter iter;
  const char *name;
  GVariant *filled;

  g_variant_iter_init (&iter, slots);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &filled)) {
    gboolean by_plugin = g_variant_get_boolean (filled);

    table_add (table, COLOUR_PLAIN, name);
    table_add (table, by_plugin ? COLOUR_GREEN : COLOUR_DIM, by_plugin ? "the plugin" : "Cenote's default");
  }
  g_string_append_c (out, '\n');
  table_write (table, terminal, "  ", out);
}

/* (transfer full): "required, secret", or "-". */
static char *
join_flags (GVariant *option)
{
  g_autoptr (GVariant) flags = json_get_array (option, "flags");
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < g_variant_n_children (flags); i++) {
    g_autoptr (GVariant) flag = json_item (flags, i);

    g_string_append_printf (out, "%s%s", i > 0 ? ", " : "", g_variant_get_string (flag, NULL));
  }
  if (out->len == 0)
    g_string_append_c (out, '-');
  return g_string_free (out, FALSE);
}

static void
add_option (Table *table, GVariant *option)
{
  g_autofree char *flags = join_flags (option);

  table_add (table, COLOUR_BOLD, json_get_string (option, "name"));
  table_add (table, COLOUR_PLAIN, json_get_string (option, "type"));
  table_add (table, COLOUR_PLAIN, json_get_string (option, "default"));
  table_add (table, COLOUR_PLAIN, json_get_string (option, "range"));
  table_add (table, COLOUR_PLAIN, flags);
  table_add (table, COLOUR_PLAIN, json_get_string (option, "summary"));
}

static void
write_options (GVariant *plugin, const Terminal *terminal, GString *out)
{
  static const char *const headings[] = { "OPTION", "TYPE", "DEFAULT", "RANGE", "FLAGS", "SUMMARY", NULL };
  g_autoptr (Table) table = table_new (headings);
  g_autoptr (GVariant) options = json_get_array (plugin, "options");

  g_string_append_c (out, '\n');
  if (g_variant_n_children (options) == 0) {
    g_string_append (out, "  It has no options.\n");
    return;
  }
  for (gsize i = 0; i < g_variant_n_children (options); i++) {
    g_autoptr (GVariant) option = json_item (options, i);

    add_option (table, option);
  }
  table_write (table, terminal, "  ", out);
}

static int
print_plugin (const Command *command, const char *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) plugin = json_read (json, &error);
  g_autoptr (GString) out = g_string_new (NULL);
  Terminal terminal;

  if (plugin == NULL)
    return command_failed (command, NULL, error);
  terminal_init (&terminal);
  write_head (plugin, &terminal, out);
  write_sizes (plugin, &terminal, out);
  write_slots (plugin, &terminal, out);
  write_options (plugin, &terminal, out);
  printf ("%s", out->str);
  return EXIT_GOOD;
}

/* ---------------------------------------------------------------- command */

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
  g_autofree char *described = NULL;
  g_autoptr (GError) error = NULL;
  PluginApart apart = { .registry = NULL };

  if (!command_parse (command, argc, argv, &words, entries, path_entries, NULL))
    return EXIT_USAGE;
  apart.file = is_file (words[0]) ? words[0] : NULL;
  apart.name = split_name (words[0], &apart.kind);
  if (apart.name == NULL && apart.file == NULL)
    return command_misused (command, "'%s' is neither KIND/NAME (as in backoff/exponential) nor a file that ends in .so",
                            words[0]);
  if (!keyfile_open_registry (&keyfile, &error))
    return command_failed (command, NULL, error);
  apart.registry = keyfile.registry;
  described = plugin_apart_describe (&apart, &error);
  if (described == NULL)
    return command_failed (command, NULL, error);
  if (!json)
    return print_plugin (command, described);
  printf ("%s\n", described);
  return EXIT_GOOD;
}

const Command inspect_command = {
  .name = "inspect",
  .arguments = "KIND/NAME|FILE.so",
  .summary = "a plugin whole: its ABI, tables, operations, options",
  .description = "Loads the plugin KIND/NAME, found as a keyfile's would be, or the one in FILE, which is called\n"
                 "KIND-NAME.so, and shows its licence and summary, the ABI that it was built with, where it lies and\n"
                 "what it shadows, the sizes of its tables and of ours, which operations it has, and its options.",
  .min_words = 1,
  .max_words = 1,
  .run = run,
};
