/* SPDX-License-Identifier: Apache-2.0 */
#include "events-option.h"

#include <cenote/event-text.h>
#include <cenote/telemetry.h>

#define FREQUENT_EVENTS \
  (CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET) | CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_GET_CHANNEL) | \
   CENOTE_EVENT_BIT (CENOTE_EVENT_CONNECTOR_DIAL) | CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS))

/* Adds the kinds that NAME means. */
static gboolean
add_events (guint64 *events, const char *name)
{
  CenoteEventKind kind;

  if (g_str_equal (name, "all")) {
    *events |= CENOTE_EVENT_MASK_ALL;
    return TRUE;
  }
  if (!cenote_event_kind_from_string (name, &kind))
    return FALSE;
  *events |= CENOTE_EVENT_BIT (kind);
  return TRUE;
}

static void
fail_on_event (const CenoteHost *host, CenoteFault *fault, const char *name)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text, "events: '%s' is no event (all", name);
  for (guint kind = 0; kind < CENOTE_N_EVENTS; kind++)
    g_string_append_printf (text, ", %s", cenote_event_kind_to_string (kind));
  g_string_append_c (text, ')');
  host->fail (host, fault, text->str);
}

gboolean
events_option_read (const CenoteHost *host, const CenoteValue *value, CenoteFault *fault, guint64 *out_events)
{
  guint64 events = value->is_set ? 0 : CENOTE_EVENT_MASK_ALL & ~FREQUENT_EVENTS;

  for (guint i = 0; value->is_set && value->list[i] != NULL; i++)
    if (!add_events (&events, value->list[i])) {
      fail_on_event (host, fault, value->list[i]);
      return FALSE;
    }
  *out_events = events;
  return TRUE;
}
