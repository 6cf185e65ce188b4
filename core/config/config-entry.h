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
/* Whether the entry has no value in any form, and a problem has told why. */
gboolean config_entry_is_lost (const ConfigEntry *entry);
ConfigEntry *config_entry_copy (const ConfigEntry *entry);
void config_entry_free (ConfigEntry *entry);

G_END_DECLS

#endif
