/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async: a unary call for a part of Cenote's own that has no loop: it ends on the
 * callback thread.
 */
#ifndef CENOTE_CORE_CALL_ASYNC_H
#define CENOTE_CORE_CALL_ASYNC_H

#include <cenote/call.h>

G_BEGIN_DECLS

/* Any thread, never blocks.  As cenote_call_unary_async(), but CALLBACK runs on the callback thread and NOTIFY after
 * it; where that thread has ended, NOTIFY alone, and then soon.  FALSE, and neither is called: the runtime stops. */
gboolean call_unary_without_loop (CenotePool *pool, const char *method, GBytes *request, const CenoteCallOptions *options,
                                  CenoteUnaryCallback callback, gpointer user_data, GDestroyNotify notify);

G_END_DECLS

#endif
