/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hangup: counts SIGHUPs for sinks that open their files anew, without taking the signal from the program.
 *
 * While somebody watches, a handler of ours stands before what the program has:
 *   its own handler      is called as before, after the count
 *   SIG_IGN              stays, and nothing is counted: whoever is started by it would not ignore it any more
 *   SIG_DFL              a SIGHUP that a process sent (kill, logrotate) is counted and no longer ends the program;
 *                        that of a terminal that is gone ends it as before
 * A handler that the program sets later takes our place; ours is not put before it again.
 * The last to leave puts back what was there, where ours is still the handler.
 *
 * State of the process, as a signal's handler is.  watch and unwatch: any thread; one lock.
 */
#ifndef CENOTE_PLUGINS_HANGUP_H
#define CENOTE_PLUGINS_HANGUP_H

#include <glib.h>

void hangup_watch (void);
void hangup_unwatch (void);
/* SIGHUPs so far, modulo 2^32. */
guint hangup_count (void);

#endif
