/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-describe: a checked plugin as one JSON object, for `cenote inspect` and for scripts.  Pure; any thread. */
#include "core/base/json.h"
#include "plugin-slots.h"
#include "registry.h"

static void
describe_size (GString *out, const char *table, guint stated, guint known)
{
  json_name (out, table);
  json_begin_object (out);
  json_member_int64 (out, "stated", stated);
  json_member_int64 (out, "known", known);
  json_end_object (out);
}

/* In bytes, as the plugin was built and as the core was. */
static void
describe_sizes (GString *out, const Plugin *plugin)
{
  json_name (out, "sizes");
  json_begin_object (out);
  describe_size (out, "descriptor", plugin->descriptor_size, sizeof (CenotePlugin));
  describe_size (out, "operations", plugin->ops_size, plugin_slots_get (plugin->kind)->ops_size);
  describe_size (out, "option", plugin->option_size, sizeof (CenoteOption));
  json_end_object (out);
}

static void
describe_slots (GString *out, const Plugin *plugin)
{
  const PluginSlots *slots = plugin_slots_get (plugin->kind);

  json_name (out, "slots");
  json_begin_object (out);
  for (guint i = 0; i < slots->n_slots; i++)
    json_member_bool (out, slots->slots[i].name, (plugin->slots_filled >> i & 1) != 0);
  json_end_object (out);
}

static void
describe_flags (GString *out, guint32 flags)
{
  static const struct { guint32 bit; const char *name; } names[] = {
    { CENOTE_OPTION_REQUIRED, "required" },     { CENOTE_OPTION_RELOADABLE, "reloadable" },
    { CENOTE_OPTION_SECRET, "secret" },         { CENOTE_OPTION_DEPRECATED, "deprecated" },
    { CENOTE_OPTION_MAY_BE_OFF, "may-be-off" },
  };

  json_name (out, "flags");
  json_begin_array (out);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (flags & names[i].bit)
      json_string (out, names[i].name);
  }
  json_end_array (out);
}

static void
describe_option (GString *out, const CenoteOption *row)
{
  g_autofree char *range = option_format_range (row);

  json_begin_object (out);
  json_member_string (out, "name", row->name);
  json_member_string (out, "type", option_type_name (row->type));
  json_member_string (out, "default", row->default_text);
  json_member_string (out, "min", row->min);
  json_member_string (out, "max", row->max);
  json_member_string (out, "range", range);
  describe_flags (out, row->flags);
  json_member_string (out, "summary", row->summary);
  json_end_object (out);
}

static void
describe_options (GString *out, const OptionTable *table)
{
  CenoteOption row;

  json_name (out, "options");
  json_begin_array (out);
  for (guint i = 0; i < table->n_rows; i++) {
    option_table_row (table, i, &row);
    describe_option (out, &row);
  }
  json_end_array (out);
}

char *
plugin_describe_json (const Plugin *plugin)
{
  GString *out = g_string_new (NULL);
  g_autofree char *abi = g_strdup_printf ("%u.%u", plugin->abi_major, plugin->abi_minor);

  json_begin_object (out);
  json_member_string (out, "kind", cenote_plugin_kind_to_string (plugin->kind));
  json_member_string (out, "name", plugin->name);
  json_member_string (out, "version", plugin->version);
  json_member_string (out, "summary", plugin->summary);
  json_member_string (out, "license", plugin->license);
  json_member_string (out, "abi", abi);
  json_member_string (out, "path", plugin->path);
  json_member_strv (out, "shadowed", (const char *const *) plugin->shadowed);
  describe_slots (out, plugin);
  describe_options (out, &plugin->options);
  describe_sizes (out, plugin);
  json_end_object (out);
  return g_string_free (out, FALSE);
}
