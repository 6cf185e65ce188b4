/* SPDX-License-Identifier: Apache-2.0 */
/* config: a keyfile's groups and entries, in their order, with their lines. */
#include "config.h"

#include <string.h>

#include "config-entry.h"
#include "option.h"
#include "references.h"
#include "scan.h"
#include "text-file.h"
#include "uri-keys.h"

#define NAME_MAX_BYTES 64

struct CenoteConfig {
  gatomicrefcount refs;
  char *file;
  char *directory;
  GPtrArray *groups;         /* of ConfigGroup */
  GHashTable *by_title;      /* title → ConfigGroup (borrowed) */
  Problems *faults;          /* of the text itself */
  Problems *problems;        /* these and those of the connection strings; NULL until sealed */
  Problems *hints;
  gboolean incomplete;
  gboolean is_uri;
};

/* ------------------------------------------------------------------- groups */

static const char *const group_kinds[] = {
  "pool", "backoff", "connector", "picker", "transport", "telemetry", "cenote", NULL
};

static ConfigGroup *
add_group (CenoteConfig *config, const char *title, guint line)
{
  ConfigGroup *group = config_group_new (title, line);

  g_ptr_array_add (config->groups, group);
  g_hash_table_insert (config->by_title, group->title, group);
  return group;
}

gboolean
config_is_name (const char *text)
{
  gsize length = strlen (text);

  return g_ascii_isalnum (*text) && length <= NAME_MAX_BYTES
         && strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == length;
}

static void
tell_unknown_kind (CenoteConfig *config, const char *title, const char *kind, guint line)
{
  const char *nearest = option_nearest (kind, group_kinds);

  problems_add (config->faults, line, title, NULL,
                "unknown kind of group '%s' ([cenote], or one of [pool:NAME], [backoff:NAME], "
                "[connector:NAME], [picker:NAME], [transport:NAME], [telemetry:NAME]%s%s)",
                kind, nearest != NULL ? "; nearest: " : "", nearest != NULL ? nearest : "");
}

/* [cenote], or [KIND:NAME] with a kind that there is and a good name. */
static gboolean
check_title (CenoteConfig *config, const char *title, guint line)
{
  g_auto (GStrv) parts = g_strsplit (title, ":", 2);
  const char *kind = parts[0], *name = parts[1];

  if (!g_strv_contains (group_kinds, kind))
    tell_unknown_kind (config, title, kind, line);
  else if (strcmp (kind, "cenote") == 0 && name != NULL)
    problems_add (config->faults, line, title, NULL, "the process's group takes no name ([cenote])");
  else if (strcmp (kind, "cenote") != 0 && name == NULL)
    problems_add (config->faults, line, title, NULL, "the group has no name ([%s:NAME])", kind);
  else if (name != NULL && !config_is_name (name))
    problems_add (config->faults, line, title, NULL,
                  "'%s' is not a name (a letter or digit, then up to 63 letters, digits, '.', '_' and '-')", name);
  else
    return TRUE;
  config->incomplete = TRUE;
  return FALSE;
}

/* ------------------------------------------------------------------ keyfile */

static void
read_entry (CenoteConfig *config, ConfigGroup *group, GKeyFile *key_file, const char *key, const Scan *scan)
{
  g_autofree char *value = g_key_file_get_value (key_file, group->title, key, NULL);
  guint line = scan != NULL ? scan_key_line (scan, group->title, key) : 0;

  if (value == NULL)
    return;
  g_ptr_array_add (group->entries, config_entry_new (group, key, value, line, CONFIG_LAYER_KEYFILE, config->faults));
}

/* An entry without a value, told already, for each faulty line: the key is not missing as well. */
static void
read_lost_keys (ConfigGroup *group, const Scan *scan)
{
  const GPtrArray *keys = scan_lost_keys (scan, group->title);
  guint i;

  for (i = 0; keys != NULL && i < keys->len; i++) {
    const char *key = g_ptr_array_index (keys, i);

    if (scan_key_line (scan, group->title, key) == 0)
      g_ptr_array_add (group->entries, config_entry_new_lost (key));
  }
}

static void
read_group (CenoteConfig *config, GKeyFile *key_file, const char *title, const Scan *scan)
{
  guint line = scan != NULL ? scan_group_line (scan, title) : 0;
  g_auto (GStrv) keys = NULL;
  ConfigGroup *group;
  gsize i;

  if (!check_title (config, title, line))
    return;
  group = add_group (config, title, line);
  keys = g_key_file_get_keys (key_file, title, NULL, NULL);
  for (i = 0; keys != NULL && keys[i] != NULL; i++)
    read_entry (config, group, key_file, keys[i], scan);
  if (scan != NULL)
    read_lost_keys (group, scan);
}

/* SCAN: (nullable): where the lines are known from. */
static void
read_key_file (CenoteConfig *config, GKeyFile *key_file, const Scan *scan)
{
  g_auto (GStrv) titles = g_key_file_get_groups (key_file, NULL);
  gsize i;

  for (i = 0; titles[i] != NULL && i < CONFIG_GROUPS_MAX; i++)
    read_group (config, key_file, titles[i], scan);
  if (titles[i] == NULL)
    return;
  config->incomplete = TRUE;
  problems_add (config->faults, scan != NULL ? scan_group_line (scan, titles[i]) : 0, NULL, NULL,
                "there are too many groups (at most %d)", CONFIG_GROUPS_MAX);
}

static void
read_text (CenoteConfig *config, const char *data, gsize length)
{
  g_autoptr (Scan) scan = scan_new (data, length, config->faults, config->hints);
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  gsize text_length;
  const char *text = scan_text (scan, &text_length);

  config->incomplete = scan_lost_a_group (scan);
  if (g_key_file_load_from_data (key_file, text, text_length, G_KEY_FILE_NONE, &error)) {
    read_key_file (config, key_file, scan);
    return;
  }
  config->incomplete = TRUE;
  problems_add (config->faults, 0, NULL, NULL, "%s", error->message);
}

/* What scan tells of a text, for a GKeyFile that the program has filled. */
static void
check_key_file (CenoteConfig *config, const ConfigGroup *group, const ConfigEntry *entry)
{
  if (strpbrk (entry->key, "[]") != NULL)
    problems_add (config->faults, 0, group->title, entry->key,
                  "a key has no locale here (write it without the brackets)");
  scan_hint_comment (config->hints, 0, group->title, entry->key, entry->raw);
}

static void
check_key_file_groups (CenoteConfig *config)
{
  guint i, j;

  for (i = 0; i < config->groups->len; i++) {
    const ConfigGroup *group = g_ptr_array_index (config->groups, i);

    for (j = 0; j < group->entries->len; j++)
      check_key_file (config, group, g_ptr_array_index (group->entries, j));
  }
}

/* ------------------------------------------------------------- construction */

static CenoteConfig *
config_new (const char *file)
{
  CenoteConfig *config = g_new0 (CenoteConfig, 1);

  g_atomic_ref_count_init (&config->refs);
  config->file = g_strdup (file);
  config->groups = g_ptr_array_new_with_free_func ((GDestroyNotify) config_group_free);
  config->by_title = g_hash_table_new (g_str_hash, g_str_equal);
  config->faults = problems_new (config->file);
  config->hints = problems_new (config->file);
  return config;
}

/* The end of each construction. */
static CenoteConfig *
seal (CenoteConfig *config)
{
  guint i;

  config->problems = problems_new (config->file);
  problems_add_all (config->problems, config->faults);
  for (i = 0; i < config->groups->len; i++) {
    ConfigGroup *group = g_ptr_array_index (config->groups, i);

    if (strcmp (group->kind, "pool") == 0)
      uri_keys_apply (config, group, config->problems);
  }
  return config;
}

static CenoteConfig *
new_from_text (const char *file, const char *data, gsize length)
{
  CenoteConfig *config = config_new (file);

  read_text (config, data, length);
  return seal (config);
}

/* An error of the file system's would repeat it, and its password. */
static CenoteConfig *
refuse_uri (GError **error)
{
  g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND,
                       "a connection string is not the name of a keyfile (cenote_config_new_from_uri() takes one, and "
                       "so does the key uri of a pool)");
  return NULL;
}

CenoteConfig *
config_open (const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *data = NULL;
  CenoteConfig *config;
  gsize length;

  if (strstr (path, "://") != NULL && !g_file_test (path, G_FILE_TEST_EXISTS))
    return refuse_uri (error);
  data = text_file_read (path, CONFIG_FILE_MAX, &length, error);
  if (data == NULL)
    return NULL;
  config = new_from_text (name, data, length);
  config->directory = g_path_get_dirname (absolute);
  return config;
}

CenoteConfig *
config_parse (const char *data, gssize length)
{
  return new_from_text ("(data)", data, length < 0 ? strlen (data) : (gsize) length);
}

/* CONFIG, or NULL with its problems. */
static CenoteConfig *
take_if_sound (CenoteConfig *config, GError **error)
{
  if (config != NULL && !problems_check (config->problems, error))
    g_clear_pointer (&config, cenote_config_unref);
  return config;
}

CenoteConfig *
cenote_config_new_from_file (const char *path, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);

  return take_if_sound (config_open (path, error), error);
}

CenoteConfig *
cenote_config_new_from_data (const char *data, gssize length, GError **error)
{
  g_return_val_if_fail (data != NULL || length == 0, NULL);

  return take_if_sound (config_parse (data, length), error);
}

CenoteConfig *
cenote_config_new_from_key_file (GKeyFile *key_file, GError **error)
{
  CenoteConfig *config;

  g_return_val_if_fail (key_file != NULL, NULL);

  config = config_new ("(data)");
  read_key_file (config, key_file, NULL);
  check_key_file_groups (config);
  return take_if_sound (seal (config), error);
}

CenoteConfig *
cenote_config_new_from_uri (const char *uri, GError **error)
{
  CenoteConfig *config;
  ConfigGroup *pool;

  g_return_val_if_fail (uri != NULL, NULL);

  config = config_new ("(uri)");
  config->is_uri = TRUE;
  pool = add_group (config, "pool:default", 0);
  g_ptr_array_add (pool->entries, config_entry_new_literal ("uri", uri, 0, CONFIG_LAYER_KEYFILE));
  return take_if_sound (seal (config), error);
}

CenoteConfig *
cenote_config_ref (CenoteConfig *config)
{
  g_return_val_if_fail (config != NULL, NULL);

  g_atomic_ref_count_inc (&config->refs);
  return config;
}

void
cenote_config_unref (CenoteConfig *config)
{
  if (config == NULL || !g_atomic_ref_count_dec (&config->refs))
    return;
  g_hash_table_unref (config->by_title);
  g_ptr_array_unref (config->groups);
  problems_free (config->faults);
  problems_free (config->problems);
  problems_free (config->hints);
  g_free (config->directory);
  g_free (config->file);
  g_free (config);
}

/* ------------------------------------------------------------ program layer */

static void
copy_group (CenoteConfig *config, const ConfigGroup *base)
{
  ConfigGroup *group = add_group (config, base->title, base->line);
  guint i;

  for (i = 0; i < base->entries->len; i++) {
    const ConfigEntry *entry = g_ptr_array_index (base->entries, i);

    if (!config_entry_is_from_uri (entry))
      g_ptr_array_add (group->entries, config_entry_copy (entry));
  }
}

static CenoteConfig *
config_copy (const CenoteConfig *base)
{
  CenoteConfig *config = config_new (base->file);
  guint i;

  config->directory = g_strdup (base->directory);
  config->incomplete = base->incomplete;
  config->is_uri = base->is_uri;
  problems_add_all (config->faults, base->faults);
  problems_add_all (config->hints, base->hints);
  for (i = 0; i < base->groups->len; i++)
    copy_group (config, g_ptr_array_index (base->groups, i));
  return config;
}

/* The later of two entries of one key wins. */
static void
set_entry (ConfigGroup *group, ConfigEntry *entry)
{
  guint i;

  for (i = 0; i < group->entries->len; i++) {
    const ConfigEntry *other = g_ptr_array_index (group->entries, i);

    if (strcmp (other->key, entry->key) == 0)
      g_ptr_array_remove_index (group->entries, i--);
  }
  g_ptr_array_add (group->entries, entry);
}

/* SETTING is text for people only where the form is wrong; its value may be a secret. */
static void
apply_setting (CenoteConfig *config, const char *setting)
{
  const char *equals = strchr (setting, '=');
  g_autofree char *path = equals == NULL ? g_strdup (setting) : g_strndup (setting, (gsize) (equals - setting));
  char *slash = strchr (path, '/');
  ConfigGroup *group;

  if (!g_utf8_validate (setting, -1, NULL)) {
    problems_add (config->faults, PROBLEMS_PROGRAM, NULL, NULL, "a setting is not UTF-8 (GROUP/KEY=VALUE)");
  } else if (strstr (path, "://") != NULL) {
    problems_add (config->faults, PROBLEMS_PROGRAM, NULL, NULL,
                  "a connection string is no setting (GROUP/KEY=VALUE, e.g. pool:users/uri=grpc://HOST:PORT)");
  } else if (equals == NULL || slash == NULL || slash[1] == '\0') {
    problems_add (config->faults, PROBLEMS_PROGRAM, NULL, NULL,
                  "'%s' is no setting (GROUP/KEY=VALUE, e.g. pool:users/size=10)", path);
  } else {
    *slash = '\0';
    if (!check_title (config, path, PROBLEMS_PROGRAM))
      return;
    group = g_hash_table_lookup (config->by_title, path);
    if (group == NULL)
      group = add_group (config, path, PROBLEMS_PROGRAM);
    set_entry (group, config_entry_new (group, slash + 1, equals + 1, PROBLEMS_PROGRAM, CONFIG_LAYER_PROGRAM,
                                        config->faults));
  }
}

CenoteConfig *
config_overlay (CenoteConfig *base, const char *const *settings)
{
  CenoteConfig *config = config_copy (base);
  gsize i;

  for (i = 0; settings[i] != NULL; i++)
    apply_setting (config, settings[i]);
  return seal (config);
}

CenoteConfig *
cenote_config_new_with (CenoteConfig *base, const char *const *settings, GError **error)
{
  g_return_val_if_fail (base != NULL, NULL);
  g_return_val_if_fail (settings != NULL, NULL);

  return take_if_sound (config_overlay (base, settings), error);
}

/* ------------------------------------------------------------------- access */

const Problems *
config_get_problems (const CenoteConfig *config)
{
  return config->problems;
}

gboolean
config_is_uri (const CenoteConfig *config)
{
  return config->is_uri;
}

gboolean
config_is_incomplete (const CenoteConfig *config)
{
  return config->incomplete;
}

const char *
config_get_file (const CenoteConfig *config)
{
  return config->file;
}

const char *
config_get_directory (const CenoteConfig *config)
{
  return config->directory;
}

const GPtrArray *
config_get_groups (const CenoteConfig *config)
{
  return config->groups;
}

const ConfigGroup *
config_find_group (const CenoteConfig *config, const char *kind, const char *name)
{
  g_autofree char *title = name == NULL ? g_strdup (kind) : g_strconcat (kind, ":", name, NULL);

  return g_hash_table_lookup (config->by_title, title);
}

void
config_add_warnings (const CenoteConfig *config, Problems *notes)
{
  problems_add_all (notes, config->hints);
  references_note_unused (config, notes);
}

char **
cenote_config_get_warnings (CenoteConfig *config)
{
  g_autoptr (Problems) notes = NULL;

  g_return_val_if_fail (config != NULL, NULL);

  notes = problems_new (config->file);
  config_add_warnings (config, notes);
  return problems_to_strv (notes);
}
