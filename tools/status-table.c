/* SPDX-License-Identifier: Apache-2.0 */
/* status-table: a pool and its channels as text for people.  See status-table.h. */
#include "status-table.h"

#include "table.h"

static Colour
colour_of_pool (CenotePoolState state)
{
  switch (state) {
  case CENOTE_POOL_HEALTHY:
    return COLOUR_GREEN;
  case CENOTE_POOL_DEGRADED:
    return COLOUR_YELLOW;
  case CENOTE_POOL_DOWN:
    return COLOUR_RED;
  case CENOTE_POOL_STOPPED:
    break;
  }
  return COLOUR_DIM;
}

Colour
status_colour_of_channel (CenoteChannelState state)
{
  switch (state) {
  case CENOTE_CHANNEL_READY:
    return COLOUR_GREEN;
  case CENOTE_CHANNEL_CONNECTING:
  case CENOTE_CHANNEL_DRAINING:
    return COLOUR_YELLOW;
  case CENOTE_CHANNEL_TRANSIENT_FAILURE:
    return COLOUR_RED;
  case CENOTE_CHANNEL_IDLE:
  case CENOTE_CHANNEL_SHUTDOWN:
    break;
  }
  return COLOUR_DIM;
}

static void
add_channel (Table *table, const CenoteChannelStatus *channel)
{
  table_add_number (table, (gint64) channel->id);
  table_add (table, status_colour_of_channel (channel->state), cenote_channel_state_to_string (channel->state));
  table_add (table, COLOUR_PLAIN, channel->address);
  table_add_number (table, channel->in_flight);
  table_add_ms (table, channel->age_ms);
  table_add_number (table, channel->attempts);
  table_add_ms (table, channel->next_attempt_ms);
  table_add (table, COLOUR_PLAIN, channel->why);
}

static void
write_channels (const CenotePoolStatus *status, const Terminal *terminal, GString *out)
{
  static const char *const headings[] = {
    ">CHANNEL", "STATE", "ADDRESS", ">IN FLIGHT", ">AGE", ">ATTEMPTS", ">NEXT IN", "WHY", NULL,
  };
  g_autoptr (Table) table = table_new (headings);

  if (status->n_channels == 0)
    return;
  for (gsize i = 0; i < status->n_channels; i++)
    add_channel (table, status->channels[i]);
  table_write (table, terminal, "  ", out);
}

/* "pool users: healthy, 5 of 5 channels, 2 in flight, to dns:///users.example.com:443" */
static void
write_pool (const CenotePoolStatus *status, const Terminal *terminal, GString *out)
{
  g_autofree char *target = status->target != NULL ? terminal_safe (status->target) : NULL;

  g_string_append (out, "pool ");
  terminal_paint (terminal, out, COLOUR_BOLD, status->name);
  g_string_append (out, ": ");
  terminal_paint (terminal, out, colour_of_pool (status->state), cenote_pool_state_to_string (status->state));
  g_string_append_printf (out,
                          ", %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " channels, %" G_GINT64_FORMAT " in flight",
                          status->current_size, status->expected_size, status->in_flight);
  if (status->waiters > 0)
    g_string_append_printf (out, ", %" G_GINT64_FORMAT " waiting", status->waiters);
  if (status->leaks > 0)
    g_string_append_printf (out, ", %" G_GINT64_FORMAT " held too long", status->leaks);
  if (target != NULL)
    g_string_append_printf (out, ", to %s", target);
  g_string_append_c (out, '\n');
}

static void
write_last_error (const CenotePoolStatus *status, const Terminal *terminal, GString *out)
{
  g_autofree char *age = format_ms (status->last_error_age_ms);
  g_autofree char *text = terminal_safe (status->last_error);
  g_autofree char *line = status->last_error_age_ms < 0 ? g_strdup_printf ("  %s", text)
                                                        : g_strdup_printf ("  last error, %s ago: %s", age, text);

  terminal_paint (terminal, out, COLOUR_RED, line);
  g_string_append_c (out, '\n');
}

void
status_table_write (const CenotePoolStatus *status, const Terminal *terminal, GString *out)
{
  write_pool (status, terminal, out);
  if (status->last_error != NULL && status->state != CENOTE_POOL_HEALTHY)
    write_last_error (status, terminal, out);
  write_channels (status, terminal, out);
}
