/* SPDX-License-Identifier: Apache-2.0 */
/* explain: every effective value and where it comes from, for people and for scripts.  Pure. */
#ifndef CENOTE_CORE_EXPLAIN_H
#define CENOTE_CORE_EXPLAIN_H

#include "settings.h"

G_BEGIN_DECLS

/* (transfer full): the groups in effect, a value a line with its source behind it
 * (default, profile NAME, FILE:LINE, program); plugins with their file and those that it shadows.
 *
 * JSON: {"file","process":[SETTING…],"sinks":[USE…],"pools":[{"name","failure","targets",
 * "options":[SETTING…],"plugins":[USE…]}…]}.  SETTING is {"key","value","source","line"} with the
 * source default, profile, keyfile or program.  USE is {"kind","instance","failure"} and, where
 * the plugin was had, "plugin","version","path","shadowed","options":[SETTING…]. */
char *explain_settings (const Settings *settings, gboolean json);

G_END_DECLS

#endif
