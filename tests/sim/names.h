/* SPDX-License-Identifier: Apache-2.0 */
/* names: the resolver of a simulation: answers after a millisecond of virtual time what a test said last. */
#ifndef CENOTE_TESTS_SIM_NAMES_H
#define CENOTE_TESTS_SIM_NAMES_H

#include "core/names/resolver.h"

G_BEGIN_DECLS

typedef struct Names Names;

Names *names_new (Control *control);
/* No question is under way. */
void names_free (Names *names);
Resolver *names_resolver (Names *names);

/* From now on HOST stands for ADDRESSES (separated by blanks); NULL: there is no answer.  One that was never
 * mentioned has none. */
void names_set (Names *names, const char *host, const char *addresses);
/* How often HOST was asked for. */
guint names_n_asked (Names *names, const char *host);
guint names_n_under_way (const Names *names);

G_END_DECLS

#endif
