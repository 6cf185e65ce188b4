/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: what holds for the whole process: forked children, and on which of
 * Cenote's threads a call comes.
 */
#ifndef CENOTE_CORE_PROCESS_H
#define CENOTE_CORE_PROCESS_H

#include <glib.h>

G_BEGIN_DECLS

/* process.c's, and process_check_fork()'s. */
extern gboolean process_forked;
gboolean process_refuse_fork (GError **error);

/* Registers the handlers of fork(), once. */
void process_watch_fork (void);
/* Any thread: TRUE in a child that was forked after process_watch_fork(). */
static inline gboolean
process_is_forked_child (void)
{
  return process_forked;
}

/* FALSE, with CENOTE_ERROR_STOPPED, in a forked child. */
static inline gboolean
process_check_fork (GError **error)
{
  return !process_forked || process_refuse_fork (error);
}

/* FALSE, with CENOTE_ERROR_INVALID naming WHAT, on a thread that must not block:
 * control and telemetry.  The callback thread may. */
gboolean process_check_may_block (const char *what, GError **error);

G_END_DECLS

#endif
