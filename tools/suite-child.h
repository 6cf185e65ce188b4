/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suite-child: the conformance suite over one plugin's file, in a process of its own.
 *
 * The plugin's code runs nowhere else, so that one that crashes, exits or hangs ends
 * its check and not the command.  gRPC is initialised there only.
 */
#ifndef CENOTE_TOOLS_SUITE_CHILD_H
#define CENOTE_TOOLS_SUITE_CHILD_H

#include <glib.h>

typedef struct SuiteRun {
  const char *path;          /* of the plugin */
  const char *const *settings; /* "key=value" (nullable) */
  guint limit_s;             /* that one check may take */
} SuiteRun;

/* CHECK: "backoff-reset: reset begins anew".  PROBLEM: NULL where it is kept. */
typedef void (*SuiteFunc) (gpointer data, const char *check, const char *problem);

/* Calls FUNC for each check, in their order.  FALSE: the child did not come to the end of the suite; the check
 * that was under way was FUNC's last, and *OUT_WHY (transfer full) says what became of the child. */
gboolean suite_child_run (const SuiteRun *run, SuiteFunc func, gpointer data, char **out_why);

#endif
