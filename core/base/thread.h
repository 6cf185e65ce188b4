/* SPDX-License-Identifier: Apache-2.0 */
/* thread: starts the library's threads, none of which ever runs the program's signal handlers. */
#ifndef CENOTE_CORE_THREAD_H
#define CENOTE_CORE_THREAD_H

#include <glib.h>

G_BEGIN_DECLS

/* NAME: at most 15 bytes.  NULL where the system gives no thread; errors are G_THREAD_ERROR's. */
GThread *thread_start (const char *name, GThreadFunc func, gpointer data, GError **error);

G_END_DECLS

#endif
