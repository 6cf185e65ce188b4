/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: what one checking pass carries, and how it reads one group by one table.
 *
 * Lives as long as settings_new() runs; one thread.
 */
#ifndef CENOTE_CORE_CHECK_H
#define CENOTE_CORE_CHECK_H

#include "settings.h"

G_BEGIN_DECLS

typedef struct Check {
  const CenoteConfig *config;
  CenoteRegistry *registry;
  Problems *problems;
  Problems *notes;
  GHashTable *uses;          /* "kind:name" → PluginUse (reference) */
  GHashTable *overlaid;      /* titles of the groups that a pool has laid its own options over */
  GError *plugin_failure;    /* the first plugin that could not be had and had to be */
  guint plugin_problems;     /* how many of the problems are such */
} Check;

/* A place in the keyfile, for problems. */
typedef struct Place {
  guint line;
  const char *group;
  const char *key;           /* (nullable) */
} Place;

/* What stands in place of the table's default for row I of GROUP, or NULL. */
typedef const char *(*CheckDefault) (const ConfigGroup *group, guint i);

/* Reads every row of TABLE into SETTINGS (one each, zero before, cleared by check_clear_settings()), from GROUP
 * (nullable: all defaults).  A value that is wrong is a problem, and its setting then has the default.
 * A required one that is missing is a problem at MISSING. */
void check_read_settings (Check *check, const ConfigGroup *group, const OptionTable *table, CheckDefault get_default,
                          const Place *missing, Setting *settings);
void check_clear_settings (Setting *settings, guint n_settings);

/* Tells each key of GROUP that is neither in TABLE nor EXTRA (nullable).  OWNER: whose keys they are, e.g. "a pool". */
void check_keys (Check *check, const ConfigGroup *group, const OptionTable *table, const char *extra,
                 const char *owner);

/* Adds a problem that is a plugin that cannot be had; HINT (nullable) follows the failure's message. */
void check_add_plugin_problem (Check *check, const Place *place, const GError *failure, const char *hint);
/* Adds what is wrong with ENTRY's value; nothing where PROBLEM is NULL, because it was told already. */
void check_add_value_problem (Check *check, const ConfigGroup *group, const ConfigEntry *entry, const char *problem);

/* Whether the keyfile or the program has set it. */
static inline gboolean
setting_is_written (const Setting *setting)
{
  return setting->layer >= CONFIG_LAYER_KEYFILE;
}

G_END_DECLS

#endif
