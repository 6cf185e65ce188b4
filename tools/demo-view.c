/* SPDX-License-Identifier: Apache-2.0 */
/* demo-view: how the demo looks.  See demo-view.h. */
#include "demo-view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "status-table.h"
#include "table.h"

#define INDENT "    "
#define BAR_WIDTH 40
#define LONGEST_WHY 50

static void
print_painted (const Terminal *terminal, const char *before, Colour colour, const char *text)
{
  g_autoptr (GString) out = g_string_new (before);

  terminal_paint (terminal, out, colour, text);
  printf ("%s\n", out->str);
  fflush (stdout);
}

static gboolean
is_comment (const char *line)
{
  return line[0] == '#' || line[0] == '\0';
}

void
demo_view_keyfile (const Terminal *terminal, const char *name, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *title = g_strdup_printf ("The keyfile, %s:", name);

  print_painted (terminal, "", COLOUR_BOLD, title);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_autofree char *safe = terminal_safe (g_strstrip (lines[i]));

    if (!is_comment (safe))
      print_painted (terminal, INDENT, safe[0] == '[' ? COLOUR_CYAN : COLOUR_PLAIN, safe);
  }
}

void
demo_view_heading (const Terminal *terminal, guint number, const char *title)
{
  g_autofree char *text = g_strdup_printf ("%u. %s", number, title);

  print_painted (terminal, "\n", COLOUR_BOLD, text);
}

void
demo_view_say (const Terminal *terminal, Colour colour, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *safe = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  safe = terminal_safe (text);
  print_painted (terminal, INDENT, colour, safe);
}

/* Leases taken on channel ID before; 0 where it was not there. */
static gint64
calls_of (const CenotePoolStatus *status, guint64 id)
{
  for (gsize i = 0; status != NULL && i < status->n_channels; i++)
    if (status->channels[i]->id == id)
      return status->channels[i]->calls;
  return 0;
}

static char *
bar (const Terminal *terminal, gint64 length)
{
  GString *out = g_string_new (NULL);

  for (gint64 i = 0; i < length; i++)
    g_string_append (out, terminal->live && terminal->utf8 ? "\xe2\x96\x88" : "#");
  return g_string_free (out, FALSE);
}

void
demo_view_spread (Terminal *terminal, const CenotePoolStatus *status, const CenotePoolStatus *before, gint64 total)
{
  static const char *const headings[] = { ">CHANNEL", ">CALLS", "SHARE", NULL };
  g_autoptr (Table) table = table_new (headings);
  g_autoptr (GString) out = g_string_new (NULL);
  gint64 most = MAX (1, total / MAX (1, (gint64) status->n_channels));

  for (gsize i = 0; i < status->n_channels; i++)
    most = MAX (most, status->channels[i]->calls - calls_of (before, status->channels[i]->id));
  for (gsize i = 0; i < status->n_channels; i++) {
    const CenoteChannelStatus *channel = status->channels[i];
    gint64 calls = channel->calls - calls_of (before, channel->id);
    g_autofree char *length = bar (terminal, calls * BAR_WIDTH / most);

    table_add_number (table, (gint64) channel->id);
    table_add_number (table, calls);
    table_add (table, COLOUR_GREEN, length);
  }
  table_write (table, terminal, INDENT, out);
  terminal_draw (terminal, out->str);
}

/* (transfer full): the first and the last part of a long reason: "could not connect: ... Connection refused". */
static char *
shorten (const char *why)
{
  const char *first = strstr (why, ": ");
  const char *last = g_strrstr (why, ": ");

  if (strlen (why) <= LONGEST_WHY || first == last)
    return g_strdup (why);
  return g_strdup_printf ("%.*s: ... %s", (int) (first - why), why, last + strlen (": "));
}

void
demo_view_channels (Terminal *terminal, const CenotePoolStatus *status)
{
  static const char *const headings[] = { ">CHANNEL", "STATE", ">ATTEMPTS", ">NEXT IN", "WHY", NULL };
  g_autoptr (Table) table = table_new (headings);
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize i = 0; i < status->n_channels; i++) {
    const CenoteChannelStatus *channel = status->channels[i];
    g_autofree char *why = shorten (channel->why != NULL ? channel->why : "");

    table_add_number (table, (gint64) channel->id);
    table_add (table, status_colour_of_channel (channel->state), cenote_channel_state_to_string (channel->state));
    table_add_number (table, channel->attempts);
    table_add_ms (table, channel->next_attempt_ms);
    table_add (table, COLOUR_PLAIN, why);
  }
  table_write (table, terminal, INDENT, out);
  terminal_draw (terminal, out->str);
}

void
demo_view_summary (const Terminal *terminal, const DemoPhase *phases, guint n_phases)
{
  static const char *const headings[] = { "PHASE", ">CALLS", ">FAILED", ">TIME", ">CHANNELS", NULL };
  g_autoptr (Table) table = table_new (headings);
  g_autoptr (GString) out = g_string_new ("\n");

  for (guint i = 0; i < n_phases; i++) {
    const DemoPhase *phase = &phases[i];
    g_autofree char *time = format_us (phase->time_us);
    g_autofree char *channels = g_strdup_printf ("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, phase->current_size,
                                                 phase->expected_size);
    gboolean full = phase->current_size >= phase->expected_size;

    table_add (table, COLOUR_PLAIN, phase->name);
    table_add_number (table, phase->calls);
    table_add_number (table, phase->failed);
    table_add (table, COLOUR_PLAIN, time);
    table_add (table, full ? COLOUR_GREEN : COLOUR_RED, channels);
  }
  table_write (table, terminal, "", out);
  printf ("%s", out->str);
}
