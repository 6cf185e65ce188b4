/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: a keyfile's groups and entries, in their order, with their lines.
 *
 * scan (lines, syntax) → GKeyFile (the values as GLib reads them) → escape and
 * expand (${VAR}) → here.  Immutable after construction; counted atomically.
 *
 * What a pool's connection string says is laid over the pool's group at the end of
 * each construction, and left out of copies, so that another string can take its place.
 *
 * A config may be kept in spite of what is wrong with it (config_open()): then
 * it holds what is sound, and settings_new() tells its problems with those of the values.
 */
#ifndef CENOTE_CORE_CONFIG_H
#define CENOTE_CORE_CONFIG_H

#include <cenote/config.h>

#include "problems.h"

G_BEGIN_DECLS

#define CONFIG_FILE_MAX (4 * 1024 * 1024)
/* More groups than this are taken for a mistake: each is looked at with every other. */
#define CONFIG_GROUPS_MAX 10000

/* Where a value comes from; the higher layer wins. */
typedef enum {
  CONFIG_LAYER_DEFAULT,
  CONFIG_LAYER_PROFILE,
  CONFIG_LAYER_KEYFILE,
  CONFIG_LAYER_PROGRAM
} ConfigLayer;

typedef struct ConfigEntry {
  char *key;
  /* The value as a scalar (blanks dropped, GKeyFile's escapes undone, ${VAR}
   * expanded) and as a list (split at ';', each item unescaped and expanded).
   * RAW: the text after '=' with blanks dropped, nothing else done.  service-config
   * is taken raw: its text is RAW.  All are NULL for a line that could not be read. */
  char *raw;
  char *text;                /* NULL where bad as a scalar: text_problem says why */
  char **items;              /* NULL where bad as a list: items_problem says why (an empty element, …) */
  char *text_problem;        /* both NULL where the value is bad either way: a problem of the config has told it */
  char *items_problem;
  guint line;                /* 0: none; PROBLEMS_PROGRAM where the program has set it */
  ConfigLayer layer;         /* CONFIG_LAYER_KEYFILE or _PROGRAM */
  char *label;               /* NULL, or it is from a connection string, and problems call the key so, */
  char *title;               /* in this group */
} ConfigEntry;

/* What a pool's scheme says of its transport. */
typedef enum { CONFIG_URI_ANY, CONFIG_URI_PLAINTEXT, CONFIG_URI_TLS } ConfigUriSecurity;

/* What a pool's connection string says beside the entries that it makes. */
typedef struct ConfigUri {
  ConfigUriSecurity security;
  char *user_password;       /* (nullable): "user:password" */
  GPtrArray *own_groups;     /* of ConfigGroup without a name, one of each kind: transport.KEY and its like */
} ConfigUri;

typedef struct ConfigGroup {
  char *title;               /* "pool:users", "cenote" */
  char *kind;                /* "pool", "cenote" */
  char *name;                /* "users"; NULL for [cenote] */
  guint line;                /* as ConfigEntry's */
  GPtrArray *entries;        /* of ConfigEntry, in file order; the first of a key counts */
  ConfigUri *uri;            /* NULL: none, or one that could not be read, which has been told */
} ConfigGroup;

/* As cenote_config_new_from_file(), _data() and _with(), but what is wrong with the text
 * does not fail them: see config_get_problems().  config_open() still fails where the file cannot be read. */
CenoteConfig *config_open (const char *path, GError **error);
CenoteConfig *config_parse (const char *data, gssize length);
CenoteConfig *config_overlay (CenoteConfig *base, const char *const *settings);

/* Empty for a config that a public constructor returned. */
const Problems *config_get_problems (const CenoteConfig *config);
/* Adds what cenote_config_get_warnings() returns. */
void config_add_warnings (const CenoteConfig *config, Problems *notes);
/* Whether some group could not be kept, so that a group that is absent may have been there. */
gboolean config_is_incomplete (const CenoteConfig *config);

/* What stands for FILE in problems: the path as it was given, or "(data)". */
const char *config_get_file (const CenoteConfig *config);
/* (nullable): the absolute directory of the file: what relative paths in it are relative to. */
const char *config_get_directory (const CenoteConfig *config);
/* Of ConfigGroup, in file order; one of each title. */
const GPtrArray *config_get_groups (const CenoteConfig *config);
const ConfigGroup *config_find_group (const CenoteConfig *config, const char *kind, const char *name);
/* Whether it comes from cenote_config_new_from_uri(). */
gboolean config_is_uri (const CenoteConfig *config);

/* TITLE is [cenote]'s or KIND:NAME. */
ConfigGroup *config_group_new (const char *title, guint line);
/* A group of options that the pool TITLE has for its plugin of KIND. */
ConfigGroup *config_group_new_own (const char *title, const char *kind, guint line);
void config_group_free (ConfigGroup *group);
const ConfigEntry *config_group_find (const ConfigGroup *group, const char *key);
/* (nullable): the pool's own options for its plugin of KIND. */
const ConfigGroup *config_group_find_own (const ConfigGroup *pool, const char *kind);
/* Whether the pool has a connection string that could not be read. */
gboolean config_group_has_bad_uri (const ConfigGroup *pool);
ConfigUri *config_uri_new (const char *user_password);

/* Whether TEXT may name a group: [A-Za-z0-9][A-Za-z0-9._-]{0,63}. */
gboolean config_is_name (const char *text);

G_END_DECLS

#endif
