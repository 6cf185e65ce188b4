/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin: checks a descriptor and makes the core's own copy of it.
 *
 * A descriptor comes from code of any age: nothing is read beyond the sizes that
 * it states, and what it does not have is zero or, for a slot, a default.  What
 * has been checked here is right for good; nobody after this tests it again.
 * No lock, any thread.  Declared in registry.h.
 */
#include "registry.h"

#include <string.h>

#include "plugin-options.h"
#include "plugin-refuse.h"
#include "plugin-slots.h"

/* A descriptor must reach to the end of the last member that the first header had. */
#define DESCRIPTOR_SIZE_MIN (G_STRUCT_OFFSET (CenotePlugin, ops) + sizeof (const void *))

/* ---------------------------------------------------------- kind and name */

const char *
cenote_plugin_kind_to_string (CenotePluginKind kind)
{
  const PluginSlots *slots = plugin_slots_get (kind);

  return slots ? slots->kind : "unknown";
}

gboolean
plugin_kind_from_string (const char *text, CenotePluginKind *out_kind)
{
  for (CenotePluginKind kind = CENOTE_PLUGIN_BACKOFF; kind <= CENOTE_PLUGIN_TELEMETRY; kind++) {
    if (g_str_equal (text, cenote_plugin_kind_to_string (kind))) {
      *out_kind = kind;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
is_plugin_name (const char *name)
{
  gsize length = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-");

  return g_ascii_islower (name[0]) && name[length] == '\0' && length < CENOTE_PLUGIN_NAME_MAX;
}

gboolean
plugin_name_check (const char *name, GError **error)
{
  g_autofree char *shown = NULL;
  const char *what = "";

  if (is_plugin_name (name))
    return TRUE;
  shown = g_strescape (name, NULL);
  if (strlen (name) >= CENOTE_PLUGIN_NAME_MAX)
    what = "is too long";
  else if (strchr (name, '/'))
    what = "contains '/'";
  else if (strstr (name, ".."))
    what = "contains '..'";
  else
    what = "is no plugin's name";
  return plugin_refuse (error, "'%.64s' %s (expected [a-z][a-z0-9-]*, at most %d bytes)", shown, what,
                        CENOTE_PLUGIN_NAME_MAX - 1);
}

/* ------------------------------------------------------------- descriptor */

/* Reads the head, whose place never changes, before anything else. */
static gboolean
copy_descriptor (const CenotePlugin *descriptor, CenotePlugin *out_known, GError **error)
{
  if (descriptor->magic != CENOTE_PLUGIN_MAGIC)
    return plugin_refuse (error, "magic 0x%08x, expected 0x%08x", descriptor->magic, CENOTE_PLUGIN_MAGIC);
  if (descriptor->abi_major != CENOTE_ABI_MAJOR)
    return plugin_refuse (error, "ABI major %u, expected %u", descriptor->abi_major, CENOTE_ABI_MAJOR);
  if (descriptor->struct_size < DESCRIPTOR_SIZE_MIN)
    return plugin_refuse (error, "a descriptor of %u bytes, expected at least %u", descriptor->struct_size,
                          (guint) DESCRIPTOR_SIZE_MIN);
  memset (out_known, 0, sizeof *out_known);
  memcpy (out_known, descriptor, MIN (descriptor->struct_size, sizeof *out_known));
  return TRUE;
}

static gboolean
check_identity (const CenotePlugin *known, CenotePluginKind expected_kind, const char *expected_name, GError **error)
{
  if (!plugin_slots_get (known->kind))
    return plugin_refuse (error, "kind %u, expected %d to %d", known->kind, CENOTE_PLUGIN_BACKOFF,
                          CENOTE_PLUGIN_TELEMETRY);
  if (expected_kind && known->kind != expected_kind)
    return plugin_refuse (error, "its descriptor is of kind %s, expected %s",
                          cenote_plugin_kind_to_string (known->kind), cenote_plugin_kind_to_string (expected_kind));
  if (!known->name)
    return plugin_refuse (error, "its descriptor has no name, expected %s",
                          expected_name ? expected_name : "[a-z][a-z0-9-]*");
  if (!plugin_name_check (known->name, error))
    return FALSE;
  if (expected_name && !g_str_equal (known->name, expected_name))
    return plugin_refuse (error, "its descriptor is named %s, expected %s", known->name, expected_name);
  return TRUE;
}

static gboolean
check_texts (const CenotePlugin *known, GError **error)
{
  const struct { const char *what, *text; } texts[] = {
    { "version", known->version }, { "summary", known->summary }, { "license", known->license }
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    if (!texts[i].text || !texts[i].text[0])
      return plugin_refuse (error, "it has no %s, expected a text", texts[i].what);
  }
  return TRUE;
}

/* ------------------------------------------------------- operations table */

static gboolean
slot_is_empty (const void *ops, const PluginSlot *slot)
{
  PluginFunc func;

  memcpy (&func, (const char *) ops + slot->offset, sizeof func);
  return func == NULL;
}

/* A slot that the plugin's table ends in the middle of is not there. */
static gboolean
fill_slots (Plugin *plugin, const PluginSlots *slots, guint size, GError **error)
{
  char *ops = (char *) &plugin->ops;

  for (guint i = 0; i < slots->n_slots; i++) {
    const PluginSlot *slot = &slots->slots[i];

    if (slot->offset + sizeof (PluginFunc) <= size && !slot_is_empty (ops, slot)) {
      plugin->slots_filled |= G_GUINT64_CONSTANT (1) << i;
      continue;
    }
    if (!slot->fallback)
      return plugin_refuse (error, "slot %s is empty, expected a function: a %s plugin must have it", slot->name,
                            slots->kind);
    memcpy (ops + slot->offset, &slot->fallback, sizeof slot->fallback);
  }
  return TRUE;
}

static gboolean
has_slot (const Plugin *plugin, guint slot)
{
  return (plugin->slots_filled >> slot & 1) != 0;
}

gboolean
plugin_transport_drives_itself (const Plugin *plugin)
{
  return plugin->kind == CENOTE_PLUGIN_TRANSPORT && has_slot (plugin, PLUGIN_SLOT_WATCH);
}

gboolean
plugin_transport_gives_up (const Plugin *plugin)
{
  return !plugin_transport_drives_itself (plugin)
         && (!has_slot (plugin, PLUGIN_SLOT_CLOSE_CHANNEL) || has_slot (plugin, PLUGIN_SLOT_GIVE_UP_CHANNEL));
}

/* What no single slot shows. */
static gboolean
check_together (const Plugin *plugin, GError **error)
{
  if (plugin->kind == CENOTE_PLUGIN_TRANSPORT) {
    gboolean watch = has_slot (plugin, PLUGIN_SLOT_WATCH);
    gboolean connect = has_slot (plugin, PLUGIN_SLOT_CONNECT);
    gboolean close_channel = has_slot (plugin, PLUGIN_SLOT_CLOSE_CHANNEL);

    if (watch != connect || (watch && !close_channel))
      return plugin_refuse (error,
                            "it fills%s%s%s, expected all of watch, connect, close_channel or none of watch, connect",
                            watch ? " watch" : "", connect ? " connect" : "", close_channel ? " close_channel" : "");
  }
  if (plugin->kind == CENOTE_PLUGIN_TELEMETRY && plugin->ops.telemetry.mask == 0)
    return plugin_refuse (error, "mask 0, expected the bits of the events that it wants");
  return TRUE;
}

static gboolean
take_ops (Plugin *plugin, const CenotePlugin *known, GError **error)
{
  const PluginSlots *slots = plugin_slots_get (known->kind);
  guint32 head[2];           /* struct_size, flags: every operations table begins with them */

  if (!known->ops)
    return plugin_refuse (error, "it has no operations table, expected one of at least %u bytes", slots->min_size);
  memcpy (head, known->ops, sizeof head[0]);
  if (head[0] < slots->min_size)
    return plugin_refuse (error, "an operations table of %u bytes, expected at least %u for a %s", head[0],
                          slots->min_size, slots->kind);
  memcpy (head, known->ops, sizeof head);
  if (known->abi_minor <= CENOTE_ABI_MINOR && (head[1] & ~slots->flags) != 0)
    return plugin_refuse (error, "flags 0x%x, expected none but 0x%x for a %s", head[1], slots->flags, slots->kind);
  plugin->ops_size = head[0];
  memcpy (&plugin->ops, known->ops, MIN (head[0], slots->ops_size));
  memcpy (&plugin->ops, &slots->ops_size, sizeof slots->ops_size);
  return fill_slots (plugin, slots, head[0], error) && check_together (plugin, error);
}

/* ----------------------------------------------------------------- plugin */

Plugin *
plugin_new (const CenotePlugin *descriptor, CenotePluginKind expected_kind, const char *expected_name, GError **error)
{
  g_autoptr (Plugin) plugin = g_new0 (Plugin, 1);
  CenotePlugin known;

  g_atomic_ref_count_init (&plugin->refs);
  if (!copy_descriptor (descriptor, &known, error) || !check_identity (&known, expected_kind, expected_name, error) ||
      !check_texts (&known, error))
    return NULL;
  plugin->kind = known.kind;
  plugin->abi_major = known.abi_major;
  plugin->abi_minor = known.abi_minor;
  plugin->descriptor_size = known.struct_size;
  plugin->option_size = known.n_options > 0 ? known.option_size : 0;
  plugin->name = g_strdup (known.name);
  plugin->version = g_strdup (known.version);
  plugin->summary = g_strdup (known.summary);
  plugin->license = g_strdup (known.license);
  plugin->shadowed = g_new0 (char *, 1);
  if (!take_ops (plugin, &known, error) || !plugin_options_take (&known, &plugin->options, error))
    return NULL;
  return g_steal_pointer (&plugin);
}

Plugin *
plugin_ref (Plugin *plugin)
{
  g_atomic_ref_count_inc (&plugin->refs);
  return plugin;
}

void
plugin_unref (Plugin *plugin)
{
  if (!plugin || !g_atomic_ref_count_dec (&plugin->refs))
    return;
  g_free (plugin->name);
  g_free (plugin->version);
  g_free (plugin->summary);
  g_free (plugin->license);
  g_free (plugin->path);
  g_strfreev (plugin->shadowed);
  g_free ((gpointer) plugin->options.rows);
  g_free (plugin);
}
