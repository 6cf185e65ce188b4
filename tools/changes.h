/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes: wakes a waiting thread when something changes in the pools it follows.
 *
 * A counter that the pools' observers push on.  Read it first, then look at the
 * pools, then wait for it to move: so no change is missed.
 */
#ifndef CENOTE_TOOLS_CHANGES_H
#define CENOTE_TOOLS_CHANGES_H

#include <cenote/pool.h>

typedef struct Changes Changes;

Changes *changes_new (void);
/* Stops following. */
void changes_free (Changes *changes);
void changes_follow (Changes *changes, CenotePool *pool);

/* Any thread: something else changed that the waiting thread looks at. */
void changes_push (Changes *changes);
guint64 changes_count (Changes *changes);
/* Waits until the count is not SEEN; FALSE where UNTIL_US (monotonic) came first. */
gboolean changes_wait (Changes *changes, guint64 seen, gint64 until_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Changes, changes_free)

#endif
