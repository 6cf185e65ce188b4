/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expand: ${VAR} and ${VAR:-default} from the environment, once.
 *
 * What a variable holds is not looked at again.  $${ is a literal ${, and a $
 * that no { follows is itself.  Reads the environment with g_getenv(); no other state.
 */
#ifndef CENOTE_CORE_EXPAND_H
#define CENOTE_CORE_EXPAND_H

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full) (nullable): TEXT expanded.  A variable that is unset or empty gives its
 * default; one that is empty and has none gives "".  NULL: *OUT_PROBLEM (transfer full)
 * says why: unset without a default, not a variable's name, no }, not UTF-8.  Never shows a variable's value. */
char *expand_text (const char *text, char **out_problem);

G_END_DECLS

#endif
