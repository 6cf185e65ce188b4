/* SPDX-License-Identifier: Apache-2.0 */
/* demo-view: how the demo looks.  On a pipe the same words, plain and once. */
#ifndef CENOTE_TOOLS_DEMO_VIEW_H
#define CENOTE_TOOLS_DEMO_VIEW_H

#include <cenote/pool.h>

#include "terminal.h"

/* A line of the table at the end. */
typedef struct DemoPhase {
  const char *name;
  gint64 calls;
  gint64 failed;
  gint64 time_us;
  gint64 current_size;
  gint64 expected_size;
} DemoPhase;

/* The keyfile TEXT without its comments, after a line with its NAME. */
void demo_view_keyfile (const Terminal *terminal, const char *name, const char *text);
void demo_view_heading (const Terminal *terminal, guint number, const char *title);
/* One line of the story; in COLOUR where that is not COLOUR_PLAIN. */
void demo_view_say (const Terminal *terminal, Colour colour, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* One bar a channel: the calls of STATUS less those of BEFORE, full at its share of TOTAL. */
void demo_view_spread (Terminal *terminal, const CenotePoolStatus *status, const CenotePoolStatus *before,
                       gint64 total);
void demo_view_channels (Terminal *terminal, const CenotePoolStatus *status);
void demo_view_summary (const Terminal *terminal, const DemoPhase *phases, guint n_phases);

#endif
