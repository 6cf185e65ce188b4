/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal: what stdout can show, colours, and a block of text redrawn in place.
 *
 * Colours and redrawing need a terminal that can move its cursor (TERM is not
 * "dumb"); colours also need NO_COLOR to be unset or empty.  Elsewhere text is plain.
 */
#ifndef CENOTE_TOOLS_TERMINAL_H
#define CENOTE_TOOLS_TERMINAL_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  COLOUR_PLAIN,
  COLOUR_BOLD,
  COLOUR_DIM,
  COLOUR_GREEN,
  COLOUR_YELLOW,
  COLOUR_RED,
  COLOUR_CYAN
} Colour;

typedef struct Terminal {
  gboolean live;             /* stdout is a terminal whose cursor can be moved */
  gboolean colours;
  gboolean utf8;             /* the locale can show more than ASCII */
  guint drawn;               /* lines that the next terminal_draw() replaces */
} Terminal;

/* Looks at stdout and the environment. */
void terminal_init (Terminal *terminal);
/* Appends TEXT in COLOUR. */
void terminal_paint (const Terminal *terminal, GString *out, Colour colour, const char *text);

/* Shows TEXT (whole lines) where the last terminal_draw() stood, on a live
 * terminal cut to its width and height; elsewhere prints it. */
void terminal_draw (Terminal *terminal, const char *text);
/* What was drawn stays; the next terminal_draw() begins below it. */
void terminal_keep (Terminal *terminal);

/* (transfer full): TEXT with control characters, which could drive a terminal, replaced by '?'. */
char *terminal_safe (const char *text);

/* (transfer full): milliseconds as people read them: "85 ms", "1.2 s", "4m10s", "3h05m", "2d04h"; "-" where negative.
 */
char *format_ms (gint64 ms);
/* (transfer full): the same of microseconds: "850 us", "1.24 ms", "3.05 s", and from a minute on as format_ms(). */
char *format_us (gint64 us);

G_END_DECLS

#endif
