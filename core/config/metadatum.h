/* SPDX-License-Identifier: Apache-2.0 */
/* metadatum: one element of a pool's metadata, NAME:VALUE. */
#ifndef CENOTE_CORE_METADATUM_H
#define CENOTE_CORE_METADATUM_H

#include <glib.h>

/* (transfer full) (nullable): what is wrong with TEXT; it does not show the value. */
char *metadatum_check (const char *text);
/* Of one that was checked.  (transfer full): its name; OUT_VALUE: its value, a part of TEXT. */
char *metadatum_split (const char *text, const char **out_value);

#endif
