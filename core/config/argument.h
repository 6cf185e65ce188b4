/* SPDX-License-Identifier: Apache-2.0 */
/* argument: one element of channel-args, name=value, and the arguments that are Cenote's own.  Pure. */
#ifndef CENOTE_CORE_ARGUMENT_H
#define CENOTE_CORE_ARGUMENT_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct Argument {
  char *name;
  char *text;                /* NULL: it is a whole number */
  gint number;
} Argument;

/* Reads name=value: what looks like a whole number is one.  FALSE: *OUT_PROBLEM (transfer
 * full): no =, no name, a number that does not fit C-core's int, or an argument that Cenote
 * sets itself, with the key that it is set by. */
gboolean argument_parse (const char *text, Argument *out_argument, char **out_problem);
void argument_clear (Argument *argument);

G_END_DECLS

#endif
