/* SPDX-License-Identifier: Apache-2.0 */
/*
 * references: which [KIND:NAME] groups the process and the pools name.
 *
 * A pool that does not write `backoff` still names the default's group, where
 * there is one; so tables and profiles are asked too.  Pure.
 */
#ifndef CENOTE_CORE_REFERENCES_H
#define CENOTE_CORE_REFERENCES_H

#include "problems.h"
#include "config.h"

G_BEGIN_DECLS

/* Adds to NOTES each group of a plugin that nothing names. */
void references_note_unused (const CenoteConfig *config, Problems *notes);

G_END_DECLS

#endif
