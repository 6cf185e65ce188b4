/* SPDX-License-Identifier: Apache-2.0 */
/* config-entry: one key and its value, from the text behind the = to what the option tables read. */
#ifndef CENOTE_CORE_CONFIG_ENTRY_H
#define CENOTE_CORE_CONFIG_ENTRY_H

#include "config.h"

G_BEGIN_DECLS

/* (transfer full): VALUE is what stands behind the =, blanks and all.  PROBLEMS is told what
 * makes it bad both as a scalar and as a list (a variable that is not set, a bad
 * escape); what is bad as one of them only is kept, because only the option's row knows which it is. */
ConfigEntry *config_entry_new (const ConfigGroup *group, const char *key, const char *value, guint line,
                               ConfigLayer layer, Problems *problems);
/* (transfer full): what is left of a line that could not be read. */
ConfigEntry *config_entry_new_lost (const char *key);
/* (transfer full): VALUE from the connection string URI of the group TITLE, decoded already: nothing is expanded. */
ConfigEntry *config_entry_new_from_uri (const char *key, const char *value, const char *label, const char *title,
                                        const ConfigEntry *uri);
gboolean config_entry_is_from_uri (const ConfigEntry *entry);
/* (transfer full): a value that is taken as it stands. */
ConfigEntry *config_entry_new_literal (const char *key, const char *value, guint line, ConfigLayer layer);
/* Whether the entry has no value in any form, and a problem has told why. */
gboolean config_entry_is_lost (const ConfigEntry *entry);
/* How problems call ENTRY, which stands in GROUP: its key and its group's title. */
const char *config_entry_label (const ConfigEntry *entry);
const char *config_entry_title (const ConfigEntry *entry, const ConfigGroup *group);
/* (transfer full): a place for a problem that names two: "target on line 3". */
char *config_place_name (const char *label, guint line);
ConfigEntry *config_entry_copy (const ConfigEntry *entry);
void config_entry_free (ConfigEntry *entry);

G_END_DECLS

#endif
