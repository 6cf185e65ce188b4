/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: what holds for the whole process: forked children, and on which of
 * Cenote's threads a call comes.
 */
#ifndef CENOTE_CORE_PROCESS_H
#define CENOTE_CORE_PROCESS_H

#include <glib.h>

G_BEGIN_DECLS

/* Registers the handlers of fork(), once. */
void process_watch_fork (void);
/* Any thread: TRUE in a child that was forked after process_watch_fork(). */
gboolean process_is_forked_child (void);
/* FALSE, with CENOTE_ERROR_STOPPED, in a forked child. */
gboolean process_check_fork (GError **error);
/* FALSE, with CENOTE_ERROR_INVALID naming WHAT, on a thread that must not block:
 * control and telemetry.  The callback thread may. */
gboolean process_check_may_block (const char *what, GError **error);

G_END_DECLS

#endif
