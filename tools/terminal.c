/* SPDX-License-Identifier: Apache-2.0 */
/* terminal: what stdout can show, colours, and a block of text redrawn in place.  See terminal.h. */
#include "terminal.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static gboolean
is_set (const char *variable)
{
  const char *value = g_getenv (variable);

  return value != NULL && *value != '\0';
}

void
terminal_init (Terminal *terminal)
{
  *terminal = (Terminal) { .live = FALSE };
  terminal->live = isatty (STDOUT_FILENO) && is_set ("TERM") && !g_str_equal (g_getenv ("TERM"), "dumb");
  terminal->colours = terminal->live && !is_set ("NO_COLOR");
  terminal->utf8 = g_get_charset (NULL);
}

static guint
height (void)
{
  struct winsize size;

  return ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

void
terminal_paint (const Terminal *terminal, GString *out, Colour colour, const char *text)
{
  static const char *const codes[] = {
    [COLOUR_PLAIN] = "0", [COLOUR_BOLD] = "1",    [COLOUR_DIM] = "2",  [COLOUR_GREEN] = "32",
    [COLOUR_YELLOW] = "33", [COLOUR_RED] = "31", [COLOUR_CYAN] = "36",
  };

  if (terminal->colours && colour != COLOUR_PLAIN)
    g_string_append_printf (out, "\033[%sm%s\033[0m", codes[colour], text);
  else
    g_string_append (out, text);
}

/* The first N lines of TEXT; *OUT_LINES is how many there are. */
static gsize
length_of_lines (const char *text, guint n, guint *out_lines)
{
  const char *end = text;

  for (*out_lines = 0; *out_lines < n && *end != '\0'; (*out_lines)++)
    end = strchr (end, '\n') != NULL ? strchr (end, '\n') + 1 : end + strlen (end);
  return (gsize) (end - text);
}

/* Without wrapping at the right edge (?7l) a line of text is a line of the screen. */
static void
draw_in_place (Terminal *terminal, const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gsize length;

  if (terminal->drawn > 0)
    g_string_append_printf (out, "\033[%uA\033[J", terminal->drawn);
  g_string_append (out, "\033[?7l");
  length = length_of_lines (text, height () - 1, &terminal->drawn);
  g_string_append_len (out, text, (gssize) length);
  g_string_append (out, "\033[?7h");
  fwrite (out->str, 1, out->len, stdout);
}

void
terminal_draw (Terminal *terminal, const char *text)
{
  if (terminal->live)
    draw_in_place (terminal, text);
  else
    fputs (text, stdout);
  fflush (stdout);
}

void
terminal_keep (Terminal *terminal)
{
  terminal->drawn = 0;
}

char *
terminal_safe (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_new (NULL);

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar character = g_utf8_get_char (at);

    g_string_append_unichar (out, g_unichar_iscntrl (character) ? '?' : character);
  }
  return g_string_free (out, FALSE);
}

char *
format_ms (gint64 ms)
{
  gint64 s = ms / 1000;

  if (ms < 0)
    return g_strdup ("-");
  if (ms < 1000)
    return g_strdup_printf ("%" G_GINT64_FORMAT " ms", ms);
  if (s < 60)
    return g_strdup_printf ("%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT " s", s, ms % 1000 / 100);
  if (s < 3600)
    return g_strdup_printf ("%" G_GINT64_FORMAT "m%02" G_GINT64_FORMAT "s", s / 60, s % 60);
  if (s < 86400)
    return g_strdup_printf ("%" G_GINT64_FORMAT "h%02" G_GINT64_FORMAT "m", s / 3600, s % 3600 / 60);
  return g_strdup_printf ("%" G_GINT64_FORMAT "d%02" G_GINT64_FORMAT "h", s / 86400, s % 86400 / 3600);
}

char *
format_us (gint64 us)
{
  const gboolean is_short = us < G_USEC_PER_SEC;
  gint64 unit = is_short ? 1000 : G_USEC_PER_SEC;

  if (us < 0 || us >= 60 * G_USEC_PER_SEC)
    return format_ms (us < 0 ? us : us / 1000);
  if (us < 1000)
    return g_strdup_printf ("%" G_GINT64_FORMAT " us", us);
  return g_strdup_printf ("%" G_GINT64_FORMAT ".%02" G_GINT64_FORMAT " %s", us / unit, us % unit * 100 / unit,
                          is_short ? "ms" : "s");
}
