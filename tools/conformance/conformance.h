/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformance: whether a plugin keeps what <cenote/plugin.h> asks of its kind.
 *
 * Plain functions, so that a test, and a command for authors of plugins, can run
 * them over any plugin.  Each check is reported once, kept or broken.  Nothing
 * outside the process is touched, except that a transport may try to connect.
 */
#ifndef CENOTE_TOOLS_CONFORMANCE_H
#define CENOTE_TOOLS_CONFORMANCE_H

#include "fixture.h"

G_BEGIN_DECLS

/* CHECK: "backoff: reset begins anew"; PROBLEM: what was found instead, NULL where the promise is kept. */
typedef void (*ConformanceReport) (gpointer data, const char *check, const char *problem);

/* Runs what applies to PLUGIN's kind.  SETTINGS ("key=value", nullable): for options without a
 * default.  gRPC must be initialised for transports.  Returns the number of promises broken. */
guint conformance_run (Plugin *plugin, const char *const *settings, ConformanceReport report, gpointer data);

/* One run: what the checks of the kinds are given. */
typedef struct Conformance {
  Plugin *plugin;
  const char *const *settings;
  ConformanceReport report;
  gpointer data;
  guint broken;
} Conformance;

/* Reports CHECK; where it is not KEPT, with the problem.  Returns KEPT. */
gboolean conformance_expect (Conformance *run, const char *check, gboolean kept, const char *format, ...)
  G_GNUC_PRINTF (4, 5);
/* (nullable): a fixture with a state; that it can be had is a check of its own, reported once by conformance_run(). */
Fixture *conformance_create (Conformance *run);

void conformance_backoff (Conformance *run);
void conformance_connector (Conformance *run);
void conformance_picker (Conformance *run);
void conformance_transport (Conformance *run);
void conformance_telemetry (Conformance *run);

G_END_DECLS

#endif
