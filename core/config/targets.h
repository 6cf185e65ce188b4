/* SPDX-License-Identifier: Apache-2.0 */
/*
 * targets: from an address as people write it to the one that a channel is made for.
 *
 * host:port becomes dns:///host:port; a target with a scheme keeps it.  Nothing
 * is looked up.  Pure.
 */
#ifndef CENOTE_CORE_TARGETS_H
#define CENOTE_CORE_TARGETS_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct TargetRules {
  guint default_port;        /* for a name without one; 0: that is a problem */
  gboolean any_scheme;       /* the transport resolves targets itself: what is not ours to read is left as it is */
} TargetRules;

/* (transfer full) (nullable): TEXT made whole.  NULL: *OUT_PROBLEM (transfer full) says what
 * is wrong with it and what would be right. */
char *targets_normalise (const char *text, const TargetRules *rules, char **out_problem);

G_END_DECLS

#endif
