/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complaint: what goes wrong again and again, told in the program's log at once and then at most
 * once a minute, with how often it went wrong.
 *
 * One thread at a time.
 */
#ifndef CENOTE_PLUGINS_COMPLAINT_H
#define CENOTE_PLUGINS_COMPLAINT_H

#include <cenote/plugin.h>
#include <glib.h>

#define COMPLAINT_INTERVAL_US (60 * G_GINT64_CONSTANT (1000000))

/* Zeroed: nothing went wrong yet. */
typedef struct Complaint {
  gint64 next_us;            /* from when on it may be told again */
  guint64 n;                 /* times, since the beginning */
} Complaint;

/* N more times; at NOW_US.  WHAT it is about and WHY: "path: '/x'", "No space left on device". */
static inline void
complain (Complaint *self, const CenoteHost *host, gint64 now_us, guint64 n, const char *what, const char *why)
{
  g_autofree char *text = NULL;

  self->n += n;
  if (now_us < self->next_us)
    return;
  self->next_us = now_us + COMPLAINT_INTERVAL_US;
  text = g_strdup_printf ("%s: %s (%" G_GUINT64_FORMAT " so far)", what, why, self->n);
  host->log (host, CENOTE_LOG_WARNING, text);
}

#endif
