/* SPDX-License-Identifier: Apache-2.0 */
/* demo-delays: the delays before attempts that a backoff has set.  See demo-delays.h. */
#include "demo-delays.h"

#include "core/base/monitor.h"

struct DemoDelays {
  Monitor monitor;
  GArray *delays_ms;         /* of gint64 */
};

DemoDelays *
demo_delays_new (void)
{
  DemoDelays *delays = g_new0 (DemoDelays, 1);

  monitor_init (&delays->monitor);
  delays->delays_ms = g_array_new (FALSE, FALSE, sizeof (gint64));
  return delays;
}

void
demo_delays_free (DemoDelays *delays)
{
  g_array_unref (delays->delays_ms);
  monitor_clear (&delays->monitor);
  g_free (delays);
}

/* A connection that was healthy is dialled again at once, which no backoff decides. */
static void
on_event (const CenoteEvent *event, gpointer data)
{
  DemoDelays *delays = data;

  if (event->delay_ms <= 0)
    return;
  monitor_lock (&delays->monitor);
  g_array_append_val (delays->delays_ms, event->delay_ms);
  monitor_broadcast (&delays->monitor);
  monitor_unlock (&delays->monitor);
}

void
demo_delays_follow (DemoDelays *delays, CenoteRuntime *runtime)
{
  cenote_runtime_add_sink (runtime, CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED), on_event, delays,
                           NULL);
}

void
demo_delays_clear (DemoDelays *delays)
{
  monitor_lock (&delays->monitor);
  g_array_set_size (delays->delays_ms, 0);
  monitor_unlock (&delays->monitor);
}

guint
demo_delays_count (DemoDelays *delays)
{
  guint count;

  monitor_lock (&delays->monitor);
  count = delays->delays_ms->len;
  monitor_unlock (&delays->monitor);
  return count;
}

gboolean
demo_delays_wait (DemoDelays *delays, guint n, gint64 until_us)
{
  gboolean in_time = TRUE;
  gboolean enough;

  monitor_lock (&delays->monitor);
  while (in_time && delays->delays_ms->len < n)
    in_time = monitor_wait_until (&delays->monitor, until_us);
  enough = delays->delays_ms->len >= n;
  monitor_unlock (&delays->monitor);
  return enough;
}

char *
demo_delays_to_string (DemoDelays *delays)
{
  GString *out = g_string_new (NULL);

  monitor_lock (&delays->monitor);
  for (guint i = 0; i < delays->delays_ms->len; i++)
    g_string_append_printf (out, "%s%" G_GINT64_FORMAT, i > 0 ? ", " : "",
                            g_array_index (delays->delays_ms, gint64, i));
  monitor_unlock (&delays->monitor);
  g_string_append (out, " ms");
  return g_string_free (out, FALSE);
}
