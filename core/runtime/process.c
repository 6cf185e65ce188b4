/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <cenote/error.h>
#include <pthread.h>

#include "core/base/hot.h"
#include "core/telemetry/bus.h"
#include "control.h"
#include "core/slots/slots.h"

gboolean process_forked;

static void
child_after_fork (void)
{
  process_forked = TRUE;
  slots_after_fork_in_child ();
}

void
process_watch_fork (void)
{
  static gsize once;

  if (g_once_init_enter (&once)) {
    pthread_atfork (slots_before_fork, slots_after_fork_in_parent, child_after_fork);
    g_once_init_leave (&once, 1);
  }
}

COLD gboolean
process_refuse_fork (GError **error)
{
  g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_STOPPED,
                       "This is a forked child: gRPC does not survive fork(); fork before the first runtime, or exec");
  return FALSE;
}

static COLD gboolean
refuse_block (const char *what, GError **error)
{
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
               "%s would block Cenote's %s thread: call it on a thread of the program's, or on the callback thread", what,
               control_on_any () ? "control" : "telemetry");
  return FALSE;
}

HOT gboolean
process_check_may_block (const char *what, GError **error)
{
  return (!control_on_any () && !bus_on_telemetry_thread ()) || refuse_block (what, error);
}
